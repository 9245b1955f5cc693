"""Jobs: who holds the lease, and the ledger of runs."""

from peewee import AutoField, BigIntegerField, CharField, IntegerField, JSONField, TextField

from registry.models.base import Base


class JobLease(Base):
    """One row per job: whoever holds it runs it. A lease that was not renewed in time may be taken over."""

    job = CharField(40, primary_key=True)
    owner = CharField(80)
    until = BigIntegerField(help_text="Milliseconds UTC")


class JobRun(Base):
    """One run of one job. (job, due) is unique, so a tick runs once however many workers there are."""

    id = AutoField()
    job = CharField(40)
    due = BigIntegerField(help_text="The moment the schedule named; for a run by hand the moment it was asked for")
    owner = CharField(80)
    state = CharField(8, help_text="running, done, failed, lost")
    started_at = BigIntegerField()
    finished_at = BigIntegerField(null=True)
    items = IntegerField(default=0)
    failures = IntegerField(default=0)
    result = JSONField(default=dict)
    error = TextField(default="")

    class Meta:
        indexes = ((("job", "due"), True),)
