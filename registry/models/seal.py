"""The seal of the ledger: leaves of a Merkle log, nodes above them, signed roots, lawful erasures."""

from peewee import BigIntegerField, BlobField, CharField, CompositeKey, SmallIntegerField, TextField

from registry.models.base import Base


class SealLog(Base):
    """The one log of this registry: its algorithm and its public key, fixed when it was made."""

    id = SmallIntegerField(primary_key=True)
    name = CharField(64, unique=True, help_text="Random name, so that roots of two registries are never confused")
    algorithm = CharField(8, help_text="sha256 or sm3")
    public_key = BlobField()
    created_at = BigIntegerField()


class Leaf(Base):
    """The leaf of one ledger row: hash over its canonical content and a random salt."""

    seq = BigIntegerField(primary_key=True)
    # So that a moment that was changed is told from a row that was: the hash covers it.
    at = BigIntegerField(help_text="Moment of the row, as it was sealed")
    salt = BlobField(null=True, help_text="16 random bytes; gone after a lawful erasure")
    hash = BlobField()


class SealNode(Base):
    """Hash of a complete subtree: 2^level leaves, the number-th of them. Never changes once it is there.

    Every eighth level is kept (256, 65,536 … leaves): what lies between is made from at most 256 hashes.
    """

    level = SmallIntegerField()
    number = BigIntegerField()
    hash = BlobField()

    class Meta:
        primary_key = CompositeKey("level", "number")
        without_rowid = True


class SealRoot(Base):
    """A signed root: the tree of the first `size` rows at a moment, chained to the root before."""

    size = BigIntegerField(primary_key=True)
    root = BlobField()
    at = BigIntegerField(help_text="Moment of signing, never falling")
    previous = BlobField(help_text="Digest of the signed root before; zeros before the first")
    signature = BlobField()


class Erasure(Base):
    """A lawful erasure: content and salt of a row are gone, its leaf stays, and a step in the ledger says why."""

    seq = BigIntegerField(primary_key=True)
    # Where fields were erased: the salts of the others and the commitments of the erased ones. Empty: the whole row.
    kept = TextField(null=True)
    at = BigIntegerField()
    by = CharField(64)
    basis = TextField()
    step_seq = BigIntegerField()
