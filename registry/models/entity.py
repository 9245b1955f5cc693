"""The entity 经营主体 and the names it is and was found by."""

from peewee import (
    BigIntegerField,
    BooleanField,
    CharField,
    DateField,
    ForeignKeyField,
    IntegerField,
    SmallIntegerField,
    TextField,
)

from registry.models.base import Base

STATUS = {1: "open", 2: "revoked", 3: "cancelled", 4: "other"}


class Entity(Base):
    """One market entity.

    Every column but `id` is a cache of the entity's newest registration row in the ledger, so that a search needs no
    join. A provisional entity was named by a valid code on a record before its registration arrived: it is listed, and
    not graded until it is registered.
    """

    id = BigIntegerField(primary_key=True)
    code = CharField(18, null=True, unique=True, help_text="Unified social credit code 统一社会信用代码")
    registration_no = CharField(15, null=True, index=True, help_text="Old registration number 工商注册号")
    organisation_code = CharField(
        9, null=True, index=True, help_text="Inside the credit code; finds 15-digit taxpayers"
    )
    name = CharField(200)
    kind = CharField(12, help_text="enterprise, individual, cooperative, branch, other")
    status = SmallIntegerField(default=1, help_text="1 open, 2 revoked, 3 cancelled, 4 other")
    industry = IntegerField(default=0, help_text="GB/T 4754 class; 0 unknown")
    division = CharField(6, default="", help_text="GB/T 2260")
    organ = CharField(200, default="", help_text="Registering organ")
    address = TextField(default="")
    established = DateField(null=True)
    capital_fen = BigIntegerField(default=0, help_text="Registered capital in fen; 0 unknown or in another currency")
    registered_seq = BigIntegerField(null=True, help_text="Ledger row of the registration; empty while provisional")
    provisional = BooleanField(default=False)

    class Meta:
        indexes = ((("division", "id"), False),)  # the entities of one district, in order


# "Who of everybody is not open?": few, and asked for each list of those who are.
Entity.add_index(Entity.index(Entity.id, where=Entity.status != 1, name="entity_not_open"))


class EntityName(Base):
    """A name that an entity has or had, folded and in simplified characters. The full-text indexes point here."""

    id = BigIntegerField(primary_key=True)
    entity = ForeignKeyField(Entity, on_delete="RESTRICT", index=False)
    folded = CharField(200)

    class Meta:
        indexes = (
            (("entity", "folded"), True),
            (("folded",), False),  # "who has exactly this name?"
        )


class NamePinyin(Base):
    """How a name is read, one syllable a word, for PostgreSQL's index; SQLite keeps it in the index `name_index_pinyin`."""

    id = BigIntegerField(primary_key=True, help_text="Id in entity_name")
    syllables = TextField()


__all__ = ["STATUS", "Entity", "EntityName", "NamePinyin"]
