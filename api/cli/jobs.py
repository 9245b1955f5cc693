"""`jobs`: what happens by itself."""

import signal
import threading
from collections.abc import Iterator
from datetime import date
from types import FrameType
from typing import Any

import click

from api.cli import FAILED, REFUSED, support
from api.cli.support import DAY, as_json
from jobs import runner
from jobs.schedule import next_due, trigger
from jobs.tasks import JOBS, named
from registry import clock
from registry.config import Settings
from registry.models import JobRun
from registry.services import leases, runs


@click.group("jobs")
def jobs() -> None:
    """List, run and look back on jobs.

    \b
    Example:
      xinheng jobs run grade_due
    """


@jobs.command("list", epilog="Example: xinheng jobs list --json")
@as_json
def list_jobs(as_json: bool) -> None:
    """List the jobs: when they run, how late they may be, what became of the last run."""
    with support.connected() as settings:
        now = clock.now()
        rows: list[dict[str, Any]] = []
        for spec in JOBS.values():
            last = runs.newest(spec.name)
            rows.append({
                "job": spec.name, "title": spec.title, "cron": spec.cron(settings), "setting": f"jobs.{spec.setting}" if spec.setting else None,
                "late_ok_seconds": int(spec.late_ok.total_seconds()), "next": support.moment(next_due(trigger(spec, settings), now), settings),
                "last": None if last is None else _row(last, settings), "running": leases.holder(spec.name, now=now),
            })  # fmt: skip
    if as_json:
        support.emit(rows)
        return
    support.table(
        ["任务 job", "", "计划 cron", "下次 next", "上次 last", "状态 state"],
        [
            [
                row["job"],
                row["title"],
                row["cron"],
                row["next"],
                row["last"]["due"] if row["last"] else "",
                row["last"]["state"] if row["last"] else "",
            ]
            for row in rows
        ],
    )
    for row in rows:
        if row["last"] and row["last"]["error"] and row["last"]["state"] != "skipped":
            click.echo(f"{row['job']}: {row['last']['error']}")


@jobs.command("run", epilog="Example: xinheng jobs run end_listings --on 2026-11-20")
@click.argument("name")
@click.option(
    "--on",
    "day",
    type=DAY,
    default=None,
    help="The day it works on: today (the default), or a past one where the job allows it.",
)
@as_json
def run(name: str, day: date | None, as_json: bool) -> int:
    """Run a job now, whatever its schedule. Refused while another run of it is at work.

    Exit status 1: some items failed; 3: the run failed. The run is on record like any other.
    """
    spec = named(name)
    stop = threading.Event()

    def told(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    old = signal.signal(signal.SIGTERM, told)
    try:
        with support.connected() as settings:
            ran = runner.by_hand(spec, settings, actor=support.actor(), on=day, stop=stop)
    except runner.WrongDay as error:
        raise click.BadParameter(error.detail, param_hint="--on") from error
    finally:
        signal.signal(signal.SIGTERM, old)
    if as_json:
        support.emit(
            {
                "id": ran.id,
                "job": name,
                "state": ran.state,
                "items": ran.items,
                "failures": ran.failures,
                "result": ran.result,
                "error": ran.error,
            }
        )
    else:
        click.echo(f"{name}: {ran.state}; {_counted(ran.items, 'item')}, {_counted(ran.failures, 'failure')}")
        for line in _lines(ran.result, "  "):
            click.echo(line)
        if ran.error:
            click.echo(ran.error, err=True)
    if ran.state != "done":
        return FAILED
    return REFUSED if ran.failures else 0


@jobs.command("history", epilog="Example: xinheng jobs history --job grade_due --limit 10")
@click.option("--job", "name", default=None, help="Only runs of this job.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@as_json
def history(name: str | None, limit: int, as_json: bool) -> None:
    """List runs, the newest tick first: when, who, how long, what came of it."""
    if name is not None:
        named(name)
    with support.connected() as settings:
        rows = [_row(row, settings) for row in runs.history(job=name, limit=limit)]
    if as_json:
        support.emit(rows)
        return
    support.table(
        [
            "编号 id",
            "任务 job",
            "应于 due",
            "开始 started",
            "秒 seconds",
            "状态 state",
            "件 items",
            "失败 failures",
            "错误 error",
        ],
        [
            [row[key] for key in ("id", "job", "due", "started", "seconds", "state", "items", "failures", "error")]
            for row in rows
        ],
    )


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _lines(value: dict[str, Any], indent: str) -> Iterator[str]:
    """What a run keeps of itself, a line a figure; what stands under a name is set in below it."""
    for name, one in value.items():
        if not isinstance(one, dict) or not one:
            yield f"{indent}{name}: {_said(one)}"
            continue
        plain = {key: inner for key, inner in one.items() if not isinstance(inner, dict | list)}
        said = ", ".join(f"{key} {_said(inner)}" for key, inner in plain.items())
        yield f"{indent}{name}: {said}" if said else f"{indent}{name}:"
        yield from _lines({key: inner for key, inner in one.items() if key not in plain}, indent + "  ")


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key} {_said(inner)}" for key, inner in value.items()) or "-"
    if isinstance(value, list):
        return ", ".join(map(_said, value)) or "-"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "-" if value is None else str(value)


def _row(row: JobRun, settings: Settings) -> dict[str, Any]:
    taken = (
        None
        if row.finished_at is None or row.state == "skipped"
        else round((row.finished_at - row.started_at) / 1000, 3)
    )
    return {
        "id": row.id, "job": row.job, "due": support.moment(row.due, settings), "owner": row.owner, "state": row.state,
        "started": support.moment(row.started_at, settings), "finished": support.moment(row.finished_at, settings) or None,
        "seconds": taken,
        "items": row.items, "failures": row.failures, "result": row.result, "error": row.error,
    }  # fmt: skip
