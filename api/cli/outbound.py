"""`outbound`: batches to other platforms, their receipts, and how well organs report."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import click

from api.cli import support
from api.cli.support import DAY, as_json
from registry import clock, templates
from registry.cells.documents import printed_document_no
from registry.config import Settings
from registry.errors import NotAllowed
from registry.models import Outbound
from registry.services import outbound as service
from registry.services import receipts, reporting
from registry.services.exports import FileForm
from registry.services.outbound import Made
from registry.services.step_words import BATCH_STATES, ROW_STATES, both

RECIPIENTS = list(templates.recipients())
KINDS = sorted({kind for one in templates.recipients().values() for kind in one.templates})
FORM = click.option("--format", "form", type=click.Choice(["csv", "xlsx"]), default="csv", show_default=True)


@click.group("outbound")
def outbound() -> None:
    """Batches of records to Credit China, NECIPS and sharing platforms 双公示报送.

    \b
    Example:
      xinheng outbound make --recipient credit_china --kind penalty --organ 信衡市市场监督管理局 .
      xinheng outbound sent 1 && xinheng outbound answer 1 receipt.csv && xinheng outbound resend 1 .
    """


@outbound.command(
    "make",
    epilog="Example: xinheng outbound make --recipient credit_china --kind penalty --organ 信衡市市场监督管理局 .",
)
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--recipient", required=True, type=click.Choice(RECIPIENTS), help="Platform that the batch goes to.")
@click.option("--kind", required=True, type=click.Choice(KINDS), help="Kind of record.")
@click.option("--organ", required=True, help="Organ whose records are sent.")
@click.option("--template", default=None, help="Default: the template of the recipient.")
@FORM
@as_json
def make(
    target: Path, recipient: str, kind: str, organ: str, template: str | None, form: FileForm, as_json: bool
) -> None:
    """Make a batch of what is new or corrected for a recipient, and write it to TARGET (a file or a folder).

    A record goes once in each wording. To Credit China and NECIPS goes what is published there; the rest is left out, said,
    and goes with a later batch.
    """
    with support.connected() as settings:
        made = service.make(recipient, kind, organ=organ, form=form, template=template, **_doing(settings))
        path = _copy(made.batch, target, settings)
        _tell(made, path, settings, as_json=as_json)


@outbound.command("resend", epilog="Example: xinheng outbound resend 12 .")
@click.argument("number", type=click.IntRange(1))
@click.argument("target", type=click.Path(path_type=Path))
@FORM
@as_json
def resend(number: int, target: Path, form: FileForm, as_json: bool) -> None:
    """Make a batch of the refused rows of batch NUMBER, in their present wording, and write it to TARGET."""
    with support.connected() as settings:
        made = service.resend(number, organ=None, form=form, **_doing(settings))
        path = _copy(made.batch, target, settings)
        _tell(made, path, settings, as_json=as_json)


@outbound.command("sent", epilog="Example: xinheng outbound sent 12 --on 2026-11-21")
@click.argument("number", type=click.IntRange(1))
@click.option("--on", "day", type=DAY, default=None, help="Day on which it was sent. Default: today.")
@as_json
def sent(number: int, day: date | None, as_json: bool) -> None:
    """Put on record that batch NUMBER was sent. Safe to repeat."""
    with support.connected() as settings:
        today = support.today(settings)
        batch = service.sent(number, organ=None, on=day or today, today=today, now=clock.now(), actor=support.actor())
        shown = _row(service.shown(batch), settings)
    if as_json:
        support.emit(shown)
    else:
        click.echo(f"Batch {number} was sent on {shown['sent_on']}.")


@outbound.command("answer", epilog="Example: xinheng outbound answer 12 receipt.csv")
@click.argument("number", type=click.IntRange(1))
@click.argument("receipt", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@as_json
def answer(number: int, receipt: Path, as_json: bool) -> None:
    """Store the recipient's receipt for batch NUMBER: a table with 行号 or 文书号, 结果 and 原因. All of it or nothing."""
    answers = receipts.read(receipt)
    with support.connected() as settings:
        batch = service.answer(
            number, answers, organ=None, today=support.today(settings), now=clock.now(), actor=support.actor()
        )
        shown = _row(service.shown(batch), settings)
    if as_json:
        support.emit(shown)
    else:
        click.echo(
            f"Batch {number}: {shown['accepted']:,} accepted, {shown['refused']:,} refused, {shown['open']:,} not answered."
        )
        if shown["refused"]:
            click.echo(
                f"Why: xinheng outbound show {number} --refused. Correct those, then xinheng outbound resend {number} ."
            )


@outbound.command("list", epilog="Example: xinheng outbound list --organ 信衡市市场监督管理局 --json")
@click.option("--organ", default=None, help="Only of this organ.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@as_json
def list_batches(organ: str | None, limit: int, as_json: bool) -> None:
    """List batches, newest first."""
    with support.connected() as settings:
        rows = [_row(one, settings) for one in service.page(organ=organ, after=None, limit=limit).items]
    if as_json:
        support.emit(rows)
        return
    names = ("id", "recipient", "kind", "organ", "state", "rows", "accepted", "refused", "sent_on", "resend_of")
    headings = [
        "编号 id",
        "平台 recipient",
        "类别 kind",
        "机关 organ",
        "状态 state",
        "条 rows",
        "接收 accepted",
        "退回 refused",
        "报送 sent",
        "重报 resend of",
    ]
    shown = [{**row, "state": both(BATCH_STATES, row["state"])} for row in rows]
    support.table(headings, [[row[name] for name in names] for row in shown])


@outbound.command("show", epilog="Example: xinheng outbound show 12 --refused")
@click.argument("number", type=click.IntRange(1))
@click.option("--refused", is_flag=True, help="Only the rows that were refused.")
@as_json
def show(number: int, refused: bool, as_json: bool) -> None:
    """One batch and its rows: what the recipient said of each, and why it refused it."""
    with support.connected() as settings:
        batch = service.get(number, organ=None)
        head, rows = _row(service.shown(batch), settings), service.rows(batch)
    if refused:
        rows = [row for row in rows if row["said"] == "refused"]
    if as_json:
        names = ("row", "seq", "document_no", "decided_on", "due_on", "said", "reason")
        support.emit({**head, "items": [{name: row[name] for name in names} for row in rows]})
        return
    click.echo(
        f"{head['id']}: {templates.recipient(head['recipient']).title} {head['recipient']}, {head['organ']}, "
        f"{both(BATCH_STATES, head['state'])}: {head['rows']:,} records, {head['accepted']:,} accepted, {head['refused']:,} refused, "
        f"{head['open']:,} not answered"
    )
    support.table(
        ["行号 row", "记录 ledger row", "文书号 document", "应报 due", "回执 said", "原因 reason"],
        [
            [row["row"], row["seq"], printed_document_no(row["document_no"]), row["due_on"], both(ROW_STATES, row["said"]), row["reason"]]
            for row in rows
        ],
    )  # fmt: skip
    if head["refused"]:
        click.echo(f"Refused rows: correct them, then xinheng outbound resend {number} .", err=True)


@outbound.command(
    "rates", epilog="Example: xinheng outbound rates --recipient credit_china --kind penalty --from 2026-01-01"
)
@click.option("--recipient", type=click.Choice(RECIPIENTS), default="credit_china", show_default=True)
@click.option("--kind", type=click.Choice(KINDS), default="penalty", show_default=True)
@click.option("--organ", default=None, help="Only of this organ.")
@click.option("--from", "first", type=DAY, default=None, help="First day of decision. Default: a year ago.")
@click.option("--to", "last", type=DAY, default=None, help="Last day of decision. Default: today.")
@as_json
def rates(recipient: str, kind: str, organ: str | None, first: date | None, last: date | None, as_json: bool) -> None:
    """How well organs report: sent, late by 7 and by 20 working days, refused, overdue, by organ and month of decision."""
    with support.connected() as settings:
        today = support.today(settings)
        found = reporting.rates(
            recipient,
            kind,
            organ=organ,
            first=first or date(today.year - 1, today.month, 1),
            last=last or today,
            today=today,
        )
    rows = [
        {"organ": one.organ, "month": one.month, **{name: getattr(one, name) for name in reporting.COUNTS}}
        for one in found
    ]
    if as_json:
        support.emit(rows)
        return
    support.table(
        [
            "机关 organ",
            "月份 month",
            "已报 sent",
            "超7日 late",
            "超20日 late",
            "接收 accepted",
            "退回 refused",
            "逾期未报 overdue",
        ],
        [list(row.values()) for row in rows],
    )


def _doing(settings: Settings) -> dict[str, Any]:
    return {
        "folder": settings.path(settings.exchange.outbound), "today": support.today(settings), "now": clock.now(),
        "actor": support.actor(),
    }  # fmt: skip


def _copy(batch: Outbound, target: Path, settings: Settings) -> Path:
    """The file of a batch where it was asked for; our own copy stays. What is there already is not written over."""
    kept = service.file_of(batch, settings.path(settings.exchange.outbound))
    path = target / f"{batch.recipient}-{batch.kind}-{batch.id}{kept.suffix}" if target.is_dir() else target
    if path.exists():
        raise NotAllowed(
            f"Batch {batch.id} was made, and {path} is there already. The batch itself is {kept}: copy it from there."
        )
    shutil.copyfile(kept, path)
    return path


def _tell(made: Made, path: Path, settings: Settings, *, as_json: bool) -> None:
    shown = _row(service.shown(made.batch), settings)
    if as_json:
        support.emit({**shown, "file": str(path), "left_out": made.left_out})
        return
    click.echo(f"Batch {shown['id']} for {shown['recipient']}: {shown['rows']:,} records in {path}.")
    for why, count in made.left_out.items():
        click.echo(f"{count:,} left out: {why}. They go with a later batch once that is mended.", err=True)
    click.echo(f"When it is sent: xinheng outbound sent {shown['id']}")


def _row(shown: dict[str, Any], settings: Settings) -> dict[str, Any]:
    return {**shown, "made_at": support.moment(shown["made_at"], settings)}
