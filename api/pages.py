"""Pages for people: what this is, and the API as one readable document. No script, one style sheet, no network."""

from typing import Any

from flask import Blueprint, Flask, Response, jsonify, render_template

from api.auth import allowed
from api.blueprint import Api
from api.problems import every_error, title_of
from api.reading import sections
from registry.services.keys import SCOPES


def install(app: Flask, api: Api) -> None:
    """Register the pages. The document is worked out once: it does not change while the process runs."""
    bp = Blueprint("pages", __name__)
    spec: dict[str, Any] = api.spec.to_dict()
    read = sections(spec)
    errors = [
        {
            "code": kind.code,
            "status": kind.status,
            "title": title_of(kind.code),
            "text": (kind.__doc__ or "").partition("\n")[0],
        }
        for kind in {kind.code: kind for kind in every_error()}.values()
    ]

    @bp.get("/")
    @allowed(public=True)
    def landing() -> str:
        """首页 What this is, and where to go."""
        return render_template("landing.html")

    @bp.get("/api/v1/docs")
    @allowed(public=True)
    def docs() -> str:
        """接口文档 The API, readable."""
        return render_template(
            "docs.html", sections=read, errors=errors, scopes=SCOPES, version=spec["info"]["version"]
        )

    @bp.get("/api/v1/openapi.json")
    @allowed(public=True)
    def openapi() -> Response:
        """OpenAPI 3.1."""
        return jsonify(spec)

    app.register_blueprint(bp)
