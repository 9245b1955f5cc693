"""One visit for each row of a list."""

from registry.config import Settings
from registry.database import write
from registry.models import InspectionList, Task, Visit
from registry.services import visit_rows
from tests.conftest import NOW, TODAY

SEED = bytes(32)


def _list() -> tuple[InspectionList, Task]:
    task = Task.create(
        type="random", title="抽查", basis="计划", organ="信衡市市场监督管理局", items=["公示信息检查"], from_on=TODAY, to_on=TODAY,
        created_by="key:a", created_at=NOW,
    )  # fmt: skip
    made = InspectionList.create(
        task=task, scheme="general-risk", filters={}, known=0, size=2, created_by="key:a", created_at=NOW
    )
    return made, task


def test_a_list_gets_one_visit_for_each_row_and_writing_them_again_changes_nothing(settings: Settings) -> None:
    made, task = _list()
    rows = [(place, 100 + place, "draw", 20_000, "A") for place in range(1, 121)]
    with write():
        first = visit_rows.write(made, task, rows[:70], token_seed=SEED, now=NOW)
    with write():
        again = visit_rows.write(made, task, rows, token_seed=bytes(31) + b"x", now=NOW + 1)
        assert visit_rows.write(made, task, [], token_seed=SEED, now=NOW) == []
    assert again[:70] == first
    found = list(Visit.select().order_by(Visit.position))
    assert [visit.id for visit in found] == again
    assert again != sorted(again), "ids in the order of the list would tell who came first on it"
    assert [(visit.entity, visit.slice, visit.inclusion, visit.stratum, visit.state) for visit in found[-1:]] == [
        (220, "draw", 20_000, "A", "open")
    ]
    assert len({visit.token for visit in found}) == 120
    assert found[0].token == visit_rows.token(SEED, made.id, 1, NOW)


def test_a_token_tells_nothing_of_another_one() -> None:
    tokens = {visit_rows.token(SEED, 1, place, NOW) for place in range(1, 1001)}
    assert len(tokens) == 1000
    assert {len(one) for one in tokens} == {24}
    assert visit_rows.token(SEED, 1, 1, NOW) != visit_rows.token(bytes(31) + b"x", 1, 1, NOW)
