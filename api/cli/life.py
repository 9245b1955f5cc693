"""`review`, `publish`, `stop`, `life`, `objection`, `repair`, `recipient`, `notices`: the life of a record at a terminal."""

from dataclasses import asdict
from typing import Any

import click

from api.cli import support
from api.cli.support import as_json
from registry import clock, publicity
from registry.cells.documents import printed_document_no
from registry.kinds import KINDS
from registry.kinds.codes import Label
from registry.models import CHANNELS, Recipient
from registry.services import grading, objections, publication, publishing, repairs, reviews
from registry.services import life as lives
from registry.services import notices as feed
from registry.services.publication import Shown
from registry.services.publishing import Published
from registry.services.step_words import (
    CHANNEL_NAMES,
    CHANNEL_STATES,
    CLASSES,
    NOTICES,
    OBJECTION_STATES,
    OUTCOMES,
    RECORD_STATES,
    REPAIR_STATES,
    both,
)

NUMBER = click.IntRange(min=1)
CHANNEL = click.option(
    "--channel",
    "channels",
    multiple=True,
    type=click.Choice(CHANNELS),
    help="Repeatable. Default: all that the kind has.",
)
REASON = click.option("--reason", default="", help="Why; the record keeps it.")


@click.command("life", epilog="Example: xinheng life 812 --json")
@click.argument("seq", type=NUMBER)
@as_json
def life(seq: int, as_json: bool) -> None:
    """Where the record of ledger row SEQ stands: review, channels, objections, repairs, every step."""
    with support.connected():
        found = lives.of(lives.current(seq))
    if as_json:
        support.emit({**found, "steps": [{**one, "title": one["title"].zh} for one in found["steps"]]})
        return
    title = KINDS[found["kind"]].title
    number = printed_document_no(found["document_no"] or "")
    click.echo(f"{title.zh} {title.en} {number} {found['organ']}: {both(RECORD_STATES, found['state'])}")
    if found["channels"]:
        _channel_table(found["channels"])
    support.table(
        ["序号 seq", "日期 on", "步骤 step", "经办 by", "理由 reason"],
        [
            [one["seq"], one["on"], f"{one['title'].zh} {one['title'].en}", one["by"], one["reason"]]
            for one in found["steps"]
        ],
    )


@click.command("review", epilog="Example: xinheng review 812 815 --pass")
@click.argument("seqs", type=NUMBER, nargs=-1, required=True)
@click.option("--pass/--refuse", "passed", required=True, help="Whether the wording may be published.")
@REASON
@as_json
def review(seqs: tuple[int, ...], passed: bool, reason: str, as_json: bool) -> None:
    """Review records, by ledger row, in the wording they have now. Never those that you posted or imported."""
    rows = []
    with support.connected() as settings:
        for seq in seqs:
            found = reviews.review(
                seq, lives.current(seq).kind, outcome="passed" if passed else "refused", reason=reason, organ=None,
                actor=support.actor(), schemes=grading.schemes(settings), today=support.today(settings), now=clock.now(),
            )  # fmt: skip
            rows.append({"seq": seq, "outcome": found["outcome"], "by": found["reviewed_by"]})
    if as_json:
        support.emit(rows)
    else:
        support.table(
            ["记录 record", "结论 outcome", "审核人 by"],
            [[row["seq"], both(OUTCOMES, str(row["outcome"])), row["by"]] for row in rows],
        )


@click.command(
    "publish", epilog="Example: xinheng publish --kind penalty --organ 信衡市市场监督管理局 --source penalty-2021"
)
@click.argument("seq", type=NUMBER, required=False)
@click.option("--kind", type=click.Choice(list(KINDS)), help="All records of this kind …")
@click.option("--organ", default="", help="… that this organ decided …")
@click.option("--source", default="", help="… and that came from this source.")
@click.option("--review", default="", metavar="REASON", help="Pass records without a review first, for this reason.")
@click.option("--class", "class_", default="", help="With SEQ: an officer's own class of a penalty; needs --reason.")
@CHANNEL
@REASON
@as_json
def publish(
    seq: int | None, kind: str | None, organ: str, source: str, review: str, class_: str, channels: tuple[str, ...], reason: str,
    as_json: bool,
) -> int:  # fmt: skip
    """Publish one record by ledger row, or all that were reviewed of a kind and an organ, with counts and causes.

    Exit status 1: some were not published; the table says why.
    """
    if (seq is None) == (kind is None or not organ):
        raise click.UsageError("Give a ledger row, or --kind and --organ.")
    with support.connected() as settings:
        today, old_rows = support.today(settings), settings.publication.old_rows
        if seq is not None:
            shown = publication.publish(
                seq, lives.current(seq).kind, channels=channels, class_=class_, reason=reason, organ=None,
                actor=support.actor(), today=today, now=clock.now(), old_rows=old_rows,
            )  # fmt: skip
            _print_shown(shown, as_json)
            return int(any(one.said not in ("published", "unchanged") for one in shown))
        assert kind is not None
        with support.progress("publish") as tell:
            done = publishing.publish_all(
                kind, organ=organ, source=source, channels=channels, review=review, actor=support.actor(),
                schemes=grading.schemes(settings), today=today, now=clock.now, old_rows=old_rows, progress=tell,
            )  # fmt: skip
    if as_json:
        support.emit(asdict(done))
    else:
        _told(done, kind)
    return int(bool(done.named))


# What is to be done about records that a run did not publish; "" where nothing can be.
REMEDIES = {
    "not_reviewed": "xinheng review {seqs} --pass",
    "same_hands": "另一人审核 another person: xinheng review {seqs} --pass",
    "blocked": "更正后重新审核 correct the public fields, then review again: xinheng life {seq}",
    "undated": "补充决定日期 correct the record: it has no day of decision",
    "class_unknown": "xinheng publish {seq} --class general --reason …",
    "never": "仅警告等不予公示，无须处理 nothing to do (a warning only)",
    "over": "公示期已满，无须处理 nothing to do",
    "stopped": "xinheng life {seq}",
}


def _told(done: Published, kind: str) -> None:
    """Outcomes of many records, the first of each by their ledger rows, with what to do; and how they add up."""
    rows = []
    for name, number in done.outcomes.items():
        seqs = done.named.get(name, [])
        remedy = REMEDIES.get(name, "xinheng life {seq}" if seqs else "")
        named = " ".join(map(str, seqs)) + (" …" if number > len(seqs) > 0 else "")
        rows.append([both(CHANNEL_STATES, name), number, named, remedy.format(seqs=" ".join(map(str, seqs)), seq=seqs[0] if seqs else "")])  # fmt: skip
    support.table(["结果 outcome", "条数 records", "记录 ledger rows", "处理 what to do"], rows)
    left = done.records - done.whole
    channels = len(publicity.channels_of(kind))
    click.echo(
        f"共 {done.records:,} 条 records：已全部公示 {done.whole:,} published on every channel，未全部公示 {left:,} not, or not everywhere."
        + (f" 一条记录有 {channels} 个渠道，可计入多行 A record with several outcomes counts in several lines." if left else "")
    )  # fmt: skip


@click.command("stop", epilog="Example: xinheng stop 812 --reason 公示内容有误 --channel site")
@click.argument("seq", type=NUMBER)
@CHANNEL
@click.option("--reason", required=True, help="Why; the record keeps it.")
@as_json
def stop(seq: int, channels: tuple[str, ...], reason: str, as_json: bool) -> None:
    """Stop publishing the record of ledger row SEQ. Recipients are told."""
    with support.connected() as settings:
        shown = publication.stop(
            seq, lives.current(seq).kind, channels=channels, reason=reason, organ=None, actor=support.actor(),
            today=support.today(settings), now=clock.now(),
        )  # fmt: skip
    _print_shown(shown, as_json)


def _print_shown(shown: list[Shown], as_json: bool) -> None:
    if as_json:
        support.emit([{"channel": one.channel, "said": one.said, "cause": one.cause, "row": one.row} for one in shown])
        return
    for one in shown:
        where = CHANNEL_NAMES[one.channel].zh if one.channel in CHANNEL_NAMES else ""
        click.echo(f"{where} {one.channel}: {both(CHANNEL_STATES, one.said)}{f' ({one.cause})' if one.cause else ''}")
    _channel_table([one.row for one in shown if one.row])


def _channel_table(rows: list[Any]) -> None:
    support.table(
        ["渠道 channel", "状态 state", "规则 regime", "类别 class", "自 from", "最短至 earliest", "止 latest"],
        [
            [
                both(CHANNEL_NAMES, row["channel"]),
                both(CHANNEL_STATES, row["state"]),
                _regime(row["regime"]),
                both(CLASSES, row["class_"]),
                row["published_on"],
                row["earliest"],
                row["latest"],
            ]
            for row in rows
        ],
    )


def _regime(name: str) -> str:
    """The rule of publication by its title; what a kind's own rule is named by, by the kind."""
    title = publicity.regime_title(name) or (KINDS[name].title.zh if name in KINDS else "")
    return f"{title} {name}".strip()


@click.group("objection")
def objection() -> None:
    """Objections to records: list, accept, verify.

    \b
    Example:
      xinheng objection list && xinheng objection accept 9120
    """


@objection.command("list", epilog="Example: xinheng objection list --organ 信衡市市场监督管理局 --json")
@click.option("--organ", default=None, help="Only to records of this organ.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, help="At most so many.")
@as_json
def list_objections(organ: str | None, limit: int, as_json: bool) -> None:
    """Open objections, what is overdue first."""
    with support.connected() as settings:
        found = objections.page(organ=organ, today=support.today(settings), after=None, limit=limit)
    _open_table(list(found.items), OBJECTION_STATES, as_json)


@objection.command("accept", epilog="Example: xinheng objection accept 9120 --no --reason 未提供证明材料")
@click.argument("number", type=NUMBER)
@click.option("--yes/--no", "accepted", default=True, help="Whether it is accepted for verification.")
@REASON
def accept_objection(number: int, accepted: bool, reason: str) -> None:
    """Accept an objection, or not, with a reason."""
    with support.connected() as settings:
        found = objections.accept(
            number, accepted=accepted, reason=reason, organ=None, actor=support.actor(), today=support.today(settings), now=clock.now(),
            settings=settings,
        )  # fmt: skip
    _said(found, OBJECTION_STATES, f"，答复期限 answer by {found['verify_by']}" if found["verify_by"] else "")


@objection.command("verify", epilog="Example: xinheng objection verify 9120 --upheld --withdraw --reason 当事人有误")
@click.argument("number", type=NUMBER)
@click.option("--upheld/--rejected", required=True, help="Whether the objection is right.")
@click.option("--withdraw", is_flag=True, help="Upheld: withdraw the record at once; else it is to be corrected.")
@click.option("--reason", required=True, help="The answer; the applicant reads it.")
def verify_objection(number: int, upheld: bool, withdraw: bool, reason: str) -> None:
    """Answer an objection that was accepted (`xinheng objection accept`)."""
    with support.connected() as settings:
        found = objections.verify(
            number, upheld=upheld, withdraw=withdraw, reason=reason, organ=None, actor=support.actor(),
            schemes=grading.schemes(settings), today=support.today(settings), now=clock.now(), settings=settings,
        )  # fmt: skip
    _said(found, OBJECTION_STATES, "")


@click.group("repair")
def repair() -> None:
    """Repairs of records: list, accept, decide.

    \b
    Example:
      xinheng repair list && xinheng repair accept 9131
    """


@repair.command("list", epilog="Example: xinheng repair list --organ 信衡市市场监督管理局 --json")
@click.option("--organ", default=None, help="Only of records of this organ.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, help="At most so many.")
@as_json
def list_repairs(organ: str | None, limit: int, as_json: bool) -> None:
    """Open repairs, what is overdue first."""
    with support.connected() as settings:
        found = repairs.page(organ=organ, today=support.today(settings), after=None, limit=limit)
    _open_table(list(found.items), REPAIR_STATES, as_json)


@repair.command("accept", epilog="Example: xinheng repair accept 9131 --no --reason 最短公示期未满")
@click.argument("number", type=NUMBER)
@click.option("--yes/--no", "accepted", default=True, help="Whether it is accepted.")
@REASON
def accept_repair(number: int, accepted: bool, reason: str) -> None:
    """Accept an application, or turn it away with a reason."""
    with support.connected() as settings:
        found = repairs.accept(
            number, accepted=accepted, reason=reason, organ=None, actor=support.actor(), today=support.today(settings), now=clock.now(),
            settings=settings,
        )  # fmt: skip
    _said(found, REPAIR_STATES, f"，决定期限 decide by {found['decide_by']}" if found["decide_by"] else "")


@repair.command(
    "decide",
    epilog="Example: xinheng repair decide 9131 --approve --met duties_performed --met harm_removed --met commitment",
)
@click.argument("number", type=NUMBER)
@click.option("--approve/--refuse", "approved", required=True, help="Whether the record is repaired.")
@click.option("--met", multiple=True, help="A condition that you checked and that is met; repeatable.")
@click.option("--not-met", multiple=True, help="A condition that you checked and that is not met; repeatable.")
@REASON
def decide_repair(number: int, approved: bool, met: tuple[str, ...], not_met: tuple[str, ...], reason: str) -> None:
    """Approve or refuse an accepted repair. Approved: publicity, sharing and use of the record stop at once."""
    with support.connected() as settings:
        found = repairs.decide(
            number, approved=approved, conditions={name: name in met for name in (*met, *not_met)}, reason=reason, organ=None,
            actor=support.actor(), schemes=grading.schemes(settings), today=support.today(settings), now=clock.now(), settings=settings,
        )  # fmt: skip
    _said(found, REPAIR_STATES, "")


def _said(found: dict[str, Any], states: dict[str, Label], more: str) -> None:
    """Where a matter stands now, and which document says so, or why there is none."""
    click.echo(both(states, found["state"]) + more)
    if found["document"]:
        click.echo(f"Document 文书: {found['document']}; deliver it with `xinheng document send`.")
    elif found["no_document"]:
        click.echo(f"No document 未出具文书: {found['no_document']}")


def _open_table(rows: list[dict[str, Any]], states: dict[str, Label], as_json: bool) -> None:
    if as_json:
        support.emit(rows)
        return
    support.table(
        ["编号 id", "记录 record", "主体 code", "文书号 document", "状态 state", "期限 due", "逾期 overdue"],
        [
            [
                row["id"],
                row["record"],
                row["code"],
                printed_document_no(row["document_no"] or ""),
                both(states, row["state"]),
                row["due_on"],
                "!" if row["overdue"] else "",
            ]
            for row in rows
        ],
    )


@click.group("recipient")
def recipient() -> None:
    """Who receives our records, and must hear when one is withdrawn.

    \b
    Example:
      xinheng recipient add 信用中国（信衡） --key credit-china --kinds penalty
    """


@recipient.command(
    "add", epilog="Example: xinheng recipient add 省局 --key province --kinds penalty --kinds spot_check"
)
@click.argument("name")
@click.option("--key", required=True, help="Name of the key that fetches; it has the scope exchange:read.")
@click.option(
    "--kinds",
    multiple=True,
    type=click.Choice(list(KINDS)),
    help="Kinds that it receives; repeatable. Default: every kind.",
)
@as_json
def add_recipient(name: str, key: str, kinds: tuple[str, ...], as_json: bool) -> None:
    """Register a recipient: it hears of what happens from now on. Safe to repeat."""
    with support.connected():
        made = feed.add_recipient(name, key=key, kinds=list(kinds), actor=support.actor(), now=clock.now())
    if as_json:
        support.emit({"name": made.name, "key": made.key, "kinds": made.kinds, "since_seq": made.since_seq})
    else:
        click.echo(f"{made.name}: GET /api/v1/notices with the key {made.key}")


@recipient.command("list", epilog="Example: xinheng recipient list --json")
@as_json
def list_recipients(as_json: bool) -> None:
    """List recipients."""
    with support.connected() as settings:
        rows = [
            {"name": one.name, "key": one.key, "kinds": one.kinds, "since_seq": one.since_seq,
             "ended": support.moment(one.ended_at, settings) or None}
            for one in Recipient.select().order_by(Recipient.id)
        ]  # fmt: skip
    if as_json:
        support.emit(rows)
        return
    support.table(
        ["名称 name", "密钥 key", "类别 kinds", "起 since", "止 ended"],
        [[row["name"], row["key"], " ".join(row["kinds"]) or "*", row["since_seq"], row["ended"]] for row in rows],
    )


@recipient.command("end", epilog="Example: xinheng recipient end 省局")
@click.argument("name")
def end_recipient(name: str) -> None:
    """Say that a recipient receives nothing any more. Safe to repeat."""
    with support.connected():
        feed.end_recipient(name, actor=support.actor(), now=clock.now())
    click.echo(f"Ended: {name}")


@click.command("notices", epilog="Example: xinheng notices --overdue")
@click.option(
    "--overdue", is_flag=True, required=True, help="What recipients have not acknowledged in three working days."
)
@as_json
def notices(overdue: bool, as_json: bool) -> int:
    """What recipients were told of withdrawals and have not acknowledged in time. Exit status 1 where there is any."""
    with support.connected() as settings:
        rows = feed.overdue(today=support.today(settings))
        shown = [
            {"recipient": one.recipient, "notice": one.notice, "what": one.what, "kind": one.kind, "document_no": one.document_no,
             "due_on": one.due_on.isoformat(), "fetched": support.moment(one.fetched_at, settings) or None}
            for one in rows
        ]  # fmt: skip
    if as_json:
        support.emit(shown)
    else:
        support.table(
            [
                "接收方 recipient",
                "编号 notice",
                "事项 what",
                "类别 kind",
                "文书号 document",
                "期限 due",
                "取走 fetched",
            ],
            [
                [row["recipient"], row["notice"], both(NOTICES, str(row["what"])), KINDS[str(row["kind"])].title.zh,
                 printed_document_no(str(row["document_no"])), row["due_on"], row["fetched"]]
                for row in shown
            ],
        )  # fmt: skip
    return int(bool(rows))
