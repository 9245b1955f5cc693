"""Made-up facts, coverage and entities for property tests, as plain rows that hypothesis can shrink."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

from rules.dated import to_day
from tests.rules.frames import fact, feeds

FIRST, LAST = to_day(date(2023, 6, 1)), to_day(date(2025, 7, 20))
DIVISIONS = ("990102", "990203")
_day = st.integers(FIRST - 800, LAST)
_when = st.one_of(_day, st.sampled_from([FIRST, to_day(date(2024, 6, 30)), to_day(date(2024, 7, 1))]))


@st.composite
def _fact(draw, entities):
    kind = draw(st.sampled_from(["registration", "penalty", "abnormal_listing", "serious_listing", "spot_check",
                                 "annual_report", "item_12315"]))  # fmt: skip
    code = {
        "registration": st.sampled_from([0, 1300, 5200, 9999]),
        "annual_report": st.integers(2019, 2025),
        "serious_listing": st.integers(5, 11),
    }.get(kind, st.integers(1, 4))
    day = draw(_when)
    ends = draw(st.one_of(st.none(), st.integers(0, 500).map(lambda more: day + more)))
    severity = draw(st.integers(1, 4) if kind == "registration" else st.integers(0, 3))
    return fact(kind, day, entity=draw(st.integers(1, entities)), code=draw(code), severity=severity, ends=ends,
                amount=draw(st.integers(0, 300_000)), seq=draw(st.integers(1, 60)))  # fmt: skip


def fact_rows(entities: int, most: int):
    return st.lists(_fact(entities), max_size=most)


_feed = st.tuples(
    st.sampled_from(["registration", "penalty", "abnormal_listing", "serious_listing", "spot_check", "annual_report"]),
    st.sampled_from(["", "99", "990102", "990203"]),
    st.integers(FIRST - 400, LAST),
    st.one_of(st.none(), st.integers(FIRST - 400, LAST)),
)
coverages = st.lists(_feed, max_size=8).map(lambda rows: feeds(*rows))
