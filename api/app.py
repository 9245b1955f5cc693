"""The web application: put together here, and only here."""

import importlib
from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Flask

from api import health, logs, pages, problems, requests
from api.auth import Limiter, allowed
from api.blueprint import Api
from api.context import EXTENSION, Context
from api.provider import OrjsonProvider
from api.v1 import MODULES, public
from registry import clock, config, database
from registry.config import Settings
from registry.services import public_grades

VERSION = "0.1.0"


class Application(Flask):
    """Flask without the look at every function, eight times a request, whether it is asynchronous: none of ours is."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(
    settings: Settings | None = None,
    *,
    today: Callable[[], date] | None = None,
    now: Callable[[], int] | None = None,
) -> Flask:
    """Make the application.

    `settings` default to config.toml and the environment; `today` and `now` (milliseconds UTC) to the clock. The
    database of the settings is connected unless this process has connected one already.
    """
    settings = settings or config.load()
    logs.configure(settings.log.level)
    if database.db.obj is None:
        database.connect(settings)
    public_grades.check(settings)
    app = Application("api", static_url_path="/static")
    app.json = OrjsonProvider(app)
    app.config.update(
        API_TITLE="信衡 Xinheng",
        API_VERSION=VERSION,
        OPENAPI_VERSION="3.1.0",
        API_SPEC_OPTIONS=SPEC,
    )
    fit(app, settings, today=today, now=now)
    requests.install(app)
    api = Api(app)
    problems.install(app)
    for name in MODULES:
        api.register_blueprint(importlib.import_module(f"api.v1.{name}").bp)
    api.register_blueprint(health.bp)
    pages.install(app, api)
    app.register_blueprint(public.pages)
    # The style sheet is as public as the pages that it styles.
    app.view_functions["static"] = allowed(public=True)(app.view_functions["static"])
    return app


def fit(
    app: Flask, settings: Settings, *, today: Callable[[], date] | None = None, now: Callable[[], int] | None = None
) -> None:
    """Give an application its settings, its clock, and counters that begin at nothing.

    Apart from making it, which takes longer than most requests: tests make one and fit it to each registry.
    """
    zone = settings.jobs.timezone
    app.config["MAX_CONTENT_LENGTH"] = settings.api.max_body
    app.extensions[EXTENSION] = Context(settings, today or (lambda: clock.today(zone)), now or clock.now)
    app.extensions[requests.LIMITERS] = (
        Limiter(settings.api.rate_per_minute),
        Limiter(settings.api.public_per_minute, addresses=True),
    )


SPEC = {
    "info": {
        "description": "企业质量信用登记与信用风险分类。 Enterprise quality-credit registry with risk classification. "
        "Errors are problem details (RFC 9457) with stable codes.",
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    },
    "components": {
        "securitySchemes": {
            "key": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "xh_…",
                "description": "A key of this registry 接口密钥",
            }
        }
    },
}
