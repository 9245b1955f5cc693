"""The key of the log, kept apart from the database, and the signed statements that it makes: one for each root."""

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from registry.config import Settings
from registry.errors import RegistryError
from registry.sealing.leaves import canonical
from registry.sealing.merkle import Hash

# What a signature is of begins with this, so that none can pass for one of something else.
CONTEXT = b"xinheng root 1\n"
# What stands before the first root.
NOTHING = bytes(32)


class SealKeyMissing(RegistryError):
    code = "seal_key_missing"
    status = 503


@dataclass(frozen=True, slots=True)
class Root:
    """A signed root: the tree of the first `size` rows. `previous` is the digest of the signed root before."""

    log: str
    algorithm: str
    size: int
    root: bytes
    at: int
    previous: bytes
    signature: bytes = b""

    @property
    def signed(self) -> bytes:
        """The bytes that the signature is of."""
        said = self.as_dict()
        del said["signature"]
        return CONTEXT + canonical(said)

    def digest(self, h: Hash) -> bytes:
        """What the next root names this one by: over all of it, the signature included."""
        return h(b"\x05" + canonical(self.as_dict()))

    def as_dict(self) -> dict[str, Any]:
        return {
            "log": self.log, "algorithm": self.algorithm, "size": self.size, "root": self.root.hex(), "at": self.at,
            "previous": self.previous.hex(), "signature": self.signature.hex(),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, said: Any) -> "Root":
        """Raises ValueError where this is no signed root."""
        try:
            made = cls(
                str(said["log"]), str(said["algorithm"]), int(said["size"]), bytes.fromhex(said["root"]), int(said["at"]),
                bytes.fromhex(said["previous"]), bytes.fromhex(said["signature"]),
            )  # fmt: skip
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("This is no signed root.") from error
        if made.as_dict() != said:
            raise ValueError("This is no signed root.")
        return made


def sign(key: Ed25519PrivateKey, root: Root) -> bytes:
    return key.sign(root.signed)


def is_signed(public_key: bytes, root: Root) -> bool:
    """Whether the holder of the log's key has signed this root."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(root.signature, root.signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def place(settings: Settings, name: str) -> Path:
    """Where a file of the seal stands: a bare name beside the privacy key, anything with a slash as every path."""
    if "/" in name:
        return settings.path(name)
    return settings.path(settings.privacy.key_file).parent / name


def make_key(settings: Settings) -> None:
    """Make the key file if there is none, readable by its owner only. Safe to repeat and to race."""
    path = place(settings, settings.seal.key_file)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        return
    # Written whole beside its place and then linked there: nobody ever reads half a key, and the first one stays.
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(Ed25519PrivateKey.generate().private_bytes_raw().hex())
            handle.flush()
            os.fsync(handle.fileno())
        with suppress(FileExistsError):
            os.link(part, path)
    finally:
        part.unlink(missing_ok=True)


def has_key(settings: Settings) -> bool:
    return place(settings, settings.seal.key_file).exists()


def private_key(settings: Settings) -> Ed25519PrivateKey:
    """The key that signs. Raises SealKeyMissing where its file is missing or damaged."""
    path = place(settings, settings.seal.key_file)
    try:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text().strip()))
    except (OSError, ValueError) as error:
        raise SealKeyMissing(
            f"The key of the seal, {path.name}, cannot be read. Put the backed-up key back, or seal on the machine that "
            "has it ([seal] key_file). `xinheng verify` needs no key."
        ) from error


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()
