"""`model`: train, evaluate, promote, shadow, retire and score models 模型; openings, rates and the model card."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from api.cli import support
from api.cli.benchmark import benchmark, steps
from api.cli.grading import KnownAt, known_seq
from api.cli.support import DAY, as_json
from registry import clock
from registry.models import Model
from registry.services import model_openings, model_watch, models
from registry.services.models import FORMS, STATES

NUMBER = click.argument("number", metavar="ID", type=click.IntRange(1, 2**31 - 1))
STEPS = {
    "features": "特征 Features", "rules": "拟合规则 Rules", "leaks": "泄漏检查 Leak checks", "scorecard": "评分卡 Scorecard",
    "boosted": "提升树 Challenger", "report": "评估 Evaluation",
}  # fmt: skip


@click.group(epilog="Example: xinheng model train && xinheng model evaluate 1 && xinheng model promote 1")
def model() -> None:
    """Models on a leash 模型: they order entities inside a class, warn and suggest; they never grade.

    \b
    train → evaluate (once per release, on record) → shadow → promote (another person, where it beats the rules) → retire
    """


model.add_command(benchmark)


@model.command(epilog="Example: xinheng model train --from 2018-01-01 --until 2026-10-01 --name autumn")
@click.option(
    "--from", "first", type=DAY, default=None, help="Quarters from this one on. Default: since checks are on record."
)
@click.option("--until", type=DAY, default=None, help="Quarters before this one. Default: the present one.")
@click.option(
    "--name", default="", help="What the model is called. Default: the scheme and the first day of the hold-out."
)
@click.option(
    "--as-known", type=KnownAt(), default=None, help="What was known then: a day, a moment, or a ledger number."
)
@click.option(
    "--severity",
    type=click.IntRange(1, 3),
    default=1,
    show_default=True,
    help="A failure: problems of at least this severity …",
)
@click.option(
    "--count", type=click.IntRange(1, 10_000), default=1, show_default=True, help="… and at least so many of them."
)
@click.option(
    "--least-gap",
    type=click.IntRange(0, 36_600),
    default=0,
    show_default=True,
    help="Days since the visit before, at least.",
)
@click.option(
    "--history", type=click.IntRange(0, 10_000), default=0, show_default=True, help="Earlier visits, at least."
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True)
@as_json
def train(
    first: date | None, until: date | None, name: str, as_known: datetime | date | int | None, severity: int, count: int,
    least_gap: int, history: int, seed: int, as_json: bool,
) -> None:  # fmt: skip
    """Fit rules, a scorecard and a boosted challenger on the routine visits on record. The hold-out is counted, not looked at.

    Whole quarters, split in time: training, calibration, hold-out (the last). Leak checks run with every training. The same
    ledger, window and seed give the same model. Safe to repeat.
    """
    from registry.services import model_training
    from rules.model.units import Outcome, UnitRule

    with support.connected() as settings, steps("模型 Model", STEPS) as tell:
        if until is not None and until > support.today(settings):
            raise click.BadParameter(
                f"{until} lies after today, and no check of the time between is on record. Leave it out, or give an earlier day.",
                param_hint="--until",
            )
        made = model_training.train(
            settings, first=first, until=until, name=name, known=None if as_known is None else known_seq(as_known, settings),
            outcome=Outcome(severity, count), rule=UnitRule(least_gap=least_gap, history=history), seed=seed,
            today=support.today(settings), by=support.actor(), now=clock.now(), progress=tell,
        )  # fmt: skip
    if as_json:
        support.emit({
            "said": "trained" if made.new else "unchanged", "model": models.as_dict(made.model),
            "challenger": models.as_dict(made.challenger), "units": made.units,
        })  # fmt: skip
        return
    for part, told in made.units.items():
        click.echo(f"{PARTS[part]}: {told['visits']:,} 次检查 visits, {told['failures']:,} 次发现问题 failures")
    for one in (made.model, made.challenger):
        click.echo(
            f"Model {one.id}: {one.name}, {FORMS[one.form]} {one.form}, {one.hash[:12]}{'' if made.new else ' – unchanged'}"
        )
    click.echo(f"Look at the hold-out, once per release: xinheng model evaluate {made.model.id}", err=True)


PARTS = {"train": "训练期 training", "calibrate": "校准期 calibration", "test": "保留期 hold-out"}


@model.command(epilog="Example: xinheng model evaluate 1")
@NUMBER
@click.option(
    "--again", default="", help="Why the test period of this release is looked at once more. It stays on record."
)
@as_json
def evaluate(number: int, again: str, as_json: bool) -> None:
    """Look at the hold-out: rules, model and challenger beside business as usual, naive, random and oracle orders.

    All per quarter, with intervals and paired differences. The look is logged; the first of a release needs no reason. A
    model that was evaluated shows what it gave and looks at nothing.
    """
    from registry.services import model_training
    from rules.model import report

    with support.connected() as settings, steps("模型 Model", STEPS) as tell:
        found = model_training.evaluate(
            settings, number, again=again, by=support.actor(), now=clock.now(), progress=tell
        )
    opening = None if found.opening is None else model_openings.as_dict(found.opening)
    if as_json:
        support.emit({
            "model": models.as_dict(found.model), "opening": opening, "new": found.new, **report.headline(found.report),
            "report": found.report,
        })  # fmt: skip
        return
    click.echo(report.table(found.report))
    if not found.new:
        click.echo("As it was evaluated before; nothing was looked at.", err=True)
    _seen_before(opening)
    if found.report["verdict"]["earned"]:
        click.echo(f"Another person may promote it: xinheng model promote {number}", err=True)


@model.command("list", epilog="Example: xinheng model list --state champion")
@click.option("--state", type=click.Choice(list(STATES)), default=None)
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many.")
@as_json
def list_(state: str | None, limit: int, as_json: bool) -> None:
    """Models, newest first, with their gain in AUC over the fitted rules on the hold-out."""
    with support.connected():
        found = [models.as_dict(row) for row in models.page(state=state or "", limit=limit).items]
    if as_json:
        support.emit({"items": found})
        return
    rows = [
        [one["id"], one["name"], FORMS[one["form"]], STATES[one["state"]], _gain(one), one["trained_by"], one["decided_by"], one["hash"][:12]]
        for one in found
    ]  # fmt: skip
    support.table(
        ["id", "名称 name", "形式 form", "状态 state", "增益 gain", "训练 trained by", "决定 decided by", "hash"], rows
    )


@model.command(epilog="Example: xinheng model show 1 --json")
@NUMBER
@as_json
def show(number: int, as_json: bool) -> None:
    """One model (ID): its window, how it did on the hold-out, and in the quarters that were watched since."""
    with support.connected():
        row = models.get(number)
        found = models.shown(row)
        quarters = [one.as_dict() for one in model_watch.reports(row)]
    if as_json:
        support.emit({**found, "quarters": quarters})
        return
    from rules.model import report

    click.echo(
        f"Model {number}: {found['name']}, {FORMS[found['form']]} {found['form']}, {STATES[found['state']]} {found['state']}"
    )
    click.echo(f"hash {found['hash']}  ·  trained by {found['trained_by']} at ledger number {found['known_seq']}")
    for part, title in PARTS.items():
        days = [clock.day_of(found["window"][f"{part}_{end}"]) for end in ("from", "until")]
        click.echo(f"{title}: {days[0]} until {days[1]}")
    if found["retired_why"]:
        click.echo(f"停用 retired by {found['retired_by']}: {found['retired_why']}")
    click.echo("" if found["report"] is None else f"\n{report.table(found['report'])}")
    _seen_before(found["look"])
    for one in quarters:
        said = one["report"]
        auc = "–" if said["auc"] is None else f"{said['auc']['auc']:.3f}"
        click.echo(
            f"{one['quarter']}: {said['rows']:,} visits, AUC {auc}{' – 停用 retired itself' if one['retires'] else ''}"
        )
        for finding in said["findings"]:
            click.echo(f"  {finding['zh']} {finding['en']}")


@model.command(epilog="Example: xinheng model shadow 2")
@NUMBER
@as_json
def shadow(number: int, as_json: bool) -> None:
    """Score with a model (ID) beside the champion, without any effect 影子运行. Safe to repeat."""
    with support.connected():
        _tell(*models.shadow(number, by=support.actor(), now=clock.now()), as_json)


@model.command(epilog="Example: xinheng model promote 1")
@NUMBER
@as_json
def promote(number: int, as_json: bool) -> None:
    """Make a model (ID) the champion 启用, as another person than trained it, where it beats the fitted rules on its hold-out.

    The champion before it retires. It orders, warns and suggests from its first scoring on. Safe to repeat.
    """
    with support.connected() as settings:
        row, new = models.promote(number, settings=settings, by=support.actor(), now=clock.now())
        _tell(row, new, as_json)
    if new:
        click.echo("It has effect from its first scoring on. Now: xinheng model score", err=True)


@model.command(epilog="Example: xinheng model retire 1 --reason 检查口径已变")
@NUMBER
@click.option("--reason", required=True, help="Why it retires 停用理由; it stays on record.")
@as_json
def retire(number: int, reason: str, as_json: bool) -> None:
    """Take a model (ID) off for good 停用, as another person than trained it: chances are cleared, raises end. Safe to repeat."""
    with support.connected() as settings:
        _tell(*models.retire(number, why=reason, settings=settings, by=support.actor(), now=clock.now()), as_json)


@model.command(epilog="Example: xinheng model score")
@as_json
def score(as_json: bool) -> None:
    """Score everyone now with the models at work, as the job score_model does by night. Only what changed is written."""
    from registry.services import model_scores

    with support.connected() as settings, support.progress("评分 Scoring") as tell:
        done = model_scores.score_all(settings, day=support.today(settings), progress=tell)
    if as_json:
        support.emit(
            {
                "entities": done.entities,
                "chances": done.chances,
                "models": {str(key): one for key, one in done.models.items()},
            }
        )
        return
    if not done.models:
        click.echo("No model is at work, or models are switched off ([model] use): no chance stands 无在用模型.")
    for number, told in done.models.items():
        click.echo(
            f"Model {number}: {told['scored']:,} scored, {told['no_ground']:,} without ground to judge 无判断依据, {told['written']:,} changed"
        )
    if done.models:
        click.echo(f"{done.entities:,} entities; {done.chances:,} chances beside grades changed.")


@model.command(epilog="Example: xinheng model openings")
@click.option("--target", default="", help="Of one target only: `ledger`, or a target of a benchmark.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many.")
@as_json
def openings(target: str, limit: int, as_json: bool) -> None:
    """Looks at test periods 测试期查看记录, newest first: the one that a release is allowed, and every further one with its reason."""
    with support.connected():
        found = [model_openings.as_dict(row) for row in model_openings.page(target=target, limit=limit).items]
    if as_json:
        support.emit({"items": found})
        return
    columns = ["id", "target", "release", "from", "until", "first", "by", "at", "why"]
    support.table([*columns, "model"], [[*(one[name] for name in columns), one["model"][:12]] for one in found])


@model.command(epilog="Example: xinheng model rates --from 2025-01-01 --to 2025-12-31")
@click.option("--scheme", default=None, help="The scheme whose classes are meant. Default: [grading] scheme.")
@click.option("--from", "first", type=DAY, default=None, help="First day. Default: a year before the last.")
@click.option("--to", "last", type=DAY, default=None, help="Last day. Default: today.")
@as_json
def rates(scheme: str | None, first: date | None, last: date | None, as_json: bool) -> None:
    """Failure rates per class 问题发现率, estimated without bias from checks whose inclusion probability is stored.

    Beside them stands the naive rate of all checks, which is wrong wherever the suspicious are visited more often.
    """
    from registry.services import grading
    from registry.services import rates as service

    with support.connected() as settings:
        end = last or support.today(settings)
        start = first or end - timedelta(days=365)
        if start > end:
            raise click.BadParameter(f"{start} lies after --to, {end}. Give the earlier day.", param_hint="--from")
        named = grading.scheme_named(settings, scheme)
        found = service.by_class(named, start, end, [""])
    if as_json:
        support.emit({"scheme": named.id, "from": start, "to": end, "items": found})
        return
    rows = [
        [one["class"], one["checks"], one["failures"], _share(one, "naive"), f"{one['drawn']} / {one['answered']}", _share(one),
         _span(one, "least", "most"), _total(one)]
        for one in found
    ]  # fmt: skip
    support.table(
        ["类别 class", "检查 checks", "问题 failures", "直接比例 plain share", "抽取/见到 drawn / met", "发现率 rate",
         "未见者全无/全有 least – most", "全部对象问题数 total"],
        rows, title=f"{named.id} {start} … {end}, 95 %",
    )  # fmt: skip
    for one in found:
        if one["withheld"]:
            click.echo(f"{one['class']}: 不予估计 withheld. {one['withheld']}", err=True)
    if not found[-1]["drawn"]:
        click.echo(
            "没有记录入样概率的检查，无法无偏估计 No check of this span keeps the probability with which a draw chose it: only the plain "
            "share is known, and it says how suspicious the visited were (docs/rates.md).",
            err=True,
        )


@model.command(epilog="Example: xinheng model card 1 cards/autumn")
@NUMBER
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def card(number: int, folder: Path) -> None:
    """Write the model card 模型卡 of an evaluated model (ID) into FOLDER: Markdown with its pictures, and one HTML page."""
    from registry.services import model_cards

    with support.connected():
        try:
            for file in model_cards.write(models.get(number), folder):
                click.echo(str(file))
        except OSError as error:
            raise click.FileError(
                str(error.filename or folder), f"{error.strerror}. Name a folder that can be written."
            ) from error


def _seen_before(look: dict[str, Any] | None) -> None:
    if look is not None and not look["first"]:
        click.echo("This test period was seen before: these figures are no proof 非首次查看.", err=True)


def _share(one: dict[str, Any], kind: str = "") -> str:
    """A rate with its interval; nothing where there is no ground for one."""
    value, low, high = (one[f"{kind}_{name}" if kind else name] for name in ("rate", "low", "high"))
    return "–" if value is None else f"{value:.1%} ({low:.1%} – {high:.1%})"


def _span(one: dict[str, Any], low: str, high: str) -> str:
    return "–" if not one["drawn"] or one[low] is None else f"{one[low]:.1%} – {one[high]:.1%}"


def _total(one: dict[str, Any]) -> str:
    if one["total_failures"] is None or not one["drawn"]:
        return "–"
    return f"{one['total_failures']:,.0f} ({one['total_low']:,.0f} – {one['total_high']:,.0f})"


def _gain(one: dict[str, Any]) -> str:
    gain = one["gain"]
    return f"{gain['low']:+.4f} … {gain['high']:+.4f}" if gain["low"] or gain["high"] else "未评估 not evaluated"


def _tell(row: Model, new: bool, as_json: bool) -> None:
    if as_json:
        support.emit({"said": "done" if new else "unchanged", **models.as_dict(row)})
        return
    click.echo(f"Model {row.id}: {row.name} {STATES[row.state]} {row.state}{'' if new else ' – unchanged'}")
