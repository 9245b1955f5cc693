"""The frozen context 背景值: values that depend on other entities, built by one job, dated, and never changed."""

from peewee import (
    AutoField,
    BigIntegerField,
    CharField,
    CompositeKey,
    IntegerField,
    JSONField,
    TextField,
)

from registry.models.base import Base


class GradeContext(Base):
    """One context: industry norms and peer rates here, values of single entities in `ContextValue`."""

    id = AutoField()
    hash = CharField(
        64, help_text="SHA-256 over day, known, norms and values: two contexts that say the same have it alike"
    )
    day = IntegerField(unique=True, help_text="First day on which it is read, days since 1970-01-01")
    known = BigIntegerField(help_text="How much of the ledger was known")
    seq = BigIntegerField(help_text="Ledger row that put it in force: nobody reads it with less knowledge than that")
    built_at = BigIntegerField()
    names = JSONField(help_text="Names of the values that it answers for")
    norms = JSONField(help_text="[name, low, high, value]: by industry code, inclusive ranges, in thousandths")


class ContextValue(Base):
    """What the context says of one entity; what is not here is 0, where a feed covers it."""

    # Not a foreign key: values are stored in short transactions first, and the context that names them last.
    context = IntegerField(help_text="Number of the context")
    entity = BigIntegerField()
    name = CharField(32)
    value = BigIntegerField()
    behind = TextField(default="", help_text="Ledger numbers of the relations behind it, as JSON")

    class Meta:
        primary_key = CompositeKey("context", "entity", "name")
        without_rowid = True
