"""Pages for people: what this is, and the API as one readable document. No script, one style sheet, no network."""

from typing import Any

from flask import Blueprint, Flask, Response, jsonify, make_response, redirect, render_template, url_for

from api.auth import allowed
from api.blueprint import Api, takes
from api.problems import every_error, title_of
from api.reading import sections
from api.requests import HEADERS
from api.schemas.common import FindQuery
from registry.identity import fold_code
from registry.services.keys import SCOPES

# The policy of every page, but that a form on it may be sent to us.
POLICY = HEADERS["Content-Security-Policy"].replace("form-action 'none'", "form-action 'self'")


def with_form(page: str, status: int = 200) -> Response:
    """A page with a search form on it."""
    response = make_response(page, status)
    response.headers["Content-Security-Policy"] = POLICY
    return response


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
    def landing() -> Response:
        """首页 What this is, and where to go."""
        return with_form(render_template("landing.html"))

    @bp.get("/public")
    @allowed(public=True)
    @takes(FindQuery(), "query")
    def find(query: dict[str, Any]) -> Response:
        """公示查询 To the public page of the party with this code or registration number."""
        code = fold_code(query["code"])
        return make_response(
            redirect(url_for("public_pages.public_page", code=code) if code else url_for("pages.landing"), 303)
        )

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
