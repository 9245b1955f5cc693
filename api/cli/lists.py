"""`list`: who is inspected under a task, in which order, when, and what changed since."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from api.cli import support
from api.cli.support import as_json
from registry import clock
from registry.config import Settings
from registry.errors import TaskNotFound
from registry.models import Task
from registry.page import Page
from registry.services import book, grading, list_changes, list_schedule, list_sheets, list_views, lists, models
from registry.services.lists import Ask, Filters, Seeds
from registry.services.tasks import Desk
from registry.sheets import write_table, write_text

ENGLISH = {
    "number": "number", "code": "code", "name": "name", "kind": "kind", "division": "division", "address": "address",
    "class": "class", "chance": "chance", "score": "score", "graded_on": "graded on", "reasons": "reasons", "slice": "slice",
    "inclusion": "inclusion", "due_on": "due", "harm": "harm", "items": "items", "basis": "basis", "visit": "visit",
    "planned_on": "planned", "state": "state",
}  # fmt: skip
FILE_ONLY = ("graded_on", "inclusion", "harm", "basis", "planned_on", "state")
copy_option = click.option(
    "--copy",
    "copy",
    type=click.Choice(list(list_views.COPIES)),
    default="supervisor",
    show_default=True,
    help="The field copy holds no class, chance, score, slice or reason.",
)


@click.group("list")
def list_() -> None:
    """Pull and work inspection lists: entities under a task, the riskiest first and some by lot, frozen when pulled.

    \b
    Example:
      xinheng list pull 1 --size 50 --class D --class C
      xinheng list schedule 1
    """


@list_.command("pull", epilog="Example: xinheng list pull 1 --size 100 --class D --division 9901")
@click.argument("task_id", metavar="TASK", type=int)
@click.option("--size", type=click.IntRange(1, 100_000), default=50, show_default=True)
@click.option("--random-share", type=click.IntRange(0, lists.MOST_SHARE), default=None,
              help="Percent drawn by lot, rounded up. Default: 20; 0 only for complaints, leads and statutory tasks.")  # fmt: skip
@click.option("--class", "classes", multiple=True, help="Only these classes; repeatable.")
@click.option("--division", default="", help="Prefix of GB/T 2260.")
@click.option("--industry", default="", help="Prefix of GB/T 4754.")
@click.option("--kind", type=click.Choice(["enterprise", "individual", "cooperative", "branch", "other"]), default=None)
@click.option(
    "--code", "codes", multiple=True, help="Exactly this entity 指定对象; repeatable, instead of a prioritised list."
)
@click.option("--scheme", default=None, help="Default: [grading] scheme.")
@as_json
def pull(
    task_id: int, size: int, random_share: int | None, classes: tuple[str, ...], division: str, industry: str, kind: str | None,
    codes: tuple[str, ...], scheme: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Freeze the riskiest entities under a task, and some by lot, as a list with a visit each."""
    for name, digits in (("--division", division), ("--industry", industry)):
        if digits and not (digits.isascii() and digits.isdigit()):
            raise click.BadParameter(f"{digits!r} is not a prefix of digits", param_hint=name)
    with support.connected() as settings:
        chosen = grading.scheme_named(settings, scheme, support.today(settings))
        if book.is_shadow(chosen):
            raise click.UsageError(
                f"{chosen.id} is a trial: its grades have no effect. Name a scheme that is in force."
            )
        for name in classes:
            if name not in chosen.classes:
                raise click.BadParameter(
                    f"{chosen.id} has no class {name!r}; it has {', '.join(chosen.classes)}", param_hint="--class"
                )
        # Switched off means off at once, also where no server has started since.
        models.settle(settings, clock.now())
        filters = Filters(classes=classes, division=division, industry=industry, kind=kind or "")
        made = lists.pull(
            _task(task_id), chosen, Ask(filters, size, random_share, codes), settings=settings, desk=_desk(settings),
            seeds=Seeds(secrets.token_bytes(32), secrets.token_bytes(32)),
        )  # fmt: skip
        head = list_views.head(made, supervisor=True)
    if as_json:
        support.emit(head)
        return
    by_lot = f", {made.slice_size} of them by lot out of {made.slice_pool:,}" if made.slice_size else ""
    over = "; ".join(f"{number:,} {why}" for why, number in head["passed_over"].items() if number)
    click.echo(f"List {made.id}: {made.size} entities{by_lot}. Now: xinheng list show {made.id}")
    if over:
        click.echo(f"Passed over 未列入: {over}")


@list_.command("all", epilog="Example: xinheng list all --task 1")
@click.option("--organ", default="", help="Only lists of this organ's tasks.")
@click.option("--task", "task", type=int, default=None, help="Only lists of this task.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@as_json
def every(organ: str, task: int | None, limit: int, as_json: bool) -> None:
    """All lists, newest first, with the progress of their visits."""
    with support.connected():
        items = list_views.every(organ=organ, task=task, after=None, limit=limit).items
    if as_json:
        support.emit(list(items))
        return
    support.table(
        ["编号 id", "任务 task", "名称 title", "户数 size", "进度 visits", "生成 created"],
        [
            [row["id"], row["task"], row["title"], row["size"], _counted(row["visits"]), row["created_at"][:10]]
            for row in items
        ],
    )


@list_.command("show", epilog="Example: xinheng list show 1 --copy field --output field-copy.xlsx")
@click.argument("list_id", metavar="LIST", type=int)
@copy_option
@click.option("--csv", "csv_path", type=click.Path(path_type=Path, dir_okay=False), default=None,
              help="Write it as CSV instead.")  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), default=None,
              help="Write it there instead: a workbook where the name ends in .xlsx, else CSV.")  # fmt: skip
@click.option(
    "--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Language of the reasons."
)
@as_json
def show(list_id: int, copy: str, csv_path: Path | None, output: Path | None, lang: str, as_json: bool) -> None:
    """Print a list, whole: the supervisor's copy in order of priority, the field copy in the order of the tour."""
    with support.connected():
        found = lists.get(list_id, organ="")
        rows = list(list_sheets.rows(found, copy=copy))
    names = [f"{zh} {ENGLISH[name]}" for name, zh in list_sheets.COLUMNS[copy].items()]
    if (path := csv_path or output) is not None:
        write_table(path, names, [list_sheets.cells(row, copy, lang) for row in rows])
        click.echo(f"{len(rows):,} rows: {path}", err=as_json)
    if as_json:
        support.emit({**list_views.head(found, supervisor=copy == "supervisor"), "copy": copy, "items": rows})
    elif path is None:
        # A file has every column; a terminal is not as wide.
        wanted = [at for at, name in enumerate(list_sheets.COLUMNS[copy]) if name not in FILE_ONLY]
        cells = (list_sheets.cells(row, copy, lang) for row in rows)
        support.table([names[at] for at in wanted], [[one[at] for at in wanted] for one in cells])


@list_.command("print", epilog="Example: xinheng list print 1 --copy field sheets.html")
@click.argument("list_id", metavar="LIST", type=int)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@copy_option
def print_(list_id: int, file: Path, copy: str) -> None:
    """Write a list as one HTML page for A4 to FILE: an overview; in the field copy one sheet a visit with its questions as boxes."""
    # Not at the top: only what prints needs it.
    from api import paper
    from registry.services import list_print

    with support.connected() as settings:
        found = lists.get(list_id, organ="")
        at = paper.moment(clock.now(), settings.jobs.timezone)
        who = f"{found.task.organ} {support.actor()}"
        write_text(file, [list_print.as_html(found, copy=copy, who=who, at=at)])
    click.echo(f"{found.size:,} entities: {file}")


@list_.command("changes", epilog="Example: xinheng list changes 1")
@click.argument("list_id", metavar="LIST", type=int)
@as_json
def changes(list_id: int, as_json: bool) -> None:
    """What changed since a list was pulled; the list itself stays as it is."""
    with support.connected():
        found = lists.get(list_id, organ="")
        items = _whole(lambda after: list_changes.page(found, after=after, limit=1000))
    if as_json:
        support.emit({"id": list_id, "items": items})
        return
    columns = ("class", "name", "address", "status", "merged_into", "records", "checked_on")
    headings = [
        "分类 class",
        "名称 name",
        "地址 address",
        "状态 status",
        "合并 merged into",
        "新记录 records",
        "已检查 checked",
    ]
    support.table(
        ["序号 number", "统一社会信用代码 code", *headings],
        [[row["number"], row["code"], *(_now(row.get(name)) for name in columns)] for row in items],
    )


@list_.command("schedule", epilog="Example: xinheng list schedule 1 --per-day 4 --set")
@click.argument("list_id", metavar="LIST", type=int)
@click.option("--per-day", type=click.IntRange(1, list_schedule.MOST_A_DAY), default=None,
              help="Visits of a pair in a day. Default: by the minutes of the task's items.")  # fmt: skip
@click.option("--set", "set_", is_flag=True, help="Set the proposed days; visits that have a day keep it.")
@as_json
def schedule(list_id: int, per_day: int | None, set_: bool, as_json: bool) -> None:
    """Propose a day for each open visit of a list, from the inspectors that there are; with --set keep the proposal."""
    with support.connected() as settings:
        found, desk, done = lists.get(list_id, organ=""), _desk(settings), None
        if set_:
            made, done = list_schedule.plan(found, per_day=per_day, desk=desk)
        else:
            made = list_schedule.propose(found, per_day=per_day, today=desk.today)
        shown = list_schedule.shown(made)
    if as_json:
        support.emit(shown | ({} if done is None else {"set": done}))
        return
    support.table(
        ["日期 day", "序号 number", "检查 visit", "统一社会信用代码 code", "名称 name", "地址 address"],
        [
            [one["planned_on"] or "—", one["number"], one["visit"], one["code"], one["name"], one["address"]]
            for one in shown["visits"]
        ],
    )
    said = f"{made.pair_days:,} pair-days of {made.available:,} until {made.last}, {made.inspectors} inspectors"
    click.echo(f"{said}{'' if made.fits else ': it does not fit'}{'' if done is None else f'; {done} visits planned'}.")


def _whole(read: Callable[[str | None], Page[dict[str, Any]]]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        page = read(after)
        items += page.items
        after = page.next
        if after is None:
            return items


def _now(value: Any) -> Any:
    if isinstance(value, dict):
        return value.get("zh") or f"{value['was'] or '—'} → {value['is'] or '—'}"
    return "" if value is None else value


def _counted(states: dict[str, int]) -> str:
    return ", ".join(f"{number} {state}" for state, number in states.items())


def _desk(settings: Settings) -> Desk:
    return Desk(support.actor(), "", support.today(settings), clock.now())


def _task(number: int) -> Task:
    found = Task.get_or_none(Task.id == number)
    if found is None:
        raise TaskNotFound(
            f"There is no task {number}. `xinheng task list` shows them; `xinheng task create` makes one."
        )
    assert isinstance(found, Task)
    return found
