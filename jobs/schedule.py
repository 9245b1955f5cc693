"""Cron lines as everyone else reads them, and the tick that is due at a moment."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apscheduler.triggers.cron import CronTrigger

from jobs.declared import JobSpec
from registry.config import Settings
from registry.errors import ConfigError

WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NUMBERS = re.compile(r"([0-7])(?:-([0-7]))?(?:/([1-7]))?", re.ASCII)
# How far back the last tick is looked for: yearly schedules are the rarest that make sense.
LONGEST = timedelta(days=400)


def zone(settings: Settings) -> ZoneInfo:
    """The time zone of `[jobs] timezone`. Raises ConfigError for a name that is none."""
    try:
        return ZoneInfo(settings.jobs.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(
            f"[jobs] timezone = {settings.jobs.timezone!r} is not a time zone. Write a name such as Asia/Shanghai."
        ) from error


def trigger(spec: JobSpec, settings: Settings) -> CronTrigger:
    """The trigger of a job. Raises ConfigError, naming the setting, for a line that is no cron line."""
    line = spec.cron(settings)
    fields = line.split()
    where = f"[jobs] {spec.setting}" if spec.setting else spec.name
    if len(fields) != 5:
        raise ConfigError(
            f"{where} = {line!r} has {len(fields)} fields. A cron line has five: minute hour day month weekday."
        )
    minute, hour, day, month, weekday = fields
    try:
        return CronTrigger(
            minute=minute, hour=hour, day=day, month=month, day_of_week=_weekday(weekday), timezone=zone(settings)
        )
    except ValueError as error:
        raise ConfigError(f'{where} = {line!r} is not a cron line: {error}. Write for example "30 1 * * *".') from error


def _weekday(field: str) -> str:
    """Weekday numbers as cron has them (0 and 7 are Sunday) as names: the scheduler itself counts from Monday."""
    parts = []
    for part in field.split(","):
        match = _NUMBERS.fullmatch(part)
        if match is None:
            parts.append(part)
            continue
        first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
        if last < first:
            raise ValueError(f"the weekdays {part} run backwards")
        parts += [WEEKDAYS[number] for number in range(first, last + 1, step)]
    return ",".join(dict.fromkeys(parts))


def last_due(cron: CronTrigger, now: int) -> int | None:
    """The newest tick not after `now` (both milliseconds UTC); None where there was none within 400 days."""
    moment = datetime.fromtimestamp(now / 1000, UTC)
    back = timedelta(minutes=2)
    while True:
        back = min(back * 4, LONGEST)
        tick = cron.get_next_fire_time(None, moment - back)
        if tick is not None and tick <= moment:
            break
        if back == LONGEST:
            return None
    while (following := cron.get_next_fire_time(tick, tick + timedelta(seconds=1))) is not None and following <= moment:
        tick = following
    return _milliseconds(tick)


def next_due(cron: CronTrigger, now: int) -> int | None:
    """The first tick after `now` (both milliseconds UTC); None where there is none."""
    tick = cron.get_next_fire_time(None, datetime.fromtimestamp(now / 1000, UTC) + timedelta(milliseconds=1))
    return None if tick is None else _milliseconds(tick)


def _milliseconds(tick: datetime) -> int:
    return round(tick.timestamp() * 1000)
