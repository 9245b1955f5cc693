"""Importing 100,000 penalties from a 双公示 file, beside what marshmallow alone takes to validate them."""

import csv
import random
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.report import Figure
from benchmarks.work import NOW, SEED, TODAY, Work, connected, peak_megabytes
from registry import privacy, sheets
from registry.database import execute
from registry.kinds import KINDS
from registry.services import grading, imports, seal
from registry.services.understanding import open_source

ROWS = 100_000
TIMES = 4.0
# As XLSX at most half as much again.
XLSX_TIMES = 1.5
ORGAN = "信衡市市场监督管理局"
# Violation, basis, kinds imposed.
CASES = (
    ("未按规定明码标价", "《中华人民共和国价格法》第四十二条", "罚款"),
    ("发布虚假广告", "《中华人民共和国广告法》第五十五条第一款", "警告;罚款"),
    ("经营超过保质期的食品", "《中华人民共和国食品安全法》第一百二十四条第一款", "罚款;没收违法所得"),
)
HEADINGS = (
    "行政相对人名称", "行政相对人代码_1(统一社会信用代码)", "行政处罚决定书文号", "违法行为类型", "违法事实", "处罚依据", "处罚类别",
    "处罚内容", "罚款金额(万元)", "没收违法所得、没收非法财物的金额(万元)", "处罚决定日期", "公示截止期", "处罚机关", "数据来源单位", "备注",
)  # fmt: skip


def rows(parties: list[tuple[str, str]], count: int) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Valid penalties of these (name, code) parties, each as a line of the template and as the fields of the schema."""
    draw = random.Random(SEED)
    for number in range(1, count + 1):
        name, code = draw.choice(parties)
        violation, basis, kinds = draw.choice(CASES)
        decided = TODAY - timedelta(days=draw.randrange(1, 700))
        until, hundreds = decided + timedelta(days=365), draw.randrange(1, 500)
        fact = f"经查，当事人{violation}，涉案货值{hundreds * 20}元。"
        content = f"{kinds.replace(';', '、')}，罚款{hundreds * 100}元"
        document_no = f"信市监处罚〔{decided.year}〕{number}号"
        line = (
            name, code, document_no, violation, fact, basis, kinds, content, f"{hundreds / 100:.2f}", "0.00",
            decided.strftime("%Y/%m/%d"), until.isoformat(), ORGAN, ORGAN, "",
        )  # fmt: skip
        yield line, {
            "document_no": document_no, "violation": violation, "fact": fact, "basis": basis, "kinds": kinds, "content": content,
            "fine_fen": hundreds * 100_00, "confiscated_fen": 0, "decided_on": decided.isoformat(), "publish_until": until.isoformat(),
            "organ": ORGAN, "source_organ": ORGAN,
        }  # fmt: skip


def write_file(file: Path, lines: Iterator[tuple[str, ...]] | list[tuple[str, ...]]) -> None:
    """A CSV as organs send it: GB18030, Chinese headings."""
    with file.open("w", encoding="gb18030", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(HEADINGS)
        writer.writerows(lines)


def parties() -> list[tuple[str, str]]:
    """(name, code) of the first 50,000 entities of the connected registry."""
    found = execute("SELECT name, code FROM entity WHERE code IS NOT NULL ORDER BY id LIMIT 50000").fetchall()
    return [(name, code) for name, code in found]


def write_workbook(file: Path, lines: Iterable[tuple[str, ...]]) -> None:
    """The same rows as a spreadsheet."""
    sheets.write_xlsx(file, list(HEADINGS), lines)


def measure(work: Work, count: int = ROWS) -> list[Figure]:
    """Validated, matched, stored and sealed, as CSV and as XLSX: each beside the mean of marshmallow before and after."""
    figures: list[Figure] = []
    for suffix, write, limit in (("csv", write_file, TIMES), ("xlsx", write_workbook, None)):
        with connected(work, work.copy(f"import-{suffix}")) as (settings, _):
            seal.make_log(settings, now=NOW)
            seal.seal(settings, now=lambda: NOW)
            made = list(rows(parties(), count))
            file = work.folder / f"penalties.{suffix}"
            write(file, [line for line, _ in made])
            fields = [given for _, given in made]
            before = _validated(fields)
            start = time.perf_counter()
            report = imports.run(
                open_source(file), today=TODAY, key=privacy.key(settings), schemes=grading.schemes(settings),
                chunk=settings.import_.chunk_rows, actor="benchmark",
            )  # fmt: skip
            stored = time.perf_counter() - start
            seal.seal(settings, now=lambda: NOW)
            taken = time.perf_counter() - start
            alone = (before + _validated(fields)) / 2
        if report.counts.stored != count:
            raise ValueError(f"Of {count:,} valid rows {report.counts.stored:,} were stored: {report.counts}.")
        note = (
            f"all stored in {stored:.1f} s, sealed in {taken - stored:.1f} s; chunks of {settings.import_.chunk_rows}; "
            f"marshmallow alone {alone:.1f} s; peak {peak_megabytes():,.0f} MB"
        )
        what = f"import of {count:,} penalties ({suffix.upper()})"
        figures.append(Figure(what, taken, "s", taken / alone, "marshmallow", limit, note=note))
    csv_ratio, xlsx_ratio = (figure.ratio or 0.0 for figure in figures)
    figures.append(Figure("the same as XLSX", figures[1].value, "s", xlsx_ratio / csv_ratio, "CSV", XLSX_TIMES))
    return figures


def _validated(fields: list[dict[str, Any]]) -> float:
    schema = KINDS["penalty"].schema(today=TODAY)
    start = time.perf_counter()
    for given in fields:
        schema.load(given)
    return time.perf_counter() - start
