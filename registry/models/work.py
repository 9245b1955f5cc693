"""Inspection work: tasks 任务, the draws 抽取 under them, and the lists 检查对象名单 frozen under them."""

from peewee import (
    AutoField,
    BigIntegerField,
    BlobField,
    CharField,
    Check,
    CompositeKey,
    DateField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    SmallIntegerField,
    TextField,
)

from registry.models.base import Base


class Task(Base):
    """Why anyone is inspected at all. Nothing is inspected without one."""

    id = AutoField()
    type = CharField(20)
    title = CharField(200)
    basis = TextField()
    organ = CharField(200)
    partners = JSONField(default=lambda: [], help_text="Other organs of a joint task 部门联合抽查")
    items = JSONField(help_text="What is checked: list of texts")
    # The coded items as they were when the task was made: a checklist does not change while it is worked.
    checklist = JSONField(default=lambda: [])
    from_on = DateField()
    to_on = DateField()
    state = CharField(
        9, default="draft", constraints=[Check("state IN ('draft', 'refused', 'approved', 'closed', 'cancelled')")]
    )
    created_by = CharField(64)
    created_at = BigIntegerField()
    decided_by = CharField(64, default="", help_text="Who approved or refused it")
    decided_at = BigIntegerField(null=True)
    opinion = TextField(default="")
    ended_by = CharField(64, default="", help_text="Who closed or cancelled it")
    ended_at = BigIntegerField(null=True)
    ended_why = TextField(default="")

    class Meta:
        constraints = (Check("decided_by = '' OR decided_by <> created_by"),)
        indexes = ((("organ", "id"), False),)  # "this organ's tasks, newest first"


class Draw(Base):
    """One draw by lot 随机抽取 under a task: committed to, drawn, revealed. docs/draws.md says what proves what."""

    id = AutoField()
    task = ForeignKeyField(Task, on_delete="RESTRICT")
    state = CharField(9, constraints=[Check("state IN ('committed', 'drawn', 'revealed', 'void')")])
    scheme = CharField(32, help_text="Whose classes make the strata")
    frequency = CharField(64, help_text="Hash of the frequency table")
    algorithm = CharField(6, constraints=[Check("algorithm IN ('sha256', 'sm3')")])
    filters = JSONField()
    day = IntegerField(help_text="Day on which the candidates were frozen")
    known = BigIntegerField(help_text="How far the ledger was")
    pool = IntegerField(help_text="Candidates that were frozen")
    excluded = IntegerField()
    size = IntegerField(help_text="Entities to be drawn")
    plan = JSONField(help_text="Strata: [{stratum, candidates, size, ...}], and the inspector-days that it takes")
    candidates = BlobField(help_text="The frozen candidates, compressed; rules/draw says in which form")
    root = CharField(64, help_text="Digest over the salted commitments of all candidates")
    commitment = CharField(64, help_text="Digest of the seed, announced before the draw")
    seed = CharField(64, help_text="Hexadecimal; shown to nobody before the draw is revealed")
    salt = CharField(64, help_text="Hexadecimal; never public: without it no commitment names a candidate")
    witness = TextField(default="", help_text="What was said after the commitment, so that nobody chose the seed")
    minutes = BlobField(null=True, help_text="Full minutes 抽取记录, compressed")
    minutes_digest = CharField(64, default="")
    committed_by = CharField(64)
    committed_at = BigIntegerField()
    committed_seq = BigIntegerField(help_text="Ledger row that announces commitment and root")
    drawn_by = CharField(64, default="")
    drawn_at = BigIntegerField(null=True)
    drawn_seq = BigIntegerField(null=True)
    revealed_at = BigIntegerField(null=True)
    void_why = TextField(default="")
    task_id: int


# A task is drawn once: who does not like a result cannot draw again beside it. A draw that is void says why.
Draw.add_index(Draw.index(Draw.task, unique=True, where=Draw.state != "void", name="draw_of_task"))


class DrawStratum(Base):
    """How many of how many were drawn: from these every inclusion probability follows, of one and of two."""

    draw = ForeignKeyField(Draw, on_delete="CASCADE", index=False)
    stratum = CharField(64)
    class_ = CharField(4, column_name="class")
    candidates = IntegerField()
    size = IntegerField(constraints=[Check("size BETWEEN 1 AND candidates")])

    class Meta:
        primary_key = CompositeKey("draw", "stratum")
        without_rowid = True


class DrawRound(Base):
    """A change of inspectors after the draw: a recusal 回避 that was honoured, drawn again under the same seed."""

    draw = ForeignKeyField(Draw, on_delete="CASCADE", index=False)
    round = SmallIntegerField(constraints=[Check("round > 0")])
    visit = IntegerField()
    out = IntegerField(help_text="Inspector who leaves")
    into = IntegerField(help_text="Inspector who was drawn instead")
    why = TextField()
    by = CharField(64)
    at = BigIntegerField()
    seq = BigIntegerField(help_text="Ledger row that says so")

    class Meta:
        primary_key = CompositeKey("draw", "round")
        without_rowid = True


class InspectionList(Base):
    """An ordered list of entities under a task, frozen when it is pulled: grades may change, the list does not."""

    id = AutoField()
    task = ForeignKeyField(Task, on_delete="RESTRICT")
    draw = ForeignKeyField(Draw, null=True, unique=True, on_delete="RESTRICT")
    scheme = CharField(32)
    filters = JSONField()
    known = BigIntegerField()
    size = IntegerField()
    # The random slice of a prioritised list: drawn of how many, by which seed, so that it can be drawn again.
    slice_pool = IntegerField(default=0)
    slice_size = IntegerField(default=0)
    slice_seed = CharField(64, default="")
    created_by = CharField(64)
    created_at = BigIntegerField()
    draw_id: int | None


class InspectionListRow(Base):
    list = ForeignKeyField(InspectionList, on_delete="CASCADE", index=False)
    position = IntegerField()
    entity = BigIntegerField()
    # The tour, an order that says nothing of the class: for the copy that goes to the field.
    tour = IntegerField()
    code = CharField(18)
    name = CharField(200)
    kind = CharField(12)
    division = CharField(6)
    address = TextField()
    class_ = CharField(4, column_name="class")
    score = IntegerField()
    chance = IntegerField(default=0, help_text="Millionths, as it ordered the list; 0 where no model did")
    due_day = IntegerField(null=True, help_text="Statutory due date, as it ordered the list")
    harm = IntegerField(default=0, help_text="Weight of the items that apply to it, as it ordered the list")
    # Membership in a special database may end while the list is worked; what is checked does not.
    items = JSONField(null=True, help_text="Codes of the coded items that apply to it; empty: all of the task's")
    graded_day = IntegerField()
    reasons = JSONField()

    class Meta:
        primary_key = CompositeKey("list", "position")
        without_rowid = True
