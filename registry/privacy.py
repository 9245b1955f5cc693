"""The key of the hashes by which personal numbers are matched. It lives apart from the database."""

import os
import secrets
from functools import cache
from pathlib import Path

from registry.config import Settings
from registry.errors import ConfigError


def make_key(settings: Settings) -> None:
    """Make the key file if there is none, readable by its owner only. Safe to repeat and to race."""
    path = settings.path(settings.privacy.key_file)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w") as handle:
        handle.write(secrets.token_hex(32))


def key(settings: Settings) -> bytes:
    """The key, 32 bytes. Raises ConfigError when the file is missing or damaged."""
    return _read(settings.path(settings.privacy.key_file))


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
