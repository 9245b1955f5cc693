"""Exchange with other platforms: records by template, batches and their answers, and how well organs report."""

import os
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from flask import Response

from api import idempotency
from api.auth import allowed, caller, visible_entity
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.errors import MissingScope, NoSuchPath
from api.schemas.common import PageQuery
from api.schemas.exchange import (
    EXPORTED,
    ExportQuery,
    OutboundAnswersIn,
    OutboundDetail,
    OutboundIn,
    OutboundMade,
    OutboundOut,
    OutboundPage,
    OutboundResendIn,
    OutboundSentIn,
    ReportingOut,
    ReportingQuery,
)
from registry import clock, templates
from registry.database import session
from registry.errors import BadCursor, EntityNotFound, IdempotencyConflict
from registry.models import Outbound
from registry.services import exports, outbound, reporting
from registry.services.exports import FileForm, Tally, Wanted
from registry.services.outbound import Answer, BadReceipt, BatchConflict, BatchNotFound, Made, NothingToSend
from registry.sheets import Row, TooManyRows
from registry.templates import Template, UnknownTemplate

bp = Blueprint("exchange", __name__, url_prefix="/api/v1", description="数据交换 Exchange")

NUMBER = "<int(min=1, max=2147483647):number>"
TYPES: dict[str, str] = {
    "csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "json": "application/json",
}  # fmt: skip
BLOCK = 1 << 16
PATH = [
    {"in": "path", "name": "kind", "required": True, "schema": {"type": "string", "enum": EXPORTED}, "description": "Kind of record 记录类别"},
    {"in": "path", "name": "form", "required": True, "schema": {"type": "string", "enum": list(TYPES)}, "description": "Form of the file 格式"},
]  # fmt: skip


@bp.get("/exports/<kind>.<form>", parameters=PATH)
@allowed("exchange:read")
@takes(ExportQuery(), "query")
@gives(None, errors=[EntityNotFound, UnknownTemplate, TooManyRows, MissingScope], content_type="text/csv")
def export_records(query: dict[str, Any], kind: str, form: str) -> Response:
    """导出记录 Records by an exchange template, as CSV, XLSX or the JSON of NECIPS. CSV and JSON are streamed.

    Of the entities in the key's divisions; of other organs than the key's own only with `entities:read`. Never: what was
    withdrawn, repaired or erased, what waits for a person, and numbers of natural persons.
    """
    if form not in TYPES:
        raise NoSuchPath
    wanted = _wanted(query)
    template = templates.named(query["template"], kind=kind, form="json" if form == "json" else "table")
    if form == "xlsx":
        response = Response(_workbook(template, wanted, query["headings"]), mimetype=TYPES["xlsx"])
    else:
        response = Response(
            _streamed(template, wanted, "json" if form == "json" else "csv", query["headings"]), mimetype=TYPES[form]
        )
    response.headers["Content-Disposition"] = f'attachment; filename="{template.id}.{form}"'
    return response


@bp.post("/outbound")
@allowed("records:review")
@bp.doc(**idempotency.document())
@takes(OutboundIn(), example={"recipient": "credit_china", "kind": "penalty"})
@gives(OutboundMade(), 201, errors=[UnknownTemplate, NothingToSend, BatchConflict, IdempotencyConflict])
def make_batch(given: dict[str, Any]) -> Response:
    """生成报送批次 Make a batch of all records of the key's organ that are new or corrected for a recipient."""

    def act(_: None) -> tuple[dict[str, Any], int]:
        form: FileForm = given["form"]
        made = outbound.make(
            given["recipient"], given["kind"], organ=caller().organ, form=form, template=given["template"], **_doing()
        )
        return _made(made), 201

    return idempotency.once(lambda: None, act)


@bp.get("/outbound")
@allowed("exchange:read")
@takes(PageQuery(), "query")
@gives(OutboundPage(), errors=[BadCursor])
def list_batches(query: dict[str, Any]) -> dict[str, Any]:
    """报送批次列表 Batches of the key's organ, newest first."""
    found = outbound.page(organ=caller().organ, **query)
    return {"items": [_row(one) for one in found.items], "next": found.next}


@bp.get(f"/outbound/{NUMBER}")
@allowed("exchange:read")
@gives(OutboundDetail(), errors=[BatchNotFound])
def read_batch(number: int) -> dict[str, Any]:
    """报送批次 One batch with its rows: what was sent, due when, and what the recipient said."""
    batch = outbound.get(number, organ=caller().organ)
    return {**_row(outbound.shown(batch)), "items": outbound.rows(batch)}


@bp.get(f"/outbound/{NUMBER}/file")
@allowed("exchange:read")
@gives(None, errors=[BatchNotFound], content_type="text/csv")
def download_batch(number: int) -> Response:
    """下载报送文件 The file of a batch, exactly as it was made."""
    batch = outbound.get(number, organ=caller().organ)
    path = outbound.file_of(batch, _folder())
    response = Response(_pieces(path), mimetype=TYPES[path.suffix.lstrip(".")])
    response.headers["Content-Length"] = str(path.stat().st_size)
    response.headers["Content-Disposition"] = f'attachment; filename="batch-{number}{path.suffix}"'
    return response


@bp.post(f"/outbound/{NUMBER}/sent")
@allowed("records:review")
@bp.doc(**idempotency.document())
@takes(OutboundSentIn(), example={"on": "2026-11-21"})
@gives(OutboundOut(), errors=[BatchNotFound, BatchConflict, IdempotencyConflict])
def mark_sent(given: dict[str, Any], number: int) -> Response:
    """标记已报送 Put on record on which day a batch was sent. Safe to repeat."""

    def act(_: None) -> tuple[dict[str, Any], int]:
        at = here()
        batch = outbound.sent(
            number, organ=caller().organ, on=given["on"], today=at.today(), now=at.now(), actor=caller().actor
        )
        return _dumped(batch), 200

    return idempotency.once(lambda: None, act)


@bp.post(f"/outbound/{NUMBER}/answer")
@allowed("records:review")
@bp.doc(**idempotency.document())
@takes(
    OutboundAnswersIn(),
    example={"rows": [{"row": 2, "said": "accepted"}, {"row": 3, "said": "refused", "reason": "代码有误"}]},
)
@gives(OutboundOut(), errors=[BatchNotFound, BatchConflict, BadReceipt, IdempotencyConflict])
def answer_batch(given: dict[str, Any], number: int) -> Response:
    """登记回执 What the recipient said of the rows, all of it or nothing. Several receipts may follow one another."""

    def act(_: None) -> tuple[dict[str, Any], int]:
        at = here()
        answers = [Answer(**one) for one in given["rows"]]
        batch = outbound.answer(
            number, answers, organ=caller().organ, today=at.today(), now=at.now(), actor=caller().actor
        )
        return _dumped(batch), 200

    return idempotency.once(lambda: None, act)


@bp.post(f"/outbound/{NUMBER}/resend")
@allowed("records:review")
@bp.doc(**idempotency.document())
@takes(OutboundResendIn())
@gives(OutboundMade(), 201, errors=[BatchNotFound, NothingToSend, BatchConflict, IdempotencyConflict])
def resend_batch(given: dict[str, Any], number: int) -> Response:
    """重报退回数据 Make a batch of the rows that were refused, in their present wording."""

    def act(_: None) -> tuple[dict[str, Any], int]:
        return _made(outbound.resend(number, organ=caller().organ, form=given["form"], **_doing())), 201

    return idempotency.once(lambda: None, act)


@bp.get("/statistics/reporting")
@allowed("exchange:read")
@takes(ReportingQuery(), "query")
@gives(ReportingOut(), errors=[UnknownTemplate])
def read_reporting(query: dict[str, Any]) -> dict[str, Any]:
    """报送统计 Sent, late (7 and 20 working days), refused and overdue records by organ and month of decision.

    Of the key's organ; with `entities:read` of every organ.
    """
    today = here().today()
    last: date = query["to_on"] or today
    first: date = query["from_on"] or date(today.year - 1, today.month, 1)
    organ = None if caller().may("entities:read") else caller().organ
    found = reporting.rates(query["recipient"], query["kind"], organ=organ, first=first, last=last, today=today)
    return {"recipient": query["recipient"], "kind": query["kind"], "items": found}


def _wanted(query: dict[str, Any]) -> Wanted:
    who, organ = caller(), query["organ"]
    if not who.may("entities:read"):
        if organ not in (None, who.organ):
            raise MissingScope("entities:read", f"Exporting records of {organ[:60]}")
        organ = who.organ
    entity = None if query["entity"] is None else visible_entity(query["entity"]).id
    return Wanted(organ=organ, entity=entity, divisions=who.divisions, since=query["since"])


def _streamed(template: Template, wanted: Wanted, form: FileForm, headings: Any) -> Iterator[str]:
    """Pieces of the file. They are made while they are sent, when the request has given its connection back."""

    def found() -> Iterator[Row]:
        with session():
            yield from exports.rows(template, exports.items(template.kind, wanted), Tally())

    return exports.blocks(template, form, found(), headings)


def _workbook(template: Template, wanted: Wanted, headings: Any) -> Iterator[bytes]:
    """A workbook is written whole first: its parts cannot be streamed. The file goes when it was read."""
    handle, name = tempfile.mkstemp(suffix=".xlsx")
    os.close(handle)
    path = Path(name)
    try:
        exports.to_file(path, template, wanted, form="xlsx", headings=headings)
        opened = path.open("rb")
    finally:
        path.unlink(missing_ok=True)

    def pieces() -> Iterator[bytes]:
        with opened:
            while block := opened.read(BLOCK):
                yield block

    return pieces()


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as handle:
        while block := handle.read(BLOCK):
            yield block


def _folder() -> Path:
    return here().settings.path(here().settings.exchange.outbound)


def _doing() -> dict[str, Any]:
    at = here()
    return {"folder": _folder(), "today": at.today(), "now": at.now(), "actor": caller().actor}


def _row(one: dict[str, Any]) -> dict[str, Any]:
    return {**one, "made_at": clock.moment_text(one["made_at"])}


def _dumped(batch: Outbound) -> dict[str, Any]:
    shown: dict[str, Any] = OutboundOut().dump(_row(outbound.shown(batch)))
    return shown


def _made(made: Made) -> dict[str, Any]:
    shown: dict[str, Any] = OutboundMade().dump({**_row(outbound.shown(made.batch)), "left_out": made.left_out})
    return shown
