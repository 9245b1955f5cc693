"""The life of a record: reviewed, published per channel, objected to, repaired. Caches of steps in the ledger."""

from peewee import (
    AutoField,
    BigAutoField,
    BigIntegerField,
    CharField,
    Check,
    CompositeKey,
    DateField,
    ForeignKeyField,
    JSONField,
    TextField,
)

from registry.models.base import Base

CHANNELS = ("necips", "credit_china", "site")


class Review(Base):
    """The newest review of one wording of a record. A correction has another content, so it needs another review."""

    identity = CharField(32)
    content = CharField(32)
    entity = BigIntegerField()
    outcome = CharField(8, constraints=[Check("outcome IN ('passed', 'refused')")])
    reviewed_by = CharField(64)
    reviewed_at = BigIntegerField()
    reason = TextField(default="")
    seq = BigIntegerField(help_text="Ledger row of the step")

    class Meta:
        primary_key = CompositeKey("identity", "content")
        without_rowid = True


class Publication(Base):
    """Where one record stands on one channel: since when, until when at the longest, and by which rule."""

    identity = CharField(32)
    channel = CharField(12, constraints=[Check("channel IN ('necips', 'credit_china', 'site')")])
    entity = BigIntegerField()
    regime = CharField(24, help_text="Rule under which it is published, a row of registry/publicity")
    class_ = CharField(8, column_name="class", constraints=[Check("class IN ('none', 'minor', 'general', 'serious')")])
    # Rows of the dated tables with what they rest on, or the officer who decided and his reason. Of a blocked row: the
    # fields at fault and the kind of pattern in each.
    basis = TextField()
    counts_from = DateField(null=True, help_text="Day from which the periods were counted")
    earliest = DateField(null=True, help_text="First day on which it may be stopped early")
    latest = DateField(null=True, help_text="First day on which it must not be shown any more")
    source_until = DateField(null=True, help_text="End of publication that the source itself gave 公示截止期")
    state = CharField(10, constraints=[Check("state IN ('draft', 'blocked', 'published', 'stopped', 'never')")])
    published_on = DateField(null=True)
    stopped_on = DateField(null=True)
    stopped_because = CharField(24, default="")
    seq = BigIntegerField(help_text="Ledger row of the newest step")

    class Meta:
        primary_key = CompositeKey("identity", "channel")
        without_rowid = True
        indexes = (
            (("channel", "state", "latest"), False),  # "what ends today?"
            (("entity", "channel"), False),  # "what may be shown of this entity?"
        )


class Objection(Base):
    """An objection 异议 to a record or a listing: accepted within 5, verified within 20 working days."""

    id = BigIntegerField(primary_key=True, help_text="Ledger row by which it was received")
    identity = CharField(32, index=True)
    entity = BigIntegerField(index=True)
    state = CharField(10, constraints=[Check("state IN ('received', 'accepted', 'refused', 'upheld', 'rejected')")])
    applicant = CharField(64, help_text="Key that sent it")
    reason = TextField()
    received_on = DateField()
    accept_by = DateField()
    accepted_on = DateField(null=True)
    verify_by = DateField(null=True)
    closed_on = DateField(null=True)
    answer = TextField(default="")
    seq = BigIntegerField(help_text="Ledger row of the newest step")


# One objection at a time to one record; "which are open, the most urgent first?"
Objection.add_index(
    Objection.index(
        Objection.identity, unique=True, where=Objection.state << ["received", "accepted"], name="objection_open"
    )
)


class Repair(Base):
    """An application for repair 信用修复: applied, accepted, decided, each within its legal clock."""

    id = BigIntegerField(primary_key=True, help_text="Ledger row by which it was applied for")
    identity = CharField(32, index=True)
    entity = BigIntegerField(index=True)
    regime = CharField(24)
    state = CharField(10, constraints=[Check("state IN ('applied', 'accepted', 'rejected', 'approved', 'refused')")])
    applicant = CharField(64)
    statement = TextField(help_text="What the applicant states and commits to")
    applied_on = DateField()
    accept_by = DateField()
    accepted_on = DateField(null=True)
    decide_by = DateField(null=True)
    closed_on = DateField(null=True)
    conditions = JSONField(default=dict, help_text="Each condition of the regime and whether it is met")
    answer = TextField(default="")
    seq = BigIntegerField(help_text="Ledger row of the newest step")


# One repair at a time of one record.
Repair.add_index(
    Repair.index(Repair.identity, unique=True, where=Repair.state << ["applied", "accepted"], name="repair_open")
)


class Notice(Base):
    """Something that recipients of a record must hear: it was withdrawn, repaired, stopped, corrected or erased."""

    id = BigAutoField(help_text="The cursor of the feed, in the order in which notices were written")
    identity = CharField(32, index=True)
    entity = BigIntegerField()
    kind = CharField(20)
    document_no = CharField(128, default="")
    organ = CharField(200, default="")
    what = CharField(10, constraints=[Check("what IN ('withdrawn', 'repaired', 'stopped', 'corrected', 'erased')")])
    happened_on = DateField()
    due_on = DateField(help_text="Three working days later: by then every recipient has it")
    seq = BigIntegerField(unique=True, help_text="Ledger row that says so")


class Recipient(Base):
    """Who receives records of ours, and must hear when one is withdrawn."""

    id = AutoField()
    name = CharField(64, unique=True)
    # The key that fetches and acknowledges.
    key = CharField(64, unique=True)
    kinds = JSONField(help_text="Kinds that it receives; empty: every kind")
    since_seq = BigIntegerField(help_text="It hears of what happened after this ledger row")
    ended_at = BigIntegerField(null=True)


class NoticeReceipt(Base):
    """When a recipient fetched a notice, and when it said that it has acted on it."""

    notice = ForeignKeyField(Notice, on_delete="RESTRICT", index=False)
    recipient = ForeignKeyField(Recipient, on_delete="RESTRICT", index=True)
    fetched_at = BigIntegerField()
    acknowledged_at = BigIntegerField(null=True)

    class Meta:
        primary_key = CompositeKey("notice", "recipient")
        without_rowid = True
