"""What was understood of a file, as lines for a person: `import --dry-run`."""

from collections.abc import Iterator
from typing import Any

from registry.services.trial import MOST_CAUSES as MOST
from registry.services.trial import Cause, Understanding, columns_of, described
from registry.services.understanding import Source

_WHAT = {"blank": "blank rows", "header": "repetitions of the header", "footer": "sums or signatures below the table"}


def rows_of(number: int) -> str:
    """`1 row`, `2 rows`."""
    return f"{number:,} row{'' if number == 1 else 's'}"


def told(found: Understanding) -> str:
    """A dry run in words: the file, its columns, its first rows, and what would become of all of them."""
    return "\n".join(
        [*_file(found.opened), "", *_columns(found.opened), "", *_first(found.first), "", *_outcome(found)]
    )


def left_out(opened: Source) -> Iterator[str]:
    """One line on rows that are no rows of the table, none where there are none."""
    said = [f"{number:,} {_WHAT[what]}" for what, number in opened.left_out.items() if number]
    if said:
        yield f"Left out as no rows of the table: {', '.join(said)}."


def _file(opened: Source) -> Iterator[str]:
    known = described(opened)
    text = f", {known['encoding']}, cells separated by {known['separator']!r}" if known["separator"] else ""
    text = text or (f", {known['encoding']}" if known["encoding"] else "")
    yield f"File 文件      {known['file']}: {known['nature']}{text}{', in a gzip archive' if known['compressed'] else ''}"
    for note in known["notes"]:
        yield f"               {note}"
    if known["sheet"]:
        others = f"; not read: {', '.join(known['other_sheets'])}" if known["other_sheets"] else ""
        yield f"Sheet 工作表   {known['sheet']}{others}"
    yield f"Header 表头    row {known['header_row']:,}, {rows_of(known['rows'])} below it"
    for number, above in enumerate(known["above"], start=1):
        if above:
            yield f"               row {number} stands above it: {above}"
    for line in left_out(opened):
        yield f"               {line}"
    yield f"Mapping 映射   {known['mapping']} ({known['title']}), kind {known['kind']}, source {known['source']}"
    for name, value in known["constants"].items():
        yield f"               {name} is {value!r} in every row"


def _columns(opened: Source) -> Iterator[str]:
    yield "Columns 列"
    for column in columns_of(opened):
        arrow = f"→ {column['field']} ({column['read']})" if column["field"] else f"({column['read']})"
        yield f"  {column['column']:>3} {column['heading'] or '(no heading)'}  {arrow}"


def _first(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "First rows 前几行, as they would be stored" if rows else "No row can be stored."
    for row in rows:
        party, record = row["party"], row["record"]
        waits = f" (waits: {party['why_it_waits']})" if party["why_it_waits"] else ""
        yield f"  row {row['row']}: {party['name']} {party['code']}{waits}"
        said = {name: value for name, value in record.items() if name != "detail" and value not in ("", None)}
        yield f"    {', '.join(f'{name} {value}' for name, value in said.items())}"
        yield f"    {', '.join(f'{name} {value}' for name, value in record['detail'].items())}"


def _outcome(found: Understanding) -> Iterator[str]:
    counts = found.counts
    yield (
        f"{rows_of(counts.read)} read with mapping {found.mapping}: {counts.stored:,} would be stored or are already there, "
        f"{counts.unmatched:,} without a usable code would wait for a match, {counts.rejected:,} refused. A dry run 试读 does not "
        "compare with what is stored: the import itself tells what is new from what is unchanged, waits or was dropped by a decision."
    )
    if counts.undated:
        yield f"Without a date: {rows_of(counts.undated)}. Kept, and never counted in a window."
    yield from _causes("Refused 拒收", found.causes)
    yield from _causes("Waiting 待匹配", found.waits)
    yield from _causes("Noted 提示", found.noted)
    if found.damage:
        yield f"The file breaks off: {found.damage}"
    yield "Nothing was stored."


def _causes(title: str, causes: list[Cause]) -> Iterator[str]:
    if not causes:
        return
    yield title
    for cause in causes[:MOST]:
        rows = ", ".join(f"{row:,}" for row in cause.rows)
        more = f" and {cause.count - len(cause.rows):,} more" if cause.count > len(cause.rows) else ""
        where = f"{cause.column}: " if cause.column else ""
        yield f"  {cause.count:,} × {where}{cause.reason} (row{'' if cause.count == 1 else 's'} {rows}{more})"
    if len(causes) > MOST:
        yield f"  and {len(causes) - MOST} more causes"
