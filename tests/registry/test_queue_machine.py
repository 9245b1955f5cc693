"""The queue never loses a row: whatever is imported, decided, undone and registered in whatever order, each row is in one place."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry import config, database, privacy
from registry.cells.documents import fold_document_no
from registry.errors import RegistryError
from registry.models import Record, Settled, Unmatched
from registry.services import deciding, imports, merges
from registry.services.deciding import Who
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, registered
from tests.registry.tables import HEADINGS_2021, penalty_row, table

NAMES = ("信衡甲食品有限公司", "信衡乙食品有限公司", "张三")
CODES = tuple(credit_code(number=900 + n) for n in range(3))
# Rows of the feed: a name, and perhaps a number; each has a document number of its own.
ROWS = [
    {"name": name, "code": "", "document_no": f"信{at}号", "kinds": kinds, **number}
    for at, (name, number, kinds) in enumerate(
        (name, number, kinds)
        for name in NAMES
        for number in ({}, {"organisation_code": CODES[0][8:17]}, {"organisation_code": CODES[2][8:17]})
        for kinds in ("罚款", "吊销营业执照")
    )
]
_pick = st.integers(0, 20)
ACTS = st.one_of(
    st.tuples(st.just("import"), st.sets(st.integers(0, len(ROWS) - 1), min_size=1, max_size=6), st.sampled_from(["", "9901"])),
    st.tuples(st.just("register"), st.integers(0, 2), st.integers(0, 1)),
    st.tuples(st.just("match"), _pick, st.integers(0, 2)),
    st.tuples(st.sampled_from(["drop", "confirm", "detach", "undo"]), _pick),
    st.tuples(st.just("merge"), st.integers(0, 2), st.integers(0, 2)),
)  # fmt: skip


def of(items, at):
    return items[at % len(items)] if items else None


def act(what, folder, at):
    """Do one thing; what is refused changes nothing."""
    name, *rest = what
    who = Who("test", TODAY, NOW, ["general-risk"])
    if name == "import":
        path = table(folder, HEADINGS_2021, [penalty_row(**ROWS[one]) for one in sorted(rest[0])], name=f"{at}.csv")
        imports.run(
            imports.open_source(path), today=TODAY, key=privacy.key(config.load(environ={"XINHENG_PRIVACY_KEY_FILE": str(folder / "key")})),
            schemes=[], chunk=2, actor="test", now=lambda: NOW, division=rest[1],
        )  # fmt: skip
    elif name == "register":
        registered(CODES[rest[0]], name=NAMES[rest[1]])
    elif name == "merge":
        merges.merge(CODES[rest[0]], CODES[rest[1]], reason="x", actor="test", today=TODAY, now=NOW, schemes=[])
    elif name in ("match", "drop"):
        row = of([one.id for one in Unmatched.select().order_by(Unmatched.id)], rest[0])
        if row is not None:
            to = CODES[rest[1]] if name == "match" else None
            deciding.decide([row], name, to=to, reason="x", who=who)
    elif name in ("confirm", "detach"):
        seq = of([one["seq"] for one in deciding.named().items], rest[0])
        if seq is not None:
            getattr(deciding, name)([seq], reason="x", who=who)
    else:
        number = of([one.id for one in deciding.page().items], rest[0])
        if number is not None:
            deciding.undo(number, reason="x", who=who)


def document(fields):
    return fields["document_no"]


def check(sent):
    """Each row that was ever sent is in exactly one place, and no record holds that no row stands behind."""
    waiting = [document(row.fields) for row in Unmatched.select()]
    settled = {document(row.fields): row for row in Settled.select()}
    holds = [
        (row.document_no, row.matched, row.identity)
        for row in Record.select().where((Record.kind == "penalty") & Record.replaced_seq.is_null() & (Record.act != "withdraw"))
    ]  # fmt: skip
    dropped = [number for number, row in settled.items() if row.how == "dropped"]
    stated = [number for number, _, _ in holds]
    assert sorted([*waiting, *dropped, *stated]) == sorted(sent)
    for number, matched, identity in holds:
        if matched != "number":
            assert settled[number].record == identity


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=st.lists(ACTS, min_size=4, max_size=14))
def test_rows_in_are_rows_stated_dropped_and_waiting_in_any_order_of_things(sqlite_template, acts):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(sqlite_template, folder / "x.db")
        environ = {
            "XINHENG_DATABASE_URL": f"sqlite:///{folder / 'x.db'}",
            "XINHENG_PRIVACY_KEY_FILE": str(folder / "key"),
        }
        here = config.load(environ=environ)
        database.connect(here)
        privacy.make_key(here)
        sent = set()
        with database.session():
            for at, what in enumerate(acts):
                if what[0] == "import":
                    sent |= {ROWS[one]["document_no"] for one in what[1]}
                try:
                    act(what, folder, at)
                except RegistryError:
                    continue
                finally:
                    check({fold_document_no(one) for one in sent})
        database.db.obj.close_all()
