"""The feed of grade changes: nothing is missed, nothing is told twice, and every change names what caused it."""

import shutil
import threading
import time
from datetime import timedelta

import pytest

from registry import database
from registry.models import Entity, Grade, GradeState
from registry.services import book, change_reasons, changes, explanation, grading, ledger, standing
from registry.services.changes import ChangeNotFound
from rules.scheme import load
from tests.conftest import NOW, TODAY
from tests.factories import record, registered, statement
from tests.registry import worlds

LATER = TODAY + timedelta(days=1)


@pytest.fixture
def scheme(settings):
    return grading.scheme_named(settings)


def due(scheme, day=TODAY):
    return grading.due(scheme, day=day, now=lambda: NOW)


def told(scheme, **asked):
    return changes.page(scheme.id, after=asked.pop("after", None), limit=asked.pop("limit", 50), **asked)


def test_a_first_grade_is_no_change(scheme):
    record(registered())
    due(scheme)
    assert told(scheme).items == []


def test_a_record_that_moves_the_score_is_told_once(scheme):
    entity = registered()
    due(scheme)
    seq = record(entity).seq
    due(scheme)
    due(scheme)
    (one,) = told(scheme).items
    assert one["causes"] == ["record"]
    assert (one["before"]["score"], one["before"]["class"]) == (0, "A")
    assert one["after"]["score"] > 0
    assert one["after"]["known_seq"] == ledger.head() >= seq


def test_time_alone_is_named_as_the_cause(scheme):
    entity = registered()
    record(entity)
    due(scheme)
    far = TODAY + timedelta(days=4000)
    due(scheme, far)
    (one,) = told(scheme).items
    assert one["causes"] == ["time"]
    assert one["after"]["score"] < one["before"]["score"]


def heavier(settings, tmp_path):
    """The shipped scheme with more points for each unit of a penalty's weight."""
    folder = shutil.copytree(settings.path(settings.grading.book) / "general-risk", tmp_path / "general-risk")
    file = folder / "rules" / "penalty.toml"
    text = file.read_text(encoding="utf-8")
    # The first such value of the file is that of `penalty_weight`.
    file.write_text(text.replace("value = 150\n", "value = 160\n", 1), encoding="utf-8")
    return load(folder, book.numbers())


def test_another_content_of_the_scheme_is_named_as_the_cause(scheme, settings, tmp_path):
    entity = registered()
    record(entity)
    due(scheme)
    other = heavier(settings, tmp_path)
    worlds.activate(other, LATER)
    assert grading.scheme_named(settings, on=TODAY).hash == scheme.hash
    due(grading.scheme_named(settings, on=LATER), LATER)
    (one,) = told(scheme).items
    assert one["causes"] == ["scheme"]
    assert (one["before"]["scheme_hash"], one["after"]["scheme_hash"]) == (scheme.hash, other.hash)
    (row,) = change_reasons.between(one["id"])["rows"]
    assert (row["rule"], row["difference"]) == ("penalty_weight", one["after"]["score"] - one["before"]["score"])


def test_a_class_set_by_a_person_and_its_end_are_both_told(scheme):
    entity = registered()
    due(scheme)
    worlds.set_class(entity, "C", TODAY, LATER)
    due(scheme)
    due(scheme, LATER)
    first, second = told(scheme).items
    assert (first["after"]["class"], first["causes"]) == ("C", ["override"])
    assert (second["after"]["class"], set(second["causes"])) == ("A", {"override", "time"})


def test_a_new_context_is_named_as_the_cause_and_both_grades_can_be_explained(scheme):
    entity = registered()
    due(scheme)
    given = worlds.put_in_force(TODAY, {(entity, "same_address"): 500})
    assert due(scheme).entities == 1
    (one,) = told(scheme).items
    assert one["causes"] == ["context"]
    assert [row.context for row in Grade.select().order_by(Grade.known)] == [None, given.hash]
    who = Entity.get_by_id(entity)
    for side in (one["before"], one["after"]):
        found = explanation.of(who, scheme, on=TODAY, known=side["known_seq"], today=TODAY)
        assert (found.reproduced, found.explanation.score) == (True, side["score"])
    (row,) = change_reasons.between(one["id"])["rows"]
    assert row["rule"] == "address_crowded"


def test_the_feed_goes_on_where_a_page_ended(scheme):
    entities = [registered() for _ in range(5)]
    due(scheme)
    for entity in entities:
        record(entity)
    due(scheme)
    seen, after = [], None
    while True:
        page = told(scheme, after=after, limit=2)
        seen += [one["id"] for one in page.items]
        if page.next is None:
            break
        after = page.next
    assert seen == sorted(seen)
    assert len(seen) == 5


def test_the_feed_shows_only_the_divisions_that_are_asked_for(scheme):
    here, there = registered(division="990102"), registered(division="990203")
    due(scheme)
    record(here)
    record(there)
    due(scheme)
    assert len(told(scheme).items) == 2
    (one,) = told(scheme, divisions=("9902",)).items
    assert one["code"] == Entity.get_by_id(there).code
    (one,) = told(scheme, entity=here).items
    assert one["code"] == Entity.get_by_id(here).code


def test_the_rows_that_differ_add_up_to_the_difference_of_the_scores(scheme):
    entity = registered()
    due(scheme)
    seq = record(entity).seq
    due(scheme)
    found = change_reasons.between(told(scheme).items[0]["id"])
    assert sum(row["difference"] for row in found["rows"]) == found["after"]["score"] - found["before"]["score"]
    assert seq in found["records_added"]
    assert found["records_gone"] == []
    assert found["rows"][0]["zh"]


def test_a_change_that_is_not_there_is_not_found(scheme):
    with pytest.raises(ChangeNotFound, match="no grade change 7"):
        change_reasons.between(7)


def test_what_was_withdrawn_since_is_not_told_again_by_an_old_change(scheme):
    entity = registered()
    due(scheme)
    seq = record(entity).seq
    due(scheme)
    with ledger.writing(now=NOW, schemes=["general-risk"]) as pen:
        pen.withdraw(seq, source="test", reason="有误")
    due(scheme)
    came, went = (change_reasons.between(one["id"]) for one in told(scheme).items)
    rows = [row for found in (came, went) for row in found["rows"]]
    assert {row["zh"] for row in rows if row["rule"] == "penalty_weight"} == {"所依据的记录已撤回，不再显示"}
    assert (came["records_added"], went["records_gone"]) == ([seq], [seq])
    assert sum(row["difference"] for row in came["rows"]) == came["after"]["score"] - came["before"]["score"]


def test_a_run_that_waits_for_a_post_leaves_its_grade_and_its_change_alone(scheme, monkeypatch):
    entity = registered()
    due(scheme)
    record(entity)
    real, stored = standing.compare, threading.Event()

    def post():
        with database.session(), ledger.writing(now=NOW, schemes=["general-risk"]) as pen:
            pen.state([(entity, statement("serious_listing"))], source="test")
            pen.flush()
            grading.one(scheme, [entity], day=TODAY, now=lambda: NOW)
            stored.set()
            time.sleep(0.3)  # the run comes to the grade before this is committed

    def compared(*given):
        monkeypatch.setattr(standing, "compare", real)
        found = real(*given)
        other.start()
        assert stored.wait(10)
        return found

    other = threading.Thread(target=post)
    monkeypatch.setattr(standing, "compare", compared)
    grading.everyone(scheme, day=TODAY, range_size=10, now=lambda: NOW)
    other.join()
    (one,) = told(scheme).items
    assert one["after"]["known_seq"] == ledger.head() == GradeState.get().known
    assert one["before"]["class"] == "A"


def test_every_change_goes_on_from_the_one_before_whatever_was_written_meanwhile(scheme):
    entity = registered()
    due(scheme)
    before = standing.of(scheme, [entity])
    record(entity)
    due(scheme)
    record(entity, "serious_listing")
    # A run that read the grades before the one above had written its own.
    known, version = ledger.head(), book.version_of(scheme)
    _, graded, _, beside = grading._graded(scheme, version, [entity], day=TODAY, known=known)
    compared = standing.compare(version, known, beside, graded, before)
    standing.write(scheme, compared, known=known, context_hash="", at=NOW)
    first, second = told(scheme).items
    assert second["before"] == first["after"]
    found = change_reasons.between(second["id"])
    assert sum(row["difference"] for row in found["rows"]) == second["after"]["score"] - second["before"]["score"]


def test_a_class_set_under_a_scheme_that_another_reads_is_named_as_the_cause_there_too(settings):
    entity = registered()
    combined = book.in_force(settings, "combined", on=TODAY)
    due(combined)
    worlds.set_class(entity, "D", TODAY, LATER)
    grading.one(combined, [entity], day=TODAY, now=lambda: NOW)
    (one,) = told(combined).items
    assert one["causes"] == ["override"]


def test_a_feed_of_another_division_is_no_cause(scheme):
    here, there = registered(division="990102"), registered(division="990203")
    due(scheme)
    with ledger.writing(now=NOW, schemes=["general-risk"]) as pen:
        pen.cover("penalty", "9902", TODAY - timedelta(days=4000), None, source="test")
    record(here)
    record(there)
    due(scheme)
    causes = {one["code"]: one["causes"] for one in told(scheme).items}
    assert causes[Entity.get_by_id(here).code] == ["record"]
    assert causes[Entity.get_by_id(there).code] == ["record", "coverage"]


def test_a_grade_that_is_as_it_was_before_another_run_changed_it_is_told_as_a_change_back(scheme):
    entity = registered()
    due(scheme)
    before = standing.of(scheme, [entity])
    seq = record(entity).seq
    due(scheme)
    with ledger.writing(now=NOW, schemes=["general-risk"]) as pen:
        pen.withdraw(seq, source="test", reason="有误")
    known, version = ledger.head(), book.version_of(scheme)
    _, graded, _, beside = grading._graded(scheme, version, [entity], day=TODAY, known=known)
    compared = standing.compare(version, known, beside, graded, before)
    assert compared["same"].to_list() == [True]
    standing.write(scheme, compared, known=known, context_hash="", at=NOW)
    there, back = told(scheme).items
    assert (back["before"], back["after"]["score"]) == (there["after"], there["before"]["score"])
