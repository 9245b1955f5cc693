"""Files as accidents leave them: a good table of any kind, and one thing or several done to it by a seeded hand."""

import csv
import gzip
import io
import json
import random
from collections.abc import Callable

from tests.factories import credit_code
from tests.registry.tables import HEADINGS_2021, penalty_row
from tests.registry.workbooks import Formula, workbook

Rows = list[list[object]]
FORMULAS = ('=HYPERLINK("http://x.example","点")', "+1+1", "-2+3", "@SUM(A1:A9)", "\t=1", "=cmd|' /C calc'!A0")
ODD = (
    "",
    " ",
    "　",
    "无",
    "NULL",
    "\x00",
    "\ufeff",
    "\r",
    "\u202e",
    "🐉",
    "𠮷",
    "'",
    '"',
    "=",
    "1e999",
    "-1",
    "9" * 40,
    "44744",
    "2026-02-30",
    "合计",
)


def good(random_: random.Random) -> Rows:
    """A 双公示 table with a header and a few rows, the same for the same seed."""
    rows = [
        penalty_row(code=credit_code(number=random_.randrange(50)), document_no=f"信市监处罚〔2026〕{n}号")
        for n in range(1, random_.randrange(2, 12))
    ]
    return [list(HEADINGS_2021), *rows]


# What may be done to the cells.


def swap_columns(rows: Rows, random_: random.Random) -> None:
    one, other = random_.randrange(len(rows[0])), random_.randrange(len(rows[0]))
    for row in rows[random_.choice((0, 1)) :]:
        if max(one, other) < len(row):
            row[one], row[other] = row[other], row[one]


def double_a_heading(rows: Rows, random_: random.Random) -> None:
    one, other = random_.randrange(len(rows[0])), random_.randrange(len(rows[0]))
    rows[0][one] = rows[0][other]


def lose_a_heading(rows: Rows, random_: random.Random) -> None:
    rows[0][random_.randrange(len(rows[0]))] = random_.choice(("", "未知", *ODD))


def lose_the_header(rows: Rows, random_: random.Random) -> None:
    del rows[0]


def repeat_the_header(rows: Rows, random_: random.Random) -> None:
    rows.insert(random_.randrange(len(rows)), list(rows[0]))


def put_a_title_above(rows: Rows, random_: random.Random) -> None:
    for _ in range(random_.randrange(1, 12)):
        rows.insert(0, ["某区行政处罚公示", *[""] * random_.choice((0, len(rows[0]) - 1))])


def put_a_sum_below(rows: Rows, random_: random.Random) -> None:
    rows.append(["合计", *[random_.choice(("", "12"))] * (len(rows[0]) - 1)])


def add_blank_rows(rows: Rows, random_: random.Random) -> None:
    for _ in range(3):
        rows.insert(random_.randrange(1, len(rows) + 1), random_.choice(([], [""] * len(rows[0]), [" "])))


def write_something_odd(rows: Rows, random_: random.Random) -> None:
    for _ in range(random_.randrange(1, 12)):
        row = random_.choice(rows)
        if row:
            row[random_.randrange(len(row))] = random_.choice((*ODD, *FORMULAS))


def write_a_formula(rows: Rows, random_: random.Random) -> None:
    random_.choice(rows)[:1] = [Formula(random_.choice(FORMULAS))]


def write_a_very_long_cell(rows: Rows, random_: random.Random) -> None:
    random_.choice(rows)[:1] = ["长" * random_.choice((40_000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1))]


def shorten_a_row(rows: Rows, random_: random.Random) -> None:
    row = random_.choice(rows)
    del row[random_.randrange(len(row) + 1) :]


def lengthen_a_row(rows: Rows, random_: random.Random) -> None:
    random_.choice(rows).extend(["多"] * random_.choice((1, 20, 400)))


CELLS: tuple[Callable[[Rows, random.Random], None], ...] = (
    swap_columns, double_a_heading, lose_a_heading, lose_the_header, repeat_the_header, put_a_title_above, put_a_sum_below, add_blank_rows,
    write_something_odd, write_something_odd, write_a_formula, write_a_very_long_cell, shorten_a_row, lengthen_a_row,
)  # fmt: skip


# How it may be written.


def as_text(rows: Rows, random_: random.Random) -> tuple[str, bytes]:
    text = io.StringIO(newline="")
    ending, separator = random_.choice(("\r\n", "\n")), random_.choice((",", ",", ",", "\t", ";"))
    csv.writer(text, delimiter=separator, lineterminator=ending).writerows(rows)
    encoding = random_.choice(
        ("utf-8",) * 4 + ("gb18030",) * 4 + ("utf-8-sig", "utf-16", "gbk", "big5", "utf-16-le", "cp1252")
    )
    return "table.csv", text.getvalue().encode(encoding, "replace")


def as_workbook(rows: Rows, random_: random.Random) -> tuple[str, bytes]:
    # XML holds no control characters; a writer leaves them out.
    clean = [
        ["".join(c for c in str(one) if c >= " ") if not isinstance(one, Formula) else one for one in row]
        for row in rows
    ]
    front: list[Rows] = [[["说明"]]] if random_.random() < 0.3 else []
    return "table.xlsx", workbook(*front, clean)


def as_objects(rows: Rows, random_: random.Random) -> tuple[str, bytes]:
    objects = [dict(zip(map(str, rows[0]), row, strict=False)) for row in rows[1:]]
    if random_.random() < 0.5:
        return "table.jsonl", "\n".join(json.dumps(one, ensure_ascii=False) for one in objects).encode()
    return "table.json", json.dumps(random_.choice((objects, {"data": objects})), ensure_ascii=False).encode()


# What may be done to the bytes.


def cut(content: bytes, random_: random.Random) -> bytes:
    return content[: random_.randrange(len(content) + 1)]


def flip(content: bytes, random_: random.Random) -> bytes:
    found = bytearray(content)
    for _ in range(random_.randrange(1, 30)):
        if found:
            found[random_.randrange(len(found))] = random_.randrange(256)
    return bytes(found)


def put_in(content: bytes, random_: random.Random) -> bytes:
    at = random_.randrange(len(content) + 1)
    more = random_.choice(
        (b"\x00" * 9, b'"', b"\xef\xbb\xbf", b"\r", b"\xff\xfe", b"<html>", b"PK\x03\x04", random_.randbytes(50))
    )
    return content[:at] + more + content[at:]


def leave_out(content: bytes, random_: random.Random) -> bytes:
    at = random_.randrange(len(content) + 1)
    return content[:at] + content[at + random_.randrange(1, 200) :]


BYTES: tuple[Callable[[bytes, random.Random], bytes], ...] = (cut, flip, put_in, leave_out)


def mutated(seed: int) -> tuple[str, bytes]:
    """Name and content of one file, good or bad; the same for the same seed."""
    random_ = random.Random(seed)
    rows = good(random_)
    for _ in range(random_.choice((0, 1, 1, 2, 3))):
        if len(rows) > 1 and rows[0]:
            random_.choice(CELLS)(rows, random_)
    name, content = random_.choice((as_text, as_text, as_text, as_workbook, as_objects))(rows or [[]], random_)
    if random_.random() < 0.15:
        name, content = f"{name}.gz", gzip.compress(content, mtime=0)
    if random_.random() < 0.4:
        content = random_.choice(BYTES)(content, random_)
    if random_.random() < 0.1:
        name = random_.choice(("table.csv", "table.xls", "table.json", "table.csv.gz", "table"))
    return name, content
