"""Every error as problem details (RFC 9457): type, title, status, detail, code, instance, and what else is safe to say."""

from typing import Any

import orjson
import structlog
from flask import Flask, Response, current_app, g, request
from peewee import InterfaceError, OperationalError, PeeweeException
from playhouse.pool import MaxConnectionsExceeded
from werkzeug.exceptions import HTTPException

from api import errors
from api.logs import describe
from registry.cells.personal import mask_personal
from registry.errors import DatabaseBusy, NotInitialised, RegistryError

log = structlog.get_logger("api")

MIMETYPE = "application/problem+json"
# Longest text that an error repeats from a request.
LONGEST = 600
# Names of errors by status, for what werkzeug raises.
HTTP = {404: errors.NoSuchPath, 415: errors.NotJson}
# Where the database itself could not be reached or was not made, in the words of the two drivers.
UNREACHABLE = ("locked", "connection", "connect to server", "shutting down", "starting up", "unable to open")
NO_TABLES = ("no such table", "does not exist", "no such column")
# Seconds after which a busy database is worth another try.
RETRY_AFTER = 3


def every_error() -> list[type[RegistryError]]:
    """Every class of expected error that is loaded, by code: what docs/errors.md and the docs page list.

    A special case that keeps code and status of its parent is no error of its own.
    """
    found: set[type[RegistryError]] = {RegistryError}
    waiting = [RegistryError]
    while waiting:
        waiting += (below := waiting.pop().__subclasses__())
        found.update(below)
    own = [kind for kind in found if vars(kind).keys() & {"code", "status"}]
    return sorted(own, key=lambda kind: (kind.code, kind.__name__))


def title_of(code: str) -> str:
    return code.replace("_", " ").capitalize()


def clean(value: Any) -> Any:
    """What a problem may repeat of a request: personal numbers masked (in keys too), long texts cut."""
    if isinstance(value, str):
        text = mask_personal(value)
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    if isinstance(value, dict):
        return {clean(str(key)): clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [clean(inner) for inner in value]
    return value


def problem(error: RegistryError, headers: dict[str, str] | None = None) -> Response:
    """The response for an expected error. Of a fault of our own it tells the code only: the log has the rest."""
    hidden = error.status == 500
    if hidden and not isinstance(error, errors.InternalError):
        log.error("request.failed", request=g.get("request_id"), code=error.code, detail=clean(error.detail))
    body = {
        "type": f"/api/v1/docs#{error.code}",
        "title": title_of(error.code),
        "status": error.status,
        "detail": errors.InternalError().detail if hidden else clean(error.detail),
        "code": error.code,
        "instance": g.get("request_id", ""),
    }
    if not hidden:
        body = {**clean(error.context), **body}
    response = Response(orjson.dumps(body), status=error.status, mimetype=MIMETYPE)
    response.headers.update(headers or {})
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="xinheng"'
    if isinstance(error, errors.RateLimited):
        response.headers["Retry-After"] = str(error.seconds)
    elif error.status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def of_http(error: HTTPException) -> Response:
    """The problem for what werkzeug raised, with its own headers (Allow of a 405, for one)."""
    kept = {
        name: value for name, value in error.get_headers() if name.lower() not in ("content-type", "content-length")
    }
    if error.code == 405:
        return problem(errors.MethodNotAllowed(request.method), kept)
    if error.code == 413:
        return problem(errors.BodyTooLarge(current_app.config["MAX_CONTENT_LENGTH"]), kept)
    if error.code in HTTP:
        return problem(HTTP[error.code](), kept)
    if error.code is not None and 400 <= error.code < 500:
        other = errors.BadRequest(error.description or error.name)
        other.status = error.code
        return problem(other, kept)
    return of_unexpected(error)


def of_database(error: Exception) -> Response:
    """503 where the database is busy, away or not made yet; everything else is a fault of ours."""
    text = str(error).lower()
    if isinstance(error, MaxConnectionsExceeded) or any(words in text for words in UNREACHABLE):
        return problem(DatabaseBusy())
    if any(words in text for words in NO_TABLES):
        return problem(NotInitialised())
    return of_unexpected(error)


def of_unexpected(error: Exception) -> Response:
    """500 with the request's number and nothing else."""
    log.error("request.failed", request=g.get("request_id"), **describe(error))
    return problem(errors.InternalError())


def install(app: Flask) -> None:
    app.register_error_handler(RegistryError, problem)
    app.register_error_handler(HTTPException, of_http)
    for kind in (MaxConnectionsExceeded, OperationalError, InterfaceError, PeeweeException):
        app.register_error_handler(kind, of_database)
    app.register_error_handler(Exception, of_unexpected)
