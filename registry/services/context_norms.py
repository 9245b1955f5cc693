"""Norms by industry 行业背景值: rates of a class 小类 shrunk to its division 大类, and of a division to everyone. Pure.

With s events over n units (entities, or checks), the rate of all is r = 1000 s / n, that of a division
(1000 s + w r) / (n + w) over its own s and n, and that of a class the same with the rate of its division for r. Whole
thousandths; each level is rounded once, half up. A class with few units is close to its division, one with many to itself.
"""

from collections.abc import Iterable

# Highest code of GB/T 4754 that a range may name, and how many classes a division has room for.
HIGHEST, CLASSES = 9_999, 100
# Code of an entity whose industry is not known, and those below the first class (0111): they count in the whole only.
FIRST = 100


def rate(events: int, units: int) -> int:
    """Thousandths of an event per unit, rounded half up. `units` is at least 1."""
    return (2_000 * events + units) // (2 * units)


def shrunk(events: int, units: int, wider: int, weight: int) -> int:
    """A rate in thousandths, shrunk to the `wider` one (thousandths) as if that had been seen in `weight` more units.

    Rounded half up. It lies between the group's own rate and the wider one; with no units it is the wider one, with weight 0
    the group's own. Not both may be 0.
    """
    total = units + weight
    return (2 * (1_000 * events + weight * wider) + total) // (2 * total)


def ranges(seen: Iterable[tuple[int, int, int]], weight: int) -> list[tuple[int, int, int]]:
    """Norms by code: (low, high, thousandths), inclusive, in order, without a gap from 0 to 9999 and without overlap.

    Parameters
    ----------
    seen : (code, events, units) by industry code; a code may stand in it several times, and the order does not matter
    weight : units that the wider group counts for, at least 0

    Every code that was seen has a range of its own, the rest of a division the division's rate, everything else the rate of
    all. Empty where nothing was seen.
    """
    counts: dict[int, tuple[int, int]] = {}
    for code, events, units in seen:
        before = counts.get(code, (0, 0))
        counts[code] = (before[0] + events, before[1] + units)
    total = _sum(counts.values())
    if not total[1]:
        return []
    everyone = rate(*total)
    found: list[tuple[int, int, int]] = []
    known = sorted(code for code, (_, units) in counts.items() if FIRST <= code <= HIGHEST and units)
    for division in sorted({code // CLASSES for code in known}):
        own = [code for code in known if code // CLASSES == division]
        wider = shrunk(*_sum(counts[code] for code in own), everyone, weight)
        _rest(found, division * CLASSES - 1, everyone)
        for code in own:
            _rest(found, code - 1, wider)
            found.append((code, code, shrunk(*counts[code], wider, weight)))
        _rest(found, division * CLASSES + CLASSES - 1, wider)
    _rest(found, HIGHEST, everyone)
    return found


def _sum(counts: Iterable[tuple[int, int]]) -> tuple[int, int]:
    events = units = 0
    for one in counts:
        events, units = events + one[0], units + one[1]
    return events, units


def _rest(found: list[tuple[int, int, int]], last: int, value: int) -> None:
    """The codes up to `last` that no range names yet."""
    first = found[-1][1] + 1 if found else 0
    if first <= last:
        found.append((first, last, value))
