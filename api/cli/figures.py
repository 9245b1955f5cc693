"""`figures`: what inspections of a period came to 检查统计, as tables, JSON or a page with pictures."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import click

from api.cli import support
from api.cli.support import DAY, as_json
from registry import clock


@click.command(epilog="Example: xinheng figures --from 2026-01-01 --to 2026-06-30 --html figures.html")
@click.option("--from", "first", type=DAY, default=None, help="First day on which lists were made; default: a year back.")  # fmt: skip
@click.option("--to", "last", type=DAY, default=None, help="Last day on which lists were made; default: today.")
@click.option("--task", type=click.IntRange(1), default=None, help="Only of this task.")
@click.option("--organ", default="", help="Only tasks of this organ, led or as a partner.")
@click.option("--division", default="", help="Only visits there: a prefix of GB/T 2260.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), default=None, help="Write a page that prints to this file.")  # fmt: skip
@as_json
def figures(
    first: date | None, last: date | None, task: int | None, organ: str, division: str, html: Path | None, as_json: bool
) -> None:
    """Figures of inspections: completion, closure, problems found by class and slice, rates without bias, effort, deadlines.

    Of the lists made in the period, with all their visits as they stand today.
    """
    from api import paper
    from registry.services import inspection_figures, inspection_page, tasks
    from registry.services.inspection_material import Scope

    if division and not (division.isascii() and division.isdigit() and len(division) <= 6):
        raise click.BadParameter(
            f"{division!r} is no prefix: write up to six digits, for example 9901.", param_hint="--division"
        )
    with support.connected() as settings:
        today = support.today(settings)
        start, end = inspection_figures.period(first, last, today)
        if task is not None:
            tasks.seen(task, organ=organ)
        scope = Scope(start, end, today, task, organ, division=division)
        body = inspection_figures.figures(scope, settings=settings)
        moment = paper.moment(clock.now(), settings.jobs.timezone)
    if html is not None:
        html.write_text(inspection_page.as_html(body, who=support.actor(), at=moment), encoding="utf-8")
    if as_json:
        support.emit(body)
    elif html is not None:
        click.echo(f"{html}: written 已生成")
    else:
        _tell(body)


def _tell(body: Mapping[str, Any]) -> None:
    from registry.services.inspection_page import group_named, number, percent, ratio, share, span

    click.echo(
        f"检查统计 {body['from']} … {body['to']}: 任务 tasks {body['tasks']}, 名单 lists {body['lists']}; as they stand on {body['on']}"
    )
    everybody = [("合计 all", body["total"]), *((one["organ"], one) for one in body["organs"])]
    support.table(
        ["机关 organ", "单位", "应查 to check", "已公示 published", "已办结 closed", "完成率 completion", "办结率 closure"],
        [
            [name, unit, said["to_check"], said["published"], said["closed"], share(said["completion"]), share(said["closure"])]
            for name, one in everybody
            for unit, said in (("户次 visits", one["visits"]), ("户数 entities", one["entities"]))
        ],
    )  # fmt: skip
    support.table(
        ["机关 organ", "按期公示 in time", "逾期未公示 overdue", "复查完成 re-checks done", "线索办结 leads settled", "评价 rating"],
        [
            [name, share(one["publication"]["punctual"]), one["publication"]["overdue"], share(one["rechecks"]["done"]), share(one["leads"]),
             "–" if one["ratings"] is None else f"{one['ratings']['mean']:.1f} (≥ {one['ratings']['at_least']})"]
            for name, one in everybody
        ],
    )  # fmt: skip
    named = [(group_named(one["slice"]), one) for one in body["slices"]]
    named += [(f"{one['class']} ({one['scheme']})", one) for one in body["classes"]]
    support.table(
        ["对象 slice, class", "检查 visits", "待办 pending", "问题发现率 found", "95 %", "未能见到 not met"],
        [[name, one["visits"], one["pending"], share(one["found"]), span(one["found"]), share(one["not_met"])] for name, one in named],
    )  # fmt: skip
    for one in body["unbiased"]["pooled"]:
        support.table(
            ["类别 class", "检查/见到 visits / met", "无偏发现率 rate", "95 %", "未见者全无/全有 least – most", "代表 represents"],
            [
                [row["class"], f"{row['drawn']} / {row['answered']}", percent(row["rate"]), span(row), span(row, "least", "most"), f"{row['represents']:g}"]
                for row in one["items"]
            ],
            title=f"{one['scheme']}: 无偏估计 without bias, lists with a lot {one['lots']}, visits pending {one['pending']}",
        )  # fmt: skip
        for row in one["items"]:
            if row["withheld"]:
                click.echo(f"{row['class']}: 不予估计 withheld. {row['withheld']}", err=True)
    support.table(
        ["对象 slice", "检查 visits", "分钟 minutes", "发现 found", "每起分钟 each", "与随机比 of lot", "与上年比 of last year"],
        [
            [group_named(one["slice"]), one["visits"], one["minutes"], one["found"], number(one["per_found"]), ratio(one["of_lot"]), ratio(one["of_last_year"])]
            for one in body["effort"]
        ],
    )  # fmt: skip
    if not body["beyond_cap"]:
        click.echo("超年度上限 beyond the annual cap: none 无")
    for one in body["beyond_cap"]:
        days = "; ".join(f"{day['day']} {'、'.join(day['organs'])}" for day in one["days"])
        click.echo(f"超年度上限 beyond the annual cap of {one['cap']}: {one['code']} {one['visits']} visits: {days}")
