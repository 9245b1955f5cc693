"""Models, what they said of entities, and what came of it: scores, suggestions to raise a class, early warnings."""

from peewee import (
    AutoField,
    BigIntegerField,
    BooleanField,
    CharField,
    Check,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    JSONField,
    SmallIntegerField,
    TextField,
)

from registry.models.base import Base


class Model(Base):
    """A bundle, known by the hash of its content, and its place on the leash."""

    id = AutoField()
    name = CharField(64)
    form = CharField(9, constraints=[Check("form IN ('scorecard', 'boosted')")])
    hash = CharField(64, unique=True, help_text="SHA-256 of `bundle`")
    bundle = TextField(help_text="The canonical bundle, as JSON; never code")
    features = CharField(32, help_text="The scheme whose indicators it reads")
    grades = CharField(32, help_text="The scheme whose classes it serves")
    state = CharField(
        10, constraints=[Check("state IN ('trained', 'shadow', 'challenger', 'champion', 'retired', 'refused')")]
    )
    # Of its hold-out: the paired interval of its AUC over that of the fitted rules, in hundred-thousandths.
    gain_low = IntegerField()
    gain_high = IntegerField()
    metrics = JSONField(help_text="What the evaluation on the hold-out gave")
    known = BigIntegerField(help_text="How far the ledger was when it was trained")
    trained_by = CharField(64)
    trained_at = BigIntegerField()
    decided_by = CharField(64, null=True, help_text="Who promoted, shadowed or refused it")
    decided_at = BigIntegerField(null=True)
    retired_by = CharField(64, null=True)
    retired_at = BigIntegerField(null=True)
    retired_why = TextField(default="")


# One champion for one scheme, whoever promotes at the same moment.
Model.add_index(Model.index(Model.grades, unique=True, where=Model.state == "champion", name="model_champion"))


class ModelOpening(Base):
    """One look at a test period. It is opened once per release; every further look stands here too."""

    id = AutoField()
    target = CharField(96, help_text="What was evaluated: a target of a benchmark, or `ledger`")
    release = CharField(32)
    model = CharField(64, help_text="Hash of the bundle")
    from_day = IntegerField()
    until_day = IntegerField()
    first = BooleanField(help_text="The one that the release is allowed")
    why = TextField(default="")
    by = CharField(64)
    at = BigIntegerField()


# The first look of a release at a target is one, also when two look at once.
ModelOpening.add_index(
    ModelOpening.index(
        ModelOpening.target, ModelOpening.release, unique=True, where=ModelOpening.first, name="model_first_opening"
    )
)


class ModelScore(Base):
    """What a model last said of an entity. `chance` is in millionths; empty where it has no ground to judge."""

    model = ForeignKeyField(Model, on_delete="CASCADE", index=False)
    entity = BigIntegerField()
    day = IntegerField()
    known = BigIntegerField()
    points = IntegerField()
    chance = IntegerField(null=True)

    class Meta:
        primary_key = CompositeKey("model", "entity")
        without_rowid = True


class ModelReport(Base):
    """How a model did in one quarter: discrimination, calibration, drift, and whether it retired itself for it."""

    model = ForeignKeyField(Model, on_delete="CASCADE", index=False)
    from_day = IntegerField(help_text="First day of the quarter")
    report = JSONField()
    retires = BooleanField()
    at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("model", "from_day")
        without_rowid = True


class GradeRaise(Base):
    """A class one step worse than the rules give, suggested by a model; it counts once a ledger step says so."""

    id = AutoField()
    entity = BigIntegerField(index=True)
    scheme = CharField(32)
    model = ForeignKeyField(Model, on_delete="RESTRICT", index=False)
    chance = IntegerField(help_text="Millionths")
    class_ = CharField(4, column_name="class", help_text="What the rules gave when it was suggested")
    reasons = JSONField(help_text="The heaviest contributions, in points")
    from_day = IntegerField()
    until_day = IntegerField(help_text="First day on which it no longer holds")
    state = CharField(9, constraints=[Check("state IN ('suggested', 'confirmed', 'dismissed', 'lapsed', 'ended')")])
    automatic = BooleanField(default=False, help_text="Confirmed by the scheme's own leave, without an officer")
    suggested_at = BigIntegerField()
    decided_by = CharField(64, null=True)
    decided_at = BigIntegerField(null=True)
    decided_why = TextField(default="")
    known = BigIntegerField(null=True, help_text="seq of its confirmation")
    ended_by = CharField(64, null=True)
    ended_at = BigIntegerField(null=True)
    ended_why = TextField(default="")
    gone = BigIntegerField(null=True, help_text="seq that ended it before its day")

    class Meta:
        constraints = (Check("until_day > from_day"),)


# One suggestion waits for an entity at a time, however often the model says it.
GradeRaise.add_index(
    GradeRaise.index(
        GradeRaise.entity, GradeRaise.scheme, unique=True, where=GradeRaise.state.in_(("suggested", "confirmed")),
        name="grade_raise_standing",
    )
)  # fmt: skip


class EarlyWarning(Base):
    """An early warning 风险预警: assigned, disposed of, told how it ended, closed; each with its deadline."""

    id = AutoField()
    entity = BigIntegerField(index=True)
    model = ForeignKeyField(Model, on_delete="RESTRICT", index=False)
    chance = IntegerField(help_text="Millionths")
    reasons = JSONField(help_text="The heaviest contributions, in points")
    division = CharField(6, index=True)
    day = IntegerField(help_text="Day of the scores that raised it")
    state = CharField(8, constraints=[Check("state IN ('open', 'assigned', 'disposed', 'answered', 'closed')")])
    assign_by = IntegerField(help_text="Last day for assigning it")
    answer_by = IntegerField(null=True, help_text="Last day for the feedback")
    organ = CharField(200, default="")
    assigned_to = CharField(64, default="")
    disposal = SmallIntegerField(default=0, help_text="What was done; registry/services/early_warnings.py has the list")
    task = IntegerField(null=True, help_text="The task under which it is looked into on site, where there is one")
    outcome = SmallIntegerField(
        default=0, help_text="What it came to: 1 a violation, 2 nothing found, 3 not looked into"
    )
    record = BigIntegerField(null=True, help_text="Ledger row of the check or penalty that shows it")
    closed_at = BigIntegerField(null=True)
    raised_at = BigIntegerField()

    class Meta:
        # "What waits to be assigned, disposed of, answered?", newest first; and how many of each.
        indexes = ((("state", "id"), False),)


# One warning about an entity is open at a time.
EarlyWarning.add_index(
    EarlyWarning.index(
        EarlyWarning.entity, unique=True, where=EarlyWarning.state != "closed", name="early_warning_open"
    )
)


class WarningStep(Base):
    """What was done with a warning, by whom, in which words."""

    warning = ForeignKeyField(EarlyWarning, on_delete="CASCADE", index=False)
    number = SmallIntegerField()
    act = CharField(16)
    by = CharField(64)
    at = BigIntegerField()
    said = TextField(default="")
    detail = JSONField(
        default=dict, help_text="What the step chose: organ and person, disposal and task, outcome and record"
    )

    class Meta:
        primary_key = CompositeKey("warning", "number")
        without_rowid = True
