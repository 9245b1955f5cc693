"""Facts as they stood on a day: what came about, or was decided, only later is taken back.

Most facts say what they say from their day on. Some kinds do not. A complaint 投诉 or report 举报 stands on the day on which it was
received, and whether it was upheld 属实 is known when it is closed, often by the very visit that is to be foretold. A licence 许可 or
certificate 认证 that was given up was in force until then. A registration 登记 has the state of today, and a standard 企业标准 whether it was ever found below a compulsory one: neither says
since when. What has no date counts on no day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from rules.kinds import KINDS, REGISTRATION
from rules.slices import Ints

ITEM = KINDS["item_12315"]
COMPLAINT_OR_REPORT = (1, 2)
# Severities of an item: accepted and still open 已受理, upheld 属实 (registry/kinds/item_12315.py).
ACCEPTED, UPHELD = 1, 2
# Licences and certificates: in force 有效, given up 注销 (registry/kinds/validity.py).
PAPERS = (KINDS["licence"], KINDS["certification"])
VALID, GIVEN_UP = 0, 2
# Kind → the severity that its facts begin with: registered and open 存续; declared, and no fault found.
AT_FIRST: Mapping[int, int] = {REGISTRATION: 1, KINDS["standard_declared"]: 0}


def as_it_stood(facts: pl.DataFrame, day: int) -> pl.DataFrame:
    """``facts`` with every complaint or report that was not closed by ``day`` (days since 1970-01-01) as one that is still open,
    every licence or certificate that was not given up by then as one in force, and with `AT_FIRST`.

    A complaint that was upheld and says no day of closing stays open for ever.
    """
    undecided = pl.when(pl.col("ends").is_null()).then(pl.col("severity") >= UPHELD).otherwise(pl.col("ends") > day)
    stood = pl.when(_decided() & undecided).then(ACCEPTED).when(_given_up() & (pl.col("ends") > day)).then(VALID)
    for kind, severity in AT_FIRST.items():
        stood = stood.when(pl.col("kind") == kind).then(severity)
    return facts.with_columns(severity=stood.otherwise("severity").cast(facts.schema["severity"]))


def by_day(facts: pl.DataFrame, days: Ints) -> Iterator[tuple[Ints, pl.DataFrame]]:
    """Places in ``days``, and the facts as they stood on these days; every place once.

    Days between which nothing was decided come together, so that most askings are one.
    """
    closings = np.unique(facts.filter(_decided() | _given_up())["ends"].drop_nulls().to_numpy().astype(np.int64))
    closed = np.searchsorted(closings, days, side="right")
    for number in np.unique(closed).tolist():
        places = np.flatnonzero(closed == number)
        yield places, as_it_stood(facts, int(days[places[0]]))


def _decided() -> pl.Expr:
    return (pl.col("kind") == ITEM) & pl.col("code").is_in(COMPLAINT_OR_REPORT)


def _given_up() -> pl.Expr:
    return pl.col("kind").is_in(PAPERS) & (pl.col("severity") == GIVEN_UP)
