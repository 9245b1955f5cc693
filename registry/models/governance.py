"""How a scheme comes into force, and where a person's decision stands in place of a scheme's: proposals, activations, overrides."""

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
    TextField,
)

from registry.models.base import Base
from registry.models.grade import SchemeVersion


class SchemeProposal(Base):
    """One content of a scheme on its way into force: draft, checked, compared, approved by two, in force from a day."""

    id = AutoField()
    scheme = CharField(32)
    version = ForeignKeyField(SchemeVersion, null=True, on_delete="RESTRICT", index=False)
    files = JSONField(help_text="Text of every file by its path in the folder, worked cases too")
    reason = TextField(help_text="What changes, and why, as the officer who proposes it says it")
    from_day = IntegerField(help_text="First day on which it holds, days since 1970-01-01")
    state = CharField(
        9, constraints=[Check("state IN ('draft', 'checked', 'compared', 'approved', 'withdrawn', 'refused')")]
    )
    drafts = BooleanField(default=False, help_text="Some value rests on a draft, which both approvers must confirm")
    shadow = BooleanField(default=False, help_text="Graded alongside, without effect, as `shadow-<id>`")
    comparison = JSONField(null=True, help_text="What it would do, as it was compared with what holds")
    proposed_by = CharField(64)
    proposed_at = BigIntegerField()
    compared_by = CharField(64, null=True)
    compared_at = BigIntegerField(null=True)
    closed_by = CharField(64, null=True, help_text="Who withdrew or refused it")
    closed_at = BigIntegerField(null=True)
    closed_why = TextField(default="")


class SchemeApproval(Base):
    """One officer's approval of a proposal. Two different ones, neither who proposed it, bring it into force."""

    proposal = ForeignKeyField(SchemeProposal, on_delete="RESTRICT", index=False)
    by = CharField(64)
    at = BigIntegerField()
    confirms_draft = BooleanField(default=False)
    said = TextField(default="")

    class Meta:
        primary_key = CompositeKey("proposal", "by")
        without_rowid = True


class SchemeActivation(Base):
    """From which day which content of a scheme holds: a cache of the ledger's steps `scheme_activated`."""

    known = BigIntegerField(primary_key=True, help_text="seq that says so")
    scheme = CharField(32, index=True)
    version = ForeignKeyField(SchemeVersion, on_delete="RESTRICT", index=False)
    from_day = IntegerField()
    proposal = ForeignKeyField(SchemeProposal, on_delete="RESTRICT", index=False)


class GradeOverride(Base):
    """A class set by a person, with reason, basis, end and a second person; it expires. Once approved, a ledger step says so."""

    id = AutoField()
    entity = BigIntegerField(index=True)
    scheme = CharField(32)
    class_ = CharField(4, column_name="class")
    reason = TextField()
    basis = TextField(help_text="What it rests on: the instrument and article, or the decision")
    from_day = IntegerField()
    until_day = IntegerField(help_text="First day on which it no longer holds")
    state = CharField(8, constraints=[Check("state IN ('proposed', 'approved', 'refused', 'ended')")])
    proposed_by = CharField(64)
    proposed_at = BigIntegerField()
    decided_by = CharField(64, null=True)
    decided_at = BigIntegerField(null=True)
    decided_why = TextField(default="")
    known = BigIntegerField(null=True, help_text="seq of its approval")
    ended_by = CharField(64, null=True)
    ended_at = BigIntegerField(null=True)
    ended_why = TextField(default="")
    gone = BigIntegerField(null=True, help_text="seq that ended it before its day")

    class Meta:
        constraints = (Check("until_day > from_day"), Check("decided_by IS NULL OR decided_by <> proposed_by"))
