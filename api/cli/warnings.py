"""`warning`: early warnings at a terminal."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import click

from api.cli import support
from api.cli.support import DAY, as_json
from registry import clock
from registry.config import Settings
from registry.kinds.codes import Label
from registry.models import EarlyWarning
from registry.services import early_warnings, warning_figures, warning_views
from registry.services.early_warnings import DISPOSALS, OUTCOMES, STATES, Desk

_DISPOSALS = ", ".join(f"{number} {label.zh} {label.en}" for number, label in DISPOSALS.items())
_ACTS = {"raised": "预警", "assigned": "分派", "disposed": "处置", "answered": "反馈", "closed": "办结"}
_OUTCOMES = ", ".join(f"{number} {label.zh} {label.en}" for number, label in OUTCOMES.items())


@click.group(epilog="Example: xinheng warning list --overdue")
def warning() -> None:
    """Early warnings 风险预警: assigned, disposed of, answered, closed. The job `raise_warnings` raises them."""


@warning.command("list", epilog="Example: xinheng warning list --state open --division 9901")
@click.option("--state", type=click.Choice(list(STATES)), default=None)
@click.option(
    "--overdue/--in-time", default=None, help="Only those whose next step is past its last day, or only the others."
)
@click.option("--division", default="", help="A prefix of GB/T 2260.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many.")
@as_json
def list_(state: str | None, overdue: bool | None, division: str, limit: int, as_json: bool) -> None:
    """Early warnings, newest first."""
    with support.connected() as settings:
        found = warning_views.page(
            support.today(settings), state=state or "", overdue=overdue, division=division, limit=limit
        ).items
    if as_json:
        support.emit({"items": found})
        return
    columns = ["id", "code", "division", "class", "chance", "raised_on", "state", "due", "overdue", "organ", "to"]
    support.table(columns, [[_cell(one, name) for name in columns] for one in found])


@warning.command(epilog="Example: xinheng warning show 7")
@click.argument("number", type=int)
@as_json
def show(number: int, as_json: bool) -> None:
    """One early warning (NUMBER): why it was raised, what was done, and the records that may show how it ended."""
    with support.connected() as settings:
        found = warning_views.one(early_warnings.get(number), support.today(settings))
    if as_json:
        support.emit(found)
        return
    click.echo(_line(found))
    for reason in found["reasons"]:
        click.echo(f"  {reason['title']['zh']} {reason['title']['en']}: {reason['value']}, {reason['over']:+d}")
    for step in found["steps"]:
        click.echo(
            f"  {step['at']} {_ACTS[step['act']]} {step['act']}{_detail(step)} {step['by']} {step['said']}".rstrip()
        )
    for one in found["records"]:
        said = "发现问题 found something" if one["found"] else "未发现问题 found nothing"
        click.echo(f"  其后 since: {one['seq']} {one['kind']} {one['day']} {said}")


@warning.command(epilog="Example: xinheng warning assign 7 --to 李 --organ 信衡市市场监督管理局")
@click.argument("number", type=int)
@click.option("--to", required=True, help="The person who looks into it 承办人.")
@click.option("--organ", required=True, help="Whose person that is 承办机关.")
@click.option("--said", default="", help="What is added.")
@as_json
def assign(number: int, to: str, organ: str, said: str, as_json: bool) -> None:
    """Assign a warning (NUMBER); anew where it was assigned already, with the same deadline. Safe to repeat."""
    with support.connected() as settings:
        desk = desk_of(settings)
        _tell(*early_warnings.assign(number, to=to, organ=organ, said=said, desk=desk), desk, as_json)


@warning.command(epilog="Example: xinheng warning dispose 7 --disposal 3 --said 已约谈负责人")
@click.argument("number", type=int)
@click.option("--disposal", type=int, required=True, help=f"What was done 处置方式: {_DISPOSALS}.")
@click.option("--said", required=True, help="In words. Personal numbers are masked.")
@click.option("--task", type=int, default=None, help="The task under which it is checked on site.")
@as_json
def dispose(number: int, disposal: int, said: str, task: int | None, as_json: bool) -> None:
    """Say what was done about a warning (NUMBER). Safe to repeat."""
    with support.connected() as settings:
        desk = desk_of(settings)
        _tell(*early_warnings.dispose(number, disposal=disposal, said=said, task=task, desk=desk), desk, as_json)


@warning.command(epilog="Example: xinheng warning feedback 7 --outcome 1 --record 1024 --said 现场检查发现超范围经营")
@click.argument("number", type=int)
@click.option("--outcome", type=int, required=True, help=f"What it came to 反馈结果: {_OUTCOMES}.")
@click.option("--said", required=True, help="In words. Personal numbers are masked.")
@click.option("--record", type=int, default=None, help="Ledger number of the spot check or penalty that shows it.")
@as_json
def feedback(number: int, outcome: int, said: str, record: int | None, as_json: bool) -> None:
    """Say what a warning (NUMBER) came to, with the record that shows it. Safe to repeat."""
    with support.connected() as settings:
        desk = desk_of(settings)
        _tell(*early_warnings.answer(number, outcome=outcome, said=said, record=record, desk=desk), desk, as_json)


@warning.command(epilog="Example: xinheng warning close 7 --said 已整改")
@click.argument("number", type=int)
@click.option("--said", default="", help="What is added.")
@as_json
def close(number: int, said: str, as_json: bool) -> None:
    """Close a warning (NUMBER) that has its feedback. Safe to repeat."""
    with support.connected() as settings:
        desk = desk_of(settings)
        _tell(*early_warnings.close(number, said=said, desk=desk), desk, as_json)


@warning.command(epilog="Example: xinheng warning figures --since 2026-01-01")
@click.option("--since", type=DAY, default=None, help="Only warnings raised from this day on.")
@click.option("--division", default="", help="A prefix of GB/T 2260.")
@as_json
def figures(since: date | None, division: str, as_json: bool) -> None:
    """Warnings by state, what is overdue, and the share of false alarms by model and quarter."""
    with support.connected() as settings:
        found = warning_figures.figures(support.today(settings), divisions=(division,), since=since)
    if as_json:
        support.emit(found)
        return
    click.echo(", ".join(f"{STATES[name]} {name} {count}" for name, count in found["states"].items()))
    late = found["overdue"]
    click.echo(
        f"逾期 overdue: {late['unassigned']} 未分派 unassigned, {late['unanswered']} 未反馈 unanswered; "
        f"有结果待反馈 found something, no feedback: {found['to_remind']}"
    )
    counts = ("raised", "closed_unassigned", "waiting", "violation", "nothing", "not_looked")
    columns = ["model", "quarter", *counts, "false_alarms"]
    rows = [
        [_share(one[name]) if name == "false_alarms" else one[name]["name"] if name == "model" else one[name] for name in columns]
        for one in found["quarters"]
    ]  # fmt: skip
    support.table(columns, rows)


def desk_of(settings: Settings) -> Desk:
    """Where the person at the terminal works: for every organ."""
    return Desk(support.actor(), "", support.today(settings), clock.now())


def _share(found: dict[str, float] | None) -> str:
    if found is None:
        return "–"
    return f"{found['share']:.1%} ({found['low']:.1%} – {found['high']:.1%})"


def _cell(one: dict[str, Any], name: str) -> Any:
    if name == "chance":
        return f"{one[name] / 10_000:.1f} %"
    return ("逾期 overdue" if one[name] else "") if name == "overdue" else one[name]


def _detail(step: dict[str, Any]) -> str:
    """Beside a step: to whom it was assigned, what was done, what it came to."""
    told = step["detail"]
    said = [
        " ".join(told[name] for name in ("organ", "to") if told.get(name)),
        _words(DISPOSALS, told.get("disposal")), _words(OUTCOMES, told.get("outcome")),
        f"task {told['task']}" if told.get("task") else "", f"row {told['record']}" if told.get("record") else "",
    ]  # fmt: skip
    return f" ({', '.join(part for part in said if part)})" if any(said) else ""


def _words(labels: Mapping[int, Label], number: int | None) -> str:
    found = None if number is None else labels.get(number)
    return "" if found is None else f"{found.zh} {found.en}"


def _line(found: dict[str, Any]) -> str:
    due = f", due {found['due']}{' 逾期 overdue' if found['overdue'] else ''}" if found["due"] else ""
    return (
        f"Warning {found['id']}: {found['code']} {found['name']}, chance {found['chance'] / 10_000:.1f} %, raised {found['raised_on']}, "
        f"{STATES[found['state']]} {found['state']}{due}"
    )


def _tell(row: EarlyWarning, new: bool, desk: Desk, as_json: bool) -> None:
    found = warning_views.one(row, desk.today)
    if as_json:
        support.emit({"said": "done" if new else "unchanged", **found})
        return
    click.echo(f"{_line(found)}{'' if new else ' – unchanged'}")
