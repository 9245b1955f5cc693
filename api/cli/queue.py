"""`queue`: rows whose party was not found, whom they may be about, and what persons decided."""

from pathlib import Path
from typing import Any

import click

from api.cli import support
from api.cli.support import as_json
from api.cli.understanding import rows_of
from registry import clock, privacy
from registry.cells.personal import mask_personal
from registry.config import Settings
from registry.kinds import KINDS
from registry.models import Unmatched
from registry.models.entity import STATUS
from registry.services import deciding, grading, matching, matching_quality, merges
from registry.services import queue as queue_service
from registry.services.deciding import Decided, QueueRowNotFound, Who
from registry.services.matching import Candidate
from registry.services.understanding import open_source
from registry.services.visibility import REGULATOR
from registry.services.visibility import shown as seen_by

reason = click.option("--reason", required=True, help="What shows it. Kept with the decision, personal numbers masked.")
limit = click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)


@click.group(
    invoke_without_command=True, epilog="Example: xinheng queue match 12 13 --to 91990101MA00000000 --reason …"
)
@click.option("--kind", default=None, help="Only rows of this kind.")
@click.option("--source", default=None, help="Only rows from this source.")
@limit
@as_json
@click.pass_context
def queue(ctx: click.Context, kind: str | None, source: str | None, limit: int, as_json: bool) -> None:
    """Rows whose party was not found: list, look at, decide. Without a command: list."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_, kind=kind, source=source, reason=None, name="", limit=limit, as_json=as_json)


@queue.command("list", epilog="Example: xinheng queue list --reason blank --name 食品")
@click.option("--kind", default=None, help="Only rows of this kind.")
@click.option("--source", default=None, help="Only rows from this source.")
@click.option("--reason", default=None, help="Only rows that wait for this reason.")
@click.option("--name", default="", help="Only rows whose party has this in its name.")
@limit
@as_json
def list_(kind: str | None, source: str | None, reason: str | None, name: str, limit: int, as_json: bool) -> None:
    """List the rows whose party was not found, oldest first. Personal numbers are masked."""
    with support.connected() as settings:
        asked = {"kind": kind, "source": source, "reason": reason, "name": name}
        total = matching.count(**asked)  # type: ignore[arg-type]
        rows = [_row(row, settings) for row in matching.page(**asked, limit=limit).items]  # type: ignore[arg-type]
    if as_json:
        support.emit({"total": total, "items": rows})
        return
    names = ("id", "kind", "source", "row", "reason", "division", "name", "code", "waiting_since")
    heads = [
        "编号 id",
        "种类 kind",
        "来源 source",
        "行 row",
        "原因 reason",
        "区划 area",
        "名称 name",
        "代码 code",
        "等待自 since",
    ]
    support.table(heads, [[row[name] for name in names] for row in rows])
    click.echo(f"{len(rows):,} of {rows_of(total)} that wait.")


@queue.command(epilog="Example: xinheng queue show 12")
@click.argument("number", type=int)
@as_json
def show(number: int, as_json: bool) -> None:
    """Show one row that waits, and at most five entities that it may be about, with a score from 0 to 100."""
    with support.connected() as settings:
        row = deciding.waiting_row(number)
        if row is None:
            raise QueueRowNotFound(f"No row {number} waits in the queue. `xinheng queue list` shows those that do.")
        shown = _row(row, settings) | said(row)
        near = [candidate_row(one) for one in matching.candidates(row)]
    if as_json:
        support.emit(shown | {"candidates": near})
        return
    for name, value in shown.items():
        if name != "detail":
            click.echo(f"{name}: {'' if value is None else value}")
    for name, value in shown["detail"].items():
        click.echo(f"  {name}: {value}")
    heads = ["分 score", "代码 code", "名称 name", "地址 address", "区划 division", "状态 status", "依据 why"]
    names = ("score", "code", "name", "address", "division", "status", "why")
    support.table(heads, [[one[name] for name in names] for one in near])
    if not near:
        click.echo("No entity comes near.")


@queue.command(epilog="Example: xinheng queue match 12 13 --to 91990101MA00000000 --reason 电话核实")
@click.argument("numbers", type=int, nargs=-1, required=True)
@click.option("--to", required=True, help="Credit code or registration number of the entity that the rows are about.")
@reason
@as_json
def match(numbers: tuple[int, ...], to: str, reason: str, as_json: bool) -> None:
    """Decide that rows are about an entity. All rows of the same party follow, those to come too."""
    with support.connected() as settings:
        _tell(deciding.decide(numbers, "match", to=to, reason=reason, who=who(settings)), as_json)


@queue.command(epilog="Example: xinheng queue drop 12 --reason 外省企业")
@click.argument("numbers", type=int, nargs=-1, required=True)
@reason
@as_json
def drop(numbers: tuple[int, ...], reason: str, as_json: bool) -> None:
    """Decide that rows name nobody who is registered here. They are kept, wait no longer, and count for nobody."""
    with support.connected() as settings:
        _tell(deciding.decide(numbers, "drop", reason=reason, who=who(settings)), as_json)


@queue.command(epilog="Example: xinheng queue named")
@limit
@as_json
def named(limit: int, as_json: bool) -> None:
    """List the records that were attached by their party's name alone, oldest first, to confirm or to detach."""
    with support.connected():
        rows = deciding.named(limit=limit).items
    if as_json:
        support.emit(rows)
        return
    heads = ["台账号 seq", "种类 kind", "日期 day", "代码 code", "名称 name", "行内名称 row says", "计入 counts"]
    names = ("seq", "kind", "happened_on", "code", "name", "row_name", "counts")
    support.table(heads, [[one[name] for name in names] for one in rows])


@queue.command(epilog="Example: xinheng queue confirm 4711 --reason 与登记档案一致")
@click.argument("seqs", type=int, nargs=-1, required=True)
@reason
@as_json
def confirm(seqs: tuple[int, ...], reason: str, as_json: bool) -> None:
    """Confirm records (ledger numbers) that were attached by name alone: they list and veto from now on."""
    with support.connected() as settings:
        _tell(deciding.confirm(seqs, reason=reason, who=who(settings)), as_json)


@queue.command(epilog="Example: xinheng queue detach 4711 --reason 同名不同企业")
@click.argument("seqs", type=int, nargs=-1, required=True)
@reason
@as_json
def detach(seqs: tuple[int, ...], reason: str, as_json: bool) -> None:
    """Take away records (ledger numbers) that were attached by name alone; their rows wait in the queue again."""
    with support.connected() as settings:
        _tell(deciding.detach(seqs, reason=reason, who=who(settings)), as_json)


@queue.command(epilog="Example: xinheng queue decisions --standing")
@click.option("--standing", is_flag=True, help="Only those that were not undone.")
@limit
@as_json
def decisions(standing: bool, limit: int, as_json: bool) -> None:
    """List decisions about parties, newest first: who, when, why."""
    with support.connected() as settings:
        rows = [deciding.as_dict(one) for one in deciding.page(limit=limit, standing=standing).items]
        for row in rows:
            row["decided_at"] = support.moment(row["decided_at"], settings)  # type: ignore[arg-type]
            row["undone_at"] = support.moment(row["undone_at"], settings) or None  # type: ignore[arg-type]
    if as_json:
        support.emit(rows)
        return
    names = ("id", "verb", "name", "code", "source", "to", "reason", "decided_by", "decided_at", "undone_at")
    heads = [
        "编号 id",
        "认定 verb",
        "名称 name",
        "代码 code",
        "来源 source",
        "归于 to",
        "理由 reason",
        "人 by",
        "时间 at",
        "撤销 undone",
    ]
    support.table(heads, [[row[name] for name in names] for row in rows])


@queue.command(epilog="Example: xinheng queue undo 3 --reason 认错企业")
@click.argument("number", type=int)
@reason
@as_json
def undo(number: int, reason: str, as_json: bool) -> None:
    """Take a decision back: the rows stated by it are withdrawn and wait again."""
    with support.connected() as settings:
        _tell([deciding.undo(number, reason=reason, who=who(settings))], as_json)


@queue.command("twins", epilog="Example: xinheng queue twins")
@limit
@as_json
def twins(limit: int, as_json: bool) -> None:
    """List pairs that are probably one entity: provisional, and known by an old number. `xinheng entity merge` joins them."""
    with support.connected():
        rows = [pair_row(one) for one in merges.proposals(limit=limit).items]
    if as_json:
        support.emit(rows)
        return
    support.table(
        ["暂存 provisional", "登记 registered", "名称 name"],
        [[row["loser"], row["winner"], row["name"]] for row in rows],
    )


@queue.command(epilog="Example: xinheng queue measure penalties.csv --division 1101")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--hide", type=click.FloatRange(0, 1, min_open=True), default=1.0, show_default=True, help="Share of the rows."
)
@click.option("--division", default="", help="Area (GB/T 2260 prefix) in which the parties are registered.")
@click.option("--mapping", default=None, help="Use this mapping. Default: the one that fits the headings.")
@click.option("--size", type=click.IntRange(1), default=10_000, show_default=True, help="Without a FILE: names to try.")
@click.option("--seed", type=int, default=1, show_default=True, help="Which rows are hidden, which noise is planted.")
@as_json
def measure(
    file: Path | None, hide: float, division: str, mapping: str | None, size: int, seed: int, as_json: bool
) -> None:
    """Measure matching by name: hide the numbers of a FILE's coded rows and see whom their names alone would find.

    Without a FILE: names of the registered enterprises with planted noise. Reads the registry and stores nothing.
    """
    with support.connected() as settings:
        if file is None:
            found = matching_quality.of_noise(size=size, seed=seed)
        else:
            opened = open_source(file, mapping=mapping)
            found = matching_quality.of_file(
                opened,
                division=division,
                hide=hide,
                seed=seed,
                today=support.today(settings),
                key=privacy.key(settings),
            )
    if as_json:
        support.emit(found.to_dict())
        return
    for name, value in found.to_dict().items():
        click.echo(f"{name}: {value}")


def who(settings: Settings) -> Who:
    """Who decides at the terminal."""
    return Who(support.actor(), support.today(settings), clock.now(), grading.schemes(settings))


def _tell(taken: list[Decided], as_json: bool) -> None:
    rows = [
        {"decision": one.decision.id, "verb": one.decision.verb, "said": one.said, "rows": one.rows} for one in taken
    ]
    if as_json:
        support.emit(rows)
        return
    for one in taken:
        click.echo(f"decision {one.decision.id} ({one.decision.verb}): {one.said}, {rows_of(one.rows)}.")


def _row(row: Unmatched, settings: Settings) -> dict[str, Any]:
    return {
        "id": row.id, "kind": row.kind, "source": row.source, "import": row.run.id if row.run else None, "row": row.row,
        "reason": row.reason, "division": row.division,
        # Masked when it was stored; masked again, because what is printed is copied around.
        "name": mask_personal(row.party_name), "code": mask_personal(row.party_code),
        "waiting_since": support.moment(row.waiting_since, settings),
    }  # fmt: skip


def said(row: Unmatched) -> dict[str, Any]:
    """What a waiting row says, as a regulator sees a record: that by which an officer tells whom it is about."""
    kind, statement = KINDS[row.kind], queue_service.statement_of(row.kind, row.fields)
    columns = {name: getattr(statement, name) for name in ("code", "severity", "amount_fen", "happened_on", "ends_on", "document_no", "organ", "detail")}  # fmt: skip
    found = seen_by(kind, columns, REGULATOR)
    if not found:
        return {"line": "", "document_no": "", "happened_on": None, "organ": statement.organ, "detail": {}}
    line = found["line"]
    yuan = {"amount_yuan": f"{found['amount_fen'] / 100:,.2f}"} if found.get("amount_fen") else {}
    return {
        "line": f"{line.zh} {line.en}", "document_no": found["document_no"], "happened_on": found["happened_on"], "organ": found["organ"],
    } | yuan | {"detail": found["detail"]}  # fmt: skip


def candidate_row(one: Candidate) -> dict[str, Any]:
    entity = one.entity
    return {
        "score": one.score, "code": entity.code or entity.registration_no, "name": entity.name, "address": entity.address,
        "division": entity.division, "status": STATUS[entity.status], "why": ", ".join(one.why),
    }  # fmt: skip


def pair_row(one: merges.Proposal) -> dict[str, Any]:
    return {"loser": one.loser.code, "winner": one.winner.registration_no, "name": one.winner.name}
