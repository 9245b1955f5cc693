"""A POST that is repeated acts once: the header Idempotency-Key, and the reply that is kept under it."""

import hashlib
import re
from collections.abc import Callable
from typing import Any, TypeVar

import orjson
from flask import Response, request

from api.auth import caller
from api.context import here
from api.errors import BadIdempotencyKey, IdempotencyKeyMissing
from registry.database import execute, write
from registry.errors import IdempotencyConflict
from registry.models import Reply

T = TypeVar("T")

HEADER = "Idempotency-Key"
_FORM = re.compile(r"[\x21-\x7e]{1,128}")
# Status of a reply that is still being worked out inside its transaction; nobody else ever sees it.
CLAIMED = 0


def document(*, required: bool = False) -> dict[str, Any]:
    """What an OpenAPI operation says of the header."""
    text = "A value of your own, the same when the request is repeated: it then acts once 幂等键"
    schema = {"type": "string", "pattern": "^[!-~]{1,128}$"}
    return {
        "parameters": [{"in": "header", "name": HEADER, "required": required, "schema": schema, "description": text}]
    }


def once(
    prepare: Callable[[], T],
    act: Callable[[T], tuple[dict[str, Any], int]],
    *,
    required: bool = False,
    said: bytes | None = None,
) -> Response:
    """Answer a POST, or repeat the answer that the same request got before.

    `prepare` checks and reads, outside any transaction; `act` writes, and its reply is committed with what it wrote.
    Only what succeeded is kept: a request that was refused may be mended and sent again under the same key. `said` stands
    for the body where that was too large to be kept in memory.
    Raises IdempotencyConflict where the key was used for another request.
    """
    key = _key(required)
    if key is None:
        body, status = act(prepare())
        return _response(orjson.dumps(body), status)
    asked = _fingerprint(said)
    if (kept := _kept(key, asked)) is not None:
        return kept
    prepared = prepare()
    with write():
        # Taken before the verb: a second request with the same key waits here, and then finds the reply.
        if not _claim(key, asked):
            kept = _kept(key, asked)
            assert kept is not None
            return kept
        body, status = act(prepared)
        text = orjson.dumps(body)
        execute(
            "UPDATE reply SET status = ?, body = ? WHERE key = ? AND idempotency_key = ?",
            (status, text.decode(), caller().key, key),
        )
    return _response(text, status)


def at_the_end(act: Callable[[], tuple[dict[str, Any], int, bool]]) -> Response:
    """The same for work in many transactions that is safe to repeat: the reply is kept when all of it is done.

    `act` says as third whether it was all done. If not, nothing is kept: the repeated request goes on with the rest.
    """
    key = _key(required=False)
    asked = _fingerprint()
    if key is not None and (kept := _kept(key, asked)) is not None:
        return kept
    body, status, complete = act()
    text = orjson.dumps(body)
    if key is not None and complete:
        with write():
            if _claim(key, asked):
                execute(
                    "UPDATE reply SET status = ?, body = ? WHERE key = ? AND idempotency_key = ?",
                    (status, text.decode(), caller().key, key),
                )
    return _response(text, status)


def _key(required: bool) -> str | None:
    key = request.headers.get(HEADER)
    if key is None:
        if required:
            raise IdempotencyKeyMissing
        return None
    if not _FORM.fullmatch(key):
        raise BadIdempotencyKey
    return key


def _fingerprint(said: bytes | None = None) -> str:
    whole = hashlib.sha256(f"{request.method} {request.full_path}\n".encode())
    whole.update(request.get_data(cache=True) if said is None else said)
    return whole.hexdigest()


def _claim(key: str, asked: str) -> bool:
    cursor = execute(
        "INSERT INTO reply (key, idempotency_key, request, status, body, created_at) VALUES (?, ?, ?, ?, '', ?) "
        "ON CONFLICT (key, idempotency_key) DO NOTHING",
        (caller().key, key, asked, CLAIMED, here().now()),
    )
    return bool(cursor.rowcount == 1)


def _kept(key: str, asked: str) -> Response | None:
    reply = Reply.get_or_none((Reply.key == caller().key) & (Reply.idempotency_key == key))
    if reply is None:
        return None
    if reply.request != asked:
        raise IdempotencyConflict(
            f"{HEADER} {key[:40]!r} was used for another request. Use a new value for each new request."
        )
    response = _response(reply.body.encode(), reply.status)
    response.headers["Idempotent-Replay"] = "true"
    return response


def _response(text: bytes, status: int) -> Response:
    return Response(text, status=status, mimetype="application/json")
