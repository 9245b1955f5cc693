"""What was decided about parties: remembered decisions, the rows that they settled, and entities that are one."""

from peewee import (
    AutoField,
    BigAutoField,
    BigIntegerField,
    CharField,
    Check,
    DateField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    TextField,
)

from registry.models.base import Base
from registry.models.imports import ImportRun


class Alias(Base):
    """Two entities are one: whoever asks for `entity` is answered for `into`. Records never move; undone by an end.

    `direct` is whom a person named; `into` is where that leads now, so that no chain is ever followed.
    """

    id = AutoField()
    entity = BigIntegerField()
    direct = BigIntegerField()
    into = BigIntegerField(index=True)
    since_seq = BigIntegerField()
    until_seq = BigIntegerField(null=True)
    decided_on = DateField()
    decided_by = CharField(64)
    reason = TextField()


# An entity is merged into one other at a time.
Alias.add_index(Alias.index(Alias.entity, unique=True, where=Alias.until_seq.is_null(), name="alias_current"))
# "Was it ever merged, and into whom, as far as was known then?"
Alias.add_index(Alias.index(Alias.entity, Alias.since_seq, name="alias_history"))


class Decision(Base):
    """Whom rows with this party are about, as a person decided: applied to the rows that waited and to those to come.

    `match`: they are about `entity`. `drop`: they name nobody who is registered here. `apart`: they are not about
    `entity`, whatever the name says, and wait.
    """

    id = AutoField()
    verb = CharField(8, constraints=[Check("verb IN ('match', 'drop', 'apart')")])
    party = CharField(32, help_text="Digest of source, area, folded name and number")
    party_name = CharField(200)
    party_code = CharField(64)
    source = CharField(64)
    division = CharField(6, default="")
    entity = BigIntegerField(null=True)
    decided_by = CharField(64)
    decided_at = BigIntegerField()
    reason = TextField(default="")
    seq = BigIntegerField(help_text="Ledger row of the decision")
    undone_at = BigIntegerField(null=True)
    undone_by = CharField(64, default="")


Decision.add_index(
    Decision.index(Decision.party, unique=True, where=Decision.undone_at.is_null(), name="decision_current")
)


class Settled(Base):
    """A row that left the queue otherwise than by a number of its party: it can be put back, and counts once.

    Columns up to `waiting_since` are those of `unmatched`; a row stands in one of the two tables, never in both.
    """

    id = BigAutoField()
    identity = CharField(32, unique=True)
    kind = CharField(20)
    source = CharField(64)
    run = ForeignKeyField(ImportRun, null=True, on_delete="RESTRICT")
    row = IntegerField(null=True)
    reason = CharField(32)
    party_name = CharField(200)
    party_code = CharField(64, index=True)
    person_hash = CharField(64, null=True)
    party = CharField(32, index=True)
    folded = CharField(200)
    division = CharField(6, default="")
    fields = JSONField()
    waiting_since = BigIntegerField()
    queue_id = BigIntegerField(null=True, index=True, help_text="Its number while it waited")
    how = CharField(8, constraints=[Check("how IN ('name', 'person', 'dropped')")])
    entity = BigIntegerField(null=True)
    record = CharField(32, null=True, index=True, help_text="Identity of the ledger record that it was stated as")
    decision = IntegerField(null=True, index=True)
    settled_at = BigIntegerField()


# "Which rows were attached under a name that another entity has now?"
Settled.add_index(Settled.index(Settled.folded, where=Settled.how == "name", name="settled_by_name"))
