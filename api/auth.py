"""Who may call what. Every endpoint says it where it is registered; a test walks the routes and finds the one that does not."""

import functools
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

from flask import g, request
from flask_smorest.utils import deepupdate

from api.context import here
from api.errors import InvalidRequest, MissingKey, MissingScope, RateLimited
from registry.errors import EntityNotFound
from registry.models import Entity
from registry.services import entities, keys
from registry.services.keys import Caller

F = TypeVar("F", bound=Callable[..., Any])

DECLARATION = "__allowed__"
MINUTE = 60_000


class Limiter:
    """Requests per key and minute, counted in this process."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._lock = Lock()
        self._counts: dict[int, tuple[int, int]] = {}  # key → (minute, requests in it)

    def count(self, key: int, now: int) -> None:
        """Count one request at `now` (milliseconds). Raises RateLimited, with the seconds to wait, beyond the limit."""
        minute = now // MINUTE
        with self._lock:
            last, number = self._counts.get(key, (minute, 0))
            number = number + 1 if last == minute else 1
            self._counts[key] = (minute, number)
        if number > self.per_minute:
            raise RateLimited(self.per_minute, -(-((minute + 1) * MINUTE - now) // 1000))


def allowed(*scopes: str, public: bool = False) -> Callable[[F], F]:
    """Say who may call an endpoint: a key with all of these scopes, or anyone (`public`).

    Stands directly below the route, so that nothing of a request is read before its key was checked.
    """
    assert public != bool(scopes), "an endpoint is public or names its scopes"
    assert all(scope in keys.SCOPES for scope in scopes)

    def decorate(view: F) -> F:
        # A misspelt filter that is ignored returns wrong data: an endpoint without parameters takes none.
        arguments = getattr(view, "_apidoc", {}).get("arguments", {}).get("parameters", [])
        takes_query = any(argument["in"] == "query" for argument in arguments)

        @functools.wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not public:
                authenticate()
                for scope in scopes:
                    require(scope, "This")
            if not takes_query and request.args:
                raise InvalidRequest({name: ["This path takes no parameters. Leave it out."] for name in request.args})
            return view(*args, **kwargs)

        setattr(guarded, DECLARATION, "public" if public else scopes)
        if not public:
            manual = {"security": [{"key": []}], "x-scopes": list(scopes)}
            described: dict[str, Any] = guarded.__dict__.setdefault("_apidoc", {})
            described["manual_doc"] = deepupdate(described.get("manual_doc", {}), manual)
        return guarded  # type: ignore[return-value]

    return decorate


def authenticate() -> None:
    """Find out who calls and count the request. Raises MissingKey, BadKey, RateLimited."""
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not secret.strip():
        raise MissingKey
    g.caller = keys.caller(secret.strip())
    limiter: Limiter = g.limiter
    limiter.count(g.caller.key, here().now())


def caller() -> Caller:
    """Who makes the request that is being answered."""
    found: Caller = g.caller
    return found


def require(scope: str, what: str) -> None:
    """Raise MissingScope, naming the scope, unless the caller has it. `what` begins the sentence."""
    if not caller().may(scope):
        raise MissingScope(scope, what)


def visible_entity(code: str) -> Entity:
    """The entity with this code, if it is the caller's business. What is not is as absent as what does not exist."""
    entity = entities.get(code)
    if not caller().sees(entity.division):
        raise EntityNotFound(code[:40])
    return entity
