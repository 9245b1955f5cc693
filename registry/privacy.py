"""The key of the hashes by which personal numbers are matched. It lives apart from the database."""

import os
import secrets
from contextlib import suppress
from functools import cache
from pathlib import Path

from registry.config import Settings
from registry.errors import ConfigError

_in_use: Path | None = None


def make_key(settings: Settings) -> None:
    """Make the key file if there is none, readable by its owner only. Safe to repeat and to race."""
    path = settings.path(settings.privacy.key_file)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        return
    # Written whole beside its place and then linked there: nobody ever reads half a key, and the first one stays.
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(secrets.token_hex(32))
            handle.flush()
            os.fsync(handle.fileno())
        with suppress(FileExistsError):
            os.link(part, path)
    finally:
        part.unlink(missing_ok=True)


def key(settings: Settings) -> bytes:
    """The key, 32 bytes. Raises ConfigError when the file is missing or damaged."""
    return _read(settings.path(settings.privacy.key_file))


def use(settings: Settings) -> None:
    """Say whose key is in use in this process: that of the registry that is connected."""
    global _in_use
    _in_use = settings.path(settings.privacy.key_file)


def in_use() -> bytes:
    """The key of the registry that is connected. Raises ConfigError where none is, or its key cannot be read."""
    if _in_use is None:
        raise ConfigError("A person's number can only be read with the key of a registry, and none is connected.")
    return _read(_in_use)


@cache
def _read(path: Path) -> bytes:
    try:
        found = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The privacy key {path.name} cannot be read. Run `xinheng init`, or put the backed-up key back."
        ) from error
    if len(found) != 32:
        raise ConfigError(
            f"The privacy key {path.name} is damaged: it must be 64 hexadecimal characters. Put the backed-up key back."
        )
    return found
