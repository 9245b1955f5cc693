"""`dossier`, `report` and `reconcile`: one entity's whole record, the page that prints, and two sides of one day."""

import os
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from api import paper
from api.cli import DONE, REFUSED, support
from api.cli.grading import KnownAt, known_seq, within_reach
from api.cli.imports import limits_of
from api.cli.support import DAY, as_json
from registry import clock
from registry.cells.documents import printed_document_no
from registry.kinds import KINDS
from registry.services import dossier as service
from registry.services import entities, reconciliation, reconciliation_file
from registry.services import report as reports
from registry.services.dossier import Dossier
from registry.services.reconciliation import Compared
from registry.services.visibility import REGULATOR

# A whole dossier is read in pages of this many lines.
PAGE = 200


@click.command("dossier", epilog="Example: xinheng dossier 91990101MA00000000 --on 2026-06-30 --known-at 2026-07-15")
@click.argument("code")
@click.option("--on", "day", type=DAY, default=None, callback=within_reach, help="Leave out what happened later.")
@click.option(
    "--known-at", type=KnownAt(), default=None, help="What was known then: a day, a moment, or a ledger number."
)
@click.option("--limit", type=click.IntRange(1), default=None, help="Most lines. Default: all.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@as_json
def dossier(
    code: str,
    day: date | None,
    known_at: datetime | date | int | None,
    limit: int | None,
    lang: str,
    as_json: bool,
) -> None:
    """The whole record of an entity as a timeline, newest first: records, corrections, listings, steps, merges.

    What was withdrawn, repaired or erased since is one line that says no more, whichever day is asked for.
    """
    with support.connected() as settings:
        entity = entities.get(code)
        known = known_seq(known_at, settings)
        found: Dossier | None = None
        items: list[dict[str, Any]] = []
        while found is None or (found.next is not None and (limit is None or len(items) < limit)):
            found = service.page(
                entity, reader=REGULATOR, today=support.today(settings), zone=settings.jobs.timezone, on=day, known=known,
                after=found.next if found else None, limit=PAGE if limit is None else min(PAGE, limit - len(items)),
            )  # fmt: skip
            items += found.items
    if as_json:
        support.emit({
            "entity": found.basics, "merged": found.merged, "on": found.on, "known_seq": found.known,
            "counts": found.counts, "years": found.years, "items": items, "complete": found.next is None,
        })  # fmt: skip
        return
    click.echo(f"{found.basics['name']}  {found.basics['code'] or found.basics['registration_no']}")
    click.echo("  ".join(f"{KINDS[kind].title.zh if lang == 'zh' else kind} {n}" for kind, n in found.counts.items()))
    year: object = ...
    for item in items:
        if item["year"] != year:
            year = item["year"]
            click.echo(f"\n{year or ('无日期' if lang == 'zh' else 'undated')}")
        click.echo(f"  {item['day'] or '----------'}  #{item['seq']:<8} {item['line'][lang]}{_aside(item, lang)}")
    if found.next is not None:
        click.echo("\n… --limit", err=True)


def _aside(item: dict[str, Any], lang: str) -> str:
    """What stands behind a line: why it does not count, and what it said before."""
    said = [item["why_not"][lang]] if item.get("why_not") else []
    said += [("原：" if lang == "zh" else "was: ") + item["was"][lang]] if item.get("was") else []
    return f"  ({'; '.join(said)})" if said else ""


@click.command("report", epilog="Example: xinheng report 91990101MA00000000 report.html --from 2024-01-01")
@click.argument("code")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, writable=True))
@click.option(
    "--from", "first", type=DAY, default=None, callback=within_reach, help="First day. Default: three years back."
)
@click.option("--to", "last", type=DAY, default=None, callback=within_reach, help="Last day. Default: today.")
def report(code: str, file: Path, first: date | None, last: date | None) -> None:
    """Write the quality-credit report 企业质量信用报告 of an entity as one HTML file that prints on A4.

    On the outline of GB/T 31870-2015: what may be seen today, with figures by year. It holds no class and no score.
    """
    with support.connected() as settings:
        zone = settings.jobs.timezone
        found = reports.of(
            entities.get(code), reader=REGULATOR, today=support.today(settings), zone=zone, first=first, last=last
        )
        text = paper.standalone(found, who=support.actor(), now=clock.now(), zone=zone)
    # Whole or not at all: half a report must not pass for one.
    part = file.with_name(file.name + ".part")
    with part.open("w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    part.replace(file)
    click.echo(str(file))


@click.command(
    "reconcile",
    epilog="Example: xinheng reconcile --date 2026-11-20 --source penalty-tax penalties.csv",
)
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--date", "day", type=DAY, default=None, help="The day on which rows arrived. Default: yesterday.")
@click.option("--source", default=None, help="`organ` for what was posted, else the name a file was imported under.")
@click.option("--organ", default=None, help="Only what this organ decided.")
@click.option("--kind", type=click.Choice(list(KINDS)), default=None, help="Only this kind of record.")
@as_json
def reconcile(
    file: Path | None, day: date | None, source: str | None, organ: str | None, kind: str | None, as_json: bool
) -> int:
    """What arrived on one day, by source and kind, with sums that the sender can compute (docs/integrations.md).

    With FILE, a table of document numbers and codes: what is unknown here, what waits, what was withdrawn, and what the
    file does not name. Exit status 1 where the two sides differ.
    """
    if file is not None and source is None:
        raise click.UsageError("Say --source: which of our sources the file is to be held against.")
    with support.connected() as settings:
        on = day or support.today(settings) - timedelta(days=1)
        found = reconciliation.day(on, organ=organ, zone=settings.jobs.timezone, source=source, kind=kind)
        compared = None
        if file is not None:
            assert source is not None
            theirs = reconciliation_file.pairs(file, limits_of(settings))
            compared = reconciliation_file.masked(
                reconciliation.compare(theirs, found, source=source, organ=organ, kind=kind)
            )
    body = reconciliation.summary(found)
    if as_json:
        support.emit(body | ({} if compared is None else {"compared": _differences(compared)}))
    else:
        _tell(body, compared)
    return DONE if compared is None or compared.agree else REFUSED


WORDS = {
    "unknown": "本方无 unknown here",
    "waiting": "待匹配 waiting",
    "withdrawn": "已撤回 withdrawn",
    "extra": "对方无 not in the file",
}


def _kind(name: str) -> str:
    return f"{KINDS[name].title.zh} {name}" if name in KINDS else name


def _differences(compared: Compared) -> dict[str, Any]:
    named = {
        name: [{"document_no": number, "code": code} for number, code in getattr(compared, name)] for name in WORDS
    }
    return {"same": compared.same, "agree": compared.agree, **named}


def _tell(body: dict[str, Any], compared: Compared | None) -> None:
    names = ("records", "stored", "corrected", "withdrawn", "waiting")
    rows = [
        [one["source"], _kind(kind["kind"]), *(kind[name] for name in names), "", kind["sha256"][:16]]
        for one in body["sources"]
        for kind in one["kinds"]
    ]
    rows += [
        [one["source"], "*", *(one[name] for name in names), one["rejected"], one["sha256"][:16]]
        for one in body["sources"]
    ]
    heads = ["来源 source", "类别 kind", "记录 records", "新增 stored", "更正 corrected", "撤回 withdrawn", "待匹配 waiting", "退回 rejected", "sha256"]  # fmt: skip
    support.table(heads, sorted(rows, key=lambda row: (row[0], row[1] == "*", row[1])), title=body["date"])
    if compared is not None:
        click.echo(f"一致 same {compared.same}")
        for name, word in WORDS.items():
            for number, code in getattr(compared, name):
                click.echo(f"{word}: {printed_document_no(number)} {code}")
