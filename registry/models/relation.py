"""Relations 关联关系 of entities with each other and with natural persons, and who made a 12315 item."""

from peewee import BigIntegerField, CharField, DateField, IntegerField, SmallIntegerField

from registry.models.base import Base


class Relation(Base):
    """One dated relation, a cache of a `relation` record: one side is an entity, the other an entity or a person."""

    known = BigIntegerField(primary_key=True, help_text="seq that says so")
    entity = BigIntegerField(index=True)
    type = SmallIntegerField()
    # The other side: the credit code (else registration number) of an entity, known here or not, or a person.
    other_code = CharField(18, default="", index=True)
    person_hash = CharField(64, null=True, index=True, help_text="Keyed hash of a personal number")
    share = IntegerField(default=0, help_text="Hundredths of a percent")
    from_on = DateField(null=True)
    to_on = DateField(null=True, help_text="First day on which it no longer holds")
    gone = BigIntegerField(null=True)


class Claim(Base):
    """Who made a 12315 item, as a keyed hash: a cache of the item, so that serial claimants can be counted."""

    known = BigIntegerField(primary_key=True)
    identity = CharField(32)
    claimant = CharField(64)
    entity = BigIntegerField()
    day = IntegerField()
    severity = SmallIntegerField(help_text="0 does not count, whoever made it")
    gone = BigIntegerField(null=True)

    class Meta:
        indexes = ((("claimant", "day"), False),)
