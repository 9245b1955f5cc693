"""`listing`: candidates, cases of listing, removal and correction, batches, reminders and numbers of the two lists."""

import csv
from datetime import date
from pathlib import Path
from typing import Any

import click

from api.cli import REFUSED, support
from api.cli.support import DAY, as_json
from api.cli.understanding import rows_of
from registry import clock
from registry.config import Settings
from registry.errors import BadFile
from registry.kinds.registration import SUBJECTS
from registry.models import ListingCase
from registry.services import (
    abnormal_list,
    documents,
    grading,
    listing_batches,
    listing_cases,
    listings,
    reminders,
    serious_list,
)
from registry.services.documents import Desk
from registry.services.step_words import LIST_ACTIONS, LIST_NAMES, both
from registry.sheets import write_csv

LISTS = click.Choice(["abnormal", "serious"])
BATCH_HEADINGS = ["统一社会信用代码 code", "名称 name", "主体类型 subject", "区划 division", "理由 reason"]
BY = click.option("--organ", required=True, help="The organ that lists 列入机关, as [listings] organs names it.")


@click.group("listing")
def listing() -> None:
    """List, remove and correct on the abnormal-operation and serious-violation lists, by two persons.

    \b
    Example:
      xinheng listing candidates --ground 1 --year 2025 --csv plan.csv
    """


def desk_of(settings: Settings, organ: str) -> Desk:
    """Where the person at the terminal works."""
    return documents.desk(
        settings, organ=organ, actor=support.actor(), today=support.today(settings), now=clock.now(), schemes=grading.schemes(settings)
    )  # fmt: skip


def tell(case: ListingCase, new: bool, as_json: bool) -> None:
    """What became of a case."""
    if as_json:
        support.emit(
            {"case": case.id, "state": case.state, "said": "done" if new else "unchanged", "steps": case.steps}
        )
        return
    document = next((step["document"] for step in reversed(case.steps) if "document" in step), None)
    click.echo(f"Case {case.id}: {listing_cases.shown(case)}{'' if new else ' – unchanged'}")
    if new and document is not None and case.steps[-1].get("document") == document:
        click.echo(f"{documents.get(int(document)).printed_no}. Now: xinheng document show {document}", err=True)


@listing.command(
    "candidates", epilog="Example: xinheng listing candidates --ground 1 --year 2025 --division 9901 --csv plan.csv"
)
@click.option(
    "--ground",
    type=click.Choice(["1", "4"]),
    default="1",
    show_default=True,
    help="1 no report, 4 not reached by two letters.",
)
@click.option("--year", type=int, default=None, help="Year of the report that is missing (ground 1).")
@click.option("--division", default="", help="Prefix of GB/T 2260.")
@click.option(
    "--csv",
    "csv_path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Write the plan as CSV, for `batch open`.",
)
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=None, help="At most so many.")
@as_json
def candidates(
    ground: str, year: int | None, division: str, csv_path: Path | None, limit: int | None, as_json: bool
) -> None:
    """Who may be listed: a plan, nothing is written. Who no feed of reports covers is counted as unknown, never listed."""
    if ground == "1" and year is None:
        raise click.UsageError("Ground 1 needs --year: the year of the report that is missing.")
    with support.connected() as settings:
        plan = listing_batches.candidates(
            ground=int(ground), year=year, today=support.today(settings), division=division, limit=limit
        )
    rows = [[one.code, one.name, one.subject, one.division, one.reason] for one in plan.items]
    if csv_path is not None:
        write_csv(csv_path, BATCH_HEADINGS, rows)
        click.echo(f"{len(rows):,} candidates: {csv_path}", err=True)
    if as_json:
        names = ("code", "name", "subject", "division", "reason")
        items = [dict(zip(names, row, strict=True)) for row in rows]
        support.emit({"ground": plan.ground, "year": plan.year, "unknown": plan.unknown, "items": items})
    elif csv_path is None:
        support.table(BATCH_HEADINGS, rows)
    if plan.unknown and not as_json:
        click.echo(
            f"{plan.unknown:,} subjects are not covered by a feed of annual reports: unknown, and no candidates.",
            err=True,
        )


@listing.command(
    "open",
    epilog="Example: xinheng listing open 91990101MA0000016K --ground 3 --facts 公示的联系电话虚假。 --organ 信衡市市场监督管理局",
)
@click.argument("code")
@click.option(
    "--ground",
    type=click.IntRange(1, 4),
    required=True,
    help="1 no report, 2 other information, 3 false, 4 cannot be contacted.",
)
@click.option("--year", type=int, default=None, help="Report year.")
@click.option("--order", default="", help="Number of the order that was not obeyed (ground 2).")
@click.option("--verified-on", type=DAY, default=None, help="Day of verification. Default: today.")
@click.option("--facts", required=True, help="What was found, as the document will say it.")
@BY
@as_json
def open_(
    code: str, ground: int, year: int | None, order: str, verified_on: date | None, facts: str, organ: str, as_json: bool
) -> None:  # fmt: skip
    """Open a case of listing on the abnormal-operation list. Safe to repeat."""
    with support.connected() as settings:
        desk = desk_of(settings, organ)
        tell(*abnormal_list.open_listing(code, ground=ground, year=year, order=order, verified_on=verified_on, facts=facts, desk=desk), as_json)  # fmt: skip


@listing.command(
    "open-serious",
    epilog="Example: xinheng listing open-serious 812 --article 7 --facts 情节严重。 --organ 信衡市市场监督管理局",
)
@click.argument("penalty", type=int)
@click.option("--article", type=click.IntRange(5, 11), required=True, help="Article of Order 44.")
@click.option("--heavier-because", default="", help="Discretion standard, where the kind of penalty does not show it.")
@click.option("--until", type=DAY, default=None, help="End of a longer statutory restriction.")
@click.option("--facts", required=True, help="What was found, as the document will say it.")
@BY
@as_json
def open_serious(
    penalty: int, article: int, heavier_because: str, until: date | None, facts: str, organ: str, as_json: bool
) -> None:  # fmt: skip
    """Open a case for the serious-violation list on PENALTY, the ledger number of a heavier penalty. Safe to repeat."""
    with support.connected() as settings:
        desk = desk_of(settings, organ)
        tell(*serious_list.open_listing(penalty, article=article, facts=facts, heavier_because=heavier_because, until=until, desk=desk), as_json)  # fmt: skip


@listing.command(
    "remove", epilog="Example: xinheng listing remove 812 --cause 1 --facts 已补报并公示。 --organ 信衡市市场监督管理局"
)
@click.argument("seq", type=int)
@click.option("--list", "list_", type=LISTS, default="abnormal", show_default=True)
@click.option("--cause", type=int, default=None, help="Cause of removal (abnormal): 1 to 5, or 7.")
@click.option("--proof", default="", help="What shows the cause, where the register does not.")
@click.option(
    "--condition",
    "conditions",
    multiple=True,
    metavar="NAME=TEXT",
    help="What shows a condition of an early removal (serious): application, duties, harm; repeatable.",
)
@click.option("--facts", required=True, help="What was found, as the document will say it.")
@BY
@as_json
def remove(
    seq: int, list_: str, cause: int | None, proof: str, conditions: tuple[str, ...], facts: str, organ: str, as_json: bool
) -> None:  # fmt: skip
    """Open a case of removal of the listing SEQ (its ledger number). Safe to repeat."""
    shown = dict(one.partition("=")[::2] for one in conditions)
    if strange := sorted(set(shown) - set(serious_list.CONDITIONS)):
        raise click.BadParameter(f"there is no condition {strange[0]!r}; there are {', '.join(serious_list.CONDITIONS)}", param_hint="--condition")  # fmt: skip
    if list_ == "abnormal" and cause is None:
        raise click.UsageError("A removal from the abnormal list needs --cause.")
    with support.connected() as settings:
        desk = desk_of(settings, organ)
        if list_ == "serious":
            said = serious_list.open_removal(seq, facts=facts, conditions=shown, desk=desk)
        else:
            said = abnormal_list.open_removal(seq, cause=cause or 0, facts=facts, proof=proof, desk=desk)
        tell(*said, as_json)


@listing.command(
    "correct", epilog="Example: xinheng listing correct 812 --facts 该户已按期报告。 --organ 信衡市市场监督管理局"
)
@click.argument("seq", type=int)
@click.option("--list", "list_", type=LISTS, default="abnormal", show_default=True)
@click.option("--facts", required=True, help="Why the listing was wrong, or that its penalty is gone.")
@BY
@as_json
def correct(seq: int, list_: str, facts: str, organ: str, as_json: bool) -> None:
    """Open a case of correction of the listing SEQ: agreed to, it leaves public view. Safe to repeat."""
    verb = abnormal_list.open_correction if list_ == "abnormal" else serious_list.open_withdrawal
    with support.connected() as settings:
        tell(*verb(seq, facts=facts, desk=desk_of(settings, organ)), as_json)


@listing.command("notice", epilog="Example: xinheng listing notice 7")
@click.argument("case", type=int)
@as_json
def notice(case: int, as_json: bool) -> None:
    """Issue the notice of intended listing of a serious-violation case. Safe to repeat."""
    with support.connected() as settings:
        found = listing_cases.get(case)
        tell(*serious_list.notify(case, desk=desk_of(settings, found.organ)), as_json)


@listing.command("heard", epilog="Example: xinheng listing heard 7 --statement 请求从轻处理。 --answer 不予采纳。")
@click.argument("case", type=int)
@click.option("--statement", default="", help="What the party stated. Left out: it stated nothing in its time.")
@click.option("--answer", default="", help="What came of it, and why.")
@as_json
def heard(case: int, statement: str, answer: str, as_json: bool) -> None:
    """Put on record what the party stated, or that it stated nothing. Safe to repeat."""
    with support.connected() as settings:
        found = listing_cases.get(case)
        tell(*serious_list.hear(case, statement=statement, answer=answer, desk=desk_of(settings, found.organ)), as_json)


@listing.command("propose", epilog="Example: xinheng listing propose 7 --opinion 事实清楚，建议列入。")
@click.argument("case", type=int)
@click.option("--opinion", required=True)
@as_json
def propose(case: int, opinion: str, as_json: bool) -> None:
    """Give the first opinion 初审 on a case. Another person audits it. Safe to repeat."""
    with support.connected() as settings:
        found = listing_cases.get(case)
        tell(*listings.propose(found, opinion=opinion, desk=desk_of(settings, found.organ)), as_json)


@listing.command(
    "approved-above",
    epilog="Example: xinheng listing approved-above 7 --by 信衡省市场监督管理局 --number 信省市监信〔2026〕1号 --on 2026-11-20",
)
@click.argument("case", type=int)
@click.option("--by", "superior", required=True, help="The superior organ 上级机关.")
@click.option("--number", required=True, help="Number of its approval.")
@click.option("--on", "approved_on", type=DAY, required=True)
@as_json
def approved_above(case: int, superior: str, number: str, approved_on: date, as_json: bool) -> None:
    """Put the approval of the next higher organ on record. Safe to repeat."""
    with support.connected() as settings:
        desk = desk_of(settings, listing_cases.get(case).organ)
        tell(
            *serious_list.approve_above(case, organ=superior, approval_no=number, approved_on=approved_on, desk=desk),
            as_json,
        )


@listing.command("audit", epilog="Example: xinheng listing audit 7 --agree --opinion 同意。")
@click.argument("case", type=int)
@click.option("--agree/--refuse", "agree", required=True)
@click.option("--opinion", required=True)
@as_json
def audit(case: int, agree: bool, opinion: str, as_json: bool) -> None:
    """Audit 审核 a proposed case, as another person than proposed it. Safe to repeat."""
    with support.connected() as settings:
        found = listing_cases.get(case)
        tell(*listings.decide(found, agree=agree, opinion=opinion, desk=desk_of(settings, found.organ)), as_json)


@listing.command("effect", epilog="Example: xinheng listing effect 7")
@click.argument("case", type=int)
@as_json
def effect(case: int, as_json: bool) -> None:
    """Let an approved serious-violation listing take effect, once its decision is delivered. Safe to repeat."""
    with support.connected() as settings:
        found = listing_cases.get(case)
        tell(*serious_list.take_effect(case, desk=desk_of(settings, found.organ)), as_json)


@listing.command("cases", epilog="Example: xinheng listing cases --state proposed")
@click.option("--organ", default=None, help="Only of this organ.")
@click.option("--state", type=click.Choice(list(listing_cases.STATES)), default=None)
@click.option("--list", "list_", type=LISTS, default=None)
@click.option("--batch", default="", help="Only of this batch.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@as_json
def cases(organ: str | None, state: str | None, list_: str | None, batch: str, limit: int, as_json: bool) -> None:
    """Cases, newest first."""
    with support.connected():
        found = listing_cases.page(organ=organ, state=state or "", list_=list_ or "", batch=batch, limit=limit)
        rows = [
            {
                "case": case.id, "list": case.list, "action": case.action, "code": party.code, "name": party.name, "ground": case.ground,
                "state": case.state, "opened_on": case.opened_on, "decide_by": case.decide_by, "proposed_by": case.proposed_by,
            }
            for case, party in found.items
        ]  # fmt: skip
    if as_json:
        support.emit(rows)
        return
    headings = ["案号 case", "名单 list", "事项 action", "代码 code", "名称 name", "原因 ground", "状态 state", "立案 opened", "期限 decide by", "初审 proposed by"]  # fmt: skip
    words = [
        {**row, "list": both(LIST_NAMES, str(row["list"])), "action": both(LIST_ACTIONS, str(row["action"])),
         "state": f"{listing_cases.STATES[str(row['state'])]} {row['state']}"}
        for row in rows
    ]  # fmt: skip
    support.table(headings, [list(row.values()) for row in words])


@listing.command("count", epilog="Example: xinheng listing count --division 9901 --json")
@click.option("--division", default="", help="Prefix of GB/T 2260.")
@as_json
def count(division: str, as_json: bool) -> None:
    """How many stand on the lists today: subjects 户数 and rows 条数 apart; individual businesses are marked 标记."""
    with support.connected() as settings:
        found = listings.count(support.today(settings), (division,))
    rows: list[dict[str, Any]] = [
        {"list": one.list, "subject": one.subject, "ground": one.ground, "entities": one.entities, "rows": one.rows}
        for one in found
    ]
    if as_json:
        support.emit(rows)
        return
    marked = ("abnormal", "individual")
    support.table(
        ["名单 list", "主体 subject", "方式 treatment", "原因 ground", "户数 subjects", "条数 rows"],
        [
            [both(LIST_NAMES, one.list), SUBJECTS.get(one.subject or "", one.subject) or "合计", "标记" if (one.list, one.subject) == marked else "列入" if one.subject else "", one.ground or "合计", one.entities, one.rows]
            for one in found
        ],
    )  # fmt: skip


@listing.command("reminders", epilog="Example: xinheng listing reminders --organ 信衡市市场监督管理局")
@click.option("--organ", default=None, help="Only of this organ.")
@click.option("--list", "list_", type=LISTS, default=None)
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@as_json
def reminders_(organ: str | None, list_: str | None, limit: int, as_json: bool) -> None:
    """Listings that are three years old, or end, within sixty days; the nearest first. The job `remind_listings` writes them."""
    with support.connected() as settings:
        found = reminders.page(support.today(settings), organ=organ, list_=list_ or "", limit=limit)
        rows = [
            {
                "list": one.reminder.list, "seq": one.seq, "code": one.party.code, "name": one.party.name, "listed_on": one.reminder.listed_on,
                "due_on": one.reminder.due_on, "days_left": one.days_left,
            }
            for one in found.items
        ]  # fmt: skip
    if as_json:
        support.emit(rows)
        return
    support.table(
        ["名单 list", "台账 seq", "代码 code", "名称 name", "列入 listed", "届满 due", "余日 days left"],
        [[both(LIST_NAMES, str(row["list"])), *list(row.values())[1:]] for row in rows],
    )


@listing.group("batch")
def batch() -> None:
    """Many listings for one ground at once: one reason a row, one number, sub-numbers N-1, N-2 ….

    \b
    Example:
      xinheng listing batch open 2025年报 plan.csv --ground 1 --year 2025 --opinion 建议列入。 --organ 信衡市市场监督管理局
    """


@batch.command(
    "open",
    epilog="Example: xinheng listing batch open 2025年报 plan.csv --ground 1 --year 2025 --opinion 建议列入。 --organ 信衡市市场监督管理局",
)
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--ground", type=click.IntRange(1, 4), required=True)
@click.option("--year", type=int, default=None)
@click.option("--opinion", required=True, help="First opinion on all rows.")
@BY
@as_json
def open_batch(name: str, file: Path, ground: int, year: int | None, opinion: str, organ: str, as_json: bool) -> int:
    """Open and propose a case for each row of FILE: the plan of `candidates --csv`, rows deleted and reasons edited at will."""
    rows = _plan(file)
    with support.connected() as settings, support.progress("Cases") as progress:
        desk = desk_of(settings, organ)
        said = listing_batches.open_batch(
            name, rows, ground=ground, year=year, opinion=opinion, desk=desk, progress=progress
        )
    return _said(said, as_json)


@batch.command(
    "audit",
    epilog="Example: xinheng listing batch audit 2025年报 --agree --opinion 同意。 --organ 信衡市市场监督管理局",
)
@click.argument("name")
@click.option("--agree/--refuse", "agree", required=True)
@click.option("--opinion", required=True)
@click.option("--case", "only", type=int, multiple=True, help="Only this case; repeatable.")
@BY
@as_json
def audit_batch(name: str, agree: bool, opinion: str, only: tuple[int, ...], organ: str, as_json: bool) -> int:
    """Audit what is proposed of a batch, as another person than opened it. Goes on where it stopped."""
    with support.connected() as settings, support.progress("Cases") as progress:
        desk = desk_of(settings, organ)
        listing_batches.count(name, organ=organ)
        said = listing_batches.decide_batch(
            name, agree=agree, opinion=opinion, desk=desk, only=only or None, progress=progress
        )
    return _said(said, as_json)


@batch.command("show", epilog="Example: xinheng listing batch show 2025年报 --organ 信衡市市场监督管理局")
@click.argument("name")
@BY
@as_json
def show_batch(name: str, organ: str, as_json: bool) -> None:
    """A batch in numbers: listed = standing + removed + corrected."""
    with support.connected():
        found = listing_batches.count(name, organ=organ)
    if as_json:
        support.emit({"name": found.name, "rows": found.rows, "states": found.states, "listed": found.listed,
                      "standing": found.standing, "removed": found.removed, "corrected": found.corrected})  # fmt: skip
        return
    states = ", ".join(f"{listing_cases.STATES[state]} {number}" for state, number in found.states.items())
    click.echo(f"{name}: {rows_of(found.rows)} ({states}); listed {found.listed} = standing {found.standing} + removed {found.removed} + corrected {found.corrected}")  # fmt: skip


def _plan(file: Path) -> list[tuple[str, str]]:
    """Codes and reasons of a plan. Raises BadFile where the columns are not there."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            read = csv.DictReader(handle)
            columns = {name.split()[-1].lower(): name for name in read.fieldnames or [] if name.strip()}
            if "code" not in columns or "reason" not in columns:
                raise BadFile(
                    f"{file.name} has no columns `code` and `reason`. Take a file of `xinheng listing candidates --csv`."
                )
            # A code is text: what a spreadsheet neutralised on the way is given back.
            return [((row[columns["code"]] or "").lstrip("'").strip(), row[columns["reason"]] or "") for row in read]
    except UnicodeDecodeError as error:
        raise BadFile(f"{file.name} is not UTF-8. Save it as CSV UTF-8.") from error


def _said(said: listing_batches.Batch, as_json: bool) -> int:
    if as_json:
        refused = [{"row": row, "detail": text} for row, text in said.refused]
        support.emit({"done": said.opened, "unchanged": said.unchanged, "refused": refused})
    else:
        click.echo(f"{said.opened:,} done, {said.unchanged:,} unchanged, {len(said.refused):,} refused")
        for row, text in said.refused:
            click.echo(f"  {row}: {text}", err=True)
    return REFUSED if said.refused else 0
