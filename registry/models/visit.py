"""Visits 检查: one for each entity of a list; who goes, what was found, and what follows."""

from peewee import (
    AutoField,
    BigIntegerField,
    BooleanField,
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
from registry.models.inspection import Inspector
from registry.models.work import InspectionList, Task

STATES = ("open", "assigned", "started", "finished", "closed", "non_response", "dropped")


class Visit(Base):
    """One visit under a task. What its sheet says of the entity stands in the frozen row of the list."""

    id = AutoField()
    task = ForeignKeyField(Task, on_delete="RESTRICT", index=False)
    list = ForeignKeyField(InspectionList, on_delete="RESTRICT", index=False)
    position = IntegerField(help_text="Place on the list")
    entity = BigIntegerField()
    # `draw` and `random` were chosen by lot and may not be dropped.
    slice = CharField(10, constraints=[Check("slice IN ('draw', 'random', 'priority', 'designated', 'recheck')")])
    inclusion = IntegerField(
        constraints=[Check("inclusion BETWEEN 0 AND 1000000")],
        help_text="Probability with which it was chosen, in millionths; 0 where no lot decided",
    )
    stratum = CharField(64, default="", help_text="Stratum of the draw, which may hold the class: never in the field")
    state = CharField(12, default="open", constraints=[Check(f"state IN {STATES}")])
    planned_on = DateField(null=True)
    entered_at = BigIntegerField(null=True, help_text="Scan to enter 扫码入企: milliseconds UTC")
    finished_at = BigIntegerField(null=True)
    visited_on = DateField(null=True, help_text="Day of the visit; it counts to the entity's annual cap")
    token = CharField(32, unique=True, help_text="What the code on the notice says; known to the enterprise alone")
    why = TextField(default="", help_text="Why there was no response, or why it was dropped")
    follows = IntegerField(null=True, help_text="The visit that this one re-checks")
    recheck_by = DateField(null=True, help_text="Last day of the re-check that was ordered")
    version = IntegerField(default=1)
    task_id: int
    list_id: int

    class Meta:
        indexes = (
            (("list", "position"), True),
            (("task", "state", "id"), False),  # "what is left under this task?"
            (("entity", "id"), False),  # "…/inspections", and the annual cap
        )


# "Who waits for a visit?": nobody is put onto a second list meanwhile.
Visit.add_index(Visit.index(Visit.entity, where=Visit.state.in_(("open", "assigned", "started")), name="visit_waiting"))
# A visit has one re-check; the second order to the same visit finds it.
Visit.add_index(Visit.index(Visit.follows, unique=True, where=Visit.follows.is_null(False), name="visit_recheck"))


class VisitInspector(Base):
    """Who goes. A replaced inspector stays on record as not active."""

    visit = ForeignKeyField(Visit, on_delete="CASCADE", index=False)
    inspector = ForeignKeyField(Inspector, on_delete="RESTRICT", index=False)
    organ = CharField(200)
    round = SmallIntegerField(default=0, help_text="0 the first draw or assignment; then one for each change")
    active = BooleanField(default=True)
    visit_id: int
    inspector_id: int

    class Meta:
        primary_key = CompositeKey("visit", "inspector")
        without_rowid = True
        indexes = ((("inspector", "visit"), False),)  # "my visits"


class VisitStep(Base):
    """What was done with a visit, by whom, in which words: nothing that was done is lost when two work on one list."""

    visit = ForeignKeyField(Visit, on_delete="CASCADE", index=False)
    number = SmallIntegerField()
    act = CharField(16)
    by = CharField(64)
    at = BigIntegerField()
    said = TextField(default="")
    detail = JSONField(default=dict)

    class Meta:
        primary_key = CompositeKey("visit", "number")
        without_rowid = True


class VisitResult(Base):
    """What one organ found at a visit: entry 录入 → review 审核 → publication 公示, or returned 退回."""

    visit = ForeignKeyField(Visit, on_delete="RESTRICT", index=False)
    organ = CharField(200)
    outcome = SmallIntegerField(help_text="registry/kinds/spot_check.py OUTCOMES")
    items = JSONField(help_text="By item: [{item, answers: [{question, answer, said}], said}]")
    serious_found = IntegerField(default=0)
    problems_found = IntegerField(default=0)
    minor_found = IntegerField(default=0)
    disposal = CharField(16, help_text="none, stopped, order, lead, copied, other")
    correct_by = DateField(null=True, help_text="Last day of the order to correct")
    photos = JSONField(default=lambda: [], help_text="[{sha256, name, bytes}]; the files stay with the organ")  # fmt: skip
    said = TextField(default="")
    state = CharField(9, constraints=[Check("state IN ('entered', 'returned', 'approved', 'published')")])
    entered_by = CharField(64)
    entered_at = BigIntegerField()
    reviewed_by = CharField(64, default="")
    reviewed_at = BigIntegerField(null=True)
    opinion = TextField(default="")
    seq = BigIntegerField(null=True, help_text="Ledger row of the spot check that it became")
    identity = CharField(32, null=True)
    publish_by = DateField(null=True, help_text="20 working days after the visit")
    published_on = DateField(null=True)
    recheck_until = DateField(null=True, help_text="Last day on which the enterprise may ask for a re-check")
    recheck_asked_on = DateField(null=True)
    version = IntegerField(default=1)
    visit_id: int  # what the mapper stores of `visit`

    class Meta:
        primary_key = CompositeKey("visit", "organ")
        without_rowid = True
        constraints = (Check("reviewed_by = '' OR reviewed_by <> entered_by"),)
        indexes = ((("state", "publish_by"), False),)  # "what must be published soon?"


class VisitRating(Base):
    """What the enterprise thought of a visit: anonymous, once, and without a moment that would name it."""

    visit = ForeignKeyField(Visit, primary_key=True, on_delete="CASCADE")
    score = SmallIntegerField(constraints=[Check("score BETWEEN 1 AND 5")])
    said = TextField(default="")
    day = IntegerField()


class CaseLead(Base):
    """A lead to a case 案件线索 that a visit found: taken over as a case, or closed with a reason."""

    id = AutoField()
    visit = ForeignKeyField(Visit, on_delete="RESTRICT", index=False)
    organ = CharField(200)
    entity = BigIntegerField(index=True)
    facts = TextField()
    state = CharField(6, default="open", constraints=[Check("state IN ('open', 'filed', 'closed')")])
    opened_on = DateField()
    settled_on = DateField(null=True)
    settled_by = CharField(64, default="")
    said = TextField(default="")
    record = BigIntegerField(null=True, help_text="Ledger row of the penalty that came of it")
    visit_id: int  # what the mapper stores of `visit`

    class Meta:
        indexes = ((("visit", "organ"), True), (("organ", "state", "id"), False))


class VisitDue(Base):
    """By when an entity must be visited again 应查期限, by the frequency of its class: kept by a job, read by lists."""

    entity = BigIntegerField(primary_key=True)
    due_day = IntegerField(index=True, help_text="Last day by which the next visit must have been made")
    last_day = IntegerField(null=True, help_text="Day of the last visit; empty where there was none")
    rule = CharField(64, help_text="Row of the frequency table that it follows")

    class Meta:
        without_rowid = True
