"""`scheme propose` and what follows: revise, compare with what holds, approve by two, try in the shadow, look back."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import click

from api.cli import REFUSED, support
from api.cli.schemes import scheme
from api.cli.support import DAY, as_json
from api.errors import MissingScope
from registry import clock
from registry.config import Settings
from registry.errors import NotAllowed
from registry.kinds.registration import SUBJECTS
from registry.models import SchemeProposal
from registry.services import (
    book,
    governance,
    keys,
    scheme_check,
    scheme_files,
    scheme_history,
    scheme_proposals,
    scheme_shadows,
)
from registry.services.governance import Said
from registry.services.keys import BadKey
from registry.services.scheme_check import Checked
from registry.services.scheme_proposals import STATES, shown

NUMBER = click.argument("number", metavar="ID", type=click.IntRange(1, 2**31 - 1))
FOLDER = click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
WHY = click.option("--why", required=True, help="The reason 理由, which stays on record.")


@scheme.command(
    "propose",
    epilog="Example: xinheng scheme propose drafts/general-risk --reason 一般处罚加重计分。 --from 2027-01-01",
)
@FOLDER
@click.option("--reason", required=True, help="What changes, and why 修改内容及理由.")
@click.option(
    "--from", "from_day", type=DAY, required=True, help="First day on which it is to hold 施行日期: today or later."
)
@as_json
def propose(folder: Path, reason: str, from_day: date, as_json: bool) -> int:
    """Put the scheme in FOLDER forward 提出方案. With mistakes it is kept as a draft, and every one is told (exit status 1)."""
    with support.connected() as settings:
        files = scheme_files.read(folder)
        return _told(
            governance.propose(settings, files=files, reason=reason, from_day=from_day, **_who(settings)), as_json
        )


@scheme.command("revise", epilog="Example: xinheng scheme revise 7 drafts/general-risk --from 2027-02-01")
@NUMBER
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), required=False)
@click.option("--reason", default=None, help="Another reason.")
@click.option("--from", "from_day", type=DAY, default=None, help="Another first day.")
@as_json
def revise(number: int, folder: Path | None, reason: str | None, from_day: date | None, as_json: bool) -> int:
    """Change your own proposal while it is not decided 修改方案. Its comparison and its approvals fall away."""
    if folder is None and reason is None and from_day is None:
        raise click.UsageError("Give what changes: FOLDER, --reason or --from.")
    with support.connected() as settings:
        files = None if folder is None else scheme_files.read(folder)
        said = governance.revise(settings, number, files=files, reason=reason, from_day=from_day, **_who(settings))
        return _told(said, as_json)


@scheme.command("compare-proposal", epilog="Example: xinheng scheme compare-proposal 7")
@NUMBER
@as_json
def compare_proposal(number: int, as_json: bool) -> int:
    """Work out what a proposal would do on its first day 方案比对, beside what holds then, and keep the figures for its approval."""
    with support.connected() as settings, support.progress("Entities") as progress:
        return _told(governance.compare(settings, number, progress=progress, **_who(settings)), as_json, figures=True)


@scheme.command("approve", epilog="Example: xinheng scheme approve 7 --hash 3f2a9c5d7e10")
@NUMBER
@click.option(
    "--hash", "content", default=None, help="Beginning of the hash of what you have read; another content is refused."
)
@click.option(
    "--confirm-draft",
    "confirms_draft",
    is_flag=True,
    help="You know that it rests on a draft 征求意见稿, which is not law.",
)
@click.option("--said", default="", help="Opinion 意见.")
@click.option(
    "--key", type=click.Path(path_type=Path, exists=True, dir_okay=False), default=None,
    help="File with your own key 本人密钥 (`xinheng key create`): you approve as its holder, not as who is logged in here.",
)  # fmt: skip
@as_json
def approve(
    number: int, content: str | None, confirms_draft: bool, said: str, key: Path | None, as_json: bool
) -> int:  # fmt: skip
    """Approve a compared proposal 批准方案 as one of two officers, neither its proposer. The second brings it into force."""
    with support.connected() as settings:
        who = _who(settings) if key is None else _who(settings) | {"by": _holder(key)}
        done = governance.approve(settings, number, content=content, confirms_draft=confirms_draft, said=said, **who)
        return _told(done, as_json)


@scheme.command("withdraw", epilog="Example: xinheng scheme withdraw 7 --why 参数需重新测算。")
@NUMBER
@WHY
@as_json
def withdraw(number: int, why: str, as_json: bool) -> int:
    """Take your own proposal back 撤回方案."""
    with support.connected():
        return _told(governance.withdraw(number, why=why, by=support.actor(), now=clock.now()), as_json)


@scheme.command("refuse", epilog="Example: xinheng scheme refuse 7 --why 依据不足。")
@NUMBER
@WHY
@as_json
def refuse(number: int, why: str, as_json: bool) -> int:
    """Refuse somebody else's proposal 不予采用."""
    with support.connected():
        return _told(governance.refuse(number, why=why, by=support.actor(), now=clock.now()), as_json)


@scheme.command("proposals", epilog="Example: xinheng scheme proposals --state compared --json")
@click.option("--state", type=click.Choice(list(STATES)), default=None)
@click.option("--scheme", "name", default="", help="Only of this scheme.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True)
@as_json
def proposals(state: str | None, name: str, limit: int, as_json: bool) -> None:
    """List proposals, newest first 方案列表."""
    with support.connected() as settings:
        rows = [_row(one, settings) for one in scheme_proposals.page(state=state or "", scheme=name, limit=limit).items]
    if as_json:
        support.emit(rows)
        return
    support.table(
        ["编号 id", "方案 scheme", "状态 state", "施行 from", "摘要 hash", "提出人 proposed by", "理由 reason"],
        [
            [row["id"], row["scheme"], f"{STATES[row['state']].zh} {row['state']}", row["from"], (row["hash"] or "")[:12], row["proposed_by"], row["reason"]]
            for row in rows
        ],
    )  # fmt: skip


@scheme.command("proposal", epilog="Example: xinheng scheme proposal 7")
@NUMBER
@as_json
def proposal(number: int, as_json: bool) -> None:
    """One proposal 方案详情: its state, its people, what its check found, what its comparison says, and what comes next."""
    with support.connected() as settings:
        found = scheme_proposals.get(number)
        given = scheme_proposals.approvals(number)
        checked = None
        if found.state == "draft":
            checked = scheme_check.check(settings, found.files, clock.day_of(found.from_day))
        row = _row(found, settings)
        if as_json:
            approved = [{"by": one.by, "at": support.moment(one.at, settings), "confirms_draft": one.confirms_draft, "said": one.said} for one in given]  # fmt: skip
            mistakes = {"mistakes": [asdict(one) for one in checked.mistakes] if checked else [], "failed": list(checked.failed) if checked else []}  # fmt: skip
            support.emit({**row, "approvals": approved, **mistakes, "comparison": found.comparison, "files": sorted(found.files)})  # fmt: skip
            return
        click.echo(f"{number}: {row['scheme'] or '(no id)'}, from {row['from']}: {shown(found)}")
        click.echo(f"  理由 reason: {row['reason']}")
        click.echo(f"  提出 proposed: {row['proposed_by']}, {row['proposed_at']}")
        if row["hash"]:
            click.echo(f"  摘要 hash: {row['hash']}")
        if found.drafts:
            click.echo("  依据含征求意见稿 rests on a draft: both officers confirm it (--confirm-draft)")
        for one in given:
            draft = ", draft confirmed 已确认" if one.confirms_draft else ""
            click.echo(
                f"  批准 approved: {one.by}, {support.moment(one.at, settings)}{draft}{f': {one.said}' if one.said else ''}"
            )
        if found.closed_by:
            click.echo(f"  {shown(found)}: {found.closed_by}, {row['closed_at']}: {found.closed_why}")
        if found.shadow:
            click.echo(f"  影子运行 graded alongside: xinheng scheme shadow-report {number}")
    _mistakes(checked)
    if found.comparison is not None:
        _compared(found.comparison, row["compared_by"], row["compared_at"])
    click.echo(f"  {scheme_proposals.next_step(found)}")


@scheme.command("shadow", epilog="Example: xinheng scheme shadow 7 --on")
@NUMBER
@click.option("--on/--off", "on", required=True, help="Begin, or stop and remove its grades.")
@as_json
def shadow(number: int, on: bool, as_json: bool) -> int:
    """Grade a proposal alongside 影子运行: no history, no effect, nothing reads it but `scheme shadow-report`."""
    with support.connected() as settings:
        who = _who(settings)
        found, new = scheme_shadows.switch(number, on=on, **who)
        if on and new and not as_json:
            click.echo(
                f"Graded from the next run on, as of {book.graded_as_of(f'{book.SHADOW}{number}', who['today'])}. Now: "
                f"xinheng grade --due --scheme {book.SHADOW}{number}",
                err=True,
            )
        return _told(Said(found, new), as_json)


@scheme.command("shadow-report", epilog="Example: xinheng scheme shadow-report 7 --limit 20")
@NUMBER
@click.option("--division", default="", help="Prefix of GB/T 2260.")
@click.option("--limit", type=click.IntRange(0, 10_000), default=20, show_default=True, help="Name so many who differ.")
@as_json
def shadow_report(number: int, division: str, limit: int, as_json: bool) -> None:
    """The grades of a proposal beside those in force 影子运行结果: by kind and class, and who differs, the farthest apart first."""
    with support.connected() as settings:
        today = support.today(settings)
        found = scheme_shadows.report(number, divisions=(division,), most=limit)
    if as_json:
        support.emit(asdict(found))
        return
    if not found.as_of:
        click.echo(f"Not graded yet. Now: xinheng grade --due --scheme shadow-{number}", err=True)
    elif found.as_of > today.isoformat():
        click.echo(
            f"影子评定日 the shadow is graded as of {found.as_of}, its first day; in force is the grade of today, {today}: some move by "
            f"time alone. What the rules alone move: xinheng scheme compare {found.scheme} proposal:{number} --on {found.as_of}"
        )
    support.table(
        ["主体 kind", "分类 class", "现行 in force", "影子 shadow"],
        [
            [SUBJECTS.get(kind, kind), class_, held, tried]
            for kind, by in found.classes.items()
            for class_, (held, tried) in by.items()
        ],
    )
    click.echo(
        f"same {found.same:,}, better {found.better:,}, worse {found.worse:,}, only in the shadow {found.only_shadow:,}, "
        f"only in force {found.only_in_force:,}"
    )
    if found.differ:
        support.table(
            ["代码 code", "名称 name", "现行 in force", "分值 score", "影子 shadow", "分值 score"],
            [
                [one["code"], one["name"], one["class"], one["score"], one["shadow_class"], one["shadow_score"]]
                for one in found.differ
            ],
        )


@scheme.command("export", epilog="Example: xinheng scheme export general-risk@3f2a9c5d7e10 drafts/general-risk")
@click.argument("what", metavar="ID")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--on", "day", type=DAY, default=None, help="The day on which it holds. Default: today.")
def export(what: str, folder: Path, day: date | None) -> None:
    """Write a proposal (its number), a scheme in force (its id) or a kept content (id@hash) as files into a new FOLDER.

    Of a content that was neither proposed nor shipped only the canonical content is kept: its worked cases and comments are
    lost, and are written anew before it is proposed again.
    """
    with support.connected() as settings:
        found = scheme_history.export(settings, what, on=day or support.today(settings))
        scheme_files.write(found.files, folder)
    click.echo(f"{folder}: {found.scheme} {found.hash[:12]}, {len(found.files)} files")
    if not found.whole:
        click.echo(
            "Made from the canonical content: the same scheme, without worked cases and comments. `xinheng scheme check` names "
            "each rule that needs a case.",
            err=True,
        )


@scheme.command("history", epilog="Example: xinheng scheme history general-risk --json")
@click.argument("name", metavar="ID")
@as_json
def history(name: str, as_json: bool) -> None:
    """Which content of a scheme held when, who proposed and who approved it 方案沿革, and every content that is kept."""
    with support.connected() as settings:
        found = scheme_history.history(settings, name)
        rows = [{**asdict(one), "at": support.moment(one.at, settings)} for one in found.activations]
    if as_json:
        kept = [{"hash": hash_, "first_seq": seq} for hash_, seq in found.kept]
        support.emit({"scheme": name, "shipped": found.shipped, "as_shipped": found.as_shipped, "activations": rows, "kept": kept})  # fmt: skip
        return
    support.table(
        ["施行 from", "至 until", "摘要 hash", "方案编号 proposal", "提出人 proposer", "批准人 approvers", "台账 seq", ""],
        [
            [row["from_day"], row["until"] or "", row["hash"][:12], row["proposal"], row["proposer"], ", ".join(row["approvers"]), row["seq"], "被替代 superseded" if row["superseded"] else ""]
            for row in rows
        ],
    )  # fmt: skip
    if found.shipped is not None:
        until = "holds before the first of these" if found.as_shipped else "holds only once it is activated"
        click.echo(f"随附方案 shipped: {found.shipped[:12]}, {until}")
    click.echo(f"留存 kept: {', '.join(hash_[:12] for hash_, _ in found.kept) or 'none'}")


def _who(settings: Settings) -> dict[str, Any]:
    return {"by": support.actor(), "today": support.today(settings), "now": clock.now()}


def _holder(path: Path) -> str:
    """Who holds the key in a file. Raises BadKey for none that is valid, MissingScope and NotAllowed as over the API."""
    try:
        holder = keys.caller(path.read_text(encoding="utf-8", errors="replace").strip())
    except BadKey:
        raise BadKey(
            f"{path} holds no valid key. Its one line is what `xinheng key create` printed; a revoked key approves nothing."
        ) from None
    if not holder.may("schemes:approve"):
        raise MissingScope("schemes:approve", "Approving a scheme")
    if "" not in holder.divisions:
        raise NotAllowed(
            f"A scheme grades everybody, and the key {holder.name!r} has only some divisions. Use one of every division "
            "(`xinheng key create` without --division)."
        )
    return holder.actor


def _told(said: Said, as_json: bool, *, figures: bool = False) -> int:
    """What became of a proposal; exit status 1 while its check finds mistakes."""
    found, checked = said.proposal, said.checked
    wrong = found.state == "draft"
    if as_json:
        support.emit({
            "proposal": found.id, "state": found.state, "said": "done" if said.new else "unchanged",
            "hash": scheme_proposals.hash_of(found), "approved_by": [one.by for one in said.approvals], "shadow": found.shadow,
            "mistakes": [asdict(one) for one in checked.mistakes] if checked else [],
            "failed": list(checked.failed) if checked else [], "comparison": found.comparison,
        })  # fmt: skip
        return REFUSED if wrong else 0
    _mistakes(checked)
    click.echo(f"Proposal {found.id}: {shown(found)}{'' if said.new else ' – unchanged'}")
    if found.state == "compared" and said.approvals:
        click.echo(f"  批准 approved: {', '.join(one.by for one in said.approvals)}")
    if figures and found.comparison is not None:
        _compared(found.comparison, found.compared_by or "", "")
    click.echo(scheme_proposals.next_step(found), err=True)
    return REFUSED if wrong else 0


def _mistakes(checked: Checked | None) -> None:
    for one in checked.mistakes if checked else ():
        click.echo(str(one))
    for line in checked.failed if checked else ():
        click.echo(line)


def _compared(told: Mapping[str, Any], by: str, at: str) -> None:
    """The figures of a kept comparison in a few lines; the whole stands in --json."""
    result = told["result"]
    click.echo(f"  比对 compared, on {told['day']}: {by}{f', {at}' if at else ''}")
    for side, words in (("old", "现行 in force"), ("new", "拟行 proposed")):
        counts = result["classes"].get(side)
        if counts is not None:
            click.echo(f"    {words}: {', '.join(f'{name} {number:,}' for name, number in counts.items())}")
    if told["old"] is None:
        click.echo(
            "    现行无此方案 Nothing is in force under this id on that day: these are the figures of the proposal alone."
        )
        return
    click.echo(
        f"    {result['entities']:,} entities: {result['worse']:,} would stand worse, {result['better']:,} better"
    )
    for row in result["moved_by"][:5]:
        click.echo(
            f"      {row['title']['zh']} {row['title']['en']} [{row['rule']}]: worse {row['worse']:,}, better {row['better']:,}"
        )
    difference = result["visits"]["difference"]
    if difference is not None:
        # Figures that were kept before inspector-days were counted have none.
        days = result.get("inspector_days", {}).get("difference")
        click.echo(
            f"    检查次数 visits a year: {difference:+,}"
            + ("" if days is None else f"; 人日 inspector-days: {days:+,}")
        )


def _row(found: SchemeProposal, settings: Settings) -> dict[str, Any]:
    same = ("id", "scheme", "state", "reason", "shadow", "proposed_by", "compared_by", "closed_by", "closed_why")
    moments = ("proposed_at", "compared_at", "closed_at")
    return {
        **{name: getattr(found, name) for name in same},
        **{name: support.moment(getattr(found, name), settings) for name in moments},
        "hash": scheme_proposals.hash_of(found), "from": clock.day_of(found.from_day).isoformat(), "rests_on_draft": found.drafts,
    }  # fmt: skip
