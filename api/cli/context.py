"""`context`: the frozen context 背景值 that grades read."""

from datetime import date
from typing import Any

import click

from api.cli import support
from api.cli.support import DAY, as_json
from registry import clock
from registry.services import context as contexts
from registry.services import context_building, entities, ledger


@click.group(epilog="Example: xinheng context build && xinheng grade --due && xinheng context show 91990101MA00000000")
def context() -> None:
    """Build and read the context: related entities, addresses and industry norms, frozen for every grade."""


@context.command(epilog="Example: xinheng context build")
@as_json
def build(as_json: bool) -> None:
    """Build today's context out of what is known now. It is never changed: the same day again is unchanged."""
    with support.connected() as settings, support.progress("Building the context") as tell:
        made = context_building.build(settings, day=support.today(settings), now=clock.now(), progress=tell)
    if as_json:
        support.emit(
            {"said": made.said, "values": made.values, "entities": made.entities} | contexts.as_dict(made.context)
        )
        return
    click.echo(
        f"Context from {clock.day_of(made.context.day)}: {made.said}, {made.values:,} values of {made.entities:,} entities "
        f"({made.context.hash[:12]})."
    )
    if made.said == "built":
        click.echo("Grades that read it are due. Now: xinheng grade --due", err=True)


@context.command("list", epilog="Example: xinheng context list")
@as_json
def list_(as_json: bool) -> None:
    """The contexts there are, newest first."""
    with support.connected():
        found = [contexts.as_dict(one) for one in contexts.every()]
    if as_json:
        support.emit({"items": found})
        return
    columns = ["from", "known_seq", "built_at", "hash"]
    support.table(columns, [[one[name] for name in columns] for one in found])


@context.command(epilog="Example: xinheng context show 91990101MA00000000 --on 2026-11-21")
@click.argument("code")
@click.option("--on", type=DAY, default=None, help="A day; default: today.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@as_json
def show(code: str, on: date | None, lang: str, as_json: bool) -> None:
    """What the context in force says of one entity (CODE), and the ledger rows of the relations behind it."""
    with support.connected() as settings:
        entity = entities.get(code)
        found = contexts.shown(entity, on=on or support.today(settings), known=ledger.head())
    told: list[dict[str, Any]] = [
        {"name": one.name, "title": contexts.label(one.name), "value": one.value, "behind": list(one.behind)}
        for one in (*found.values, *found.norms)
    ]
    if as_json:
        items = [{**one, "title": {"zh": one["title"].zh, "en": one["title"].en}} for one in told]
        support.emit({"code": code, "context": contexts.as_dict(found.context), "items": items})
        return
    rows = [
        [getattr(one["title"], lang), "未知 unknown" if one["value"] is None else one["value"], _shortly(one["behind"])]
        for one in told
    ]
    title = f"{entity.name} · {clock.day_of(found.context.day)} · {found.context.hash[:12]}"
    support.table(["项目 item", "值 value", "台账号 ledger rows"], rows, title=title)


def _shortly(numbers: list[int]) -> str:
    """The first ten numbers, and how many more there are: `--json` has them all."""
    more = f" … (+{len(numbers) - 10})" if len(numbers) > 10 else ""
    return ", ".join(str(one) for one in numbers[:10]) + more
