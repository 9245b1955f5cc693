"""`init`, `config` and `sample`: from an empty machine to a registry with something in it."""

import os
import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import click

from api.cli import support
from api.cli.support import as_json
from registry import clock, privacy, schema
from registry import config as settings_file
from registry.config import ROOT, Settings
from registry.services import seal

_PASSWORD_PARAMETER = re.compile(r"(?i)([?&](?:password|passfile|sslpassword)=)[^&]*")


@click.command("init", epilog="Example: xinheng init")
@as_json
def init(as_json: bool) -> None:
    """Create the database or bring it to this version, and make the privacy key and the key of the seal.

    Safe to repeat, and safe to run twice at once: the second finds nothing to do.
    """
    with support.connected(ready=False) as settings:
        applied = initialise(settings)
        if as_json:
            support.emit({"applied": applied, "database": masked(settings.database.url)})
        elif applied:
            click.echo(
                f"Ready: {masked(settings.database.url)} ({len(applied)} migration(s) applied: {', '.join(applied)})"
            )
        else:
            click.echo(f"Ready: {masked(settings.database.url)} (nothing to do)")


def initialise(settings: Settings) -> list[str]:
    """Make the keys, the tables of this version and the log of the seal; the names of the migrations that were applied."""
    privacy.make_key(settings)
    applied = [str(name) for name in schema.upgrade()]
    seal.make_log(settings, now=clock.now())
    return applied


@click.command("config", epilog="Example: XINHENG_SERVER_PORT=9000 xinheng config")
@as_json
def config(as_json: bool) -> None:
    """Print every setting, its value and where it comes from. Passwords in URLs are masked."""
    rows = every_setting(settings_file.load())
    if as_json:
        support.emit({row["key"]: {"value": row["value"], "from": row["from"]} for row in rows})
        return
    support.table(["设置 setting", "值 value", "来源 from"], [[row["key"], row["value"], row["from"]] for row in rows])


def every_setting(settings: Settings) -> list[dict[str, Any]]:
    """Every setting in the order of the file: `key`, `value` (passwords masked) and `from`."""
    file = Path(os.environ.get("XINHENG_CONFIG") or ROOT / "config.toml")
    written = tomllib.loads(file.read_text(encoding="utf-8"))
    rows = []
    for key in settings_file.keys():  # noqa: SIM118 (a function, not a mapping)
        section, name = key.split(".")
        value = getattr(getattr(settings, "import_" if section == "import" else section), name)
        variable = f"XINHENG_{section}_{name}".upper()
        in_file = str(file) if name in written.get(section, {}) else "default"
        source = variable if variable in os.environ else in_file
        rows.append({"key": key, "value": masked(value) if key.endswith(".url") else value, "from": source})
    return rows


def masked(url: str) -> str:
    """A database URL without its password."""
    parts = urlsplit(url)
    if parts.password is not None:
        user, _, place = parts.netloc.rpartition("@")
        url = urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:***@{place}"))
    return _PASSWORD_PARAMETER.sub(r"\1***", url)


class SampleSize(click.ParamType[str | int]):
    """`town`, `city`, or a number of entities."""

    name = "town|city|N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value in ("town", "city") or isinstance(value, int):
            return value
        if str(value).isascii() and str(value).isdigit() and int(value) > 0:
            return int(value)
        return self.fail(f"{value!r} is not a size. Write town, city, or a number of entities from 1 on.", param, ctx)


@click.command("sample", epilog="Example: xinheng sample --size 2000 --seed 7")
@click.option(
    "--size",
    type=SampleSize(),
    default="town",
    show_default=True,
    help="town: 12,000 entities; city: 422,870; or a number.",
)
@click.option(
    "--density",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Multiplies the records.",
)
@click.option("--seed", type=click.IntRange(min=0), default=None, help="The same seed and day give the same district.")
@as_json
def sample(size: Any, density: float, seed: int | None, as_json: bool) -> None:
    """Load a synthetic district into an empty registry. Its division code is one that no real entity can have."""
    with support.connected() as settings:
        counts = load(settings, size=size, density=density, seed=seed)
        if as_json:
            support.emit(counts)
        else:
            click.echo(
                f"Loaded {counts['entities']:,} entities and {counts['records']:,} records. Now: xinheng grade --all"
            )


def load(settings: Settings, *, size: Any, density: float, seed: int | None) -> dict[str, Any]:
    """Load the district of `registry.services.sampling` with a progress bar, and build the context that its grades read."""
    from registry.sample.generator import SEED
    from registry.services import context_building
    from registry.services.sampling import load_sample

    with support.progress("Sample 模拟辖区") as tell:
        try:
            counts = load_sample(
                settings, size=size, density=density, seed=SEED if seed is None else seed, today=support.today(settings),
                now=clock.now(), progress=lambda _phase, done, total: tell(done, total),
            )  # fmt: skip
        except ValueError as error:
            raise click.UsageError(str(error)) from error
    # Otherwise norms and related parties would be unknown until the first of the month.
    context_building.build(settings, day=support.today(settings), now=clock.now())
    return counts
