"""Files for import: sent, taken up by the worker, asked after."""

from typing import Any

from flask import Response, request, url_for
from marshmallow import ValidationError
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from api import idempotency
from api.auth import allowed, caller, require
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.errors import BadRequest, InvalidRequest
from api.schemas.common import PageQuery
from api.schemas.imports import UploadDetail, UploadForm, UploadOut, UploadPage
from api.v1.shown import conditional
from registry import clock, sheets
from registry.errors import BadCursor, IdempotencyConflict, NotAllowed
from registry.models import Upload
from registry.services import naming, uploads
from registry.services.dropfolder import HEADINGS
from registry.services.uploads import FileTooLarge, Options, Spooled, Spooling, UploadNotFound
from registry.tables.base import MEGABYTE

bp = Blueprint("imports", __name__, url_prefix="/api/v1", description="文件导入 Importing files")

REGISTRATIONS, OTHERS = "registrations:write", "imports:others"
# What the form may hold beside the file, in bytes and parts; and how much of it is read at once.
FORM_BYTES, FORM_PARTS, FORM_MEMORY = 20_000, 12, 500_000
FORM = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {"type": "string", "format": "binary", "description": "The file 文件: CSV, TSV, XLSX, XLS, JSON, also gzipped"},
                    "kind": {"type": "string", "description": "Consider mappings of this kind only 类别"},
                    "mapping": {"type": "string", "description": "Mapping 映射; default: the one that fits"},
                    "source": {"type": "string", "description": "The key's organ (the default), or ORGAN/NAME 来源"},
                    "division": {"type": "string", "description": "Area in which the parties are registered 区划 (GB/T 2260 prefix)"},
                    "ignore_unknown": {"type": "boolean", "description": "Leave out unknown columns 忽略未知列"},
                    "dry_run": {"type": "boolean", "description": "Store nothing 试导入"},
                },
            }
        }
    },
}  # fmt: skip


@bp.post("/imports")
@allowed("imports:write")
@bp.doc(requestBody=FORM, **idempotency.document())
@gives(UploadOut(), 202, also=200, errors=[FileTooLarge, NotAllowed, IdempotencyConflict, BadRequest])
def send_file(**_: Any) -> Response:
    """上传文件 Send a file for import, as multipart/form-data. The worker takes it up within a minute.

    202 with Location: ask there how far it is. 200: the same file with the same options was sent before, and this is it. Files
    of registrations need the scope `registrations:write` as well. Rows of other organs are refused without `imports:others`;
    with it, grave ones wait for a review.
    """
    limit = here().settings.import_.max_file_mb * MEGABYTE
    spooled, name, form = _received(limit)
    try:
        options = _options(form)
        said = f"{spooled.digest} {sorted(form.items())} {name}"
        response = idempotency.once(lambda: None, lambda _: _accepted(spooled, name, options), said=said.encode())
    finally:
        spooled.path.unlink(missing_ok=True)
    response.headers["Location"] = url_for("imports.read_import", number=response.get_json()["id"])
    return response


@bp.get("/imports")
@allowed("imports:write")
@takes(PageQuery(), "query")
@gives(UploadPage(), errors=[BadCursor])
def list_imports(query: dict[str, Any]) -> dict[str, Any]:
    """导入列表 Files that the key's organ has sent, newest first."""
    found = uploads.page(organ=caller().organ, **query)
    return {"items": [_shown(one) for one in found.items], "next": found.next}


@bp.get("/imports/<int(min=1, max=2147483647):number>")
@allowed("imports:write")
@gives(UploadDetail(), errors=[UploadNotFound])
def read_import(number: int) -> Response:
    """导入进度 How far a file is, what became of its rows, and how it was read. Carries an ETag: poll with If-None-Match."""
    found = uploads.get(number, organ=caller().organ)
    return conditional(UploadDetail().dump({**_shown(found), "understanding": found.understanding}))


@bp.get("/imports/<int(min=1, max=2147483647):number>/rejected.csv")
@allowed("imports:write")
@gives(None, errors=[UploadNotFound], content_type="text/csv")
def read_rejected(number: int) -> Response:
    """拒收明细 The refused cells of a file: row, column, value (masked), reason. UTF-8 with BOM; no formula runs."""
    found = uploads.get(number, organ=caller().organ)
    response = Response("".join(sheets.csv_blocks(HEADINGS, uploads.rejects(found))), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="import-{number}.rejected.csv"'
    return response


def _received(limit: int) -> tuple[Spooled, str, dict[str, str]]:
    """Stream the file of the form into the spool folder; return it with its name and the other fields.

    Raises FileTooLarge, BadRequest for a body that is no such form, InvalidRequest where the file is missing or doubled.
    """
    if request.mimetype != "multipart/form-data":
        raise BadRequest("Send the file as multipart/form-data, in the field `file`: curl -F file=@penalties.csv …")
    request.max_content_length = limit + FORM_BYTES
    folder = here().settings.path(here().settings.import_.spool)
    taken: list[Spooling] = []

    def store(*_: object, **__: object) -> Any:
        if taken:
            raise InvalidRequest({"file": ["More than one file was sent. Send each in a request of its own."]})
        taken.append(Spooling(folder, limit=limit))
        return taken[0]

    parser = FormDataParser(
        stream_factory=store, max_form_memory_size=FORM_MEMORY, max_form_parts=FORM_PARTS, silent=False
    )
    try:
        _, form, files = parser.parse(request.stream, request.mimetype, request.content_length, request.mimetype_params)
        if [*files] != ["file"]:
            raise InvalidRequest({"file": ["The form has no file in the field `file`. Send it there, with its name."]})
        if repeated := [name for name in form if len(form.getlist(name)) > 1]:
            raise InvalidRequest({name: ["This option was given more than once. Give it once."] for name in repeated})
        spooled = taken[0].finish()
    except BaseException as error:
        for one in taken:
            one.discard()
        if isinstance(error, RequestEntityTooLarge):
            # The library says the same of too many fields and of too long ones.
            if request.content_length is not None and request.content_length <= limit:
                raise InvalidRequest(
                    {
                        "form": [
                            f"The form has more than {FORM_PARTS} fields, or longer ones than any option is. Send `file` and the options, each once."
                        ]
                    }
                ) from error
            raise FileTooLarge(limit) from error
        if isinstance(error, ValueError):
            raise BadRequest(f"The form cannot be read: {error}. Send it again.") from error
        raise
    return spooled, files["file"].filename or "", form.to_dict()


def _options(form: dict[str, str]) -> Options:
    """The options of a form, checked. A key imports under its organ's name, and registrations only where it may."""
    schema = UploadForm()
    try:
        given = schema.load(form)
    except ValidationError as error:
        messages: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
        known = f"Unknown name. Known are: file, {', '.join(schema.fields)}."
        raise InvalidRequest(
            {
                str(name)[:60]: [known if text == "Unknown field." else str(text) for text in texts]
                for name, texts in messages.items()
            }
        ) from error
    if given["kind"] == "registration":
        require(REGISTRATIONS, "Importing registrations")
    source = uploads.source_of(caller().organ, given.pop("source"))
    area = _area(given.pop("division"))
    registrations, others = caller().may(REGISTRATIONS), caller().may(OTHERS)
    return Options(source=source, division=area, registrations=registrations, others=others, **given)


def _area(asked: str) -> str:
    """The area that a form names, which must lie within the key's divisions; the key's one division where it names none."""
    area = naming.area_of(asked)
    if not area:
        return naming.area_of_key(caller().divisions)
    held = caller().divisions
    if not any(area.startswith(one) or area.startswith(naming.area_of_key([one]) or one) for one in held):
        raise InvalidRequest(
            {
                "division": [
                    f"The key's divisions are {'、'.join(sorted(held))}; {area} is not within them. Name an area that is."
                ]
            }
        )
    return area


def _accepted(spooled: Spooled, name: str, options: Options) -> tuple[dict[str, Any], int]:
    who, at = caller(), here()
    upload, fresh = uploads.accept(
        spooled, at.settings.path(at.settings.import_.spool), name=name, via="api", sender=who.actor, organ=who.organ,
        options=options, now=at.now(),
    )  # fmt: skip
    return UploadOut().dump(_shown(upload)), 202 if fresh else 200


def _shown(upload: Upload) -> dict[str, Any]:
    counts, read = uploads.counts_of(upload), upload.understanding or {}
    finished = upload.finished_at
    refused = counts is not None and counts["rejected"] and upload.run is not None and finished is not None
    return {
        "id": upload.id, "name": upload.name, "state": upload.state, "source": upload.options["source"],
        "dry_run": upload.options["dry_run"], "size": upload.size, "digest": upload.digest,
        "position": 0 if upload.run is None else upload.run.position, "rows": read.get("rows"), "counts": counts,
        "error": upload.error or None, "received_at": clock.moment_text(upload.received_at),
        "finished_at": None if finished is None else clock.moment_text(finished),
        "rejected_file": url_for("imports.read_rejected", number=upload.id) if refused else None,
    }  # fmt: skip
