"""What the views of the one list and the two databases share: who acts, files in the body, files as answers."""

import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from flask import Response, request

from api import idempotency
from api.auth import caller, own_organ
from api.context import here
from api.errors import BodyTooLarge, InvalidRequest, NoSuchPath
from api.schemas.registers import FileOut
from registry import sheets
from registry.services.register_files import MOST_BY_HTTP, Sheet, header_and_rows, limits, take
from registry.services.registers import Desk, Outcome

# Five thousand rows, each with a checklist, fit into it.
MOST_BYTES = 10_000_000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMS = {"csv": "text/csv", "xlsx": XLSX}
FILE = {
    "required": True,
    "content": {
        kind: {"schema": {"type": "string", "format": "binary", "description": "The file 文件: CSV (UTF-8, GB18030) or XLSX"}}
        for kind in (*FORMS.values(), "application/octet-stream")
    },
}  # fmt: skip
FORM_PATH = [
    {"in": "path", "name": "form", "required": True, "schema": {"type": "string", "enum": list(FORMS)}, "description": "Form of the file 格式"},
]  # fmt: skip


def desk() -> Desk:
    """Who makes the request, for which organ and divisions."""
    at, who = here(), caller()
    return Desk(who.actor, own_organ(), at.today(), at.now(), who.divisions)


def said(outcome: Outcome) -> int:
    """The status of a verb: 201 where it changed something, 200 where everything stood already."""
    return 201 if outcome == "stored" else 200


def once(act: Callable[[], tuple[dict[str, Any], Outcome]]) -> Response:
    """Answer a POST that stores something: what it is then, and whether it changed."""

    def doing(_: None) -> tuple[dict[str, Any], int]:
        body, outcome = act()
        return body, said(outcome)

    return idempotency.once(lambda: None, doing)


def taken(sheet: Sheet, *, name: str) -> Response:
    """Store the rows of the file in the body, at most 5,000, and say what became of them.

    Raises BodyTooLarge, InvalidRequest for an empty body, BadFile for one that is no such file.
    """
    request.max_content_length = MOST_BYTES
    body = request.get_data(cache=True)
    # A body without a length is cut at the limit, not refused: half a file must not pass for the whole.
    if request.content_length is None and len(body) >= MOST_BYTES:
        raise BodyTooLarge(MOST_BYTES)
    if not body:
        raise InvalidRequest(
            {"body": ["The body is empty. Send the file as the body: curl --data-binary @items.csv …"]}
        )

    def act() -> tuple[dict[str, Any], int, bool]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_bytes(body)
            found = take(path, sheet, limits=limits(here().settings), desk=desk(), most=MOST_BY_HTTP)
        shown: dict[str, Any] = FileOut().dump(found.as_dict())
        return shown, 200, not found.rejected

    return idempotency.at_the_end(act)


def given(sheet: Sheet, rows: Iterable[Mapping[str, Any]], form: str, *, name: str) -> Response:
    """The rows as a file that can be imported again. Raises NoSuchPath for another form."""
    if form not in FORMS:
        raise NoSuchPath
    header, lines = header_and_rows(sheet, rows)
    if form == "csv":
        response = Response("".join(sheets.csv_blocks(header, lines)), mimetype=FORMS[form])
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"{name}.xlsx")
            sheets.write_xlsx(path, header, lines)
            response = Response(path.read_bytes(), mimetype=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return response
