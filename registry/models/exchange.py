"""Files that arrive over the API or in the drop folder, and batches that go out."""

from peewee import (  # fmt: skip
    AutoField,
    BigIntegerField,
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
from registry.models.imports import ImportRun


class Upload(Base):
    """A file that somebody sent, and what is being done with it. The worker takes it up; the file lies in a folder."""

    id = AutoField()
    name = CharField(255, help_text="As the sender called it; never used as a path")
    digest = CharField(64, index=True)
    size = BigIntegerField()
    via = CharField(8, constraints=[Check("via IN ('api', 'folder')")])
    sender = CharField(64)
    organ = CharField(200, default="")
    options = JSONField(help_text="kind, mapping, source, ignore_unknown, dry_run")
    # The same file with the same options from the same sender is the same upload.
    request = CharField(
        32, unique=True, help_text="Digest of sender, file and options; the name under which the file waits"
    )
    state = CharField(8, constraints=[Check("state IN ('waiting', 'running', 'done', 'failed', 'refused')")])
    understanding = JSONField(null=True, help_text="How the file was read")
    run = ForeignKeyField(ImportRun, null=True, on_delete="RESTRICT")
    error = TextField(default="")
    received_at = BigIntegerField()
    finished_at = BigIntegerField(null=True)

    class Meta:
        indexes = ((("state", "id"), False),)


class Outbound(Base):
    """A batch of records that was sent to another platform, as one file. Its content never changes."""

    id = AutoField()
    recipient = CharField(64)
    kind = CharField(20)
    template = CharField(64)
    organ = CharField(200, default="")
    after_seq = BigIntegerField()
    until_seq = BigIntegerField()
    file = CharField(255)
    digest = CharField(64)
    rows = IntegerField()
    state = CharField(10, constraints=[Check("state IN ('made', 'sent', 'answered')")])
    made_at = BigIntegerField()
    sent_on = DateField(null=True)
    answered_on = DateField(null=True)
    resend_of = IntegerField(null=True, help_text="Batch whose refused rows these are")

    class Meta:
        indexes = ((("recipient", "kind", "id"), False),)


# What is new goes into one batch only, also when two are made at once.
Outbound.add_index(
    Outbound.index(
        Outbound.recipient,
        Outbound.kind,
        Outbound.organ,
        Outbound.after_seq,
        unique=True,
        where=Outbound.resend_of.is_null(),
        name="outbound_once",
    )
)


class OutboundRow(Base):
    """One record in one batch, and what the recipient said of it."""

    batch = ForeignKeyField(Outbound, on_delete="CASCADE", index=False)
    row = IntegerField()
    identity = CharField(32, index=True)
    seq = BigIntegerField()
    decided_on = DateField(null=True)
    due_on = DateField(null=True, help_text="Last day on which it is in time: 7 or 20 working days after the decision")
    said = CharField(8, constraints=[Check("said IN ('', 'accepted', 'refused')")], default="")
    reason = TextField(default="")

    class Meta:
        primary_key = CompositeKey("batch", "row")
        without_rowid = True
