"""`grade` and `explain`."""

import time
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from api.cli import support
from api.cli.support import DAY, as_json
from registry import clock
from registry.config import Settings
from registry.database import write
from registry.kinds.base import EARLIEST
from registry.services import (
    book,
    entities,
    explanation,
    grading,
    ledger,
    model_view,
    preview,
    raises,
    scheme_shadows,
    ways,
)
from registry.services.explanation import LATEST


def within_reach(_context: click.Context, _option: click.Parameter, day: date | None) -> date | None:
    """The day of `--on`; refused where no breakpoint or window about it could be written."""
    if day is not None and not EARLIEST <= day <= LATEST:
        raise click.BadParameter(f"give a day from {EARLIEST} until {LATEST}, not {day}")
    return day


@click.command("grade", epilog="Example: xinheng grade --due   or: xinheng grade 91990101MA00000000 --on 2026-06-30")
@click.argument("codes", nargs=-1)
@click.option("--all", "everyone", is_flag=True, help="Grade all entities, under one scheme.")
@click.option("--due", is_flag=True, help="Grade those whose grade may have changed, under one scheme.")
@click.option(
    "--scheme", default=None,
    help="The one scheme that grades. Default: [grading] scheme; all that are in force: xinheng jobs run grade_due.",
)  # fmt: skip
@click.option(
    "--on", "day", type=DAY, default=None, callback=within_reach,
    help="Show what the grades would be on another day; nothing is written then.",
)  # fmt: skip
@click.option(
    "--engine",
    type=click.Choice(["local"]),
    default="local",
    show_default=True,
    help="Where the ranges of a full run are graded.",
)
@as_json
def grade(
    codes: tuple[str, ...], everyone: bool, due: bool, scheme: str | None, day: date | None, engine: str, as_json: bool
) -> None:
    """Grade entities now: all of them, those that are due, or some by their codes.

    Safe to repeat: a row is written only where class, score or reasons change. A full run that was cut off goes on
    where it was when it is started again on the same day. Only today's grades become current: with --on another day
    the classes are worked out and shown, and nothing is written. One scheme grades: `xinheng jobs run grade_due`
    (and grade_all) does the same under every scheme in force. A trial (shadow-7) grades as of its proposal's first day.
    """
    if everyone + due + bool(codes) != 1:
        raise click.UsageError("Say who: --all, --due, or one or more codes.")
    with support.connected() as settings:
        today = support.today(settings)
        present = book.graded_as_of(scheme, today)  # the day of the grades that are written
        on = day or present
        chosen = grading.scheme_named(settings, scheme, on)
        if on == present and chosen.id not in grading.schemes(settings, today):
            raise click.UsageError(
                f"Scheme {chosen.id} is not in force here. Propose it (`xinheng scheme propose`), name it in [grading] "
                "as_shipped, or see what it would give on another day with --on."
            )
        if due and on != present:
            raise click.UsageError("Who is due depends on today. Say --all or codes with --on.")
        started = time.monotonic()
        size = settings.grading.range_size
        with support.progress(f"Grade 评定 {chosen.id}") as tell, explanation.in_force():
            if on == present and not codes:
                scheme_shadows.turn_back(chosen.id, on)
                raises.settle(settings, clock.now())
            if on != present:
                some = [entities.get(code).id for code in codes] or None
                result = preview.on(chosen, on, range_size=size, entities=some, progress=tell)
            elif everyone:
                result = grading.everyone(chosen, day=on, range_size=size, progress=tell)
            elif due:
                result = grading.due(chosen, day=on, progress=tell)
            else:
                ids = [entities.get(code).id for code in codes]
                with write():
                    result = grading.one(chosen, ids, day=on)
        seconds = round(time.monotonic() - started, 3)
    body = {
        "scheme": chosen.id, "on": on.isoformat(), "engine": engine, "entities": result.entities, "changed": result.changed,
        "seconds": seconds, "classes": result.classes, "written": on == present,
    }  # fmt: skip
    if as_json:
        support.emit(body)
        return
    if on != present:
        click.echo(f"On {on}, with what is known now, {result.changed:,} classes would differ. Nothing was written.")
    click.echo(
        f"{result.entities:,} entities graded under {chosen.id} on {on} in {seconds:.1f} s"
        + (f"; {result.changed:,} grades changed." if on == present else ".")
    )
    if result.classes:
        names = chosen.classes
        support.table(
            ["主体 kind", *names],
            [[kind, *(f"{counts.get(name, 0):,}" for name in names)] for kind, counts in result.classes.items()],
        )


class KnownAt(click.ParamType[datetime | date | int]):
    """A moment (RFC 3339, or a day: its end), or a ledger number."""

    name = "moment|day|number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime | date | int:
        text = str(value)
        if text.isascii() and text.isdigit():
            return int(text)
        try:
            moment = datetime.fromisoformat(text) if len(text) > 10 else date.fromisoformat(text)
            if EARLIEST.year <= moment.year <= LATEST.year:
                return moment
            return self.fail(f"{text!r}: give a day or moment from {EARLIEST} until {LATEST}.", param, ctx)
        except ValueError:
            return self.fail(
                f"{text!r} is not a moment. Write a day (2026-11-21: its end), a moment (2026-11-21T08:30:00+08:00) or a ledger number.",
                param, ctx,
            )  # fmt: skip


def known_seq(value: datetime | date | int | None, settings: Settings, *, note: bool = True) -> int | None:
    """How much of the ledger was known then. A moment without an offset is read in `[jobs] timezone`.

    Says on standard error where a number was never given and, with `note`, where nothing was known yet.
    """
    if value is None:
        return None
    if isinstance(value, int):
        last = ledger.head()
        if value > last:
            click.echo(f"Note: the last number of the ledger is {last}; what is known at it is used.", err=True)
        known = min(value, last)  # what is not written yet cannot be known
    elif isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=ZoneInfo(settings.jobs.timezone))
        known = ledger.seq_at(int(moment.timestamp() * 1000))
    else:
        known = ledger.seq_at(clock.day_end(value, settings.jobs.timezone))
    if note and known == 0:
        click.echo(f"Note: {explanation.nothing_known(settings.jobs.timezone).detail}", err=True)
    return known


@click.command("explain", epilog="Example: xinheng explain 91990101MA00000000 --on 2026-06-30 --known-at 2026-07-15")
@click.argument("code")
@click.option("--scheme", default=None, help="Default: [grading] scheme.")
@click.option(
    "--on", "day", type=DAY, default=None, callback=within_reach,
    help="The day that is asked about. Default: the day of the present grade.",
)  # fmt: skip
@click.option(
    "--known-at", type=KnownAt(), default=None, help="What was known then: a day, a moment, or a ledger number."
)
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.option(
    "--ways/--no-ways", "with_ways", default=True, show_default=True,
    help="Also the cheapest way to a better class from today on; not with --on or --known-at.",
)  # fmt: skip
@click.option(
    "--basis",
    "with_basis",
    is_flag=True,
    help="Also the value of each parameter that was used, and what it rests on 依据.",
)
@as_json
def explain(
    code: str,
    scheme: str | None,
    day: date | None,
    known_at: datetime | date | int | None,
    lang: str,
    with_ways: bool,
    with_basis: bool,
    as_json: bool,
) -> None:
    """Why an entity has its class: points with the records behind them, what was unknown, how far the next class is.

    The explanation is worked out again from the ledger and held against the digest that was stored. Under it stands what
    the enterprise can do about its class, what waiting alone does, and what would make it worse.
    """
    with support.connected() as settings:
        known, today = known_seq(known_at, settings, note=False), support.today(settings)
        if known == 0:
            raise explanation.nothing_known(settings.jobs.timezone)
        chosen = book.in_force(settings, scheme, on=day or today, known=known)
        found = explanation.of(entities.get(code, known=known), chosen, on=day, known=known, today=today)
        body = found.to_dict()
        graded = book.schemes_in_force(settings, on=found.day)
        body["holds"] = chosen.id in graded and not book.is_shadow(chosen)
        body["model"] = model_view.of(
            found.entity, found.explanation, worst=found.scheme.classes[-1], settings=settings,
            asked_past=day is not None or known is not None,
        )  # fmt: skip
        if with_ways and day is None and known is None:
            body["ways"] = ways.of(found.entity, chosen, found, today=today)
    if as_json:
        support.emit(body)
        return
    from api.cli import page, ways_page

    page.show(body, lang, with_basis=with_basis, holds=body["holds"])
    ways_page.show(body.get("ways"), best=chosen.classes[0], lang=lang)
