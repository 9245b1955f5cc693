"""Documents of tasks and visits as their own paths answer them: who may read a visit may read its papers."""

from typing import Any

from flask import Response

from api.schemas.listings import DocumentOut
from api.v1.paper import row
from registry.models import Document
from registry.services import deliveries, documents, printing


def shown(document: Document) -> dict[str, Any]:
    """A document with its text, as `GET /documents/<number>` shows it."""
    party = documents.parties([document]).get(document.entity or 0)
    dumped: dict[str, Any] = DocumentOut().dump(
        {
            **row(document),
            "code": "" if party is None else party.code or party.registration_no or "",
            "name": "" if party is None else party.name,
            "unchanged": documents.unchanged(document),
            "deliveries": [row(one) for one in deliveries.of(document)],
            "remedies": None,
        }
    )
    return dumped


def printed(document: Document) -> Response:
    """A document as a page to print: it loads nothing, and its policy says so."""
    response = Response(printing.as_html(document), mimetype="text/html")
    response.headers["Content-Security-Policy"] = printing.POLICY
    return response
