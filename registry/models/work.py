"""Inspection work: tasks 任务 and the lists 检查对象名单 frozen under them."""

from peewee import (
    AutoField,
    BigIntegerField,
    CharField,
    CompositeKey,
    DateField,
    ForeignKeyField,
    IntegerField,
    JSONField,
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
    items = JSONField(help_text="What is checked: list of texts")
    from_on = DateField()
    to_on = DateField()
    created_by = CharField(64)
    created_at = BigIntegerField()


class InspectionList(Base):
    """An ordered list of entities under a task, frozen when it is pulled: grades may change, the list does not."""

    id = AutoField()
    task = ForeignKeyField(Task, on_delete="RESTRICT")
    scheme = CharField(32)
    filters = JSONField()
    known = BigIntegerField()
    size = IntegerField()
    created_by = CharField(64)
    created_at = BigIntegerField()


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
    graded_day = IntegerField()
    reasons = JSONField()

    class Meta:
        primary_key = CompositeKey("list", "position")
        without_rowid = True
