"""`xinheng simulate`: what each way of choosing visits would have found, on a synthetic district and without a database."""

import time
from datetime import date
from pathlib import Path
from typing import Any

import click

from api.cli import support
from api.cli.support import DAY, as_json
from registry.simulate.asked import ENTITIES, FIRST, MONTHS, NAMES, PARAMETERS, SEED, Asked

MOST_COVERAGE, MOST_SEEDS = 2_000, 100


@click.command("simulate", epilog="Example: xinheng simulate --entities 20000 --pictures docs/pictures")
@click.option(
    "--policy", "policies", type=click.Choice(NAMES), multiple=True,
    help="Policy to run; may be repeated. Default: all. `random` always runs beside it.",
)  # fmt: skip
@click.option("--months", type=int, default=MONTHS, show_default=True, help="Months to simulate.")
@click.option("--entities", type=int, default=ENTITIES, show_default=True, help="Entities of the district.")
@click.option("--seed", type=int, default=SEED, show_default=True, help="The same seed gives the same bytes.")
@click.option(
    "--parameters", type=click.Choice(PARAMETERS), default=PARAMETERS[0], show_default=True, help="The planted risk."
)
@click.option("--visits", type=int, default=None, help="Visits a month. Default: what the frequency table asks for.")
@click.option("--from", "first", type=DAY, default=FIRST, show_default=True, help="First day of the first month.")
@click.option(
    "--frequency", type=click.Path(path_type=Path, dir_okay=False, exists=True), default=None,
    help="Frequency table 抽查比例和频次. Default: the shipped one.",
)  # fmt: skip
@click.option(
    "--seeds", type=click.IntRange(1, MOST_SEEDS), default=1, show_default=True,
    help="Districts: with more than one, seeds from --seed on, and the intervals of what each policy finds against random.",
)  # fmt: skip
@click.option(
    "--coverage", type=click.IntRange(0, MOST_COVERAGE), default=0, show_default=True,
    help="Draw the random slice anew so many times, and count the intervals that hold the truth.",
)  # fmt: skip
@click.option(
    "--pictures", type=click.Path(path_type=Path, file_okay=False), default=None, help="Write three SVG pictures there."
)
@as_json
def simulate(
    policies: tuple[str, ...], months: int, entities: int, seed: int, parameters: str, visits: int | None, first: date,
    frequency: Path | None, seeds: int, coverage: int, pictures: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Two years of a synthetic district under each policy, at equal visits 检查策略模拟.

    Entities have risks that nobody sees; records arrive; everybody is graded each month by the real engine, and the model is
    trained on what was on record. Nothing is read from the registry and nothing is written to it. docs/simulation.md.
    """
    # Asked for here: the engine and the generator take longer to load than --help may.
    from registry.simulate import measures
    from registry.simulate.pictures import pictures as drawn
    from registry.simulate.run import simulate as run
    from rules.inspection.frequency import read

    asked = Asked(policies or NAMES, months, entities, seed, parameters, first, visits)
    table = None if frequency is None else read(frequency)
    started = time.monotonic()
    with support.progress("Simulate 模拟") as tell:
        made = run(asked, table, lambda _what, done, total: tell(done, total))
        body = measures.report(made, coverage=coverage)
    if seeds > 1:
        with support.progress("Seeds 多次模拟") as tell:
            body["over_seeds"] = measures.over_seeds(
                asked, range(seed, seed + seeds), table, lambda _what, done, total: tell(done, total)
            )
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
        for name, svg in drawn(body).items():
            (pictures / f"simulation-{name}.svg").write_text(svg, encoding="utf-8")
            click.echo(f"{pictures / f'simulation-{name}.svg'}", err=True)
    # The time is no part of the result: the same seed gives the same bytes.
    click.echo(f"{time.monotonic() - started:.1f} s", err=True)
    if as_json:
        support.emit(body)
        return
    show(body)


def show(body: dict[str, Any]) -> None:
    """Print a report (:func:`registry.simulate.measures.report`) as a person reads it."""
    asked, policies = body["asked"], body["policies"]
    click.echo(
        f"策略模拟 Simulation  {asked['entities']:,} 户 entities, {len(body['months'])} 个月 months from {asked['first']}, "
        f"每月 {body['visits_a_month']} 户次 visits a month, seed {asked['seed']}, {asked['parameters']}"
    )
    rows = [
        [
            f"{one['title']['zh']} {name}", f"{one['visits']:,}", f"{one['violations']:,}",
            f"{one['per_100']:.1f} ({one['per_100_low']:.1f}–{one['per_100_high']:.1f})", _number(one["times_random"], ".2f"),
            f"{one['entities_found']:,}", _earlier(one["earlier"]), one["as_many_days"], f"{one['never_share']:.1%}", one["most"], one["beyond_cap"],
        ]
        for name, one in policies.items()
    ]  # fmt: skip
    support.table(
        ["策略 policy", "户次 visits", "发现 found", "每百户次 per 100", "× random", "户数 entities", "早(日) days earlier", "同数提前(日) as many",
         "从未 never", "最多 most", "超限 beyond cap"],
        rows,
    )  # fmt: skip
    for one in policies.values():
        support.table(
            ["分类 class", "户次 visits", "直接算 naive", "95 %", "无偏 unbiased", "95 %", "实际 truth"],
            [
                [
                    row["class"], f"{row['visits']:,}", _number(row["naive"], ".1%"),
                    f"{row['naive_low']:.1%}–{row['naive_high']:.1%}" if row["visits"] else "", _number(row["rate"], ".1%"),
                    "" if row["rate"] is None else f"{row['low']:.1%}–{row['high']:.1%}", _number(row["truth"], ".1%"),
                ]
                for row in one["classes"]
            ],
            title=f"{one['title']['zh']} {one['title']['en']}: 各类问题发现率 rates by class",
        )  # fmt: skip
        for note in one["model"]:
            said = note.get("refused") or f"model {note['model']}, {note['features']} features"
            click.echo(f"模型 {note['on']}: {note['visits']:,} visits, {note['failures']:,} failures; {said}")
    _coverage(body)
    _seeds(body)


def _coverage(body: dict[str, Any]) -> None:
    for name, rows in body.get("coverage", {}).items():
        support.table(
            ["分类 class", "次数 seeds", "直接算覆盖 naive holds", "给出 given", "无偏覆盖 unbiased holds"],
            [[row["class"], row["seeds"], row["naive"], row["given"], row["held"]] for row in rows],
            title=f"95 % 区间覆盖 Intervals that hold the truth: {name}",
        )


def _seeds(body: dict[str, Any]) -> None:
    if "over_seeds" in body:
        support.table(
            ["策略 policy", "× random", "95 %", "最少 least", "户数 × entities"],
            [
                [
                    name, f"{one['times_random']['mean']:.2f}",
                    f"{_number(one['times_random']['low'], '.2f')}–{_number(one['times_random']['high'], '.2f')}",
                    f"{one['times_random']['least']:.2f}", f"{one['entities_times_random']['mean']:.2f}",
                ]
                for name, one in body["over_seeds"].items()
            ],
            title="多次模拟 Over several seeds",
        )  # fmt: skip


def _earlier(said: dict[str, Any]) -> str:
    return "" if said["days"] is None else f"{said['days']:+.0f} ({said['entities']})"


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
