"""Who may call what. Every endpoint says it where it is registered; a test walks the routes and finds the one that does not."""

import functools
import ipaddress
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

from flask import g, request
from flask_smorest.utils import deepupdate

from api.context import here
from api.errors import InvalidRequest, MissingKey, MissingScope, RateLimited
from registry.errors import EntityNotFound
from registry.models import Entity
from registry.services import aliases, entities, keys
from registry.services.keys import Caller, NotAnEnterprisesKey

F = TypeVar("F", bound=Callable[..., Any])

DECLARATION = "__allowed__"
# No organ has this name.
NO_ORGAN = " "
MINUTE = 60_000


class Limiter:
    """Requests per key, or per address, and minute, counted in this process."""

    def __init__(self, per_minute: int, *, addresses: bool = False) -> None:
        self.per_minute = per_minute
        self.addresses = addresses
        self._lock = Lock()
        self._minute = 0
        self._counts: dict[Hashable, int] = {}  # who → requests in this minute

    def count(self, who: Hashable, now: int) -> None:
        """Count one request at `now` (milliseconds). Raises RateLimited, with the seconds to wait, beyond the limit."""
        minute = now // MINUTE
        with self._lock:
            if minute != self._minute:  # addresses come and go: what is over must not be kept
                self._minute, self._counts = minute, {}
            number = self._counts[who] = self._counts.get(who, 0) + 1
        if number > self.per_minute:
            raise RateLimited(self.per_minute, -(-((minute + 1) * MINUTE - now) // 1000), address=self.addresses)


def allowed(*scopes: str, public: bool = False, counted: bool = False) -> Callable[[F], F]:
    """Say who may call an endpoint: a key with all of these scopes, or anyone (`public`).

    A public endpoint that reads the registry is `counted`: per key where one is sent, else per address.

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
            if counted:
                count_stranger()
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


def count_stranger() -> None:
    """Count a request to what anyone may read: by its key, where one is sent, else by its address."""
    if request.headers.get("Authorization"):
        authenticate()
        return
    limiter: Limiter = g.public_limiter
    limiter.count(address(here().settings.api.trusted_proxies.split(",")), here().now())


def address(proxies: list[str]) -> str:
    """Who asks, as an address (a /64 where it is IPv6: one caller has all of it).

    `proxies` are the addresses of our own reverse proxies: only what they say of another address is believed.
    """
    trusted = {name.strip() for name in proxies}
    chain = [request.remote_addr or "", *reversed(request.headers.get("X-Forwarded-For", "").split(","))]
    for one in chain:
        found = one.strip()
        if found not in trusted:
            break
    try:
        read = ipaddress.ip_address(found)
    except ValueError:
        return request.remote_addr or ""
    return str(ipaddress.ip_network((read, 64), strict=False)) if read.version == 6 else str(read)


def caller() -> Caller:
    """Who makes the request that is being answered."""
    found: Caller = g.caller
    return found


def own_organ() -> str:
    """The caller's organ. A key without one takes part in no task: it must not pass for a terminal, which works for all."""
    return caller().organ or NO_ORGAN


def require(scope: str, what: str) -> None:
    """Raise MissingScope, naming the scope, unless the caller has it. `what` begins the sentence."""
    if not caller().may(scope):
        raise MissingScope(scope, what)


def visible_entity(code: str, *, known: int | None = None) -> Entity:
    """The entity with this code, if it is the caller's business. What is not is as absent as what does not exist.

    One that was merged is the one that it is, as far as was known at a ledger number. An enterprise's own key stays its
    own under every code of what it was merged with.
    """
    entity = entities.get(code, known=known)
    who = caller()
    own = who.entity_code is not None and _is_own(who.entity_code, entity)
    if not own and not who.sees(entity.division):
        raise EntityNotFound(code[:40])
    return entity


def _is_own(own_code: str, entity: Entity) -> bool:
    # Visibility is today's: whether two codes are one enterprise is asked as of now, whatever day the question is about.
    if own_code in (entity.code, entity.registration_no):
        return True
    try:
        return entities.get(own_code).id == aliases.root(entity.id)
    except EntityNotFound:  # a key may be older than the registration of its enterprise
        return False


def own_entity(*, known: int | None = None) -> Entity:
    """The enterprise whose own key makes the request, as it stood at a ledger number: one that was merged later by itself.

    Raises NotAnEnterprisesKey for any other key.
    """
    code = caller().entity_code
    if code is None:
        raise NotAnEnterprisesKey
    return entities.get(code, known=known)
