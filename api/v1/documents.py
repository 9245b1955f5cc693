"""Documents 文书: issued, read, printed; their delivery 送达 on record."""

from typing import Any

from flask import Response

from api import idempotency
from api.auth import allowed, caller, visible_entity
from api.blueprint import Blueprint, gives, takes
from api.errors import IdempotencyKeyMissing, InvalidRequest
from api.schemas import listings as shapes
from api.v1.paper import desk, insider, row
from registry.errors import BadCursor, EntityNotFound, IdempotencyConflict
from registry.models import Delivery, Document, Entity
from registry.services import deliveries, documents, printing
from registry.services.deliveries import BadDelivery, DeliveryConflict, DeliveryNotFound
from registry.services.documents import BadDocument, DocumentNotFound, UnknownOrgan

bp = Blueprint("documents", __name__, url_prefix="/api/v1", description="文书和送达 Documents and their delivery")

ONE = "/documents/<int(min=1, max=2147483647):number>"


@bp.post("/documents")
@allowed("listings:propose")
@bp.doc(**idempotency.document(required=True))
@takes(
    shapes.DocumentIn(),
    example={"type": "order_publish", "code": "91990101MA00000000", "variables": {"facts": "未公示股权变更信息。", "basis": "《企业信息公示暂行条例》", "days": "10"}},
)  # fmt: skip
@gives(
    shapes.DocumentOut(),
    201,
    errors=[BadDocument, EntityNotFound, UnknownOrgan, IdempotencyKeyMissing, IdempotencyConflict],
)
def issue_document(given: dict[str, Any]) -> Response:
    """制发文书 Issue an order, a letter or a notice under the next number of its series. Decisions on lists come from cases."""

    def act(entity: Entity) -> tuple[dict[str, Any], int]:
        made = documents.issue_free(given["type"], entity, given["variables"], desk=desk())
        return shapes.DocumentOut().dump(_shown(made)), 201

    return idempotency.once(lambda: visible_entity(given["code"]), act, required=True)


@bp.get("/documents")
@allowed("entities:read")
@takes(shapes.DocumentsQuery(), "query")
@gives(shapes.DocumentPage(), errors=[BadCursor, EntityNotFound])
def list_documents(query: dict[str, Any]) -> dict[str, Any]:
    """文书列表 Documents of the key's organ, newest first. Needs a scope of lists, repairs or publication too."""
    insider("Documents")
    code, query["type_"] = query.pop("code"), query.pop("type")
    entity = visible_entity(code).id if code else None
    found = documents.page(organ=caller().organ, entity=entity, divisions=caller().divisions, **query)
    parties = documents.parties(found.items)
    return {"items": [_head(one, parties.get(one.entity or 0)) for one in found.items], "next": found.next}


@bp.get(ONE)
@allowed("entities:read")
@gives(shapes.DocumentOut(), errors=[DocumentNotFound])
def read_document(number: int) -> dict[str, Any]:
    """文书详情 One document with its text, its deliveries and the last days of its remedies."""
    return _shown(_document(number))


@bp.get(f"{ONE}.html")
@allowed("entities:read")
@gives(None, errors=[DocumentNotFound], content_type="text/html")
def print_document(number: int) -> Response:
    """打印文书 The document as a page to print, A4; it loads nothing."""
    response = Response(printing.as_html(_document(number)), mimetype="text/html")
    response.headers["Content-Security-Policy"] = printing.POLICY
    return response


@bp.get(f"{ONE}.txt")
@allowed("entities:read")
@gives(None, errors=[DocumentNotFound], content_type="text/plain")
def read_text(number: int) -> Response:
    """文书文本 The text of the document, as it was issued."""
    return Response(_document(number).text + "\n", mimetype="text/plain")


@bp.post(f"{ONE}/deliveries")
@allowed("listings:propose")
@bp.doc(**idempotency.document())
@takes(shapes.DeliveryIn(), example={"method": "post", "sent_on": "2026-11-20"})
@gives(
    shapes.DeliveryOut(),
    201,
    also=200,
    errors=[DocumentNotFound, BadDelivery, DeliveryConflict, UnknownOrgan, IdempotencyConflict],
)
def send_document(given: dict[str, Any], number: int) -> Response:
    """发出送达 Put on record that a document was sent. Safe to repeat."""

    def act(_: None) -> tuple[dict[str, Any], int]:
        made, new = deliveries.send(_document(number), **given, desk=desk())
        return shapes.DeliveryOut().dump(row(made)), 201 if new else 200

    return idempotency.once(lambda: None, act)


@bp.post("/deliveries/<int(min=1, max=2147483647):number>/result")
@allowed("listings:propose")
@bp.doc(**idempotency.document())
@takes(shapes.DeliveredIn(), example={"delivered_on": "2026-11-21", "proof": "送达回证"})
@gives(
    shapes.DeliveryOut(),
    201,
    also=200,
    errors=[DeliveryNotFound, BadDelivery, DeliveryConflict, UnknownOrgan, IdempotencyConflict],
)
def end_delivery(given: dict[str, Any], number: int) -> Response:
    """送达结果 Put on record that a delivery arrived (the clock of the remedies starts), or that it failed. Safe to repeat."""
    if (given["delivered_on"] is None) == (not given["failed_because"]):
        raise InvalidRequest({"delivered_on": ["Give either the day of arrival, or `failed_because`: one of the two."]})

    def act(_: None) -> tuple[dict[str, Any], int]:
        _delivery(number)
        if given["delivered_on"] is None:
            made, new = deliveries.failed(number, because=given["failed_because"], desk=desk())
        else:
            made, new = deliveries.succeeded(
                number, delivered_on=given["delivered_on"], proof=given["proof"], desk=desk()
            )
        return shapes.DeliveryOut().dump(row(made)), 201 if new else 200

    return idempotency.once(lambda: None, act)


def _delivery(number: int) -> None:
    found = Delivery.get_or_none(Delivery.id == number)
    try:
        _document(found.document_id if found else 0)
    except DocumentNotFound as error:
        raise DeliveryNotFound(
            f"{caller().organ} has no delivery {number}. A document shows its deliveries."
        ) from error


def _document(number: int) -> Document:
    insider("Documents")
    found = documents.get(number, organ=caller().organ)
    entity = Entity.get_or_none(Entity.id == found.entity)
    if entity is not None and not caller().sees(entity.division):
        raise DocumentNotFound(f"There is no document {number} of {caller().organ}.")
    return found


def _head(document: Document, party: Entity | None) -> dict[str, Any]:
    return {
        **row(document),
        "code": "" if party is None else party.code or party.registration_no or "",
        "name": "" if party is None else party.name,
    }


def _shown(document: Document) -> dict[str, Any]:
    return {
        **_head(document, documents.parties([document]).get(document.entity or 0)),
        "unchanged": documents.unchanged(document),
        "deliveries": [row(one) for one in deliveries.of(document)],
        "remedies": deliveries.remedies(document),
    }
