"""`document`: documents read, printed and issued; their delivery on record."""

from datetime import date
from pathlib import Path

import click

from api.cli import support
from api.cli.listings import desk_of
from api.cli.support import DAY, as_json
from registry.database import write
from registry.models import Delivery, Document
from registry.services import deliveries, documents, entities, numbering, printing


@click.group("document")
def document() -> None:
    """Numbered documents: read, print, issue, and put their delivery on record.

    \b
    Example:
      xinheng document show 信市监异入〔2026〕1号 --html decision.html
    """


def named(key: str) -> Document:
    """A document by id or printed number."""
    return documents.get(int(key) if key.isascii() and key.isdigit() else key)


@document.command("list", epilog="Example: xinheng document list --type abnormal_enter")
@click.option("--organ", default=None, help="Only of this organ.")
@click.option("--code", default=None, help="Only to this party.")
@click.option("--type", "type_", type=click.Choice(list(documents.templates())), default=None)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@as_json
def list_documents(organ: str | None, code: str | None, type_: str | None, limit: int, as_json: bool) -> None:
    """Documents, newest first."""
    with support.connected():
        entity = entities.get(code).id if code else None
        found = documents.page(organ=organ, entity=entity, type_=type_ or "", limit=limit)
        parties = documents.parties(found.items)
        rows = [
            {
                "id": one.id, "number": one.printed_no, "title": one.title, "name": parties[one.entity].name if one.entity in parties else "",
                "issued_on": one.issued_on,
            }
            for one in found.items
        ]  # fmt: skip
    if as_json:
        support.emit(rows)
        return
    support.table(
        ["编号 id", "文书号 number", "文书 title", "当事人 party", "日期 issued"], [list(row.values()) for row in rows]
    )


@document.command("show", epilog="Example: xinheng document show 信市监异入〔2026〕1号")
@click.argument("key", metavar="NUMBER")
@click.option(
    "--html",
    "html_path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Write it as a page to print.",
)
@as_json
def show(key: str, html_path: Path | None, as_json: bool) -> None:
    """Print a document, by its id or its number, with its deliveries and the last days of its remedies."""
    with support.connected():
        found = named(key)
        attempts, clock_ = deliveries.of(found), deliveries.remedies(found)
        unchanged = documents.unchanged(found)
    if html_path is not None:
        html_path.write_text(printing.as_html(found), encoding="utf-8")
        click.echo(f"{found.printed_no}: {html_path}", err=True)
    if as_json:
        ends = None if clock_ is None else {"delivered_on": clock_.delivered_on, "reconsider_by": clock_.reconsider_by, "sue_by": clock_.sue_by}  # fmt: skip
        sent = [{"id": one.id, "method": one.method, "sent_on": one.sent_on, "delivered_on": one.delivered_on, "failed_because": one.failed_because} for one in attempts]  # fmt: skip
        support.emit({"id": found.id, "number": found.printed_no, "type": found.type, "text": found.text, "unchanged": unchanged, "deliveries": sent, "remedies": ends})  # fmt: skip
        return
    if html_path is None:
        click.echo(found.text)
    for one in attempts:
        end = (
            f"送达 {one.delivered_on}"
            if one.delivered_on
            else f"未送达：{one.failed_because}"
            if one.failed_because
            else "在途"
        )
        click.echo(f"[{deliveries.METHODS[one.method]} {one.sent_on}，{end}，delivery {one.id}]", err=True)
    if clock_ is not None:
        click.echo(f"[行政复议至 {clock_.reconsider_by}，行政诉讼至 {clock_.sue_by}]", err=True)
    if not unchanged:
        click.echo("The text is not the one that was issued: run `xinheng verify`.", err=True)


@document.command(
    "issue",
    epilog="Example: xinheng document issue contact_letter 91990101MA0000016K --set facts=请与本机关联系。 --organ 信衡市市场监督管理局",
)
@click.argument("type_", metavar="TYPE", type=click.Choice(documents.FREE))
@click.argument("code")
@click.option("--set", "given", multiple=True, metavar="NAME=TEXT", help="A variable of the template; repeatable.")
@click.option("--organ", required=True, help="The organ that issues it.")
@as_json
def issue(type_: str, code: str, given: tuple[str, ...], organ: str, as_json: bool) -> None:
    """Issue an order, a letter or a notice. Each call takes a number: not safe to repeat. Decisions come from their cases."""
    with support.connected() as settings:
        variables = dict(one.partition("=")[::2] for one in given)
        made = documents.issue_free(type_, entities.get(code), variables, desk=desk_of(settings, organ))
    if as_json:
        support.emit({"id": made.id, "number": made.printed_no})
    else:
        click.echo(f"{made.printed_no}. Now: xinheng document send {made.id} --method post --on {made.issued_on}")


@document.command("send", epilog="Example: xinheng document send 12 --method post --on 2026-11-20")
@click.argument("key", metavar="NUMBER")
@click.option("--method", type=click.Choice(list(deliveries.METHODS)), required=True)
@click.option("--on", "sent_on", type=DAY, default=None, help="Default: today.")
@as_json
def send(key: str, method: str, sent_on: date | None, as_json: bool) -> None:
    """Put on record that a document was sent. Safe to repeat.

    \b
    Methods: direct 直接  post 邮寄  electronic 电子  special_letter 专用信函  public_notice 公告  left 留置
    """
    with support.connected() as settings:
        found = named(key)
        desk = desk_of(settings, found.organ)
        made, new = deliveries.send(found, method=method, sent_on=sent_on or desk.today, desk=desk)
    _tell(made, new, as_json)


@document.command("delivered", epilog="Example: xinheng document delivered 5 --on 2026-11-21 --proof 送达回证")
@click.argument("delivery", type=int)
@click.option("--on", "delivered_on", type=DAY, default=None, help="Default: today.")
@click.option("--proof", required=True, help="What proves it: receipt, tracking number, photograph.")
@as_json
def delivered(delivery: int, delivered_on: date | None, proof: str, as_json: bool) -> None:
    """Put on record that DELIVERY reached its party: the clock of the remedies starts. Safe to repeat."""
    with support.connected() as settings:
        desk = desk_of(settings, _organ(delivery))
        made, new = deliveries.succeeded(delivery, delivered_on=delivered_on or desk.today, proof=proof, desk=desk)
    _tell(made, new, as_json)


@document.command("failed", epilog="Example: xinheng document failed 5 --because 无人签收退回")
@click.argument("delivery", type=int)
@click.option("--because", required=True)
@as_json
def failed(delivery: int, because: str, as_json: bool) -> None:
    """Put on record that DELIVERY did not reach its party. Safe to repeat."""
    with support.connected() as settings:
        made, new = deliveries.failed(delivery, because=because, desk=desk_of(settings, _organ(delivery)))
    _tell(made, new, as_json)


@document.command(
    "begin-series",
    epilog="Example: xinheng document begin-series abnormal_enter --last 119 --organ 信衡市市场监督管理局",
)
@click.argument("type_", metavar="TYPE", type=click.Choice(list(documents.templates())))
@click.option(
    "--last", type=click.IntRange(1, 10**8), required=True, help="Last number that the other system gave this year."
)
@click.option("--year", type=click.IntRange(2000, 2100), default=None, help="Default: this year.")
@click.option("--organ", required=True)
def begin_series(type_: str, last: int, year: int | None, organ: str) -> None:
    """Let a series go on after the last number of another system; only before its first document here."""
    with support.connected() as settings:
        desk = desk_of(settings, organ)
        word = desk.organ.word + documents.template(type_).series
        with write():
            numbering.begin(word, year or desk.today.year, last)
    click.echo(f"The next is {numbering.printed(word, year or desk.today.year, last + 1)}")


def _organ(delivery: int) -> str:
    found = Delivery.get_or_none(Delivery.id == delivery)
    if found is None:
        raise deliveries.DeliveryNotFound(f"There is no delivery {delivery}. `xinheng document show` names them.")
    return str(documents.get(int(found.document_id)).organ)


def _tell(made: Delivery, new: bool, as_json: bool) -> None:
    if as_json:
        support.emit({"delivery": made.id, "said": "done" if new else "unchanged", "delivered_on": made.delivered_on})
    else:
        click.echo(f"Delivery {made.id}{'' if new else ': unchanged'}")
