"""Two people, and twenty, on one list: whatever order they act in, nothing is lost and nothing is overwritten."""

import itertools
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from registry import database
from registry.config import Settings
from registry.models import Visit, VisitInspector, VisitStep
from registry.services import tasks, visit_ratings, visits
from registry.services.visit_ratings import RatingConflict
from registry.services.visits import VisitConflict, VisitRefused
from tests.conftest import NOW, TODAY
from tests.registry.visiting import DAY, desk, listed, pair, task

WORKERS, VISITS = 20, 100
# Verb → the states from which it goes on, and where to; every other state refuses it.
GOES: dict[str, tuple[tuple[str, ...], str]] = {
    "assign": (("open",), "assigned"),
    "reassign": (("assigned",), "assigned"),
    "start": (("assigned",), "started"),
    "finish": (("started",), "finished"),
    "non_response": (("open", "assigned"), "non_response"),
    "drop": (("open", "assigned"), "dropped"),
}
# Said again, the same changes nothing.
REPEATS = {"assign": ("assigned",), "start": ("started",), "finish": ("finished",), "non_response": ("non_response",), "drop": ("dropped",)}  # fmt: skip


def verbs(visit: Visit, team: list[int], other: list[int], settings: Settings) -> dict[str, Callable[[str], object]]:
    def at(actor: str) -> visits.Desk:
        return desk(actor, today=DAY, now=NOW + 10 * 86_400_000)

    return {
        "assign": lambda by: visits.assign(visit.id, inspectors=team, planned_on=DAY, settings=settings, desk=at(by)),
        "reassign": lambda by: visits.reassign(visit.id, inspectors=[team[0], *other], why="请假", desk=at(by)),
        "start": lambda by: visits.start(visit.id, token=visit.token, settings=settings, desk=at(by)),
        "finish": lambda by: visits.finish(visit.id, desk=at(by)),
        "non_response": lambda by: visits.non_response(visit.id, why="无人应门", desk=at(by)),
        "drop": lambda by: visits.drop(visit.id, why="由他机关办理", desk=at(by)),
    }


@hypothesis_settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    acts=st.lists(st.tuples(st.sampled_from(list(GOES)), st.sampled_from(("key:a", "key:b"))), max_size=8),
    random_=st.booleans(),
)
def test_whatever_is_done_in_whatever_order_only_what_follows_happens(on_sqlite, acts, random_) -> None:
    (visit,) = listed(task(), slice_="random" if random_ else "priority")
    team, other = pair(), pair()[:1]
    act = verbs(visit, team, other, on_sqlite)
    state, reassigned, history = "open", False, []
    for name, by in acts:
        begins, ends = GOES[name]
        before = Visit.get_by_id(visit.id).__data__
        repeated = state in REPEATS.get(name, ()) and not (name == "assign" and reassigned)
        # A team that was changed is not who was assigned at first.
        repeated = repeated or (name == "reassign" and reassigned and state == "assigned")
        if name == "drop" and random_:
            with pytest.raises(VisitRefused):
                act[name](by)
        elif repeated:
            assert act[name](by)[1] is False
        elif state in begins:
            assert act[name](by)[1] is True
            state, reassigned = ends, reassigned or name == "reassign"
            history.append((ends if name != "reassign" else "reassigned", by))
            before = None
        else:
            with pytest.raises(VisitConflict, match=f"Visit {visit.id} is {state}"):
                act[name](by)
        now = Visit.get_by_id(visit.id)
        assert now.state == state
        if before is not None:
            assert now.__data__ == before, "what was refused or repeated changed something"
    assert [
        (one.act, one.by) for one in VisitStep.select().where(VisitStep.visit == visit.id).order_by(VisitStep.number)
    ] == history
    assert Visit.get_by_id(visit.id).version == 1 + len(history)


def test_twenty_who_work_one_list_at_once_lose_nothing(settings: Settings) -> None:
    under = task()
    teams = [pair() for _ in range(WORKERS)]
    rows = listed(under, VISITS, entities=list(range(1_000, 1_000 + VISITS)))
    done: list[tuple[str, int, int]] = []
    refused = itertools.count()
    gate = threading.Barrier(WORKERS)

    def work(worker: int) -> None:
        # Everybody takes a share, and every fifth visit is taken by two.
        mine = [visit for place, visit in enumerate(rows) if place % WORKERS == worker or (place % 5 == 0 and place % WORKERS == (worker + 5) % WORKERS)]  # fmt: skip
        random.Random(worker).shuffle(mine)
        at = desk(f"key:{worker}", today=DAY, now=NOW + 10 * 86_400_000)
        gate.wait()
        with database.session():
            for visit in mine:
                steps: tuple[tuple[str, Callable[[], tuple[Visit, bool]]], ...] = (
                    ("assigned", lambda: visits.assign(visit.id, inspectors=teams[worker], planned_on=DAY, settings=settings, desk=at)),  # noqa: B023
                    ("started", lambda: visits.start(visit.id, token=visit.token, settings=settings, desk=at)),  # noqa: B023
                    ("finished", lambda: visits.finish(visit.id, desk=at)),  # noqa: B023
                )  # fmt: skip
                for act, verb in steps:
                    try:
                        if verb()[1]:
                            done.append((act, visit.id, worker))
                    except VisitConflict:
                        next(refused)

    with ThreadPoolExecutor(WORKERS) as pool:
        for future in [pool.submit(work, worker) for worker in range(WORKERS)]:
            future.result()
    assert tasks.visits_by_state(under.id) == {"finished": VISITS}
    acts = sorted((one.act, one.visit_id, int(one.by.removeprefix("key:"))) for one in VisitStep.select())
    # Each act was done once, by who was told so, and nobody else's was overwritten.
    assert acts == sorted(done)
    assert len(acts) == 3 * VISITS
    assigned = {number: worker for act, number, worker in done if act == "assigned"}
    going: dict[int, set[int]] = {}
    for one in VisitInspector.select():
        going.setdefault(one.visit_id, set()).add(one.inspector_id)
    assert going == {number: set(teams[worker]) for number, worker in assigned.items()}
    assert next(refused) > 0, "two must have met at one visit"


def test_of_two_who_rate_one_visit_at_once_one_is_heard(settings: Settings) -> None:
    (visit,) = listed(task())
    Visit.update(state="finished").where(Visit.id == visit.id).execute()

    def rate(score: int) -> bool:
        with database.session():
            try:
                return visit_ratings.rate(visit.token, score=score, today=TODAY)
            except RatingConflict:
                return False

    with ThreadPoolExecutor(5) as pool:
        assert sorted(pool.map(rate, range(1, 6))) == [False] * 4 + [True]
