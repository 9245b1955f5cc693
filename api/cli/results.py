"""`result` and `lead`: results of visits and the case leads that they give, at a terminal."""

import hashlib
import secrets
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import click
import orjson
from marshmallow import ValidationError

from api.cli import support
from api.cli.support import DAY, as_json
from registry import clock
from registry.config import Settings
from registry.kinds.spot_check import OUTCOMES
from registry.models import CaseLead, VisitResult
from registry.services import case_leads, result_follow, result_publish, result_recheck, result_review, results, visits
from registry.services.result_entry import DISPOSALS, Entry
from registry.services.results import STATES, Desk

ORGAN = click.option("--organ", required=True, help="The organ whose result it is 检查机关.")
_OUTCOMES = ", ".join(f"{number} {label.zh}" for number, (_, label) in OUTCOMES.items())
FOLLOWED = {
    "abnormal_listing": "列入经营异常名录立案 listing case", "case_lead": "案件线索 case lead", "order": "责令改正 order to correct",
    "recheck": "复查 re-check, visit", "copied": "抄告 copied to",
}  # fmt: skip
PIECE = 1 << 20


@click.group(epilog="Example: xinheng result list --soon")
def result() -> None:
    """Results of visits 检查结果: entered by one person, approved by another, published within 20 working days."""


@result.command(
    epilog="Example: xinheng result enter 7 --organ 信衡市市场监督管理局 --all-clear; or with a FILE as POST "
    "/api/v1/visits/7/results takes it"
)
@click.argument("visit", type=int)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@ORGAN
@click.option("--all-clear", is_flag=True, help="Nothing was found in any item: every question is answered ok.")
@click.option("--outcome", type=int, default=None, help=f"What it came to 检查结果: {_OUTCOMES}.")
@click.option("--disposal", type=click.Choice(list(DISPOSALS)), default=None, help="What follows 后续处理.")
@click.option("--correct-by", type=DAY, default=None, help="Last day of an order to correct.")
@click.option("--copied-to", default=None, help="The organ that is told, with disposal copied.")
@click.option("--said", default=None, help="In words; of an order what is demanded. Personal numbers are masked.")
@click.option("--version", type=int, default=None, help="Version of the result that this one replaces.")
@as_json
def enter(
    visit: int, file: Path | None, organ: str, all_clear: bool, outcome: int | None, disposal: str | None, correct_by: date | None,
    copied_to: str | None, said: str | None, version: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Enter what an organ found at a VISIT that was started. Answers by question, problems and photos come from a JSON FILE."""
    given = {} if file is None else _read(file)
    beside = {
        "outcome": outcome, "disposal": disposal, "correct_by": correct_by, "copied_to": copied_to, "said": said,
        "all_clear": all_clear or None,
    }  # fmt: skip
    given |= {name: value for name, value in beside.items() if value is not None}
    seen = version or given.pop("version", None)
    entry = Entry(**{one.name: given[one.name] for one in fields(Entry) if one.name in given})
    with support.connected() as settings:
        desk = desk_of(settings)
        _tell(*results.enter(visit, entry, organ=organ, version=seen, desk=desk), desk, as_json)


@result.command(epilog="Example: xinheng result show 7")
@click.argument("visit", type=int)
@as_json
def show(visit: int, as_json: bool) -> None:
    """What is to be entered of a VISIT, by organ and item with its questions, and what was entered."""
    with support.connected() as settings:
        found = results.sheet(visits.get(visit, organ=""), support.today(settings))
    if as_json:
        support.emit(found)
        return
    click.echo(f"Visit {visit}: {visits.STATES[found['state']]} {found['state']}, {found['visited_on'] or 'not begun'}")
    for one in found["organs"]:
        click.echo(f"{one['organ']}: {_line(one['result']) if one['result'] else '未录入 nothing entered'}")
        answers = {
            (row["item"], answer["question"]): answer
            for row in (one["result"] or {"items": []})["items"]
            for answer in row["answers"]
        }
        for item in one["items"]:
            click.echo(f"  {item['name']}")
            for question in item["questions"]:
                answer = answers.get((item["code"], question["code"]), {"answer": "–", "said": ""})
                click.echo(
                    f"    {question['code']} {question['text']}: {answer['answer']} {answer['said']}".rstrip().rstrip(
                        ":"
                    )
                )


@result.command("list", epilog="Example: xinheng result list --soon --organ 信衡市市场监督管理局")
@click.option("--organ", default="", help="Only of this organ.")
@click.option("--state", type=click.Choice(list(STATES)), default=None)
@click.option("--soon", is_flag=True, help="Only those not published and near or past their last day.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many.")
@as_json
def list_(organ: str, state: str | None, soon: bool, limit: int, as_json: bool) -> None:
    """Results, those first that must be published first."""
    with support.connected() as settings:
        found = results.page(support.today(settings), organ=organ, state=state or "", soon=soon, limit=limit).items
    if as_json:
        support.emit({"items": found})
        return
    columns = ["visit", "organ", "code", "outcome", "disposal", "state", "publish_by", "overdue", "version"]
    support.table(columns, [[one[name] if name != "overdue" else _late(one) for name in columns] for one in found])


@result.command("return", epilog="Example: xinheng result return 7 --organ 信衡市市场监督管理局 --opinion 未说明批次")
@click.argument("visit", type=int)
@ORGAN
@click.option("--opinion", required=True, help="What is wrong, so that it can be mended.")
@as_json
def return_(visit: int, organ: str, opinion: str, as_json: bool) -> None:
    """Return a result of a VISIT to who entered it. Another person than that. Safe to repeat."""
    with support.connected() as settings:
        desk = desk_of(settings)
        _tell(*result_review.return_(visit, organ, opinion=opinion, desk=desk), desk, as_json)


@result.command(epilog="Example: xinheng result approve 7 --organ 信衡市市场监督管理局")
@click.argument("visit", type=int)
@ORGAN
@click.option("--opinion", default="", help="What is added.")
@as_json
def approve(visit: int, organ: str, opinion: str, as_json: bool) -> None:
    """Approve a result of a VISIT: a record of the ledger, a new grade, and what follows. Another person than entered it."""
    with support.connected() as settings:
        desk = desk_of(settings)
        row, followed, new = result_review.approve(visit, organ, opinion=opinion, desk=desk)
        _tell(row, new, desk, as_json, followed=followed)


@result.command(epilog="Example: xinheng result publish 7 --organ 信衡市市场监督管理局")
@click.argument("visit", type=int)
@ORGAN
@as_json
def publish(visit: int, organ: str, as_json: bool) -> None:
    """Publish an approved result of a VISIT now; the job publish_results does it before its last day. Safe to repeat."""
    with support.connected() as settings:
        desk = desk_of(settings)
        row, channels, new = result_publish.publish(visit, organ, desk=desk)
        told = [{"channel": one.channel, "said": one.said, "cause": one.cause} for one in channels]
        _tell(row, new, desk, as_json, channels=told)


@result.command(epilog="Example: xinheng result follow 7 --organ 信衡市市场监督管理局")
@click.argument("visit", type=int)
@ORGAN
@as_json
def follow(visit: int, organ: str, as_json: bool) -> None:
    """Do what of an approved result was refused before, now that the reason is gone. Safe to repeat."""
    with support.connected() as settings:
        followed = result_follow.again(visit, organ, desk=desk_of(settings))
    if as_json:
        support.emit({"followed": followed})
        return
    _followed(followed)


@result.command(epilog="Example: xinheng result recheck 7 --organ 信衡市市场监督管理局 --grant")
@click.argument("visit", type=int)
@ORGAN
@click.option("--grant/--refuse", required=True, help="With a visit of its own, or with an answer in words only.")
@click.option("--said", default="", help="The answer; needed where it is refused.")
@as_json
def recheck(visit: int, organ: str, grant: bool, said: str, as_json: bool) -> None:
    """Answer the re-check that the enterprise asked for (POST /api/v1/own/results/VISIT/recheck). Safe to repeat."""
    with support.connected() as settings:
        made, new = result_recheck.answer(visit, organ, granted=grant, said=said, desk=desk_of(settings))
    told = {"said": "done" if new else "unchanged", "granted": grant, "visit": made.id if made else None}
    if as_json:
        support.emit(told | {"by": made.recheck_by if made else None})
        return
    what = f"复查 visit {made.id}, by {made.recheck_by}" if made else "不予复查 answered in words"
    click.echo(f"{what}{'' if new else ' – unchanged'}")


@result.command(epilog="Example: xinheng result photo IMG_0001.jpg --visit 7 --organ 信衡市市场监督管理局")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--visit", type=int, default=None, help="Check the file against the result of this visit …")
@click.option("--organ", default="", help="… of this organ.")
@click.pass_context
def photo(ctx: click.Context, file: Path, visit: int | None, organ: str) -> None:
    """The hash of a photo, as `photos` of a result takes it; with --visit whether that result has it (exit status 1: no)."""
    digest, size = _digest(file)
    support.emit({"sha256": digest, "name": file.name, "bytes": size})
    if visit is None:
        return
    with support.connected():
        kept = results.photo(results.get(visit, organ), digest)
    where = f"the result of {organ} of visit {visit}"
    click.echo(
        f"This very file is in {where}, as {kept['name']}." if kept else f"No photo of {where} is this file: it was changed, or is another one.",
        err=True,
    )  # fmt: skip
    ctx.exit(0 if kept else 1)


@click.group(epilog="Example: xinheng lead list --overdue")
def lead() -> None:
    """Case leads 案件线索 that visits found: taken over as cases, or closed with a reason."""


@lead.command("list", epilog="Example: xinheng lead list --state open")
@click.option("--organ", default="", help="Only of this organ.")
@click.option("--state", type=click.Choice(list(case_leads.STATES)), default=None)
@click.option("--overdue", is_flag=True, help="Only open ones past their last day.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many.")
@as_json
def list_leads(organ: str, state: str | None, overdue: bool, limit: int, as_json: bool) -> None:
    """Leads, oldest first."""
    with support.connected() as settings:
        found = case_leads.page(
            support.today(settings), organ=organ, state=state or "", overdue=overdue, limit=limit
        ).items
    if as_json:
        support.emit({"items": found})
        return
    columns = ["id", "visit", "organ", "code", "kind", "state", "opened_on", "due", "overdue", "record"]
    support.table(columns, [[one[name] if name != "overdue" else _late(one) for name in columns] for one in found])


@lead.command(epilog="Example: xinheng lead file 3 --record 1024 --said 已立案调查")
@click.argument("number", type=int)
@click.option(
    "--record", type=int, default=None, help="Ledger number of the penalty that came of it; may follow later."
)
@click.option("--said", default="", help="What is added.")
@as_json
def file(number: int, record: int | None, said: str, as_json: bool) -> None:
    """Take a lead (NUMBER) over as a case 立案, and name its penalty, at once or later. Safe to repeat."""
    with support.connected() as settings:
        desk = desk_of(settings)
        _tell_lead(*case_leads.file(number, said=said, record=record, desk=desk), desk, as_json)


@lead.command(epilog="Example: xinheng lead close 3 --said 违法事实不成立")
@click.argument("number", type=int)
@click.option("--said", required=True, help="Why it is no case.")
@as_json
def close(number: int, said: str, as_json: bool) -> None:
    """Close a lead (NUMBER) that becomes no case. Safe to repeat."""
    with support.connected() as settings:
        desk = desk_of(settings)
        _tell_lead(*case_leads.close(number, said=said, desk=desk), desk, as_json)


def desk_of(settings: Settings) -> Desk:
    """Where the person at the terminal works: for every organ."""
    return Desk(support.actor(), "", support.today(settings), clock.now(), settings, secrets.token_bytes(32))


def _read(file: Path) -> dict[str, Any]:
    """An entry from a JSON file, checked as the API checks it."""
    from api.schemas.results import ResultIn

    try:
        found = orjson.loads(file.read_bytes())
        checked: dict[str, Any] = ResultIn().load(found)
    except orjson.JSONDecodeError as error:
        raise click.UsageError(f"{file} is not valid JSON: {error}. Mend it.") from error
    except ValidationError as error:
        raise click.UsageError(f"{file}: {error.messages}. docs/results.md shows the form.") from error
    return {name: value for name, value in checked.items() if name in found}


def _digest(file: Path) -> tuple[str, int]:
    whole, size = hashlib.sha256(), 0
    with file.open("rb") as opened:
        while piece := opened.read(PIECE):
            whole.update(piece)
            size += len(piece)
    return whole.hexdigest(), size


def _late(one: dict[str, Any]) -> str:
    return "逾期 overdue" if one["overdue"] else ""


def _line(one: dict[str, Any]) -> str:
    found = one["serious_found"] + one["problems_found"] + one["minor_found"]
    disposal = DISPOSALS[one["disposal"]]
    record = f", record {one['seq']}" if one["seq"] else ""
    return (
        f"{one['outcome']} {one['outcome_title']['zh']}, {found} problems, {disposal.zh} {one['disposal']}, {STATES[one['state']]} {one['state']} "
        f"(version {one['version']}){record}, publish by {one['publish_by']}{' 逾期 overdue' if _late(one) else ''}"
    )


def _tell(row: VisitResult, new: bool, desk: Desk, as_json: bool, **more: Any) -> None:
    found = results.shown(row, desk.today)
    if as_json:
        support.emit({"done": "done" if new else "unchanged", **found, **more})
        return
    click.echo(f"Result of visit {found['visit']}: {_line(found)}{'' if new else ' – unchanged'}")
    _followed(more.get("followed", ()))
    for one in more.get("channels", ()):
        click.echo(f"  {one['channel']}: {one['said']} {one['cause']}".rstrip())


def _followed(followed: Any) -> None:
    for one in followed:
        number = f" {one['number']}" if one["number"] is not None else ""
        said = " 未能办理 refused:" if one["said"] == "refused" else ""
        click.echo(f"  {FOLLOWED[one['what']]}{number}{said} {one['why']}".rstrip())


def _tell_lead(row: CaseLead, new: bool, desk: Desk, as_json: bool) -> None:
    found = case_leads.shown(row, desk.today)
    if as_json:
        support.emit({"done": "done" if new else "unchanged", **found})
        return
    record = f", penalty {found['record']}" if found["record"] else ""
    click.echo(
        f"Lead {found['id']}: {found['code']} {found['name']}, {case_leads.STATES[found['state']]} {found['state']}{record}{'' if new else ' – unchanged'}"
    )
