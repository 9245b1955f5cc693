"""`visit`: visits assigned, entered, finished, or recorded as not made; their notices and on-site records."""

from datetime import date
from typing import Any

import click

from api.cli import support
from api.cli.support import DAY, as_json
from api.cli.tasks import desk_of
from registry.models import Document, Visit
from registry.services import inspection_papers, visit_views, visits
from registry.services.visits import STATES

COLUMNS = ["id", "state", "planned_on", "number", "code", "name", "division", "inspectors"]
NUMBER = click.argument("number", metavar="VISIT", type=int)


@click.group(epilog="Example: xinheng visit list --task 1 --state open")
def visit() -> None:
    """Visits 检查: assign inspectors, enter with the code of the notice, finish; or record why none was made."""


@visit.command("list", epilog="Example: xinheng visit list --list 1")
@click.option("--list", "list_", type=int, default=None, help="Only this list, in the order of its tour.")
@click.option("--task", type=int, default=None, help="Only this task.")
@click.option("--state", type=click.Choice(list(STATES)), default=None)
@click.option("--inspector", default="", help="Only those of the inspector who works here under this name.")
@click.option("--planned-by", type=DAY, default=None, help="Only those planned until this day.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many.")
@as_json
def list_(
    list_: int | None,
    task: int | None,
    state: str | None,
    inspector: str,
    planned_by: date | None,
    limit: int,
    as_json: bool,
) -> None:
    """Visits as the field sees them: who, where, when and by whom, and nothing of a class."""
    with support.connected():
        found = visit_views.page(
            organ="", list_=list_, task=task, state=state or "", actor=inspector, due_by=planned_by, limit=limit
        ).items
    if as_json:
        support.emit({"items": found})
        return
    support.table(COLUMNS, [[_cell(one, name) for name in COLUMNS] for one in found])


@visit.command(epilog="Example: xinheng visit show 7")
@NUMBER
@click.option("--supervisor", is_flag=True, help="With class, slice and place on the list.")
@as_json
def show(number: int, supervisor: bool, as_json: bool) -> None:
    """One visit (VISIT) with its sheet: items and questions, who goes, and what was done."""
    with support.connected():
        found = visit_views.one(visits.get(number, organ=""), supervisor=supervisor)
    if as_json:
        support.emit(found)
        return
    click.echo(
        f"检查 visit {number} {STATES[found['state']]} {found['state']}: {found['name']} {found['code']}, {found['address']}"
    )
    click.echo(f"  {found['title']}: {found['basis']}")
    for one in found["inspectors"]:
        click.echo(f"  {one['name']} ({one['organ']}, {one['staff_no']})")
    for part in found["organs"]:
        for item in part["items"]:
            click.echo(f"  [{part['organ']}] {item['name']}")
            for question in item["questions"]:
                click.echo(f"    {question['code']} {question['text']}")
    for step in found["steps"]:
        click.echo(f"  {step['at']} {step['title']} {step['act']} {step['by']} {step['said']}".rstrip())


@visit.command(epilog="Example: xinheng visit assign 7 --inspector 1 --inspector 2 --on 2026-12-01")
@NUMBER
@click.option("--inspector", "inspectors", type=int, multiple=True, required=True, help="Id of an inspector; repeatable, at least two of an organ.")  # fmt: skip
@click.option("--on", "planned_on", type=DAY, default=None, help="Day of the visit.")
@as_json
def assign(number: int, inspectors: tuple[int, ...], planned_on: date | None, as_json: bool) -> None:
    """Assign inspectors to a visit (VISIT). Says which condition fails for whom. Safe to repeat."""
    with support.connected() as settings:
        _tell(
            *visits.assign(
                number, inspectors=inspectors, planned_on=planned_on, settings=settings, desk=desk_of(settings)
            ),
            as_json,
        )


@visit.command(epilog="Example: xinheng visit reassign 7 --inspector 1 --inspector 3 --why 请假")
@NUMBER
@click.option("--inspector", "inspectors", type=int, multiple=True, required=True, help="Id of an inspector; all who are to go.")  # fmt: skip
@click.option("--on", "planned_on", type=DAY, default=None, help="Another day.")
@click.option("--why", required=True, help="The reason 改派原因.")
@as_json
def reassign(number: int, inspectors: tuple[int, ...], planned_on: date | None, why: str, as_json: bool) -> None:
    """Put other inspectors on a visit (VISIT), or move its day; who leaves stays on record. Safe to repeat."""
    with support.connected() as settings:
        _tell(
            *visits.reassign(number, inspectors=inspectors, planned_on=planned_on, why=why, desk=desk_of(settings)),
            as_json,
        )


@visit.command(epilog="Example: xinheng visit start 7 --token ABCD-EFGH-JKLM-NPQR-STUV-WXYZ")
@NUMBER
@click.option("--token", default="", help="The code on the notice, with or without hyphens 入企码.")
@click.option("--why", default="", help="Why there is no code 未扫码原因.")
@click.option("--present", type=int, multiple=True, help="Id of an inspector who is there; repeatable. Default: all.")
@as_json
def start(number: int, token: str, why: str, present: tuple[int, ...], as_json: bool) -> None:
    """Enter 扫码入企 (VISIT): it counts as the entity's visit of the day. Safe to repeat."""
    with support.connected() as settings:
        _tell(
            *visits.start(number, token=token, why=why, present=present, settings=settings, desk=desk_of(settings)),
            as_json,
        )


@visit.command(epilog="Example: xinheng visit finish 7")
@NUMBER
@click.option("--on", type=DAY, default=None, help="Day of the visit. Default: that of the entry.")
@click.option("--said", default="", help="What is added.")
@as_json
def finish(number: int, on: date | None, said: str, as_json: bool) -> None:
    """The check on site is over (VISIT). Safe to repeat."""
    with support.connected() as settings:
        _tell(*visits.finish(number, on=on, said=said, desk=desk_of(settings)), as_json)


@visit.command("non-response", epilog="Example: xinheng visit non-response 7 --why 三次上门均无人")
@NUMBER
@click.option("--why", required=True, help="The reason 未能检查原因.")
@as_json
def non_response(number: int, why: str, as_json: bool) -> None:
    """Record that a visit (VISIT) could not be made; of a random one too. Safe to repeat."""
    with support.connected() as settings:
        _tell(*visits.non_response(number, why=why, desk=desk_of(settings)), as_json)


@visit.command(epilog="Example: xinheng visit drop 7 --why 该线索已由他机关办理")
@NUMBER
@click.option("--why", required=True, help="The reason 取消原因.")
@as_json
def drop(number: int, why: str, as_json: bool) -> None:
    """Drop a visit (VISIT) that no lot chose. Safe to repeat."""
    with support.connected() as settings:
        _tell(*visits.drop(number, why=why, desk=desk_of(settings)), as_json)


@visit.command(epilog="Example: xinheng visit notice 7")
@NUMBER
@as_json
def notice(number: int, as_json: bool) -> None:
    """Issue the notice 检查通知书 of a visit (VISIT), with its code, and print it. Safe to repeat."""
    with support.connected() as settings:
        _paper(*inspection_papers.notice(number, settings=settings, desk=desk_of(settings)), as_json)


@visit.command(epilog="Example: xinheng visit record 7")
@NUMBER
@as_json
def record(number: int, as_json: bool) -> None:
    """Issue the on-site record 现场检查笔录 of a visit (VISIT) and print it. Safe to repeat."""
    with support.connected() as settings:
        _paper(*inspection_papers.record(number, settings=settings, desk=desk_of(settings)), as_json)


def _cell(one: dict[str, Any], name: str) -> Any:
    if name == "inspectors":
        return "、".join(who["name"] for who in one[name])
    return STATES[one[name]] if name == "state" else one[name]


def _tell(row: Visit, new: bool, as_json: bool) -> None:
    if as_json:
        support.emit({"id": row.id, "state": row.state, "version": row.version, "said": "done" if new else "unchanged"})
    else:
        click.echo(f"Visit {row.id}: {STATES[row.state]} {row.state}{'' if new else ' (unchanged)'}")


def _paper(made: Document, new: bool, as_json: bool) -> None:
    if as_json:
        support.emit({"document": made.id, "number": made.printed_no, "said": "issued" if new else "unchanged"})
    else:
        click.echo(made.text)
