"""Whatever happens to records in whatever order: what was withdrawn or repaired is never seen or counted again, and words
against which an objection was upheld are never shown."""

from datetime import date, timedelta

from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from registry import database
from registry.errors import RegistryError
from registry.kinds import KINDS
from registry.models import CHANNELS, Entity, Record, Uncounted
from registry.services import explanation, frames, grading, ledger, life, publication, records
from tests.conftest import NOW
from tests.factories import record, registered, statement
from tests.registry import lives

START = date(2025, 11, 3)
NUMBERS = {kind.number for kind in KINDS.values()}
VERBS = ("review", "refuse", "publish", "stop", "object", "repair", "withdraw", "again", "correct", "night")
# A source says again what it had corrected after an objection: too rare to be met by chance.
SAID_AGAIN = ("publish", "object", "correct", "publish", "again")
# What is said of which of four records, and how many days go by before it.
acts = st.lists(
    st.tuples(st.sampled_from((*VERBS, "withdraw", "repair", "publish")), st.integers(0, 3), st.sampled_from([0, 0, 1, 30, 150])),
    min_size=3, max_size=14,
)  # fmt: skip


class World:
    """Two enterprises with two records each, of which everything may become."""

    def __init__(self, scheme):
        self.scheme, self.today, self.count = scheme, START, 0
        self.entities = [registered(industry=6513), registered()]
        self.gone = {}  # identity → ledger row from which on it is gone
        self.wrong = set()  # (identity, content) of words against which an objection was upheld
        self.said = []
        for at in range(4):
            kind = ("penalty", "penalty", "spot_check", "serious_listing")[at]
            given = {"penalty": {"kinds": ["fine"], "fine_fen": 200_000_00, "content": "", "decided_on": START},
                     "spot_check": {"results": [{"code": "3"}], "checked_on": START, "linked": "信0号"},
                     "serious_listing": {"listed_on": START}}[kind]  # fmt: skip
            self.said.append((self.entities[at % 2], kind, {"document_no": f"信{at}号", **given}))
        self.first = [record(entity, kind, **given).seq for entity, kind, given in self.said]
        self.identities = [lives.target(seq).identity for seq in self.first]

    def do(self, verb, which, days):
        self.today += timedelta(days=days)
        self.count += 1
        target = life.targets(identities=[self.identities[which]])[0]
        seq, on = target.seq, self.today
        try:
            if verb in ("review", "refuse"):
                lives.passed(seq, on=on, outcome="passed" if verb == "review" else "refused", reason="x")
            elif verb == "publish":
                lives.passed(seq, on=on)
                # With a reason what an officer stopped comes back.
                lives.published(
                    seq, on=on, old_rows=("keep", "retime")[self.count % 2], reason=("", "x")[self.count % 3 == 0]
                )
            elif verb == "stop":
                publication.stop(seq, target.kind, reason="x", organ=None, actor=lives.REVIEWER, today=on, now=NOW)
            elif verb == "object":
                lives.answered(lives.objected(seq, on=on)["id"], upheld=True, withdraw=bool(self.count % 2), on=on)
                self.wrong.add((target.identity, target.content))
            elif verb == "repair":
                lives.repaired(seq, on=on)
            elif verb == "withdraw":
                lives.withdrawn(seq, on=on, scheme=self.scheme)
            elif verb == "night":
                for identity in publication.due(on, old_rows="retime"):
                    publication.end(identity, today=on, actor="job:night", now=NOW, old_rows="retime")
            else:
                self.say(verb, which, seq)
        except RegistryError as error:
            if error.status == 500:
                raise
        after = life.targets(identities=[self.identities[which]])[0]
        if after.withdrawn or after.out in life.FOR_GOOD:
            self.gone.setdefault(after.identity, ledger.head())

    def say(self, verb, which, seq):
        """The source repeats or corrects its words; or somebody confirms the row that it has."""
        entity, kind, given = self.said[which]
        if verb == "correct" and kind == "penalty":
            given = {**given, "fine_fen": 300_000_00 + self.count * 100}
        with ledger.writing(now=NOW, schemes=[]) as pen:
            pen.state([(entity, statement(kind, **given))], source="test")


def check(world):
    """Nothing that is gone is visible on any channel and any day, or counted at any ledger number since, or in words."""
    rows = {row.seq: row.identity for row in Record.select(Record.seq, Record.identity)}
    head = ledger.head()
    for channel in CHANNELS:
        for day in (START, START + timedelta(days=40), world.today):
            shown = {
                one for entity in world.entities for one in publication.visible(entity, channel=channel, today=day)
            }
            assert not shown & set(world.gone), (channel, day)
    for known in range(min(world.gone.values(), default=head), head + 1):
        facts = frames.facts_of(world.entities, NUMBERS, known)
        counted = {rows[seq] for seq in facts["seq"].to_list()}
        assert not {one for one in counted if world.gone.get(one, head + 1) <= known}, known
    for entity in Entity.select().where(Entity.id.in_(world.entities)):
        listed = records.page(entity, kind=None, after=None, limit=50).items
        assert not {view.row["identity"] for view in listed} & set(world.gone)
        for known in (head, min(world.gone.values(), default=head) - 1):
            found = explanation.of(entity, world.scheme, on=world.today, known=known, today=world.today)
            for seq, words in found.records.items():
                if rows[seq] in world.gone:
                    assert set(words) == {"seq", "kind", "withdrawn"} or set(words) == {"seq", "kind", "repaired"}
    assert list(life.derive_life()) == []
    held = {row.identity for row in Uncounted.select().where(Uncounted.why == "repaired")}
    assert held <= set(world.gone), "who is repaired stays so"


def test_what_is_withdrawn_or_repaired_is_never_seen_or_counted_again(on_sqlite):
    scheme = grading.scheme_named(on_sqlite)
    seen = {"gone": 0, "repaired": 0, "visible": 0}

    @given(acts)
    @example([(verb, 0, 0) for verb in SAID_AGAIN])
    @hypothesis_settings(
        max_examples=15,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    def holds(some):
        with database.db.atomic() as transaction:
            world = World(scheme)
            for act in some:
                world.do(*act)
                check_quick(world)
                seen["visible"] += any(
                    publication.visible(one, channel="site", today=world.today) for one in world.entities
                )
            check(world)
            seen["gone"] += len(world.gone)
            seen["repaired"] += Uncounted.select().where(Uncounted.why == "repaired").count()
            transaction.rollback()

    holds()
    # The sequences really withdraw, repair and show something; else this test would say nothing.
    assert min(seen.values()) > 0, seen


def check_quick(world):
    wrong = {
        one.identity for one in life.targets(identities=world.identities) if (one.identity, one.content) in world.wrong
    }
    for identity in {*world.gone, *wrong}:
        assert not any(publication.is_visible(identity, channel=channel, today=world.today) for channel in CHANNELS)
