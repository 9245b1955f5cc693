"""`changes`: whose grade changed, and why."""

from typing import Any

import click

from api.cli import support
from api.cli.support import as_json
from registry.services import change_reasons, changes, entities


@click.command("changes", epilog="Example: xinheng changes 91990101MA00000000   or: xinheng changes --why 17")
@click.argument("code", required=False)
@click.option(
    "--why", type=click.IntRange(min=1), default=None, help="One change, with the rows of points that moved it."
)
@click.option("--after", default=None, help="Go on after the `next` of the last page.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True)
@as_json
def list_changes(code: str | None, why: int | None, after: str | None, limit: int, as_json: bool) -> None:
    """List changes of class or score, oldest first, with what caused them; of one entity, or of all.

    A cause is what was not the same any more as when the grade before was given: a record, the time, the scheme, the
    context, an override, a raise, the coverage of a feed. Several may hold at once; --why tells rule by rule.
    """
    with support.connected() as settings:
        if why is not None:
            _tell(change_reasons.between(why), as_json=as_json)
            return
        entity = None if code is None else entities.get(code).id
        found = changes.page(settings.grading.scheme, after=after, limit=limit, entity=entity)
    if as_json:
        support.emit({"items": found.items, "next": found.next})
        return
    if not found.items:
        whose = "of this entity " if code is not None else ""
        said = (
            "No more changes after that."
            if after
            else f"No grade change {whose}yet 尚无分类变动: a first grade is none."
        )
        click.echo(said)
        return
    words = {en: zh for zh, en in changes.CAUSES.values()}
    support.table(
        ["编号 no.", "代码 code", "名称 name", "日期 on", "原 before", "现 after", "原因 causes"],
        [
            [
                one["id"], one["code"], one["name"], one["after"]["on"], _grade(one["before"]), _grade(one["after"]),
                "、".join(f"{words[cause]} {cause}" for cause in one["causes"]),
            ]
            for one in found.items
        ],
    )  # fmt: skip
    if found.next:
        click.echo(f"More with --after {found.next}")


def _grade(one: dict[str, Any]) -> str:
    return f"{one['class']} {one['score']}"


def _tell(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        support.emit(found)
        return
    click.echo(f"{found['code']} {found['name']}")
    click.echo(
        f"{found['before']['on']} {_grade(found['before'])} → {found['after']['on']} {_grade(found['after'])}  "
        f"({', '.join(found['causes'])})"
    )
    support.table(
        ["差 difference", "规则 rule", "说明 what it says"],
        [[f"{row['difference']:+}", row["rule"], f"{row['zh']} / {row['en']}"] for row in found["rows"]],
    )
    for name, label in (("records_added", "新记录 records that came"), ("records_gone", "不再计入 records that went")):
        if found[name]:
            click.echo(f"{label}: {', '.join(map(str, found[name]))}")
