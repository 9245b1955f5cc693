"""`label`: supervision labels, which are special databases of entities, at a terminal."""

from datetime import date
from pathlib import Path

import click

from api.cli import registers, support
from api.cli.items import VERSION
from api.cli.registers import FILE, OUT, SAID
from api.cli.support import DAY, as_json
from registry.services import entities, label_members, labels
from registry.services.register_forms import SCOPES, LabelFields
from registry.services.register_sheets import LABELS, MEMBERS

MEMBERS_OPTION = click.option("--members", is_flag=True, help="A file of members put in by hand, not of labels.")


@click.group(epilog="Example: xinheng label members food_producers")
def label() -> None:
    """Supervision labels 监管标签: special databases 专项库 of entities, by hand, by valid licence or by industry."""


@label.command("list", epilog="Example: xinheng label list")
@click.option("--scope", type=click.Choice(list(SCOPES.terms)), default=None)
@as_json
def list_(scope: str | None, as_json: bool) -> None:
    """Labels in order of their codes."""
    with support.connected():
        found = labels.page(scope=scope or "", limit=100_000).items
    if as_json:
        support.emit({"items": found})
        return
    columns = [
        "编码 code",
        "名称 name",
        "范围 scope",
        "区划 division",
        "许可 licences",
        "行业 industries",
        "版本 version",
    ]
    support.table(
        columns,
        [
            [
                one["code"], one["name"], SCOPES.terms[one["scope"]].zh, one["division"], "、".join(one["licences"]),
                "、".join(one["industries"]), one["version"],
            ]
            for one in found
        ],
    )  # fmt: skip


@label.command(epilog="Example: xinheng label show food_producers")
@click.argument("code")
@as_json
def show(code: str, as_json: bool) -> None:
    """One label (CODE) and its version."""
    with support.connected():
        found = labels.shown(labels.get(code))
    if as_json:
        support.emit(found)
        return
    for name, value in found.items():
        click.echo(f"  {name}: {'、'.join(value) if isinstance(value, list) else value}")


@label.command(epilog="Example: xinheng label add night_market --name 夜市摊位 --scope office --division 990101")
@click.argument("code")
@click.option("--name", required=True)
@click.option("--scope", type=click.Choice(list(SCOPES.terms)), default="county", show_default=True)
@click.option("--division", default="", help="Prefix of the area whose entities it holds.")
@click.option("--basis", default="", help="What it rests on.")
@click.option("--licence", "licences", multiple=True, help="Who holds a valid one is a member; repeatable.")
@click.option("--industry", "industries", multiple=True, help="Prefix of GB/T 4754; repeatable.")
@VERSION
@as_json
def add(
    code: str, name: str, scope: str, division: str, basis: str, licences: tuple[str, ...], industries: tuple[str, ...],
    version: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Add a label (CODE); with --version change the one that has the code. Safe to repeat."""
    with support.connected() as settings:
        desk = registers.desk_of(settings)
        given = registers.checked(
            LabelFields(),
            {
                "code": code, "name": name, "scope": scope, "division": division, "basis": basis, "licences": list(licences),
                "industries": list(industries),
            },
        )  # fmt: skip
        row, outcome = labels.save(given, version=version, desk=desk)
        registers.tell(f"{row.code} {row.name}", labels.shown(row), outcome, as_json)


@label.command(epilog="Example: xinheng label retire night_market --version 1")
@click.argument("code")
@VERSION
def retire(code: str, version: int | None) -> None:
    """Take a label (CODE) away that no item names and nobody is a member of by hand. Safe to repeat."""
    with support.connected() as settings:
        outcome = labels.retire(code, version=version, desk=registers.desk_of(settings))
    click.echo(f"{code}: {'停用 retired' if outcome == 'stored' else SAID[outcome]}")


@label.command(epilog="Example: xinheng label members food_producers --limit 20")
@click.argument("code")
@click.option("--division", default="", help="A prefix of GB/T 2260.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=50, show_default=True, help="At most so many.")
@as_json
def members(code: str, division: str, limit: int, as_json: bool) -> None:
    """Who is in a special database (CODE) today: by hand, by licence or by industry."""
    with support.connected() as settings:
        found = labels.members(code, support.today(settings), divisions=(division,), limit=limit).items
    if as_json:
        support.emit({"items": found})
        return
    support.table(
        ["统一社会信用代码 code", "名称 name", "类型 kind", "区划 division"], [list(one.values()) for one in found]
    )


@label.command("of", epilog="Example: xinheng label of 91990101MA0000016K")
@click.argument("entity")
@as_json
def of_entity(entity: str, as_json: bool) -> None:
    """The labels that an entity (credit code or registration number) has today, and why."""
    with support.connected() as settings:
        found = labels.of_entity(entities.get(entity), support.today(settings))
    if as_json:
        support.emit({"items": found})
        return
    for one in found:
        since = f" {one['from_on']} – {one['until_on'] or ''}" if one["from_on"] else ""
        click.echo(f"{one['code']} {one['name']}: {'、'.join(one['why'])}{since}".rstrip())


@label.command(epilog="Example: xinheng label put night_market 91990101MA0000016K --until 2027-01-01")
@click.argument("code")
@click.argument("entity")
@click.option("--from", "from_on", type=DAY, default=None, help="First day; default today.")
@click.option("--until", "until_on", type=DAY, default=None, help="First day on which it is a member no more.")
def put(code: str, entity: str, from_on: date | None, until_on: date | None) -> None:
    """Put an entity into a special database (CODE) by hand. Safe to repeat."""
    with support.connected() as settings:
        desk = registers.desk_of(settings)
        row, outcome = label_members.put(entities.get(entity), code, from_on=from_on, until_on=until_on, desk=desk)
    click.echo(f"{code} {entity}: {SAID[outcome]}, {row.from_on} – {row.until_on or ''}".rstrip())


@label.command(epilog="Example: xinheng label end night_market 91990101MA0000016K")
@click.argument("code")
@click.argument("entity")
def end(code: str, entity: str) -> None:
    """Take an entity out of a special database (CODE) from today on, where it was put in by hand. Safe to repeat."""
    with support.connected() as settings:
        outcome = label_members.end(entities.get(entity), code, desk=registers.desk_of(settings))
    click.echo(f"{code} {entity}: {SAID[outcome]}")


@label.command("import", epilog="Example: xinheng label import members.xlsx --members")
@FILE
@MEMBERS_OPTION
@as_json
def import_(file: Path, members: bool, as_json: bool) -> int:
    """Add and change labels, or members, from a CSV or XLSX FILE; the same file again changes nothing. Exit status 1: some rows were refused."""
    return registers.import_file(file, MEMBERS if members else LABELS, as_json=as_json)


@label.command(epilog="Example: xinheng label export labels.xlsx")
@OUT
@click.option("--members", default="", metavar="CODE", help="Write who was put into this special database by hand.")
def export(out: Path, members: str) -> None:
    """Write all labels, or members, to OUT (CSV, or XLSX where the name ends so), with the headings by which they are imported."""
    with support.connected():
        if members:
            registers.export_file(out, MEMBERS, label_members.by_hand(members))
        else:
            registers.export_file(out, LABELS, labels.page(limit=100_000).items)
