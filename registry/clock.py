"""Days and moments as the database keeps them. The only file that reads the clock; logic gets `today` and `now`."""

import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

EPOCH = date(1970, 1, 1)
_EPOCH_ORDINAL = EPOCH.toordinal()


def now() -> int:
    """The present moment in milliseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1_000_000


def day_end(day: date, timezone: str) -> int:
    """The last millisecond of a day in a time zone, in UTC."""
    following = datetime.combine(day + timedelta(days=1), datetime.min.time(), ZoneInfo(timezone))
    return int(following.timestamp() * 1000) - 1


def today(timezone: str) -> date:
    """The present day where the registry works (`[jobs] timezone`)."""
    return datetime.now(ZoneInfo(timezone)).date()


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - _EPOCH_ORDINAL


def day_of(number: int) -> date:
    return EPOCH + timedelta(days=number)


def moment_text(milliseconds: int) -> str:
    """A moment as RFC 3339 text in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
