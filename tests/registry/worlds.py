"""Random small registries for property tests: what may be said, and saying it."""

import hashlib
from datetime import date, timedelta

from hypothesis import strategies as st

from registry import database
from registry.clock import day_number
from registry.kinds import KINDS, Statement
from registry.models import (
    ContextValue,
    Entity,
    GradeContext,
    GradeOverride,
    GradeRaise,
    GradeRun,
    GradeState,
    Model,
    Record,
    SchemeActivation,
    SchemeProposal,
)
from registry.services import book, context_building, entities, grading, ledger, records
from registry.services.entities import Party
from registry.services.records import Checked
from tests.factories import credit_code

SCHEMES = ["general-risk"]
START = date(2024, 5, 20)
MOST = 6
DIVISIONS = ("990102", "990203")
ORGAN = "信衡市市场监督管理局"
CODES = {
    "registration": (0, 1300, 5200),
    "annual_report": tuple(range(2019, 2026)),
    "serious_listing": (5, 7, 11),
    "penalty": (1, 3, 8, 10),
}
KIND_NAMES = tuple(KINDS)

_number = st.integers(0, MOST - 1)
_ago = st.integers(-40, 1200)
_length = st.one_of(st.none(), st.integers(0, 500))

_register = st.tuples(
    st.just("register"), _number, st.sampled_from(["enterprise", "individual", "cooperative", "branch", "other"]),
    st.sampled_from([1, 1, 1, 2, 3, 4]), st.integers(0, 4000), _length, st.sampled_from(DIVISIONS),
)  # fmt: skip
_record = st.tuples(
    st.sampled_from(["state", "post"]), _number, st.sampled_from(KIND_NAMES[1:]), st.integers(0, 9), st.integers(0, 3),
    st.sampled_from([0, 5_000_00, 2_000_000_00]), _ago, _length, st.integers(1, 4), st.booleans(),
)  # fmt: skip
_cover = st.tuples(st.just("cover"), st.sampled_from(KIND_NAMES), st.sampled_from(["", "99", "990203"]), _ago, _length)
_gone = st.tuples(st.just("withdraw"), st.integers(0, 50))
_set = st.tuples(st.just("set"), _number, st.sampled_from("ABCD"), st.integers(-30, 30), st.integers(1, 400))
_raise = st.tuples(st.just("raise"), _number, st.integers(-30, 30), st.integers(1, 400))
_activate = st.tuples(st.just("activate"), st.integers(0, 1), st.integers(0, 40))
_context = st.tuples(st.just("context"))
_act = st.one_of(_record, _record, _record, _register, _register, _cover, _gone, _set, _raise, _activate, _context)
# Days that go by before something is said, and what is said then.
steps = st.lists(
    st.tuples(st.sampled_from([0, 1, 1, 7, 30, 91, 365]), st.lists(_act, max_size=6)), min_size=1, max_size=5
)


def apply(act, *, scheme, today, now, settings, contents):
    """Say one thing to the registry, by the way that `act` names. `contents` are those of the scheme that may be activated."""
    what, *rest = act
    if what == "context":
        if not GradeContext.select().where(GradeContext.day == day_number(today)).exists():
            context_building.build(settings, day=today, now=now)
        return
    if what == "activate":
        activate(contents[rest[0]], today + timedelta(days=rest[1]))
        return
    if what == "set":
        number, class_, ago, length = rest
        found = Entity.get_or_none(Entity.code == credit_code(number=number))
        if found is not None:
            first = today + timedelta(days=ago)
            set_class(found.id, class_, first, first + timedelta(days=length))
        return
    if what == "raise":
        number, ago, length = rest
        found = Entity.get_or_none(Entity.code == credit_code(number=number))
        if found is not None:
            first = today + timedelta(days=ago)
            raise_class(found.id, first, first + timedelta(days=length))
        return
    with ledger.writing(now=now, schemes=SCHEMES) as pen:
        if what == "register":
            number, subject, status, age, length, division = rest
            code = credit_code(number=number)
            established = today - timedelta(days=age)
            ends = None if length is None else today + timedelta(days=length - 200)
            detail = {"name": f"信衡示例{number}", "subject": subject, "division": division}
            said = Statement(
                "registration",
                (0, 1300, 5200)[age % 3],
                status,
                age * 100_00,
                established,
                ends,
                "",
                "",
                ("registration",),
                detail,
            )
            entities.register(
                pen, [(Party(code=code, organisation_code=code[8:17], name=detail["name"]), said)], source="register"
            )
        elif what == "cover":
            kind, division, ago, length = rest
            first = today - timedelta(days=ago)
            pen.cover(kind, division, first, None if length is None else first + timedelta(days=length), source="feed")
        elif what == "withdraw":
            kept = Record.select().where(
                Record.replaced_seq.is_null() & (Record.act != "withdraw") & Record.kind.in_(KIND_NAMES[1:])
            )
            found = list(kept.order_by(Record.seq))
            if found:
                pen.withdraw(found[rest[0] % len(found)].seq, source="feed", reason="撤销")
        elif what == "state":
            party, said = _statement(rest, today)
            (entity,) = [one.id for one in entities.match([party]) if one] or entities.provisional(
                pen, [party]
            ).values()
            pen.state([(entity, said)], source="feed")
    if what == "post":
        party, said = _statement(rest, today)
        records.post(
            [Checked(party, said)], source="key:x", actor="key:x", scheme=scheme, schemes=SCHEMES, today=today, now=now
        )


def _statement(rest, today):
    number, kind, code, severity, amount, ago, length, document, undated = rest
    codes = CODES.get(kind, (1, 2, 3, 4, 5))
    happened = today - timedelta(days=ago)
    ends = (
        happened + timedelta(days=length)
        if length is not None and kind in ("abnormal_listing", "serious_listing", "item_12315")
        else None
    )
    dated = None if undated and document == 4 else happened
    key = (kind, "document", ORGAN, f"信{document}号")
    code = codes[code % len(codes)]
    return Party(code=credit_code(number=number)), Statement(
        kind, code, severity, amount, dated, ends if dated else None, f"信{document}号", ORGAN, key, {}
    )


def activate(scheme, day):
    """Put a content of a scheme into force from a day, as two approvals do."""
    version = book.version_of(scheme)
    with ledger.writing(now=0, schemes=[]) as pen:
        said = pen.step(
            "scheme_activated", about=scheme.hash[:32], entity=None, key=[scheme.id, day.isoformat(), pen.seq], on=day,
            detail={"scheme": scheme.id, "hash": scheme.hash}, by="a test",
        )  # fmt: skip
    proposal = SchemeProposal.create(
        scheme=scheme.id, version=version, files={}, reason="a test", from_day=day_number(day), state="approved",
        proposed_by="a", proposed_at=0,
    )  # fmt: skip
    SchemeActivation.create(
        known=said.seq, scheme=scheme.id, version=version, from_day=day_number(day), proposal=proposal
    )


def put_in_force(day, values):
    """Put a context into force from a day that says only this: (entity, name) → value."""
    digest = hashlib.sha256(repr((day, sorted(values.items()))).encode()).hexdigest()
    with ledger.writing(now=0, schemes=[]) as pen:
        said = pen.step(
            "context_built", about=digest[:32], entity=None, key=[day_number(day)], on=day, detail={}, by="a test"
        )
    made = GradeContext.create(
        hash=digest, day=day_number(day), known=said.seq - 1, seq=said.seq, built_at=0, names=sorted({name for _, name in values}), norms=[],
    )  # fmt: skip
    for (entity, name), value in values.items():
        ContextValue.create(context=made.id, entity=entity, name=name, value=value)
    return made


def set_class(entity, class_, first, last, scheme="general-risk"):
    """Let a person have set a class from a day until another, as the second person's approval does; mark it stale."""
    with ledger.writing(now=0, schemes=[scheme]) as pen:
        said = pen.step(
            "override_approved",
            about=f"override-{pen.seq}",
            entity=entity,
            key=[pen.seq],
            on=first,
            detail={"class": class_},
            by="b",
        )
        pen.touched[entity] = said.seq
    return GradeOverride.create(
        entity=entity, scheme=scheme, class_=class_, reason="a test", basis="a test", from_day=day_number(first),
        until_day=day_number(last), state="approved", proposed_by="a", proposed_at=0, decided_by="b", decided_at=0, known=said.seq,
    )  # fmt: skip


def raise_class(entity, first, last, scheme="general-risk"):
    """Let a raise by one class count from a day until another, as its confirmation does; mark the entity stale."""
    model = Model.get_or_none(Model.grades == scheme) or Model.create(
        name="a test", form="scorecard", hash="0" * 64, bundle="{}", features=scheme, grades=scheme, state="champion", gain_low=1,
        gain_high=2, metrics={}, known=0, trained_by="a", trained_at=0,
    )  # fmt: skip
    with ledger.writing(now=0, schemes=[scheme]) as pen:
        said = pen.step(
            "raise_confirmed", about=f"raise-{pen.seq}", entity=entity, key=[pen.seq], on=first, detail={}, by="b"
        )
        pen.touched[entity] = said.seq
    # One stands at a time; what was confirmed before goes on to count until its day.
    GradeRaise.update(state="lapsed").where((GradeRaise.entity == entity) & (GradeRaise.scheme == scheme)).execute()
    return GradeRaise.create(
        entity=entity, scheme=scheme, model=model, chance=1, class_="A", reasons=[], from_day=day_number(first),
        until_day=day_number(last), state="confirmed", suggested_at=0, decided_by="b", decided_at=0, known=said.seq,
    )  # fmt: skip


def state_of(scheme):
    """entity → (class, score, digest, version) of the grades that stand now."""
    return {
        row.entity: (row.class_, row.score, bytes(row.digest).hex(), row.version)
        for row in GradeState.select().where(GradeState.scheme == scheme.id)
    }


def next_days(scheme):
    return {row.entity: row.next_day for row in GradeState.select().where(GradeState.scheme == scheme.id)}


def from_scratch(scheme, day, width=3):
    """What grading everyone from nothing would give, without leaving a trace: (states, next days)."""
    with database.db.atomic() as transaction:
        for table in ("grade", "grade_state", "stale", "grade_range", "grade_run"):
            database.execute(f"DELETE FROM {table}")  # noqa: S608
        known, version = ledger.head(), grading.version_of(scheme)
        run = GradeRun.create(
            scheme=scheme.id, version=version, day=day_number(day), known=known, state="running", started_at=0
        )
        highest = database.execute("SELECT coalesce(max(id), 0) FROM entity").fetchone()[0]
        # Range by range as a full run does, but on this connection: another one would not see what is not committed.
        for first in range(1, highest + 1, width):
            grading.grade_range(scheme, run.id, first, first + width - 1, day=day, known=known)
        found = state_of(scheme), next_days(scheme)
        transaction.rollback()
    return found


def never_late(mine, theirs, today):
    """Whether a breakpoint that is kept may be too early but is never too late."""
    far = day_number(date(9999, 1, 1))
    return day_number(today) < (far if mine is None else mine) <= (far if theirs is None else theirs)
