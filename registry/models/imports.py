"""Imports: their state, the rows they refused, and the rows that wait for a person."""

from peewee import (
    SQL,
    AutoField,
    BigAutoField,
    BigIntegerField,
    CharField,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    JSONField,
    TextField,
    fn,
)

from registry.models.base import Base


class ImportRun(Base):
    """One import of one file. `position` is the number of rows that are dealt with; it commits with them."""

    id = AutoField()
    file = CharField(255, help_text="Name only")
    digest = CharField(64, help_text="SHA-256 of the file")
    mapping = CharField(64)
    source = CharField(64)
    sender = CharField(64, default="", help_text="Who sent the file: he may not review what it says")
    state = CharField(8, help_text="running, done, failed")
    # Process that works on it; a dead one's run is taken over at its position.
    owner = CharField(120)
    position = IntegerField(default=0)
    stored = IntegerField(default=0)
    unchanged = IntegerField(default=0)
    unmatched = IntegerField(default=0)
    rejected = IntegerField(default=0)
    undated = IntegerField(default=0, help_text="Of the stored rows, those without a date: kept, never in a window")
    provisional = IntegerField(default=0, help_text="Entities made because a valid code was not registered yet")
    differs = IntegerField(default=0, help_text="Of the unchanged rows, those that another source says otherwise")
    released = IntegerField(default=0, help_text="Rows that had waited and found their party")
    by_name = IntegerField(
        default=0, help_text="Of the stored and unchanged rows, those found by their exact name alone"
    )
    dropped = IntegerField(default=0, help_text="Of the unmatched rows, those that a person's decision drops")
    started_at = BigIntegerField()
    updated_at = BigIntegerField()
    finished_at = BigIntegerField(null=True)
    error = TextField(default="")

    class Meta:
        indexes = (
            (("digest", "mapping", "source"), False),  # "was this file begun before?"
            (("source", "started_at"), False),  # "who sent files of this source by then?"
        )


class ImportReject(Base):
    """A refused row: where it is, what is wrong and what to do. Never the row itself."""

    run = ForeignKeyField(ImportRun, on_delete="CASCADE", index=False)
    row = IntegerField(help_text="Row of the file as a spreadsheet counts it: the header is 1")
    number = IntegerField(help_text="Running number within the row")
    column = CharField(128)
    value = CharField(80, help_text="Shortened, personal data masked")
    reason = TextField()

    class Meta:
        primary_key = CompositeKey("run", "row", "number")
        without_rowid = True


class Unmatched(Base):
    """A good row whose party could not be found. It waits here and is never lost or doubled."""

    id = BigAutoField()
    identity = CharField(32, unique=True, help_text="Digest of source and content, so the same row waits once")
    kind = CharField(20)
    source = CharField(64)
    run = ForeignKeyField(ImportRun, null=True, on_delete="RESTRICT")
    row = IntegerField(null=True)
    reason = CharField(32)
    party_name = CharField(200)
    # "Which rows wait under the numbers of this registration?"
    party_code = CharField(64, index=True, help_text="As given, personal numbers masked")
    person_hash = CharField(64, null=True, index=True, help_text="Keyed hash of a personal number")
    # "Which rows wait for the same decision?"
    party = CharField(32, index=True, help_text="Digest of source, area, folded name and number: one party")
    # "Which rows wait under the name of this registration?"
    folded = CharField(200, index=True, help_text="Name as names are compared; empty where it alone may find nobody")
    division = CharField(6, default="", help_text="Registering area, a prefix of GB/T 2260; empty where unknown")
    fields = JSONField(help_text="The row, checked and masked, ready to be stored once the party is known")
    waiting_since = BigIntegerField()


# "What began to wait on this day?": reconciliation.
Unmatched.add_index(Unmatched.index(Unmatched.waiting_since, name="unmatched_since"))
# "What of this source waits?": a table of its sender is held against it.
Unmatched.add_index(Unmatched.index(Unmatched.source, name="unmatched_source"))
# "Which rows wait under a 15-digit taxpayer number that ends in this organisation code?"
Unmatched.add_index(
    Unmatched.index(
        fn.substr(Unmatched.party_code, SQL("7")), where=SQL("length(party_code) = 15"), name="unmatched_ending"
    )
)
