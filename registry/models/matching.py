"""What persons decided about parties: remembered decisions, and entities that are one."""

from peewee import AutoField, BigIntegerField, CharField, DateField, TextField

from registry.models.base import Base


class Alias(Base):
    """Two entities are one: whoever asks for `entity` is answered for `into`. Records never move; undone by an end."""

    id = AutoField()
    entity = BigIntegerField()
    into = BigIntegerField(index=True)
    since_seq = BigIntegerField()
    until_seq = BigIntegerField(null=True)
    decided_on = DateField()
    decided_by = CharField(64)
    reason = TextField()


# An entity is merged into one other at a time.
Alias.add_index(Alias.index(Alias.entity, unique=True, where=Alias.until_seq.is_null(), name="alias_current"))


class Decision(Base):
    """Whom rows with this party are about, as a person decided: applied to the rows that waited and to those to come."""

    id = AutoField()
    party = CharField(32, help_text="Digest of source, folded name and shown code")
    party_name = CharField(200)
    party_code = CharField(64)
    source = CharField(64)
    # Empty: rows with this party are to be dropped (they name nobody who is registered here).
    entity = BigIntegerField(null=True)
    decided_by = CharField(64)
    decided_at = BigIntegerField()
    reason = TextField(default="")
    undone_at = BigIntegerField(null=True)
    undone_by = CharField(64, default="")


Decision.add_index(
    Decision.index(Decision.party, unique=True, where=Decision.undone_at.is_null(), name="decision_current")
)
