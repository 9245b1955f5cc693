"""One list, two databases 一单两库: what is checked, who may be checked for it, and who checks."""

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
    TextField,
)

from registry.models.base import Base


class InspectionItem(Base):
    """An item of the list of items 随机抽查事项清单, with the questions of its checklist."""

    code = CharField(32, primary_key=True)
    name = CharField(200)
    basis = TextField()
    subjects = JSONField(help_text="Kinds of entity that it applies to")
    method = CharField(16, help_text="How it is checked: on_site, written, department, testing, network, commissioned")
    nature = CharField(7, constraints=[Check("nature IN ('general', 'key')")])
    department = CharField(200, help_text="Organ that checks it")
    labels = JSONField(help_text="Codes of the special databases whose members it applies to; empty: everybody")
    minutes = IntegerField(constraints=[Check("minutes > 0")], help_text="Minutes on site for one visit")
    harm = JSONField(help_text="Dated weight of the harm: [{from, weight, basis}], the weight 1 to 1000")
    questions = JSONField(help_text="Checklist 检查表: [{code, text, severity, basis}]")
    from_on = DateField()
    until_on = DateField(null=True, help_text="First day on which it is checked no more")
    version = IntegerField(default=1)
    updated_by = CharField(64)
    updated_at = BigIntegerField()

    class Meta:
        without_rowid = True


class Label(Base):
    """A supervision label 监管标签: a special database 专项库 of entities, kept by hand, by licence or by industry."""

    code = CharField(32, primary_key=True)
    name = CharField(200)
    scope = CharField(8, constraints=[Check("scope IN ('province', 'city', 'county', 'office')")])
    division = CharField(6, default="", help_text="Prefix of the area that maintains it")
    basis = TextField(default="")
    # Who holds a licence of these kinds that is valid, or belongs to these industries, is a member for as long as that is so.
    licences = JSONField(help_text="Codes of licence kinds, registry/kinds/licence.py")
    industries = JSONField(help_text="Prefixes of GB/T 4754")
    version = IntegerField(default=1)
    updated_by = CharField(64)
    updated_at = BigIntegerField()

    class Meta:
        without_rowid = True


class EntityLabel(Base):
    """That an entity was put into a special database by hand or by a file, from when to when."""

    label = ForeignKeyField(Label, on_delete="RESTRICT", index=False)
    entity = BigIntegerField(index=True)
    from_on = DateField()
    until_on = DateField(null=True, help_text="First day on which it is a member no more")
    by = CharField(64)
    at = BigIntegerField()
    label_id: str

    class Meta:
        primary_key = CompositeKey("label", "entity")
        without_rowid = True


class Inspector(Base):
    """One of the inspectors 执法检查人员 that a draw may choose."""

    id = AutoField()
    organ = CharField(200)
    staff_no = CharField(32)
    name = CharField(64)
    level = CharField(8, constraints=[Check("level IN ('province', 'city', 'county', 'station')")])
    position = CharField(64, default="")
    areas = JSONField(help_text='Prefixes of divisions; [""]: everywhere')
    items = JSONField(help_text='Codes of the items that he may check; ["*"]: all')
    certificates = JSONField(help_text="[{no, kind, until}]; until: last day of validity")
    expert = BooleanField(default=False)
    capacity = IntegerField(help_text="Days of visits in a month", constraints=[Check("capacity BETWEEN 0 AND 31")])
    actor = CharField(64, default="", help_text="Who he is when he works here: `key:NAME`, or the user of the system")
    state = CharField(9, default="active", constraints=[Check("state IN ('active', 'suspended', 'left')")])
    version = IntegerField(default=1)
    updated_by = CharField(64)
    updated_at = BigIntegerField()

    class Meta:
        indexes = ((("organ", "staff_no"), True),)


class InspectorConflict(Base):
    """A conflict of interest 利害关系, declared or recused 回避: he does not check this entity."""

    inspector = ForeignKeyField(Inspector, on_delete="CASCADE", index=False)
    entity = BigIntegerField(index=True)
    why = TextField()
    from_on = DateField()
    until_on = DateField(null=True)
    by = CharField(64)
    at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("inspector", "entity")
        without_rowid = True


class InspectorAway(Base):
    """Days on which an inspector does not visit anybody: both included."""

    inspector = ForeignKeyField(Inspector, on_delete="CASCADE", index=False)
    from_on = DateField()
    to_on = DateField()
    why = CharField(200, default="")
    inspector_id: int

    class Meta:
        primary_key = CompositeKey("inspector", "from_on")
        without_rowid = True
        constraints = (Check("to_on >= from_on"),)
