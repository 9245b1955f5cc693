"""`task`: why anyone is inspected; made by one person, approved by another."""

from datetime import date
from typing import Any

import click

from api.cli import support
from api.cli.support import DAY, as_json
from registry import clock
from registry.config import Settings
from registry.models import Task
from registry.services import inspection_papers, tasks
from registry.services.tasks import STATES, Desk

SHOWN = (
    "id", "type", "title", "basis", "organ", "partners", "items", "from_on", "to_on", "state", "created_by", "decided_by",
    "opinion", "ended_by", "ended_why",
)  # fmt: skip


@click.group("task")
def task() -> None:
    """Create, approve, close and list inspection tasks. Nothing is inspected without one.

    \b
    Example:
      xinheng task list
    """


@task.command(
    "create",
    epilog="Example: xinheng task create --type key_supervision --title 重点检查 --basis 年度检查计划 --organ 信衡市市场监督管理局 --item 标签标识",
)
@click.option("--type", "type_", type=click.Choice(list(tasks.TYPES)), required=True)
@click.option("--title", required=True)
@click.option("--basis", required=True, help="The legal basis 检查依据.")
@click.option("--organ", required=True, help="The organ that inspects 检查机关.")
@click.option("--item", "items", multiple=True, help="What is checked, as a text 检查事项; repeatable.")
@click.option("--code", "item_codes", multiple=True, help="What is checked, by code of the list of items; repeatable.")
@click.option("--partner", "partners", multiple=True, help="Another organ of a joint task 联合检查部门; repeatable.")
@click.option("--from", "from_on", type=DAY, default=None, help="First day. Default: today.")
@click.option("--to", "to_on", type=DAY, default=None, help="Last day. Default: the end of the year of the first day.")
@as_json
def create_task(
    type_: str,
    title: str,
    basis: str,
    organ: str,
    items: tuple[str, ...],
    item_codes: tuple[str, ...],
    partners: tuple[str, ...],
    from_on: date | None,
    to_on: date | None,
    as_json: bool,
) -> None:
    """Create a task: its type, legal basis, what is checked, by whom and when. Another person approves it.

    \b
    Types: random 双随机  key_supervision 重点监管  special_campaign 专项  complaint_or_report 投诉举报
           transferred_lead 转办线索  statutory 法定检查
    """
    with support.connected() as settings:
        today = support.today(settings)
        first = from_on or today
        last = to_on or date(first.year, 12, 31)
        if last < first:
            raise click.BadParameter(f"{last} lies before {first}", param_hint="--to")
        made = tasks.create(
            type=type_,
            title=title,
            basis=basis,
            organ=organ,
            items=list(items),
            item_codes=item_codes,
            partners=partners,
            from_on=first,
            to_on=last,
            actor=support.actor(),
            now=clock.now(),
            today=today,
        )
    if as_json:
        support.emit({"id": made.id})
    else:
        click.echo(f"Task {made.id}. Now: xinheng list pull {made.id} --size 50")


@task.command("list", epilog="Example: xinheng task list --organ 信衡市市场监督管理局")
@click.option("--organ", default=None, help="Only tasks of this organ, and those that it is a partner of.")
@click.option("--state", type=click.Choice(list(STATES)), default=None, help="Only tasks in this state.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@as_json
def list_tasks(organ: str | None, state: str | None, limit: int, as_json: bool) -> None:
    """List tasks, newest first."""
    with support.connected():
        found = tasks.page(organ=organ or "", state=state or "", after=None, limit=limit).items
        rows = [{name: getattr(row, name) for name in SHOWN} for row in found]
    if as_json:
        support.emit(rows)
        return
    support.table(
        [
            "编号 id",
            "类型 type",
            "名称 title",
            "依据 basis",
            "机关 organ",
            "事项 items",
            "自 from",
            "至 to",
            "状态 state",
        ],
        [
            [
                row["id"],
                tasks.TYPES[row["type"]],
                row["title"],
                row["basis"],
                "、".join([row["organ"], *row["partners"]]),
                "；".join(row["items"]),
                row["from_on"],
                row["to_on"],
                STATES[row["state"]],
            ]
            for row in rows
        ],
    )


@task.command("show", epilog="Example: xinheng task show 1")
@click.argument("number", metavar="TASK", type=int)
@as_json
def show(number: int, as_json: bool) -> None:
    """One task (TASK): what is checked, who decided what, and its visits by state."""
    with support.connected():
        found = tasks.seen(number, organ="")
        visits = tasks.visits_by_state(number)
    shown: dict[str, Any] = {name: getattr(found, name) for name in SHOWN}
    if as_json:
        support.emit({**shown, "checklist": found.checklist, "visits": visits})
        return
    click.echo(f"任务 task {number} {tasks.TYPES[found.type]} {found.title}: {STATES[found.state]} {found.state}")
    click.echo(f"  {'、'.join(tasks.organs(found))}  {found.from_on} – {found.to_on}  {found.basis}")
    coded = {one["name"]: f"{one['code']} " for one in found.checklist}
    for text in found.items:
        click.echo(f"  {coded.get(text, '')}{text}")
    for who, said, word in (
        (found.created_by, "", "提出 made by"),
        (found.decided_by, found.opinion, "审批 decided by"),
        (found.ended_by, found.ended_why, "办结 ended by"),
    ):
        if who:
            click.echo(f"  {word} {who} {said}".rstrip())
    if visits:
        click.echo("  检查 visits: " + ", ".join(f"{state} {count}" for state, count in visits.items()))


@task.command("approve", epilog="Example: xinheng task approve 1 --said 同意")
@click.argument("number", metavar="TASK", type=int)
@click.option("--said", default="", help="The opinion 审批意见.")
@as_json
def approve(number: int, said: str, as_json: bool) -> None:
    """Approve a task (TASK), as another person than made it: its visits may be assigned from then on. Safe to repeat."""
    with support.connected() as settings:
        _tell(*tasks.approve(number, said=said, desk=desk_of(settings)), as_json)


@task.command("refuse", epilog="Example: xinheng task refuse 1 --said 检查依据不足")
@click.argument("number", metavar="TASK", type=int)
@click.option("--said", required=True, help="Why 不予批准的理由.")
@as_json
def refuse(number: int, said: str, as_json: bool) -> None:
    """Refuse a task (TASK), as another person than made it. Safe to repeat."""
    with support.connected() as settings:
        _tell(*tasks.refuse(number, said=said, desk=desk_of(settings)), as_json)


@task.command("close", epilog="Example: xinheng task close 1 --said 全部检查已办结")
@click.argument("number", metavar="TASK", type=int)
@click.option("--said", default="", help="What is added.")
@as_json
def close(number: int, said: str, as_json: bool) -> None:
    """Close a task (TASK) whose visits are all done; its draw is revealed. Safe to repeat."""
    with support.connected() as settings:
        _tell(*tasks.close(number, said=said, desk=desk_of(settings)), as_json)


@task.command("cancel", epilog="Example: xinheng task cancel 1 --said 与上级专项行动重复")
@click.argument("number", metavar="TASK", type=int)
@click.option("--said", required=True, help="Why it is cancelled 撤销理由.")
@as_json
def cancel(number: int, said: str, as_json: bool) -> None:
    """Cancel a task (TASK) of which nothing was begun and nothing drawn. Safe to repeat."""
    with support.connected() as settings:
        _tell(*tasks.cancel(number, said=said, desk=desk_of(settings)), as_json)


@task.command("form", epilog="Example: xinheng task form 1")
@click.argument("number", metavar="TASK", type=int)
@as_json
def form(number: int, as_json: bool) -> None:
    """Issue the approval form 检查审批表 of an approved task (TASK) and print it. Safe to repeat."""
    with support.connected() as settings:
        made, new = inspection_papers.approval_form(number, settings=settings, desk=desk_of(settings))
    if as_json:
        support.emit({"document": made.id, "number": made.printed_no, "said": "issued" if new else "unchanged"})
    else:
        click.echo(made.text)


def desk_of(settings: Settings) -> Desk:
    """Who types, and when: a terminal works for every organ."""
    return Desk(support.actor(), "", support.today(settings), clock.now())


def _tell(row: Task, new: bool, as_json: bool) -> None:
    if as_json:
        support.emit({"id": row.id, "state": row.state, "said": "done" if new else "unchanged"})
    else:
        click.echo(f"Task {row.id}: {STATES[row.state]} {row.state}{'' if new else ' (unchanged)'}")
