"""`frequency`: how often each class is visited 抽查比例和频次, and what a plan would take."""

from datetime import date
from pathlib import Path
from typing import Any

import click

from api.cli import support
from api.cli.support import DAY, as_json
from registry import clock
from registry.services import frequency as tables
from registry.services import grading
from registry.services.tasks import TYPES
from rules.inspection.frequency import NATURES
from rules.inspection.quotas import percent


@click.group(epilog="Example: xinheng frequency show && xinheng frequency plan random --inspectors 24 --days 20")
def frequency() -> None:
    """The frequency table: ratios, intervals and annual cap by class; what a plan takes in inspector-days."""


@frequency.command(epilog="Example: xinheng frequency show --on 2026-11-21")
@click.option("--on", type=DAY, default=None, help="Day on which it holds; default: today.")
@as_json
def show(on: date | None, as_json: bool) -> None:
    """Print the frequency table in force on a day, with what each row rests on."""
    with support.connected(ready=False) as settings:
        day = on or support.today(settings)
        body = tables.table(settings).as_dict(clock.day_number(day))
    if as_json:
        support.emit(body)
        return
    _show(body)


@frequency.command(epilog="Example: xinheng frequency check rules/inspection/frequency-bayannur.toml")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@as_json
def check(file: Path, as_json: bool) -> None:
    """Check the frequency table in FILE: every mistake is named with its key and what mends it. Changes nothing."""
    found = tables.checked(file)
    if as_json:
        support.emit({"id": found.id, "hash": found.hash, "rows": len(found.lines), "schemes": found.schemes()})
        return
    click.echo(f"{found.id}: in order; {len(found.lines)} rows for {', '.join(found.schemes())} ({found.hash[:12]}).")
    click.echo("To use it, name it in [inspection] frequency and start the processes again.")


def _ratios(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in given:
        class_, _, said = one.partition("=")
        try:
            hundredths = round(float(said) * 100)
        except (ValueError, OverflowError):
            hundredths = -1
        if not class_ or not 0 < hundredths <= 10_000:
            raise click.BadParameter(f"{one!r} is no ratio. Write CLASS=PERCENT, for example B=7.5.")
        found[class_] = hundredths
    return found


@frequency.command(epilog="Example: xinheng frequency plan random --division 9901 --item A10 --inspectors 24 --days 20")
@click.argument("task_type", metavar="TASKTYPE", type=click.Choice(list(TYPES)))
@click.option("--division", default="", help="Prefix of GB/T 2260.")
@click.option("--industry", default="", help="Prefix of GB/T 4754.")
@click.option("--item", "item_codes", multiple=True, help="Code of an item of the list; may be repeated.")
@click.option(
    "--nature", type=click.Choice(NATURES), default="general", show_default=True, help="Of the item, without --item."
)
@click.option("--class", "classes", multiple=True, help="Plan these classes only; may be repeated.")
@click.option(
    "--ratio", "ratios", multiple=True, callback=_ratios, help="Ratio wanted of a class, in percent, as B=7.5."
)
@click.option("--organ", default="", help="Whose inspectors on the list are sent; in place of --inspectors and --days.")
@click.option("--until", type=DAY, default=None, help="Last day of the visits, with --organ; default: the year's last.")
@click.option("--inspectors", type=click.IntRange(0), default=None, help="Inspectors that there are.")
@click.option("--days", type=click.IntRange(0), default=None, help="Days of visits that each of them has.")
@as_json
def plan(
    task_type: str, division: str, industry: str, item_codes: tuple[str, ...], nature: str, classes: tuple[str, ...],
    ratios: dict[str, int], organ: str, until: date | None, inspectors: int | None, days: int | None, as_json: bool,
) -> None:  # fmt: skip
    """What a draw today would take: by class the candidates, the bounds and the numbers; inspector-days against those there are.

    Refused (exit 3), with the numbers, where it takes more than there are. Writes nothing.
    """
    from registry.services import frequency_plan
    from registry.services.draw_candidates import Filters

    if not organ and (inspectors is None or days is None):
        raise click.UsageError(
            "Say who there is: --organ NAME for its inspectors on the list, or --inspectors and --days."
        )
    for word, text in (("--division", division), ("--industry", industry)):
        if text and not (text.isascii() and text.isdigit() and len(text) <= (6 if word == "--division" else 4)):
            raise click.BadParameter(f"{word} {text!r} is no prefix: write digits only.")
    with support.connected() as settings:
        today = support.today(settings)
        if organ:
            last = until or date(today.year, 12, 31)
            staff = frequency_plan.staff_of(organ, item_codes, division=division, first=today, last=last)
        else:
            staff = frequency_plan.Staff(inspectors or 0, (inspectors or 0) * (days or 0))
        found = frequency_plan.plan(
            settings, grading.scheme_named(settings, on=today), task_type=task_type,
            filters=Filters(division=division, industry=industry), item_codes=item_codes, staff=staff, today=today,
            nature=nature, classes=classes, ratios=ratios,
        )  # fmt: skip
    if as_json:
        support.emit(found.as_dict())
    else:
        _plan(found.as_dict())
    found.refuse()


def _show(body: dict[str, Any]) -> None:
    title = f"{body['title']['zh']} {body['title']['en']} [{body['id']}] {body['on']} {body['hash'][:12]}"
    rows = [
        [
            row["id"], ", ".join(row["schemes"]), row["class"], ", ".join(row["natures"]), ", ".join(row["industries"]),
            f"{percent(row['lowest'])}–{percent(row['highest'])}", row["every_days"], row["at_most"], row["skip_days"],
            row["basis"]["instrument_zh"],
        ]
        for row in body["rows"]
    ]  # fmt: skip
    columns = ["行 row", "方案 scheme", "类别 class", "事项 items", "行业 industry", "比例 ratio", "间隔天数 every", "年上限 at most",
               "近期不抽 skip", "依据 basis"]  # fmt: skip
    support.table(columns, rows, title=title)
    cap = body["annual_cap"]
    if cap is not None:
        click.echo(f"年度检查上限 annual cap: {cap['most']} ({cap['basis']['instrument_zh']}: {cap['basis']['note']})")
        for one in body["exempt"]:
            click.echo(f"  不受上限约束 not held back: {one['title']['zh']} {one['type']} – {one['reason']['zh']}")
    if body["visit"] is not None:
        visit = body["visit"]
        click.echo(
            f"每户 a visit: {visit['minutes']} min; 每日 a day: {visit['day_minutes']} min ({visit['basis']['instrument_zh']})"
        )


def _plan(body: dict[str, Any]) -> None:
    rows = [
        [
            one["class"], one["row"], f"{one['candidates']:,}", f"{percent(one['lowest'])}–{percent(one['highest'])}",
            f"{one['least']:,}–{one['most']:,}", f"{one['number']:,}",
        ]
        for one in body["strata"]
    ]  # fmt: skip
    columns = ["类别 class", "行 row", "候选 candidates", "比例 ratio", "户数上下限 bounds", "抽取 drawn"]
    title = f"抽查方案测算 Plan: {body['task_type']}, {body['scheme']}, {body['nature']}, {body['on']}"
    support.table(columns, rows, title=title)
    for one in body["strata"]:
        if one["conflict"]:
            click.echo(f"不抽取 {one['class']}: {one['conflict']}")
    if body["excluded"]:
        click.echo(
            "不列入 left out: " + ", ".join(f"{reason} {number:,}" for reason, number in body["excluded"].items())
        )
    load = body["workload"]
    click.echo(
        f"{load['visits']:,} visits 户次 × {load['minutes']} min × {load['team']} = {load['needed']:,} inspector-days 人日; "
        f"there are 现有 {load['available']:,} of {load['inspectors']:,} inspectors."
    )
