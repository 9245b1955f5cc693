"""Twenty clients pull and finish at once: every list has its rows and visits, and nobody stands on two open lists."""

import secrets
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from registry.database import execute, session
from registry.errors import NothingToList
from registry.models import InspectionList, InspectionListRow, Visit
from registry.services import grading, lists, tasks
from registry.services.lists import Ask, Filters, ListOvertaken, Seeds
from registry.services.tasks import Desk
from tests.conftest import NOW, TODAY
from tests.registry.drawing import crowd
from tests.registry.tables import ORGAN

CLIENTS, SIZE = 20, 5
DESK = Desk("key:x", ORGAN, TODAY, NOW)


def seeds():
    return Seeds(secrets.token_bytes(32), secrets.token_bytes(32))


@pytest.fixture
def task(settings):
    crowd({"A": 60, "D": 30})
    return tasks.create(type="key_supervision", title="t", basis="b", organ=ORGAN, items=["i"], from_on=TODAY,
                        to_on=TODAY + timedelta(days=30), actor="a", now=NOW)  # fmt: skip


def test_twenty_clients_at_once_take_nobody_twice_and_lose_nothing(settings, task):
    scheme = grading.scheme_named(settings)

    def work(_):
        with session():
            try:
                made = lists.pull(task, scheme, Ask(Filters(), SIZE, 20), settings=settings, desk=DESK, seeds=seeds())
            except NothingToList:
                return None
            if made.id % 2:
                # Half of them finish their visits at once, so that others may take the entities again.
                execute("UPDATE visit SET state = 'finished' WHERE list_id = ?", (made.id,))
            return made.id

    with ThreadPoolExecutor(CLIENTS) as pool:
        made = list(pool.map(work, range(CLIENTS)))
    assert sorted(made) == sorted(row.id for row in InspectionList.select())
    rows = Counter(row.list_id for row in InspectionListRow.select())
    visits = Counter(row.list_id for row in Visit.select())
    assert rows == visits == dict.fromkeys(made, SIZE)
    waiting = Counter(row.entity for row in Visit.select().where(Visit.state == "open"))
    assert set(waiting.values()) == {1}
    assert sum(waiting.values()) == SIZE * sum(number % 2 == 0 for number in made)


def test_another_process_that_was_faster_is_noticed_inside_the_transaction_and_the_slice_counts_who_is_left(
    settings, task
):
    scheme = grading.scheme_named(settings)
    ask = Ask(Filters(), SIZE, 20)

    def choice():
        return lists.choose(task, scheme, ask, settings=settings, desk=DESK, seed=b"s" * 32)

    mine = choice()
    lists.freeze(task, choice(), desk=DESK, tokens=b"t" * 32)
    with pytest.raises(ListOvertaken, match="Nothing was frozen"):
        lists.freeze(task, mine, desk=DESK, tokens=b"u" * 32)
    assert InspectionList.select().count() == 1
    # Who took nobody of mine takes from those I drew of all the same.
    mine = choice()
    taken = [int(one) for one in mine.pool if int(one) not in {row["entity"] for row in mine.rows}][:3]
    for place, entity in enumerate(taken, start=50):
        Visit.create(
            task=task, list=1, position=place, entity=entity, slice="priority", inclusion=0, token=f"t{entity}"
        )
    made = lists.freeze(task, mine, desk=DESK, tokens=b"v" * 32)
    assert (made.slice_pool, made.slice_size) == (len(mine.pool) - 3, 1)
    drawn = Visit.get((Visit.list == made.id) & (Visit.slice == "random"))
    assert drawn.inclusion == round(1_000_000 / made.slice_pool)


def test_a_lot_that_was_overtaken_is_drawn_again_by_other_numbers(on_sqlite, monkeypatch):
    seeds = []

    def overtaken(*_, seed, **__):
        seeds.append(seed)
        raise ListOvertaken("again")

    monkeypatch.setattr(lists, "choose", overtaken)
    for _ in range(2):
        with pytest.raises(ListOvertaken):
            lists.pull(None, None, Ask(), settings=on_sqlite, desk=None, seeds=Seeds(b"s" * 32, b"t" * 32))
    assert seeds[0] == b"s" * 32
    assert len(set(seeds)) == lists.ATTEMPTS
    assert seeds[: lists.ATTEMPTS] == seeds[lists.ATTEMPTS :]


def test_a_pull_that_is_overtaken_again_and_again_says_so_after_eight_times(on_sqlite):
    tried = []

    def overtaken():
        tried.append(1)
        raise ListOvertaken("again")

    with pytest.raises(ListOvertaken):
        lists.settled(overtaken)
    assert len(tried) == lists.ATTEMPTS
