"""`coverage`: for which kinds, divisions and days a feed is connected."""

from datetime import date
from typing import Any

import click

from api.cli import support
from api.cli.support import DAY, as_json
from registry import clock
from registry.kinds import KINDS, kind_named
from registry.kinds.base import EARLIEST
from registry.models import Coverage
from registry.services import grading, ledger
from registry.services.explanation import LATEST


@click.group("coverage")
def coverage() -> None:
    """Say which feeds are connected: there no record means zero, elsewhere it means unknown.

    \b
    Example:
      xinheng coverage add penalty --division 9901 --from 2024-01-01
    """


@coverage.command("add", epilog="Example: xinheng coverage add annual_report --from 2020-01-01 --to 2026-06-30")
@click.argument("kind")
@click.option("--division", default="", help="Prefix of GB/T 2260, two to six digits. Default: everywhere.")
@click.option("--from", "from_on", type=DAY, required=True, help="First day the feed covers.")
@click.option("--to", "to_on", type=DAY, default=None, help="Last day, where the feed has ended.")
@as_json
def add(kind: str, division: str, from_on: date, to_on: date | None, as_json: bool) -> None:
    """Put a feed on record. Safe to repeat; another --to for the same kind, division and --from corrects it.

    Every entity of the division may change class by it: they are marked, and graded by the worker within a minute, or
    now by `xinheng grade --due`.
    """
    if division and not (division.isascii() and division.isdigit() and 2 <= len(division) <= 6):
        raise click.BadParameter("a division is two to six digits of GB/T 2260", param_hint="--division")
    for hint, day in (("--from", from_on), ("--to", to_on)):
        if day is not None and not EARLIEST <= day <= LATEST:
            raise click.BadParameter(f"give a day from {EARLIEST} until {LATEST}, not {day}", param_hint=hint)
    if to_on is not None and to_on < from_on:
        raise click.BadParameter(f"{to_on} lies before --from {from_on}", param_hint="--to")
    kind_named(kind)
    # Marked under every scheme: nothing else tells the next runs that the unknown became zero.
    with (
        support.connected() as settings,
        ledger.writing(now=clock.now(), schemes=grading.schemes(settings)) as pen,
    ):
        outcome = pen.cover(kind, division, from_on, to_on, source=support.actor())
    if as_json:
        support.emit({"said": outcome.said, "seq": outcome.seq})
    else:
        click.echo(f"{outcome.said}: {kind} {division or '*'} {from_on} – {to_on or '…'}")
        if outcome.said != "unchanged":
            click.echo("Now: xinheng grade --due", err=True)


@coverage.command("list", epilog="Example: xinheng coverage list --json")
@as_json
def list_coverage(as_json: bool) -> None:
    """List the feeds that are on record now."""
    names = {one.number: one.name for one in KINDS.values()}
    with support.connected():
        found = (
            Coverage.select()
            .where(Coverage.gone.is_null())
            .order_by(Coverage.kind, Coverage.division, Coverage.from_day)
        )
        rows: list[dict[str, Any]] = [
            {
                "kind": names[row.kind], "division": row.division, "from": clock.day_of(row.from_day).isoformat(),
                "to": None if row.to_day is None else clock.day_of(row.to_day).isoformat(),
            }
            for row in found
        ]  # fmt: skip
    if as_json:
        support.emit(rows)
        return
    support.table(
        ["种类 kind", "区划 division", "自 from", "至 to"],
        [
            [f"{KINDS[row['kind']].title.zh} {row['kind']}", row["division"] or "*", row["from"], row["to"]]
            for row in rows
        ],
    )
