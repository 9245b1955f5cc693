"""What `web.py` has served: the product's application with an empty view beside its own, and Flask with nothing at all."""

from typing import Any

from flask import Flask, Response
from marshmallow import Schema

from api.app import create_app
from api.auth import allowed
from api.blueprint import Blueprint, gives


def product() -> Flask:
    """The application, and one view that does nothing behind the same blueprint and key check."""
    app = create_app()
    bp = Blueprint("benchmark", __name__, url_prefix="/benchmark")

    @bp.get("/empty")
    @allowed("grades:read")
    @gives(Schema())
    def empty() -> dict[str, Any]:
        return {}

    app.register_blueprint(bp)
    return app


def bare() -> Flask:
    """Flask as it comes."""
    app = Flask("bare")

    @app.get("/")
    def nothing() -> Response:
        return Response(b"{}", mimetype="application/json")

    return app
