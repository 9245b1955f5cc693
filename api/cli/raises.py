"""`raise`: what a model suggests to raise by one class, and what an officer says to it."""

from collections.abc import Callable

import click

from api.cli import support
from api.cli.support import as_json
from registry import clock
from registry.models import Entity, GradeRaise
from registry.services import lists, raises
from registry.services.raises import STATES, Desk

Verb = Callable[..., tuple[GradeRaise, bool]]


@click.group("raise", epilog="Example: xinheng raise list --state suggested")
def raise_() -> None:
    """Raises by one class 类别上调: the model suggests, an officer confirms or dismisses, and each ends on its day."""


@raise_.command("list", epilog="Example: xinheng raise list --state suggested")
@click.option("--state", type=click.Choice(list(STATES)), default=None)
@click.option("--scheme", default="", help="Of one scheme only.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many.")
@as_json
def list_(state: str | None, scheme: str, limit: int, as_json: bool) -> None:
    """Raises, newest first, with chance and class of the rules; what is over by now says so."""
    with support.connected() as settings:
        today = support.today(settings)
        found = [
            raises.as_dict(row, party, today)
            for row, party in raises.page(state=state or "", scheme=scheme, limit=limit).items
        ]
    if as_json:
        support.emit({"items": found})
        return
    columns = ["id", "code", "scheme", "class", "chance", "standing", "from", "until", "decided_by"]
    rows = [
        [lists.percent(one["chance"]) if name == "chance" else one[name] for name in columns]
        # Above the least that the feature can give, as reasons are chosen: a reason against somebody is never below 0.
        + ["；".join(f"{part['title']['zh']} {part['over']:+d}" for part in one["reasons"])]
        for one in found
    ]
    support.table([*columns, "reasons"], rows)


@raise_.command(epilog="Example: xinheng raise confirm 7 --reason 近期连续两次抽检不合格")
@click.argument("number", type=int)
@click.option("--reason", required=True, help="Why the class is raised. Personal numbers are masked.")
@as_json
def confirm(number: int, reason: str, as_json: bool) -> None:
    """Let a suggested raise (NUMBER) count: the entity is graded with it at once. Safe to repeat."""
    _act(raises.confirm, number, reason, as_json)


@raise_.command(epilog="Example: xinheng raise dismiss 7 --reason 已于上月现场核查，未发现问题")
@click.argument("number", type=int)
@click.option("--reason", required=True, help="Why the class stays what it is.")
@as_json
def dismiss(number: int, reason: str, as_json: bool) -> None:
    """Dismiss a suggested raise (NUMBER): nothing is suggested of the entity again for a while. Safe to repeat."""
    _act(raises.dismiss, number, reason, as_json)


@raise_.command(epilog="Example: xinheng raise end 7 --reason 整改完成，复查合格")
@click.argument("number", type=int)
@click.option("--reason", required=True, help="Why it ends before its day.")
@as_json
def end(number: int, reason: str, as_json: bool) -> None:
    """End a raise in force (NUMBER) before its day: the class is the rules' again at once. Safe to repeat."""
    _act(raises.end, number, reason, as_json)


def _act(verb: Verb, number: int, reason: str, as_json: bool) -> None:
    with support.connected() as settings:
        desk = Desk(settings, support.actor(), support.today(settings), clock.now())
        row, new = verb(number, why=reason, desk=desk)
        found = raises.as_dict(row, Entity.get_by_id(row.entity), desk.today)
    if as_json:
        support.emit({"said": "done" if new else "unchanged", **found})
        return
    click.echo(
        f"Raise {found['id']}: {found['code']} {found['scheme']}, {found['from']} until {found['until']}, "
        f"{STATES[found['state']]} {found['standing']}{'' if new else ' – unchanged'}"
    )
