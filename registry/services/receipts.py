"""Receipts 回执 of platforms that batches were sent to: any table whose headings say row or document number, result, reason."""

from pathlib import Path

from registry import tables
from registry.cells.personal import mask_personal
from registry.mappings import clean_heading
from registry.mappings.form import same_heading, same_value
from registry.services.outbound import Answer, BadReceipt, Said
from registry.tables import Limits

HEADINGS: dict[str, tuple[str, ...]] = {
    "row": ("row", "行号", "行", "数据行"),
    "document_no": (
        "document_no", "文书号", "决定文书号", "行政处罚决定文书号", "行政处罚决定书文号", "CF_WSH", "行政许可决定文书号", "行政许可决定书文号",
        "XK_WSH", "penDecNo",
    ),
    "said": ("result", "said", "结果", "状态", "处理结果", "校验结果", "反馈结果"),
    "reason": ("reason", "原因", "退回原因", "失败原因", "错误原因", "说明", "反馈意见"),
}  # fmt: skip
WORDS: dict[Said, tuple[str, ...]] = {
    "accepted": ("accepted", "ok", "1", "接收", "已接收", "通过", "成功", "入库", "已入库", "合格"),
    "refused": ("refused", "rejected", "0", "退回", "已退回", "拒收", "拒绝", "不通过", "未通过", "失败", "不合格", "错误"),
}  # fmt: skip
_SAID: dict[str, Said] = {same_value(word): said for said, words in WORDS.items() for word in words}
HEADER_WITHIN = 10


def read(path: Path, limits: Limits | None = None) -> list[Answer]:
    """The answers of a receipt file (CSV, XLSX, JSON …), in order.

    Raises BadFile for a file that is no table, BadReceipt for one without the columns, or with a result that nobody knows.
    """
    table = tables.look_at(path, limits)
    at: dict[str, int] = {}
    answers: list[Answer] = []
    for number, cells in enumerate(tables.rows(table), 1):
        if not at:
            at = _columns(cells)
            if not at and number >= HEADER_WITHIN:
                break
        elif any(cell.strip() for cell in cells):
            answers.append(_answer(path, number, cells, at))
    if not at:
        raise BadReceipt(
            f"{path.name} has no row of headings with a result ({', '.join(HEADINGS['said'][:3])}) and a row number "
            f"({HEADINGS['row'][1]}) or document number ({HEADINGS['document_no'][1]}). Name its columns so."
        )
    return answers


def _columns(cells: list[str]) -> dict[str, int]:
    places = {same_heading(clean_heading(cell)): index for index, cell in enumerate(cells)}
    found: dict[str, int] = {}
    for name, headings in HEADINGS.items():
        known = [places[one] for one in map(same_heading, headings) if one in places]
        if known:
            found[name] = known[0]
    return found if "said" in found and {"row", "document_no"} & set(found) else {}


def _answer(path: Path, number: int, cells: list[str], at: dict[str, int]) -> Answer:
    def cell(name: str) -> str:
        return cells[at[name]].strip() if name in at and at[name] < len(cells) else ""

    said = _SAID.get(same_value(cell("said")))
    row = cell("row").removesuffix(".0")
    if said is None:
        raise BadReceipt(
            f"{path.name} row {number}: {mask_personal(cell('said'))[:40]!r} is no result. Accepted is one of {', '.join(WORDS['accepted'])}; "
            f"refused one of {', '.join(WORDS['refused'])}."
        )
    if row and not (row.isascii() and row.isdecimal() and len(row) < 10):
        raise BadReceipt(f"{path.name} row {number}: {mask_personal(row)[:40]!r} is no row number. Write digits only.")
    if not row and not cell("document_no"):
        raise BadReceipt(f"{path.name} row {number} names neither a row nor a document number. Name one of them.")
    return Answer(said, int(row) if row else None, cell("document_no"), cell("reason"), line=number)


__all__ = ["HEADINGS", "WORDS", "read"]
