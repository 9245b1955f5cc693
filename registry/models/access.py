"""Keys of the API, replies kept for repeated requests, and the log of what was done."""

from peewee import AutoField, BigAutoField, BigIntegerField, CharField, CompositeKey, IntegerField, JSONField, TextField

from registry.models.base import Base


class ApiKey(Base):
    """A key of an integration or a team: what it may do, for which organ, in which divisions."""

    id = AutoField()
    name = CharField(64, unique=True)
    # The key itself is 256 random bits and is shown once; SHA-256 of such a secret needs no salt and no stretching.
    digest = CharField(64, unique=True)
    organ = CharField(200)
    scopes = JSONField()
    divisions = JSONField(help_text="Prefixes of GB/T 2260; [''] means everywhere")
    # Set where the key is an enterprise's own: it sees and acts for this one entity.
    entity_code = CharField(18, null=True)
    created_at = BigIntegerField()
    revoked_at = BigIntegerField(null=True)


class Reply(Base):
    """What a POST with an idempotency key was answered, so that a repeated request gets the same words."""

    key = IntegerField()
    idempotency_key = CharField(128)
    request = CharField(64, help_text="SHA-256 of method, path and body")
    status = IntegerField()
    body = TextField()
    created_at = BigIntegerField(index=True)

    class Meta:
        primary_key = CompositeKey("key", "idempotency_key")
        without_rowid = True


class Audit(Base):
    """One entry per verb: who did what to what."""

    id = BigAutoField()
    at = BigIntegerField(index=True)
    actor = CharField(64)
    verb = CharField(40)
    subject = CharField(80)
    detail = JSONField(default=dict)
    seq = BigIntegerField(null=True, help_text="Last ledger row that the verb wrote, where it wrote any")


# "Who wrote this ledger row?"
Audit.add_index(Audit.index(Audit.seq, where=Audit.seq.is_null(False), name="audit_seq"))
