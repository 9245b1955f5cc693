"""Grades: the history, the present state, the marks of what is due, and runs."""

from peewee import (
    AutoField,
    BigIntegerField,
    BlobField,
    CharField,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    SmallIntegerField,
    TextField,
)

from registry.models.base import Base


class SchemeVersion(Base):
    """One content of one scheme, kept by its hash so that any past grade can name, and use again, what gave it."""

    id = AutoField()
    scheme = CharField(64)
    hash = CharField(64, unique=True)
    content = TextField(help_text="The canonical scheme, as JSON")
    first_seq = BigIntegerField(help_text="How far the ledger was when it was first used")


class Grade(Base):
    """One change of one entity's grade. A row exists only where class, score or reasons changed."""

    entity = BigIntegerField()
    version = ForeignKeyField(SchemeVersion, on_delete="RESTRICT", index=False)
    day = IntegerField(help_text="Day of the grade, days since 1970-01-01")
    known = BigIntegerField(help_text="How much of the ledger was known")
    class_ = CharField(4, column_name="class")
    score = IntegerField()
    digest = BlobField(help_text="SHA-256 over class, score, points by rule, and records read")
    # What else a grade may rest on; empty where rules alone decided.
    context = CharField(64, null=True)
    model = CharField(64, null=True)

    class Meta:
        primary_key = CompositeKey("entity", "version", "day", "known")
        without_rowid = True


class GradeChange(Base):
    """One change of a class or score, and what caused it: the feed. Numbers are given in commit order."""

    id = BigIntegerField(primary_key=True)
    scheme = CharField(32)
    entity = BigIntegerField(index=True)
    version = IntegerField()
    day = IntegerField()
    known = BigIntegerField()
    old_version = IntegerField()
    old_day = IntegerField()
    old_known = BigIntegerField()
    old_class = CharField(4)
    class_ = CharField(4, column_name="class")
    old_score = IntegerField()
    score = IntegerField()
    causes = SmallIntegerField(help_text="Sum of the numbers in registry/services/changes.py")
    at = BigIntegerField(help_text="Milliseconds since 1970-01-01 UTC")


class GradeState(Base):
    """The current grade of an entity under a scheme, and the first day on which time alone may change it."""

    scheme = CharField(32)
    entity = BigIntegerField()
    version = IntegerField()
    day = IntegerField()
    known = BigIntegerField()
    class_ = CharField(4, column_name="class")
    rank = SmallIntegerField(help_text="0 is the best class")
    score = IntegerField()
    digest = BlobField()
    next_day = IntegerField(null=True)
    context = IntegerField(default=0, help_text="Number of the context that was read; 0 where the scheme reads none")
    # What the champion among the models says, in millionths; 0 where it says nothing or models are switched off. Never part
    # of the grade: it orders entities inside a class.
    chance = IntegerField(default=0)

    class Meta:
        primary_key = CompositeKey("scheme", "entity")
        without_rowid = True
        indexes = (
            (
                ("scheme", "rank", "chance", "score", "entity"),
                False,
            ),  # the worst first: inspection lists, search by class
            (("scheme", "next_day"), False),  # "whose grade may change today?"
        )


class Stale(Base):
    """Entities that something new was said of since their grade. `seq` is the newest of it."""

    scheme = CharField(32)
    entity = BigIntegerField()
    seq = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("scheme", "entity")
        without_rowid = True


class GradeRun(Base):
    """One full run over all entities. A run that was interrupted goes on at its last finished range."""

    id = AutoField()
    scheme = CharField(32)
    version = IntegerField()
    day = IntegerField()
    known = BigIntegerField()
    state = CharField(8, help_text="running, done")
    started_at = BigIntegerField()
    finished_at = BigIntegerField(null=True)
    entities = IntegerField(default=0)
    changed = IntegerField(default=0)


class GradeRange(Base):
    """A finished range of entity ids, first to last inclusive, of a full run."""

    run = ForeignKeyField(GradeRun, on_delete="CASCADE", index=False)
    first = BigIntegerField()
    last = BigIntegerField()
    entities = IntegerField()
    changed = IntegerField()

    class Meta:
        primary_key = CompositeKey("run", "first")
        without_rowid = True
