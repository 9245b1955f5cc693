"""`draw`: draws by lot, committed to, drawn, changed by recusals, and their minutes."""

import secrets
from pathlib import Path
from typing import Any

import click

from api.cli import support
from api.cli.support import as_json
from registry import clock
from registry.config import Settings
from registry.kinds.licence import SUBJECTS as LICENCES
from registry.kinds.registration import SUBJECTS
from registry.services import draw_minutes, draw_recusals, draw_running, draw_views, draws, grading, tasks
from registry.services.draw_candidates import EXCLUDED
from registry.services.draw_planning import STRATA
from registry.services.draws import STATES, Desk, Filters
from rules.draw import ALGORITHMS, SECRET_BYTES

NOT_BY_CLASS = (
    "a draw is not filtered by class: its public minutes would tell the class of everybody who was visited. Leave it out; "
    "--ratio says how many of each class are drawn"
)


@click.group(epilog="Example: xinheng draw commit 1 --division 9901 && xinheng draw run 1 --witness '某某掷得 4 1 6'")
def draw() -> None:
    """Draws by lot 随机抽取: commit in public, let a witness speak, draw; recuse inspectors; read the minutes."""


@draw.command(epilog="Example: xinheng draw commit 1 --division 9901 --label food_producers --ratio C=30")
@click.argument("task", type=int)
@click.option("--division", default="", help="Prefix of GB/T 2260.")
@click.option("--industry", default="", help="Prefix of GB/T 4754.")
@click.option("--kind", type=click.Choice(list(SUBJECTS)), default=None)
@click.option("--label", "labels", multiple=True, help="Members of this special database; repeatable.")
@click.option(
    "--licence", "licences", type=click.Choice(list(LICENCES.terms)), multiple=True,
    help="Holders of a valid licence of this kind; repeatable.",
)  # fmt: skip
@click.option(
    "--ratio", "ratios", multiple=True, help="CLASS=PERCENT, inside the bounds of the frequency table; repeatable."
)
@click.option("--strata", type=click.Choice(list(STRATA)), default="class", show_default=True)
@click.option("--scheme", default=None, help="Default: [grading] scheme.")
@click.option("--algorithm", type=click.Choice(ALGORITHMS), default=None, help="Default: [seal] algorithm.")
@click.option("--class", "classes", multiple=True, hidden=True)
@as_json
def commit(
    task: int, division: str, industry: str, kind: str | None, labels: tuple[str, ...], licences: tuple[str, ...],
    ratios: tuple[str, ...], strata: str, scheme: str | None, algorithm: str | None, classes: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """Freeze the candidates of a task (TASK), commit to them and to a secret seed, and announce both. Safe to repeat."""
    if classes:
        raise click.BadParameter(NOT_BY_CLASS, param_hint="--class")
    for name, digits in (("--division", division), ("--industry", industry)):
        if digits and not (digits.isascii() and digits.isdigit()):
            raise click.BadParameter(f"{digits!r} is not a prefix of digits", param_hint=name)
    wanted = dict(map(_ratio, ratios))
    with support.connected() as settings:
        desk = _desk(settings)
        numbers = tuple(LICENCES.terms[name].number for name in licences)
        filters = Filters(division, industry, kind or "", labels, numbers)
        with support.progress("候选对象 candidates") as tell:
            tell(0, None)
            made, new = draws.commit(
                tasks.seen(task, organ=""), filters, wanted, scheme=grading.scheme_named(settings, scheme, desk.today),
                seed=secrets.token_bytes(SECRET_BYTES), salt=secrets.token_bytes(SECRET_BYTES), settings=settings, desk=desk,
                strata=strata, algorithm=algorithm or "",
            )  # fmt: skip
        found = draw_views.one(made, classes=True)
    if as_json:
        support.emit(found | {"said": "done" if new else "unchanged"})
        return
    click.echo(_line(found) + ("" if new else " unchanged"))
    _strata(found)
    click.echo(f"Announced: commitment {made.commitment}\n           root       {made.root}")
    click.echo(f"Now let a witness speak in public, then: xinheng draw run {made.id} --witness 'who, when, what'")


@draw.command(epilog="Example: xinheng draw run 1 --witness '纪检监察室某某 2026-11-21 10:00 掷得 4 1 6 6 3 2'")
@click.argument("number", type=int)
@click.option("--witness", required=True, help="What was said after the announcement, by whom, when. Bound for ever.")
@as_json
def run(number: int, witness: str, as_json: bool) -> None:
    """Draw (NUMBER), once the witness has spoken: list, visits and inspectors. Safe to repeat; what was cut off goes on."""
    with support.connected() as settings, support.progress("写入检查 visits") as tell:
        made, new = draw_running.run(
            number, witness=witness, token_seed=secrets.token_bytes(SECRET_BYTES), desk=_desk(settings), tell=tell
        )
        found = draw_views.one(made, classes=True)
    _tell(found, new, as_json)
    if not as_json:
        click.echo(f"List {found['list']}. Now: xinheng list show {found['list']} --copy field")


@draw.command("list", epilog="Example: xinheng draw list --limit 5")
@click.option("--organ", default="", help="Only under tasks of this organ, or with it as a partner.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@as_json
def list_(organ: str, limit: int, as_json: bool) -> None:
    """Draws, newest first."""
    with support.connected():
        found = draw_views.page(organ=organ, limit=limit).items
    if as_json:
        support.emit({"items": found})
        return
    columns = ["id", "task", "organ", "day", "state", "pool", "size", "list"]
    support.table(columns, [[one[name] for name in columns] for one in found])


@draw.command(epilog="Example: xinheng draw show 1")
@click.argument("number", type=int)
@as_json
def show(number: int, as_json: bool) -> None:
    """One draw (NUMBER): strata, who was left out, inspector-days, what was announced, recusals."""
    with support.connected():
        kept = draws.get(number)
        found = draw_views.one(kept, classes=True) | {"rounds": draw_views.rounds(kept)}
    if as_json:
        support.emit(found)
        return
    click.echo(_line(found))
    _strata(found)
    for one in found["workload"]:
        click.echo(
            f"  {one['organ']}: {one['needed']:,} of {one['available']:,} inspector-days, {one['inspectors']} inspectors"
        )
    for name in ("commitment", "root", "witness", "digest"):
        click.echo(f"  {name:<10} {found[name]}".rstrip())
    for one in found["rounds"]:
        click.echo(f"  回避 recusal {one['round']}: visit {one['visit']}, {one['out']} → {one['into']}, {one['why']}")


@draw.command(epilog="Example: xinheng draw minutes 1 --copy full -o full.json && python docs/verify_draw.py full.json")
@click.argument("number", type=int)
@click.option("--copy", type=click.Choice(list(draw_minutes.COPIES)), default="public", show_default=True)
@click.option("-o", "output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")
@as_json
def minutes(number: int, copy: str, output: Path, as_json: bool) -> None:
    """Write the minutes of a draw (NUMBER) as a file. The full copy holds classes; the public one is there once its task is closed."""
    with support.connected():
        kept = draws.get(number)
        content = draw_minutes.full_file(kept) if copy == "full" else draw_minutes.public_file(kept)
    output.write_bytes(content)
    if as_json:
        support.emit(
            {"draw": number, "copy": copy, "file": str(output), "bytes": len(content), "digest": kept.minutes_digest}
        )
    else:
        click.echo(f"{output}: {len(content):,} bytes, digest of the full minutes {kept.minutes_digest}")


@draw.command(epilog="Example: xinheng draw recuse 1 --visit 12 --inspector 3 --why 系被检查企业负责人近亲属")
@click.argument("number", type=int)
@click.option("--visit", type=int, required=True, help="Id of the visit.")
@click.option("--inspector", type=int, required=True, help="Id of the inspector who leaves.")
@click.option("--why", required=True, help="Why he may not check this entity 回避理由.")
@as_json
def recuse(number: int, visit: int, inspector: int, why: str, as_json: bool) -> None:
    """Let an inspector leave the day's work that holds a visit; another is drawn by the same key (NUMBER of the draw)."""
    with support.connected() as settings:
        made, new = draw_recusals.recuse(number, visit=visit, inspector=inspector, why=why, desk=_desk(settings))
        found = draw_views.round_of(made)
    if as_json:
        support.emit(found | {"said": "done" if new else "unchanged"})
    else:
        click.echo(f"Round {found['round']}: inspector {found['out']} → {found['into']}{'' if new else ' unchanged'}")


@draw.command(epilog="Example: xinheng draw void 1 --reason 候选名单遗漏两个街道")
@click.argument("number", type=int)
@click.option("--reason", required=True, help="Why; the public reads it.")
@as_json
def void(number: int, reason: str, as_json: bool) -> None:
    """Declare a draw (NUMBER) void before its witness has spoken. Safe to repeat."""
    with support.connected() as settings:
        made, new = draws.void(number, reason=reason, desk=_desk(settings))
        found = draw_views.one(made, classes=True)
    _tell(found, new, as_json)


def _desk(settings: Settings) -> Desk:
    return Desk(support.actor(), "", support.today(settings), clock.now())


def _ratio(text: str) -> tuple[str, int]:
    class_, _, percent = text.partition("=")
    try:
        ratio = round(float(percent) * 100)
    except (ValueError, OverflowError):
        ratio = 0
    if not class_ or not 1 <= ratio <= 10_000:
        raise click.BadParameter(
            f"{text!r} is not CLASS=PERCENT. Write for example C=30 or A=2.5", param_hint="--ratio"
        )
    return class_, ratio


def _tell(found: dict[str, Any], new: bool, as_json: bool) -> None:
    if as_json:
        support.emit(found | {"said": "done" if new else "unchanged"})
    else:
        click.echo(_line(found) + ("" if new else " unchanged"))


def _line(found: dict[str, Any]) -> str:
    why = f": {found['void_why']}" if found["void_why"] else ""
    return (
        f"Draw {found['id']}, task {found['task']}, {found['day']}: {STATES[found['state']]} {found['state']}{why}, "
        f"{found['size']:,} of {found['pool']:,}"
    )


def _strata(found: dict[str, Any]) -> None:
    for one in found["strata"]:
        click.echo(f"  {one['stratum']}: {one['size']:,} of {one['candidates']:,} ({one['row']})")
    for why, count in found["excluded"].items():
        click.echo(f"  left out: {count:,} {EXCLUDED[why]}")
