"""`override`: a class that a person sets, by two persons."""

from datetime import date

import click

from api.cli import support
from api.cli.support import DAY, as_json
from registry import clock
from registry.config import Settings
from registry.models import Entity, GradeOverride
from registry.services import overrides
from registry.services.overrides import STATES, Desk


@click.group(
    epilog="Example: xinheng override propose 91990101MA00000000 --class D --reason 专项整治 --basis 行动方案第三条 --until 2027-02-01"
)
def override() -> None:
    """Set a class in place of the scheme's 人工认定: proposed by one person, approved by another, with reason, basis and end."""


def desk_of(settings: Settings) -> Desk:
    """Where the person at the terminal works."""
    return Desk(settings, support.actor(), support.today(settings), clock.now())


@override.command(
    epilog="Example: xinheng override propose 91990101MA00000000 --class D --reason 专项整治 --basis 行动方案第三条 --until 2027-02-01"
)
@click.argument("code")
@click.option("--scheme", default=None, help="The scheme whose class is set. Default: [grading] scheme.")
@click.option("--class", "class_", required=True, help="One of the scheme's classes.")
@click.option("--reason", required=True, help="What the scheme does not see 理由. Personal numbers are masked.")
@click.option("--basis", required=True, help="What it rests on 依据: the instrument and article, or the decision.")
@click.option("--from", "from_on", type=DAY, default=None, help="First day on which it holds. Default: today.")
@click.option("--until", "until_on", type=DAY, required=True, help="First day on which it no longer holds.")
@as_json
def propose(
    code: str, scheme: str | None, class_: str, reason: str, basis: str, from_on: date | None, until_on: date, as_json: bool
) -> None:  # fmt: skip
    """Propose a class for one entity (CODE). Nothing is in force before another person approves it. Safe to repeat."""
    with support.connected() as settings:
        desk = desk_of(settings)
        row, new = overrides.propose(
            code, scheme=scheme or settings.grading.scheme, class_=class_, reason=reason, basis=basis, from_on=from_on,
            until_on=until_on, desk=desk,
        )  # fmt: skip
        _tell(row, new, desk, as_json)


@override.command(epilog="Example: xinheng override approve 7 --said 同意")
@click.argument("number", type=int)
@click.option("--said", default="", help="What the approver adds.")
@as_json
def approve(number: int, said: str, as_json: bool) -> None:
    """Approve a proposal (NUMBER) as another person than proposed it: the entity is graded with it at once. Safe to repeat."""
    with support.connected() as settings:
        desk = desk_of(settings)
        _tell(*overrides.approve(number, said=said, desk=desk), desk, as_json)


@override.command(epilog="Example: xinheng override refuse 7 --reason 证据不足")
@click.argument("number", type=int)
@click.option("--reason", required=True, help="Why the class stays the scheme's.")
@as_json
def refuse(number: int, reason: str, as_json: bool) -> None:
    """Refuse a proposal (NUMBER) as another person than proposed it. Safe to repeat."""
    with support.connected() as settings:
        desk = desk_of(settings)
        _tell(*overrides.refuse(number, why=reason, desk=desk), desk, as_json)


@override.command(epilog="Example: xinheng override end 7 --reason 查明无事实")
@click.argument("number", type=int)
@click.option("--reason", required=True, help="Why it ends before its day.")
@as_json
def end(number: int, reason: str, as_json: bool) -> None:
    """End an approved override (NUMBER) before its day: the class is the scheme's again at once. Safe to repeat."""
    with support.connected() as settings:
        desk = desk_of(settings)
        _tell(*overrides.end(number, why=reason, desk=desk), desk, as_json)


@override.command("list", epilog="Example: xinheng override list --state proposed")
@click.option("--state", type=click.Choice(list(STATES)), default=None)
@click.option("--scheme", default="", help="Of one scheme only.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many.")
@as_json
def list_(state: str | None, scheme: str, limit: int, as_json: bool) -> None:
    """Overrides, newest first; what is over by now says so."""
    with support.connected() as settings:
        today = support.today(settings)
        found = [
            overrides.as_dict(row, party, today)
            for row, party in overrides.page(state=state or "", scheme=scheme, limit=limit).items
        ]
    if as_json:
        support.emit({"items": found})
        return
    columns = ["id", "code", "scheme", "class", "from", "until", "standing", "proposed_by", "decided_by", "reason"]
    support.table(columns, [[one[name] for name in columns] for one in found])


def _tell(row: GradeOverride, new: bool, desk: Desk, as_json: bool) -> None:
    found = overrides.as_dict(row, Entity.get_by_id(row.entity), desk.today)
    if as_json:
        support.emit({"said": "done" if new else "unchanged", **found})
        return
    click.echo(
        f"Override {found['id']}: {found['code']} {found['scheme']} {found['class']}, {found['from']} until {found['until']}, "
        f"{STATES[row.state]} {found['standing']}{'' if new else ' – unchanged'}"
    )
    if new and row.state == "proposed":
        click.echo(f"Another person decides: xinheng override approve {row.id}", err=True)
