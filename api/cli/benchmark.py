"""`model benchmark`: real inspections of others, from their files to the figures that a model has to show."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
from peewee import OperationalError

from api.cli import support
from api.cli.setup import initialise
from api.cli.support import as_json
from registry import clock, config, database, schema
from registry.config import Database, Privacy, Seal, Settings
from registry.errors import RegistryError
from registry.services import model_openings

if TYPE_CHECKING:
    from registry.services.benchmark import Measured, Prepared, Trained

STEPS = {
    "import": "入库 Import", "context": "背景值 Context", "grade": "评定 Grade", "features": "特征 Features", "evaluate": "评估 Evaluation",
}  # fmt: skip
# Why a test period was looked at again, where nobody says so.
UNSAID = "未说明理由 no reason was given"


@click.command(epilog="Example: xinheng model benchmark toronto_dinesafe --data ../shared/data/benchmarks --card cards")
@click.argument("name", required=False, default="")
@click.option(
    "--data", "folder", required=True, type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The folder with the files, or the one that holds a folder called NAME.",
)  # fmt: skip
@click.option(
    "--mapping", type=click.Path(path_type=Path, exists=True, dir_okay=False), default=None,
    help="The mapping of your own set (docs/benchmarks-of-others.md). Default: the one called NAME that comes with the product.",
)  # fmt: skip
@click.option("--target", "only", multiple=True, help="This target only; may be given several times. Default: all.")
@click.option(
    "--database", "url", default="", help="Keep the registry of the benchmark there. Default: it is thrown away."
)
@click.option(
    "--card",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Write the model cards into this folder.",
)
@click.option(
    "--again", default="", help="Why a test period that was opened before is opened again; it stays on record."
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True)
@as_json
def benchmark(
    name: str, folder: Path, mapping: Path | None, only: tuple[str, ...], url: str, card: Path | None, again: str, seed: int,
    as_json: bool,
) -> None:  # fmt: skip
    """Take real inspections of others through the ledger, fit rules and models, and measure them 基准检验.

    NAME is toronto_dinesafe, chicago_food or detroit_food; for a set of your own leave it out and give --mapping. The records stand in
    a registry of their own. Each look at a test period is put on record in the registry that the settings name, where there is one.
    """
    from registry.services import benchmark as service
    from registry.services import benchmark_mapping

    if not name and mapping is None:
        raise click.UsageError(f"Name a benchmark ({', '.join(benchmark_mapping.shipped())}), or give --mapping FILE.")
    if name and mapping is not None and name != mapping.stem:
        raise click.UsageError(
            f"NAME says {name!r} and --mapping {mapping.name!r}: which of the two is meant? Leave one out."
        )
    path, data = service.find(name, mapping, folder)
    read = benchmark_mapping.load(path)
    own = config.load()
    with steps("基准检验 Benchmark", STEPS) as tell:
        with _registry(own, url) as settings:
            made = service.prepare(
                settings, read, data, only=only, seed=seed, today=support.today(settings), now=clock.now, progress=tell,
            )  # fmt: skip
        openings, note = _looked(own, url, made.trained, again)
        measured = []
        for place, (one, opening) in enumerate(zip(made.trained, openings, strict=True)):
            tell("evaluate", place, len(made.trained))
            measured.append(service.measure(one, opening=opening))
    written = _cards(card, made, measured)
    if as_json:
        support.emit(_document(made, measured, seed, written))
        return
    _say(made, measured)
    for line in (note, *(f"模型卡 model card: {file}" for file in written)):
        if line:
            click.echo(line, err=True)


@contextmanager
def _registry(own: Settings, url: str) -> Generator[Settings, None, None]:
    """A registry for the records of the benchmark: in a folder of its own that is removed at the end, or at `url`."""
    with tempfile.TemporaryDirectory(prefix="xinheng-benchmark-") as folder:
        inside = Path(folder)
        settings = dataclasses.replace(
            own, database=Database(url or f"sqlite:///{inside / 'benchmark.db'}", own.database.timeout),
            privacy=Privacy(str(inside / "privacy.key")),
            seal=Seal(own.seal.algorithm, str(inside / "seal.key"), str(inside / "roots.jsonl")),
        )  # fmt: skip
        if url:
            # What is kept needs keys that are kept.
            settings = dataclasses.replace(own, database=Database(url, own.database.timeout))
        support.configure_logs(settings)
        pool = database.connect(settings)
        try:
            with database.session():
                initialise(settings)
                yield settings
        finally:
            pool.close()
            pool.close_all()  # type: ignore[attr-defined]


def _looked(own: Settings, url: str, trained: list[Trained], again: str) -> tuple[list[dict[str, Any] | None], str]:
    """Put on record that the tests are opened, before they are; what stands there, and what a person must know of it."""
    settings = dataclasses.replace(own, database=Database(url, own.database.timeout)) if url else own
    if not _is_there(settings):
        return [None] * len(trained), (
            "测试期查看未留痕 No registry stands at [database] url, so these looks at the test period are on record nowhere. "
            "`xinheng init` makes one."
        )
    pool = database.connect(settings)
    try:
        with database.session():
            if not schema.is_current():
                return [None] * len(trained), (
                    "测试期查看未留痕 The registry at [database] url has no tables of this version, so these looks are on record "
                    "nowhere. Run `xinheng init`."
                )
            found = [_open(one, again) for one in trained]
    finally:
        pool.close_all()  # type: ignore[attr-defined]
    seen = [one["target"] for one in found if not one["first"]]
    note = (
        f"此前已查看 Opened before in this release, so these figures are no proof: {', '.join(seen)}." if seen else ""
    )
    return list(found), note


def _open(one: Trained, again: str) -> dict[str, Any]:
    window = one.card.window
    given: dict[str, Any] = {
        "model": one.card.hash, "from_day": window.test_from, "until_day": window.test_until, "by": support.actor(),
        "now": clock.now(),
    }  # fmt: skip
    try:
        found = model_openings.open_period(one.name, why=again, **given)
    except model_openings.TestPeriodOpened:
        # Whoever tries a set of his own shall not be sent away; the log says that nobody gave a reason.
        found = model_openings.open_period(one.name, why=UNSAID, **given)
    return model_openings.as_dict(found)


def _is_there(settings: Settings) -> bool:
    """Whether a registry is where the settings say; connecting to an SQLite file that is not there would make one."""
    url = settings.database.url
    if urlsplit(url).scheme == "sqlite":
        return settings.path(url.removeprefix("sqlite://")[1:]).is_file()
    try:
        pool = database.connect(settings)
        pool.connect()
        pool.close_all()  # type: ignore[attr-defined]
    except (RegistryError, OSError, OperationalError):
        return False
    return True


def _cards(folder: Path | None, made: Prepared, measured: list[Measured]) -> list[str]:
    if folder is None:
        return []
    from rules.model import card

    titles = {id_: one.title for id_, one in made.scheme.indicators.items()}
    written: list[str] = []
    for one in measured:
        stem = f"{made.mapping.name}-{one.trained.target.id}"
        files = card.files(
            one.report, one.trained.card, stem=stem, titles=titles, recipe=made.recipe, leaks=[leak.as_dict() for leak in one.trained.leaks]
        )  # fmt: skip
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(str(path))
    return written


def _document(made: Prepared, measured: list[Measured], seed: int, written: list[str]) -> dict[str, Any]:
    mapping = made.mapping
    return {
        "benchmark": mapping.name, "title": dataclasses.asdict(mapping.title), "source": mapping.source, "licence": mapping.licence,
        "seed": seed, "scheme": made.scheme.id, "loaded": made.counts, "left_out": made.left_out, "classes": made.classes,
        "targets": {one.trained.target.id: one.as_dict() for one in measured}, "cards": written,
    }  # fmt: skip


def _say(made: Prepared, measured: list[Measured]) -> None:
    from rules.model import report

    click.echo(f"{made.mapping.title.zh} {made.mapping.title.en}")
    click.echo("入库 loaded: " + ", ".join(f"{number:,} {name}" for name, number in made.counts.items() if number))
    if made.left_out:
        click.echo("未用 left out: " + ", ".join(f"{number:,} {why}" for why, number in made.left_out.items()))
    for one in measured:
        title = one.trained.target.title
        rows = ", ".join(f"{part} {visits:,} / {failures:,}" for part, (visits, failures) in one.trained.rows.items())
        click.echo(f"\n{title.zh} {title.en} – 检查 visits / 发现 failures: {rows}\n")
        click.echo(report.table(one.report))
        for leak in one.trained.leaks:
            click.echo(f"泄漏 LEAK {leak.feature} ({leak.test}): {leak.zh}；{leak.en}")


@contextmanager
def steps(title: str, names: Mapping[str, str]) -> Generator[Callable[[str, int, int], None], None, None]:
    """Progress by step: each is named (by `names`, where it stands there) as it begins, and the bar shows how far it is once it
    takes time."""
    begun = ""
    with support.progress(title) as tell:

        def told(step: str, done: int, total: int) -> None:
            nonlocal begun
            if step != begun:
                begun = step
                click.echo(f"{names.get(step, step)} …", err=True)
            tell(done, total)

        yield told
