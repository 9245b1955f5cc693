"""Figures of early warnings 风险预警: how many, how late, and how many raised a false alarm, by model and quarter."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from math import sqrt
from typing import Any

from registry import clock
from registry.database import execute
from registry.divisions import in_sql
from registry.services.early_warnings import NOT_LOOKED, NOTHING, STATES, VIOLATION
from registry.services.warning_views import SHOWING

# Of the standard normal distribution: 95 % lie within.
Z = 1.959963984540054
# A record after the day of the warning that found something.
FOUND = (
    f"EXISTS (SELECT 1 FROM fact f WHERE f.entity = w.entity AND f.kind IN ({', '.join(map(str, sorted(SHOWING)))}) "  # noqa: S608 (numbers are ours)
    "AND f.severity > 0 AND f.gone IS NULL AND f.day > w.day)"
)


def figures(today: date, *, divisions: Sequence[str] = ("",), since: date | None = None) -> dict[str, Any]:
    """Warnings raised in divisions with these prefixes (where they were raised), from `since` on. Three queries.

    Returns
    -------
    dict with `on`; `states` (count by state); `overdue`: `unassigned`, `unanswered` (past their last day);
    `to_remind`: warnings without feedback of which a later spot check or penalty found something; and `quarters`, the newest
    first, one for each model and quarter of raising: `raised`, `closed_unassigned` (nobody had taken them on when they lost
    their ground), `waiting` (no feedback yet), `found_waiting` (those of them that `to_remind` counts) with its share,
    `violation`, `nothing`, `not_looked`, `looked` (violation + nothing), and `false_alarms`: nothing / looked with its 95 %
    interval of Wilson (JASA 1927), None where nothing was looked into.
    """
    where, values = in_sql(divisions, "w.division")
    if since is not None:
        where, values = f"{where} AND w.day >= ? ", [*values, clock.day_number(since)]  # type: ignore[list-item]
    rows = execute(
        f"SELECT w.model_id, w.day, w.state, w.outcome, CASE WHEN w.outcome = 0 AND w.state <> 'closed' AND {FOUND} "  # noqa: S608 (ours)
        f"THEN 1 ELSE 0 END AS shown, count(*) FROM early_warning w WHERE 1 = 1 {where} GROUP BY 1, 2, 3, 4, 5",
        values,
    ).fetchall()
    late = execute(
        "SELECT coalesce(sum(CASE WHEN w.state = 'open' AND w.assign_by < ? THEN 1 ELSE 0 END), 0), "  # noqa: S608 (ours)
        "coalesce(sum(CASE WHEN w.state IN ('assigned', 'disposed') AND w.answer_by < ? THEN 1 ELSE 0 END), 0) "
        f"FROM early_warning w WHERE w.state <> 'closed' {where}",
        [clock.day_number(today), clock.day_number(today), *values],
    ).fetchone()
    named = dict(execute("SELECT id, name FROM model").fetchall())
    states: Counter[str] = Counter()
    groups: dict[tuple[int, str], Counter[str]] = {}
    for model, day, state, outcome, shown, count in rows:
        states[state] += count
        group = groups.setdefault((model, quarter_of(clock.day_of(day))), Counter())
        group["raised"] += count
        group["closed_unassigned"] += count if state == "closed" and not outcome else 0
        group["waiting"] += count if state != "closed" and not outcome else 0
        group["found_waiting"] += count if shown else 0
        for name, number in (("violation", VIOLATION), ("nothing", NOTHING), ("not_looked", NOT_LOOKED)):
            group[name] += count if outcome == number else 0
    return {
        "on": today.isoformat(), "states": {name: states[name] for name in STATES},
        "overdue": {"unassigned": int(late[0]), "unanswered": int(late[1])},
        "to_remind": sum(group["found_waiting"] for group in groups.values()),
        "quarters": [
            {"model": {"id": model, "name": named[model]}, "quarter": quarter, **_told(group)}
            for (model, quarter), group in sorted(groups.items(), key=lambda item: (item[0][1], item[0][0]), reverse=True)
        ],
    }  # fmt: skip


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson, JASA 22, 1927). Raises ValueError unless 0 <= hits <= of and of > 0."""
    if not 0 <= hits <= of or of == 0:
        raise ValueError(f"{hits} of {of} is no share.")
    share, square = hits / of, Z * Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = Z * sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    # The bounds of none and of all are exact; rounding must not move them.
    return (0.0 if hits == 0 else middle - half), (1.0 if hits == of else middle + half)


def quarter_of(day: date) -> str:
    """The quarter of a day, as 2026Q4."""
    return f"{day.year}Q{(day.month + 2) // 3}"


def _told(group: Counter[str]) -> dict[str, Any]:
    names = ("raised", "closed_unassigned", "waiting", "found_waiting", "violation", "nothing", "not_looked")
    looked = group["violation"] + group["nothing"]
    waiting = group["waiting"]
    return {
        **{name: group[name] for name in names},
        "found_waiting_share": _share(group["found_waiting"], waiting),
        "looked": looked,
        "false_alarms": _share(group["nothing"], looked),
    }


def _share(hits: int, of: int) -> dict[str, float] | None:
    if not of:
        return None
    low, high = wilson(hits, of)
    return {"share": round(hits / of, 4), "low": round(low, 4), "high": round(high, 4)}
