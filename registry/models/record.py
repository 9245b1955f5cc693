"""The append-only ledger of records, its two clocks, and the facts that are counted."""

from peewee import (
    BigIntegerField,
    CharField,
    Check,
    CompositeKey,
    DateField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    SmallIntegerField,
)

from registry.models.base import Base
from registry.models.entity import Entity


class LedgerHead(Base):
    """The last numbers given, in one row. A writer takes this row first and holds it until it commits: commit order."""

    id = SmallIntegerField(primary_key=True)
    seq = BigIntegerField()
    entity = BigIntegerField(help_text="Last entity id")
    name = BigIntegerField(help_text="Last id in entity_name")


class Moment(Base):
    """When the ledger stood at `seq`: the map between the number and the clock on the wall."""

    seq = BigIntegerField(primary_key=True)
    at = BigIntegerField(index=True, help_text="Milliseconds since 1970-01-01 UTC, never falling")


class Record(Base):
    """One dated fact about one entity, exactly as one organ decided it.

    ``seq`` is given in commit order and is the clock of what we knew. A correction or a withdrawal is a new row that
    names the row it `replaces` and sets ``replaced_seq`` there; nothing else ever changes. A `step` is not a record but
    what was done with one (reviewed, published, repaired, matched …): its `kind` is the name of the step, `about` the
    identity of the record.
    """

    seq = BigIntegerField(primary_key=True)
    act = CharField(
        8, default="state", constraints=[Check("act IN ('state', 'correct', 'end', 'withdraw', 'restate', 'step')")]
    )
    identity = CharField(32, help_text="Digest of what makes it this record: kind, organ, document number, party")
    content = CharField(32, help_text="Digest of all that was said")
    kind = CharField(20, help_text="Name of a file in registry/kinds; of a step, its name")
    # Empty only for rows that concern the registry itself (coverage).
    entity = ForeignKeyField(Entity, null=True, on_delete="RESTRICT", index=False)
    code = IntegerField(default=0)
    severity = SmallIntegerField(default=0)
    amount_fen = BigIntegerField(default=0, constraints=[Check("amount_fen >= 0")])
    happened_on = DateField(null=True, help_text="Date printed on the decision; empty when the source gives none")
    ends_on = DateField(null=True, help_text="First day on which it no longer holds")
    document_no = CharField(128, default="", help_text="Folded; empty where the source gives none")
    organ = CharField(200, default="", help_text="Who decided")
    source = CharField(64, help_text="Who sent it: `organ` for the deciding organ itself, else a file's source")
    detail = JSONField(default=dict)
    about = CharField(32, null=True, help_text="Of a step: the identity of the record that it concerns")
    matched = CharField(8, default="number", constraints=[Check("matched IN ('number', 'name', 'person')")],
                        help_text="How the row found its entity: by a number, by its exact name, or by a person's decision")  # fmt: skip
    replaces = BigIntegerField(null=True)
    replaced_seq = BigIntegerField(null=True, help_text="seq of the correction; empty while current")
    entity_id: int  # what the mapper stores of `entity`

    class Meta:
        # "This entity's records, newest first": page one of the dossier.
        indexes = ((("entity", "happened_on", "seq"), False),)


# The same decision sent twice collides here instead of doubling.
Record.add_index(Record.index(Record.identity, unique=True, where=Record.replaced_seq.is_null(), name="record_current"))
# "Was this ever said?": a correction must not come back as news when the old file is imported again.
Record.add_index(Record.index(Record.identity, where=Record.replaced_seq.is_null(False), name="record_replaced"))
# "What was done with this record?", in order.
Record.add_index(Record.index(Record.about, Record.seq, where=Record.about.is_null(False), name="record_about"))
# "Which rows were attached by name, and wait to be confirmed?"
Record.add_index(
    Record.index(Record.seq, where=(Record.matched == "name") & Record.replaced_seq.is_null(), name="record_by_name")
)


class Uncounted(Base):
    """A record that holds and does not count, and why: a cache of steps in the ledger, rebuildable from them."""

    identity = CharField(32, primary_key=True)
    entity = BigIntegerField(index=True)
    # `by_name` waits for confirmation, `review` for a review, `repaired` and `capped` stay out.
    why = CharField(8, constraints=[Check("why IN ('by_name', 'review', 'repaired', 'capped', 'erased')")])
    seq = BigIntegerField(help_text="Ledger row that says so")

    class Meta:
        without_rowid = True


class Provenance(Base):
    """Another source, or another wording, of a decision that the ledger already has. It counts once."""

    identity = CharField(32)
    source = CharField(64)
    content = CharField(32)
    seq = BigIntegerField(help_text="Ledger row that it was attached to")

    class Meta:
        primary_key = CompositeKey("identity", "source", "content")
        without_rowid = True


class Fact(Base):
    """What grading reads: integers only, one or a few per record, rebuildable from the ledger.

    Clustered by entity, so that one entity's facts and a range of entities are each one sequential read.
    """

    entity = BigIntegerField()
    known = BigIntegerField(help_text="seq that says so")
    part = SmallIntegerField(default=0)
    kind = SmallIntegerField()
    code = IntegerField()
    severity = SmallIntegerField()
    amount = BigIntegerField()
    day = IntegerField(help_text="Days since 1970-01-01")
    ends = IntegerField(null=True)
    gone = BigIntegerField(null=True, help_text="seq that replaced it; empty while it holds")

    class Meta:
        primary_key = CompositeKey("entity", "known", "part")
        without_rowid = True


# "Who was checked from day to day?" without reading the facts of everybody: annual caps, due dates, rates.
Fact.add_index(Fact.index(Fact.kind, Fact.day, where=Fact.kind.in_((5, 19)), name="fact_checks"))


class Coverage(Base):
    """For which kind, division and days a feed was connected: no record there means zero, elsewhere unknown."""

    known = BigIntegerField(primary_key=True, help_text="seq that says so")
    kind = SmallIntegerField()
    division = CharField(6, default="", help_text="Prefix; empty means everywhere")
    from_day = IntegerField()
    to_day = IntegerField(null=True)
    gone = BigIntegerField(null=True)
