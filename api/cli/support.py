"""What the commands share: settings and connection, today, progress, and output for people and for programs."""

import logging
import os
import pwd
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
import orjson
import structlog
from peewee import Database, OperationalError

from api.logs import describe
from registry import clock, config, database, schema
from registry.config import Settings
from registry.errors import NotInitialised, RegistryError

Function = TypeVar("Function", bound=Callable[..., Any])
# A bar that comes and goes in a blink only distracts.
SLOW = 2.0

as_json: Callable[[Function], Function] = click.option(
    "--json", "as_json", is_flag=True, help="JSON on standard output, for programs."
)


class Unreachable(RegistryError):
    code = "database_unreachable"
    status = 503


class Day(click.ParamType[date]):
    """A day, YYYY-MM-DD."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a day. Write it as YYYY-MM-DD, for example 2026-11-21.", param, ctx)


DAY = Day()


def configure_logs(settings: Settings) -> None:
    """Log lines as JSON on standard error, from the level of `[log] level` on."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _described,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.log.level.upper(), logging.INFO)),
        # Looked up at each line: whoever calls a command from a program may have put another stream there.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _described(_logger: Any, _method: str, event: Any) -> Any:
    """Type and place of an exception instead of all that it says: it may quote the row at fault."""
    if event.pop("exc_info", None) and (error := sys.exc_info()[1]) is not None:
        event.update(describe(error))
    return event


@contextmanager
def connected(*, ready: bool = True) -> Generator[Settings, None, None]:
    """Settings, and one connection for the length of a command. With `ready` the tables must be of this version.

    Raises Unreachable when there is no database there, NotInitialised when it has no tables yet.
    """
    settings = config.load()
    configure_logs(settings)
    pool = database.connect(settings)
    try:
        with _reached():
            _open(pool, patience=settings.database.timeout)
            if ready and not schema.is_current():
                raise NotInitialised
        yield settings
    finally:
        pool.close()
        pool.close_all()  # type: ignore[attr-defined]


def _open(pool: Database, *, patience: float) -> None:
    """Open a connection. The very first one makes an SQLite file WAL, and SQLite refuses a second at once, without waiting."""
    deadline = time.monotonic() + patience
    while True:
        try:
            pool.connect(reuse_if_open=True)
        except OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@contextmanager
def _reached() -> Generator[None, None, None]:
    try:
        yield
    except OperationalError as error:
        # The first line only: where it was, never the password (drivers leave it out).
        raise Unreachable(
            f"The database cannot be opened: {str(error).splitlines()[0]}. Check [database] url (`xinheng config`)."
        ) from error


def today(settings: Settings) -> date:
    """The present day where the registry works."""
    return clock.today(settings.jobs.timezone)


def actor() -> str:
    """Who types, for the audit log."""
    return f"cli:{account()}"[:64]


def account() -> str:
    """The user under whom this process runs. LOGNAME and USER are not asked: whoever types can set them, and be two persons."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user need not have a name
        return f"uid{os.getuid()}"


def emit(value: Any) -> None:
    """One JSON document on standard output."""
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode())


def state_folder(settings: Settings) -> Path:
    """Where this machine's own files are kept: beside the privacy key."""
    return settings.path(settings.privacy.key_file).parent


def moment(milliseconds: int | None, settings: Settings) -> str:
    """A moment as a person reads it, in the time zone of the registry."""
    if milliseconds is None:
        return ""
    from zoneinfo import ZoneInfo

    return datetime.fromtimestamp(milliseconds / 1000, ZoneInfo(settings.jobs.timezone)).strftime("%Y-%m-%d %H:%M:%S")


@contextmanager
def progress(label: str) -> Generator[Callable[[int, int | None], None], None, None]:
    """A callable (done, total) that draws a bar on standard error once the work has taken two seconds at a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    number = bar.add_task(label, total=None)
    started, shown = time.monotonic(), False

    def tell(done: int, total: int | None) -> None:
        nonlocal shown
        bar.update(number, completed=done, total=total)
        if not shown and time.monotonic() - started > SLOW:
            bar.start()
            shown = True

    try:
        yield tell
    finally:
        if shown:
            bar.stop()


def table(columns: list[str], rows: list[list[Any]], *, title: str = "") -> None:
    """A plain table on standard output, wide enough that nothing is cut when it is piped into a file."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    made = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*("" if cell is None else str(cell) for cell in row))
    Console(width=None if sys.stdout.isatty() else 200, highlight=False, markup=False).print(made)
