"""What a regulator waits for, inside the process: search by name, an explanation, one post."""

import random
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.importing import ORGAN
from benchmarks.report import Figure
from benchmarks.work import NOW, SEED, TODAY, Work, connected, seconds, shuffled
from registry.database import execute
from registry.models import Entity
from registry.services import explanation, grading, records, search
from registry.services.search import Query
from rules.scheme import Scheme

PAIRS, EXPLAINED, POSTED = 200, 100, 200
SEARCH_MS, EXPLAIN_MS, REGRADE_MS = 50.0, 50.0, 10.0


def _each(act: Callable[[Any], object], values: Sequence[Any]) -> list[float]:
    """Milliseconds of one call for each value, after five that do not count."""
    for value in values[:5]:
        act(value)
    return [seconds(lambda value=value: act(value)) * 1000 for value in values]  # type: ignore[misc]


def _percentile(times: list[float], percent: int) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[percent - 1]


def search_by_name(work: Work) -> list[Figure]:
    """200 pairs of neighbouring characters out of random names, the first page of 50 each, with classes."""
    with connected(work) as (_, scheme):
        names = [row[0] for row in execute("SELECT name FROM entity ORDER BY id").fetchall()]
        draw = random.Random(SEED)
        pairs = []
        for name in shuffled(names, PAIRS):
            start = draw.randrange(len(name) - 1)
            pairs.append(name[start : start + 2])
        times = _each(
            lambda pair: search.page(Query(q=pair), scheme=scheme.id, with_class=True, after=None, limit=50), pairs
        )
    slowest = pairs[times.index(max(times))]
    note = f"{len(names):,} names, first page of 50; p50 {_percentile(times, 50):.1f} ms, slowest {max(times):.0f} ms ({slowest})"
    return [Figure("name search, two characters, p99", _percentile(times, 99), "ms", limit=SEARCH_MS, note=note)]


def explain(work: Work) -> list[Figure]:
    """100 entities out of every class, each explained with its records and held against its digest."""
    with connected(work) as (_, scheme):
        chosen: list[int] = []
        for name in scheme.classes:
            found = execute(
                "SELECT entity FROM grade_state WHERE scheme = ? AND class = ? ORDER BY entity", (scheme.id, name)
            ).fetchall()
            chosen += shuffled([row[0] for row in found], EXPLAINED // len(scheme.classes))
        entities = [Entity.get_by_id(number) for number in chosen]
        reproduced = []
        times = _each(
            lambda entity: reproduced.append(explanation.of(entity, scheme, today=TODAY).reproduced), entities
        )
    if not all(reproduced):
        raise ValueError(f"{reproduced.count(False)} explanations do not reproduce the stored digest.")
    note = f"{len(times)} entities of every class, all digests reproduced; p99 {_percentile(times, 99):.0f} ms"
    return [Figure("explanation of one entity, median", statistics.median(times), "ms", limit=EXPLAIN_MS, note=note)]


def post(work: Work) -> list[Figure]:
    """One penalty at a time, with and without grading, in turns so that both meet the same noise."""
    with connected(work, work.copy("post")) as (settings, scheme):
        names = grading.schemes(settings)
        codes = [
            row[0]
            for row in execute("SELECT code FROM entity WHERE code IS NOT NULL AND status = 1 ORDER BY id").fetchall()
        ]
        checked = [_penalty(code, number) for number, code in enumerate(shuffled(codes, 2 * POSTED + 10))]

        def store(one: records.Checked) -> float:
            start = time.perf_counter()
            records.post(
                [one], source="benchmark", actor="benchmark", scheme=scheme, schemes=names, today=TODAY, now=NOW
            )
            return (time.perf_counter() - start) * 1000

        graded, plain = [], []
        for place, one in enumerate(checked):
            if place % 2:
                graded.append(store(one))
            else:
                plain.append(_ungraded(store, one))
    added = statistics.median(graded[5:]) - statistics.median(plain[5:])
    note = f"with grading {statistics.median(graded[5:]):.1f} ms, p99 {_percentile(graded[5:], 99):.1f} ms; without {statistics.median(plain[5:]):.1f} ms"
    return [Figure("posting one penalty: regrading adds", added, "ms", limit=REGRADE_MS, note=note)]


def _penalty(code: str, number: int) -> records.Checked:
    payload = {
        "party": {"code": code}, "document_no": f"信市监处罚〔2026〕{900_000 + number}号", "decided_on": "2026-11-02",
        "kinds": ["fine"], "fine_fen": 500_000, "violation": "发布虚假广告", "content": "罚款5000元",
    }  # fmt: skip
    return records.check("penalty", payload, organ=ORGAN, today=TODAY)


def _ungraded(store: Callable[[records.Checked], float], one: records.Checked) -> float:
    """The same post with the grading left out, as if it were left to the worker."""
    kept = grading.one

    def nothing(scheme: Scheme, entities: Sequence[int], **_: Any) -> grading.Result:
        return grading.Result()

    try:
        grading.one = nothing
        return store(one)
    finally:
        grading.one = kept
