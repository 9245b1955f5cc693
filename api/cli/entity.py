"""`entity`: two entities that are one."""

import click

from api.cli import support
from api.cli.support import as_json
from registry import clock
from registry.services import grading, merges
from registry.services.merges import Merged

reason = click.option("--reason", required=True, help="What shows it. Kept in the ledger, personal numbers masked.")


@click.group(epilog="Example: xinheng entity merge 91990101MA00000000 990101000000013 --reason 换发统一代码")
def entity() -> None:
    """Merge two entities that are one, and take a merge back."""


@entity.command(epilog="Example: xinheng entity merge 91990101MA00000000 990101000000013 --reason 换发统一代码")
@click.argument("loser")
@click.argument("winner")
@reason
@as_json
def merge(loser: str, winner: str, reason: str, as_json: bool) -> None:
    """Say that LOSER (code) is WINNER. Records do not move: they count for the winner, and the loser is not graded."""
    with support.connected() as settings:
        found = merges.merge(
            loser, winner, reason=reason, actor=support.actor(), today=support.today(settings), now=clock.now(),
            schemes=grading.schemes(settings), scheme=grading.scheme_named(settings, on=support.today(settings)),
        )  # fmt: skip
    _tell(found, as_json)


@entity.command(epilog="Example: xinheng entity unmerge 91990101MA00000000 --reason 两家企业")
@click.argument("loser")
@reason
@as_json
def unmerge(loser: str, reason: str, as_json: bool) -> None:
    """Let LOSER (code) be itself again, with what had been merged into it."""
    with support.connected() as settings:
        found = merges.unmerge(
            loser, reason=reason, actor=support.actor(), today=support.today(settings), now=clock.now(),
            schemes=grading.schemes(settings), scheme=grading.scheme_named(settings, on=support.today(settings)),
        )  # fmt: skip
    _tell(found, as_json)


def _tell(found: Merged, as_json: bool) -> None:
    if as_json:
        support.emit({"said": found.said, "seq": found.seq, "loser": found.loser, "winner": found.winner})
        return
    click.echo(f"{found.loser} and {found.winner}: {found.said} (ledger row {found.seq}).")
