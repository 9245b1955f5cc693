"""Opaque page tokens. A token carries the key of the last row, so that pages neither skip nor repeat rows."""

import base64
import binascii

import orjson

from registry.errors import BadCursor


def encode(*key: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def decode(token: str, *types: type) -> list[object]:
    """Return the key inside a token. Raises BadCursor when it is not one of ours for this list."""
    try:
        key = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, binascii.Error, orjson.JSONDecodeError):
        key = None
    fits = isinstance(key, list) and len(key) == len(types) and not any(_unanswerable(value) for value in key)
    if not fits or not all(type(value) is kind for value, kind in zip(key, types, strict=True)):
        raise BadCursor("The page token `after` is damaged or belongs to another list. Start again without it.")
    return list(key)


def _unanswerable(value: object) -> bool:
    """What a made-up token may hold and no database can compare: numbers beyond 64 bits, texts with a NUL byte."""
    return (isinstance(value, int) and not -(2**63) <= value < 2**63) or (isinstance(value, str) and "\x00" in value)
