"""`inspector`: the inspectors that a draw may choose, at a terminal."""

from datetime import date
from pathlib import Path
from typing import Any

import click

from api.cli import registers, support
from api.cli.items import VERSION
from api.cli.registers import FILE, OUT, SAID
from api.cli.support import DAY, as_json
from registry.models import Inspector
from registry.services import entities, inspector_keeping, inspectors
from registry.services.register_forms import LEVELS, MOST_DAYS, STATES, InspectorFields
from registry.services.register_sheets import INSPECTORS
from registry.services.registers import Outcome

NUMBER = click.argument("number", type=click.IntRange(min=1))
COLUMNS = ["编号 id", "机关 organ", "工号 staff no", "姓名 name", "层级 level", "区域 areas", "事项 items", "证件至 certified until", "天数 capacity", "状态 state"]  # fmt: skip


@click.group(epilog="Example: xinheng inspector expiring --days 30")
def inspector() -> None:
    """The inspectors 执法检查人员: certificates, areas, items, capacity, days away, conflicts of interest."""


@inspector.command("list", epilog="Example: xinheng inspector list --organ 信衡市市场监督管理局")
@click.option("--organ", default="", help="Only of this organ.")
@click.option("--state", type=click.Choice(list(STATES.terms)), default=None)
@click.option("--item", default="", help="Only those who may check this item.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=50, show_default=True, help="At most so many.")
@as_json
def list_(organ: str, state: str | None, item: str, limit: int, as_json: bool) -> None:
    """Inspectors in order of organ and staff number; who has no valid certificate is never drawn."""
    with support.connected() as settings:
        found = inspectors.page(support.today(settings), organ=organ, state=state or "", item=item, limit=limit).items
    _listed(found, as_json)


@inspector.command(epilog="Example: xinheng inspector expiring --days 30")
@click.option("--days", type=click.IntRange(0, 3_650), default=30, show_default=True)
@click.option("--organ", default="", help="Only of this organ.")
@as_json
def expiring(days: int, organ: str, as_json: bool) -> None:
    """Active inspectors without a certificate that is valid so many days from today."""
    with support.connected() as settings:
        found = inspectors.page(support.today(settings), organ=organ, expiring=days, limit=1_000_000).items
    _listed(found, as_json)


@inspector.command(epilog="Example: xinheng inspector show 7")
@NUMBER
@as_json
def show(number: int, as_json: bool) -> None:
    """One inspector (NUMBER): certificates, days away, conflicts of interest."""
    with support.connected() as settings:
        row = inspectors.get(number)
        found = {
            **inspectors.shown(row, support.today(settings)), "away": inspectors.absences(row),
            "conflicts": inspectors.declared(row),
        }  # fmt: skip
    if as_json:
        support.emit(found)
        return
    click.echo(
        f"{found['id']} {found['organ']} {found['staff_no']} {found['name']}, {LEVELS.terms[found['level']].zh}, "
        f"{STATES.terms[found['state']].zh} {found['state']}, 版本 version {found['version']}"
    )
    click.echo(
        f"  区域 areas: {_areas(found)}; 事项 items: {'、'.join(found['items'])}; 每月 {found['capacity']} 天 days a month"
    )
    for one in found["certificates"]:
        click.echo(f"  证件 certificate {one['no']} {one['kind']} {one['until']}")
    for one in found["away"]:
        click.echo(f"  离岗 away {one['from_on']} – {one['to_on']} {one['why']}".rstrip())
    for one in found["conflicts"]:
        click.echo(
            f"  利害关系 conflict {one['code']} {one['name']} {one['from_on']} – {one['until_on'] or ''} {one['why']}"
        )


@inspector.command(
    epilog="Example: xinheng inspector add XH9001 --organ 信衡市市场监督管理局 --name 示例甲 --area 9901 --certificate 'XH-9001|行政执法证|2028-12-31'"
)
@click.argument("staff_no")
@click.option("--organ", required=True, help="His organ.")
@click.option("--name", required=True)
@click.option("--level", type=click.Choice(list(LEVELS.terms)), default="county", show_default=True)
@click.option("--position", default="")
@click.option(
    "--area", "areas", multiple=True, help="Prefix of GB/T 2260 in which he works; repeatable; none: everywhere."
)
@click.option("--item", "items", multiple=True, help="Item that he may check; repeatable; none: all.")
@click.option("--certificate", "certificates", multiple=True, help="NO|KIND|LAST DAY; repeatable.")
@click.option("--expert", is_flag=True)
@click.option("--capacity", type=int, default=MOST_DAYS, show_default=True, help="Most days of visits in a month.")
@click.option("--actor", default="", help="Who he is when he works here: key:NAME, or a user.")
@VERSION
@as_json
def add(
    staff_no: str, areas: tuple[str, ...], items: tuple[str, ...], certificates: tuple[str, ...], version: int | None,
    as_json: bool, **given: Any,
) -> None:  # fmt: skip
    """Add an inspector (STAFF_NO) to his organ; with --version change the one who has the number. Safe to repeat."""
    with support.connected() as settings:
        desk = registers.desk_of(settings)
        whole = {
            **given, "staff_no": staff_no, "areas": list(areas) or [""], "items": list(items) or ["*"],
            "certificates": [dict(zip(("no", "kind", "until"), one.split("|"), strict=False)) for one in certificates],
        }  # fmt: skip
        row, outcome = inspector_keeping.save(registers.checked(InspectorFields(), whole), version=version, desk=desk)
        _told(row, outcome, desk.today, as_json)


@inspector.command(epilog="Example: xinheng inspector retire 7 --version 1")
@NUMBER
@click.option("--state", type=click.Choice(list(STATES.terms)), default="left", show_default=True)
@VERSION
@as_json
def retire(number: int, state: str, version: int | None, as_json: bool) -> None:
    """Let an inspector (NUMBER) be gone, suspended, or active again. Safe to repeat."""
    with support.connected() as settings:
        desk = registers.desk_of(settings)
        row, outcome = inspector_keeping.set_state(number, state, version=version, desk=desk)
        _told(row, outcome, desk.today, as_json)


@inspector.command(epilog="Example: xinheng inspector away 7 --from 2026-12-01 --to 2026-12-05 --why 培训")
@NUMBER
@click.option("--from", "from_on", type=DAY, required=True, help="First day away.")
@click.option("--to", "to_on", type=DAY, default=None, help="Last day away; default the first.")
@click.option("--why", default="")
@click.option("--end", is_flag=True, help="Take back the days away that begin on this day.")
def away(number: int, from_on: date, to_on: date | None, why: str, end: bool) -> None:
    """Note days on which an inspector (NUMBER) visits nobody, or take them back. Safe to repeat."""
    with support.connected() as settings:
        desk = registers.desk_of(settings)
        if end:
            outcome = inspector_keeping.call_back(number, from_on=from_on, desk=desk)
        else:
            outcome = inspector_keeping.send_away(number, from_on=from_on, to_on=to_on or from_on, why=why, desk=desk)
    click.echo(f"{number}: {SAID[outcome]}")


@inspector.command(epilog="Example: xinheng inspector conflict 7 91990101MA0000016K --why 近亲属任职")
@NUMBER
@click.argument("entity")
@click.option("--why", default="", help="What the interest is.")
@click.option("--from", "from_on", type=DAY, default=None, help="First day; default today.")
@click.option("--until", "until_on", type=DAY, default=None, help="First day on which it holds no more.")
@click.option("--end", is_flag=True, help="End it today.")
def conflict(number: int, entity: str, why: str, from_on: date | None, until_on: date | None, end: bool) -> None:
    """Put a conflict of interest of an inspector (NUMBER) with an entity on record, or end it. Safe to repeat."""
    with support.connected() as settings:
        desk, whom = registers.desk_of(settings), entities.get(entity)
        if end:
            outcome = inspector_keeping.end_conflict(number, whom, desk=desk)
        else:
            outcome = inspector_keeping.declare(number, whom, why=why, from_on=from_on, until_on=until_on, desk=desk)
    click.echo(f"{number} {entity}: {SAID[outcome]}")


@inspector.command("import", epilog="Example: xinheng inspector import inspectors.xlsx --organ 信衡市市场监督管理局")
@FILE
@click.option("--organ", default="", help="Take only inspectors of this organ; rows that name none are of it.")
@as_json
def import_(file: Path, organ: str, as_json: bool) -> int:
    """Add and change inspectors from a CSV or XLSX FILE; the same file again changes nothing. Exit status 1: some rows were refused.

    Columns with identity numbers, telephone numbers and the like are left out by their heading, and named.
    """
    return registers.import_file(file, INSPECTORS, organ=organ, as_json=as_json)


@inspector.command(epilog="Example: xinheng inspector export inspectors.xlsx")
@OUT
@click.option("--organ", default="", help="Only of this organ.")
def export(out: Path, organ: str) -> None:
    """Write inspectors to OUT (CSV, or XLSX where the name ends so), with the headings by which they are imported."""
    with support.connected() as settings:
        found = inspectors.page(support.today(settings), organ=organ, limit=1_000_000).items
        registers.export_file(out, INSPECTORS, found)


def _told(row: Inspector, outcome: Outcome, today: date, as_json: bool) -> None:
    registers.tell(f"{row.id} {row.staff_no} {row.name}", inspectors.shown(row, today), outcome, as_json)


def _areas(one: dict[str, Any]) -> str:
    return "全部 everywhere" if one["areas"] == [""] else "、".join(one["areas"])


def _listed(found: Any, as_json: bool) -> None:
    if as_json:
        support.emit({"items": list(found)})
        return
    rows = [
        [
            one["id"], one["organ"], one["staff_no"], one["name"], LEVELS.terms[one["level"]].zh, _areas(one), "、".join(one["items"]),
            f"{one['certified_until'] or '–'}{'' if one['certified'] else ' 过期 expired'}", one["capacity"],
            STATES.terms[one["state"]].zh,
        ]
        for one in found
    ]  # fmt: skip
    support.table(COLUMNS, rows)
