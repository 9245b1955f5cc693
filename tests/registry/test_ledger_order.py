"""Corrections that carry the source's own clock: the last word is the same in whatever order the words arrive."""

from datetime import date

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from registry.models import Record
from registry.services import ledger
from tests.conftest import NOW
from tests.factories import registered, statement

# (minute of the source's clock, fine): two versions may carry the same minute.
VERSIONS = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), min_size=1, max_size=7)


def _version(number: str, minute: int, fine: int) -> ledger.Statement:
    return statement(
        "penalty", document_no=number, decided_on=date(2026, 3, 2), fine_fen=fine * 100_00,
        content="", stated_at=f"2026-03-05T10:{minute:02}:00",
    )  # fmt: skip


def _say(entity: int, said: ledger.Statement) -> ledger.Outcome:
    with ledger.writing(now=NOW, schemes=[]) as pen:
        return pen.state([(entity, said)], source="feed")[0]


def _truth(entity: int) -> tuple[str, int]:
    (row,) = Record.select().where(
        (Record.entity == entity) & (Record.kind == "penalty") & Record.replaced_seq.is_null()
    )
    return row.detail["stated_at"], row.amount_fen


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(versions=VERSIONS, data=st.data())
def test_the_last_word_is_the_same_whatever_the_order(on_sqlite, versions, data):
    truths = set()
    for order in (versions, data.draw(st.permutations(versions))):
        entity = registered()
        for at, (minute, fine) in enumerate(order):
            _say(entity, _version("信市监处罚〔2026〕7号", minute, fine))
            # At each moment the truth is that of what has arrived.
            assert _truth(entity)[0] == f"2026-03-05T10:{max(minute for minute, _ in order[: at + 1]):02}:00"
        truths.add(_truth(entity))
    assert len(truths) == 1


def test_an_older_version_that_comes_late_is_kept_as_said_and_changes_nothing(settings):
    entity = registered()
    newer = _say(entity, _version("信市监处罚〔2026〕8号", 5, 9))
    late = _say(entity, _version("信市监处罚〔2026〕8号", 1, 2))
    assert (late.said, late.seq) == ("unchanged", newer.seq)
    assert _truth(entity) == ("2026-03-05T10:05:00", 9 * 100_00)


def test_without_a_clock_of_the_source_the_newest_arrival_holds(settings):
    entity = registered()
    for fine in (3, 2):
        said = statement("penalty", document_no="信市监处罚〔2026〕9号", fine_fen=fine * 100_00, content="")
        _say(entity, said)
    (row,) = Record.select().where((Record.kind == "penalty") & Record.replaced_seq.is_null())
    assert row.amount_fen == 2 * 100_00
