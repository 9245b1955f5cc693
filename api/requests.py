"""Around each request: its number, its connection, its line in the log, its place in the metrics, its headers."""

import re
import time
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import structlog
from flask import Flask, Response, g, request

from api import metrics
from registry.database import db

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger("access")

_NUMBER = re.compile(r"[A-Za-z0-9._-]{1,64}")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
PAIRS = tuple(HEADERS.items())
# What counts requests per key, and per address without one.
LIMITERS = "xinheng.limiters"
# Endpoints that must answer while the database is away.
WITHOUT_DATABASE = ("health.livez", "health.metrics", "static", "pages.landing")


class Hardened:
    """Adds the headers that every answer has, as plain pairs: the framework's own header object takes ten times as long."""

    def __init__(self, inner: "WSGIApplication") -> None:
        self.inner = inner

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            given = {name for name, _ in headers}
            more = [pair for pair in PAIRS if pair[0] not in given]
            return start_response(status, [*headers, *more], exc_info)

        return self.inner(environ, start)


def install(app: Flask) -> None:
    app.wsgi_app = Hardened(app.wsgi_app)  # type: ignore[method-assign]

    @app.before_request
    def begin() -> None:
        g.started = time.perf_counter()
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if _NUMBER.fullmatch(given) else uuid.uuid4().hex
        g.limiter, g.public_limiter = app.extensions[LIMITERS]
        g.opened = False
        if request.endpoint is not None and request.endpoint not in WITHOUT_DATABASE:
            g.opened = db.connect(reuse_if_open=True)

    @app.after_request
    def finish(response: Response) -> Response:
        # The route, not the path: a path may hold the code of a person's business.
        route = request.url_rule.rule if request.url_rule is not None else "(none)"
        seconds = time.perf_counter() - g.started
        metrics.observe(route, request.method, response.status_code, seconds)
        caller = g.get("caller")
        log.info(
            "request",
            request=g.request_id,
            key=caller.key if caller else None,
            method=request.method if route != "(none)" else "-",
            route=route,
            status=response.status_code,
            ms=round(seconds * 1000, 1),
        )
        if request.is_secure:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        response.headers["X-Request-ID"] = g.request_id
        # What a key may see is that key's alone: no cache between keeps it, and an ETag is asked again each time.
        if caller is not None:
            response.headers["Cache-Control"] = "private, no-cache"
            response.headers["Vary"] = "Authorization"
        elif request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    @app.teardown_request
    def end(_: BaseException | None) -> None:
        if g.get("opened"):
            db.close()
