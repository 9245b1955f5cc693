"""Grading: one, due and all agree, history grows only where something changed, and nothing is overwritten by older news."""

import json
import os
import shutil
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from registry import database
from registry.clock import day_number
from registry.models import Grade, GradeRange, GradeRun, GradeState, SchemeVersion, Stale
from registry.services import book, frames, grading, ledger, standing
from rules.scheme import load
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered
from tests.registry import worlds

SOON = TODAY + timedelta(days=1)


@pytest.fixture
def scheme(settings):
    return grading.scheme_named(settings)


@contextmanager
def emptied():
    """The registry without a row, for one example; nothing of it is left afterwards."""
    with database.db.atomic() as transaction:
        yield
        transaction.rollback()


def everyone(scheme, day=TODAY, **given):
    return grading.everyone(scheme, day=day, now=lambda: NOW, **{"range_size": 3, **given})


class CutOff(Exception):
    """What a power cut is to a run, as far as a test can raise it."""


def counting(done, most=1_000):
    """The engine, which puts the entities of each call into `done` and fails after `most` calls."""
    real = grading.grade

    def grade(population, *given):
        if len(done) == most:
            raise CutOff
        done.append(population["entity"].to_list())
        return real(population, *given)

    return grade


def stale():
    return sorted(row.entity for row in Stale.select())


def test_due_day_by_day_gives_exactly_what_everyone_from_scratch_gives(settings, scheme, tmp_path):
    """Over any sequence of posts, corrections, withdrawals, registrations, coverage, days, contexts, activations of other
    contents of the scheme, and classes set by persons."""
    contents = [scheme, load(copy_of(settings.path(settings.grading.book) / "general-risk", tmp_path), book.numbers())]
    most = int(os.environ.get("XINHENG_TEST_EXAMPLES", "60"))

    @hypothesis_settings(
        max_examples=most if settings.database.url.startswith("sqlite") else most // 3,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    @given(worlds.steps)
    def holds(steps):
        with emptied():
            today = worlds.START
            for number, (days, acts) in enumerate(steps):
                today += timedelta(days=days)
                for act in acts:
                    scheme = grading.scheme_named(settings, on=today)
                    worlds.apply(
                        act, scheme=scheme, today=today, now=NOW + number, settings=settings, contents=contents
                    )
                scheme = grading.scheme_named(settings, on=today)
                grading.due(scheme, day=today)
                expected, breakpoints = worlds.from_scratch(scheme, today)
                assert worlds.state_of(scheme) == expected
                mine = worlds.next_days(scheme)
                assert all(worlds.never_late(mine[entity], breakpoints[entity], today) for entity in mine)
                assert Stale.select().count() == 0
                assert grading.due(scheme, day=today).entities == 0

    holds()


def test_one_grades_in_the_transaction_of_the_post_as_due_would_have(scheme):
    one, other = registered(), registered()
    everyone(scheme)
    with ledger.writing(now=NOW, schemes=worlds.SCHEMES) as pen:
        pen.state([(one, worlds._statement((0, "penalty", 2, 3, 0, 10, None, 1, False), TODAY)[1])], source="x")
        pen.flush()
        result = grading.one(scheme, [one], day=TODAY)
    assert (result.entities, result.changed) == (1, 1)
    assert stale() == []
    assert worlds.state_of(scheme) == worlds.from_scratch(scheme, TODAY)[0]
    assert GradeState.get(GradeState.entity == other).known < GradeState.get(GradeState.entity == one).known


def test_a_second_full_run_writes_nothing_and_says_so(scheme):
    for number in range(7):
        record(registered(), decided_on=date(2026, 1, 1 + number))
    first = everyone(scheme)
    before = [tuple(row) for row in database.execute("SELECT * FROM grade ORDER BY entity, day, known").fetchall()]
    states = worlds.state_of(scheme)
    again = everyone(scheme)
    assert (first.entities, first.changed) == (7, 7)
    assert (again.entities, again.changed) == (7, 0)
    assert [
        tuple(row) for row in database.execute("SELECT * FROM grade ORDER BY entity, day, known").fetchall()
    ] == before
    assert worlds.state_of(scheme) == states


def test_history_grows_only_where_class_score_or_reasons_changed(scheme):
    quiet, busy = registered(), registered()
    everyone(scheme)
    record(busy, now=NOW)
    grading.due(scheme, day=SOON)
    assert [Grade.select().where(Grade.entity == entity).count() for entity in (quiet, busy)] == [1, 2]


def test_the_same_words_from_another_source_change_no_grade(scheme):
    entity = registered()
    record(entity, document_no="信1号", source="court")
    everyone(scheme)
    record(entity, document_no="信1号", source="credit-china")
    assert grading.due(scheme, day=TODAY).entities == 0
    assert Grade.select().count() == 1


def test_time_alone_makes_an_entity_due_on_the_day_and_not_before(scheme):
    entity = registered()
    record(entity, decided_on=TODAY)
    grading.due(scheme, day=TODAY)
    state = GradeState.get(GradeState.entity == entity)
    eve = TODAY + timedelta(days=state.next_day - day_number(TODAY) - 1)
    assert grading.due(scheme, day=eve).entities == 0
    assert grading.due(scheme, day=eve + timedelta(days=1)).entities == 1


def test_provisional_and_cancelled_entities_are_not_graded_and_do_not_stay_due(scheme, settings):
    code = credit_code(number=3)
    gone = registered(status=3)
    with ledger.writing(now=NOW, schemes=worlds.SCHEMES) as pen:
        entity = grading_party(pen, code)
        pen.state([(entity, worlds._statement((3, "penalty", 2, 3, 0, 10, None, 1, False), TODAY)[1])], source="x")
    assert stale() == sorted([gone, entity])
    assert grading.due(scheme, day=TODAY).entities == 0
    assert everyone(scheme).entities == 0
    assert (stale(), worlds.state_of(scheme)) == ([], {})
    registered(code)
    assert grading.due(scheme, day=TODAY).entities == 1
    assert list(worlds.state_of(scheme)) == [entity]


def grading_party(pen, code):
    return worlds.entities.provisional(pen, [worlds.Party(code=code, name="信衡示例")])[code]


@pytest.mark.parametrize("way", ["due", "everyone", "one"])
def test_an_entity_that_was_cancelled_loses_its_grade_and_keeps_its_history(scheme, way):
    code = credit_code(number=1)
    entity = registered(code)
    everyone(scheme)
    registered(code, status=3)
    {"due": lambda: grading.due(scheme, day=TODAY), "everyone": lambda: everyone(scheme, day=SOON),
     "one": lambda: grading.one(scheme, [entity], day=TODAY)}[way]()  # fmt: skip
    assert (worlds.state_of(scheme), stale()) == ({}, [])
    assert Grade.select().count() == 1
    assert standing.classes(scheme) == {}
    assert grading.due(scheme, day=SOON + timedelta(days=4000)).entities == 0


def test_who_moved_away_or_was_annulled_is_graded_and_the_state_counts(scheme):
    code = credit_code(number=1)
    entity = registered(code)
    everyone(scheme)
    before = GradeState.get().score
    registered(code, status=4)
    assert grading.due(scheme, day=TODAY).entities == 1
    assert list(worlds.state_of(scheme)) == [entity]
    assert GradeState.get().score == before + 80  # the scheme's rule state_other


def test_a_run_that_was_cut_off_goes_on_at_the_last_finished_range(scheme, monkeypatch):
    for _ in range(10):
        registered()
    done = []
    monkeypatch.setattr(grading, "grade", counting(done, most=2))
    with pytest.raises(CutOff):
        everyone(scheme)
    assert ([row.first for row in GradeRange.select()], GradeRun.get().state) == ([1, 4], "running")
    done.clear()
    monkeypatch.undo()
    monkeypatch.setattr(grading, "grade", counting(done))
    result = everyone(scheme)
    assert done == [[7, 8, 9], [10]]
    assert (result.entities, GradeRun.select().count(), GradeRun.get().state) == (10, 1, "done")
    assert len(worlds.state_of(scheme)) == 10


def test_a_run_that_goes_on_with_wider_ranges_leaves_nobody_out(scheme, monkeypatch):
    for _ in range(10):
        registered()
    monkeypatch.setattr(grading, "grade", counting([], most=1))
    with pytest.raises(CutOff):
        everyone(scheme)
    monkeypatch.undo()
    everyone(scheme, range_size=8)
    assert len(worlds.state_of(scheme)) == 10


def test_a_run_of_yesterday_that_was_cut_off_is_not_gone_on_with_today(scheme, monkeypatch):
    registered()
    monkeypatch.setattr(grading, "grade", counting([], most=0))
    with pytest.raises(CutOff):
        everyone(scheme)
    monkeypatch.undo()
    everyone(scheme, day=SOON)
    assert sorted(row.state for row in GradeRun.select()) == ["done", "running"]


def test_a_stale_mark_goes_only_with_what_it_stood_for(scheme, monkeypatch):
    entity = registered()
    real = frames.facts_in

    def posted_meanwhile(*given):
        found = real(*given)
        record(entity, decided_on=date(2026, 3, 2))
        return found

    monkeypatch.setattr(frames, "facts_in", posted_meanwhile)
    everyone(scheme)
    monkeypatch.undo()
    assert stale() == [entity]
    assert grading.due(scheme, day=TODAY).changed == 1
    assert worlds.state_of(scheme) == worlds.from_scratch(scheme, TODAY)[0]


@pytest.mark.parametrize("way", ["due", "everyone"])
def test_an_older_run_never_overwrites_a_newer_grade_nor_writes_history_over_it(scheme, monkeypatch, way):
    entity = registered()
    everyone(scheme)
    name = "facts_in" if way == "everyone" else "facts_of"
    real = getattr(frames, name)

    def overtaken(*given):
        monkeypatch.setattr(frames, name, real)
        found = real(*given)
        with ledger.writing(now=NOW, schemes=worlds.SCHEMES) as pen:
            pen.state([(entity, worlds._statement((0, "penalty", 2, 3, 0, 10, None, 1, False), TODAY)[1])], source="x")
            pen.flush()
            grading.one(scheme, [entity], day=TODAY)
        return found

    record(entity, "annual_report")
    monkeypatch.setattr(frames, name, overtaken)
    (everyone(scheme, day=SOON) if way == "everyone" else grading.due(scheme, day=SOON))
    assert GradeState.get().known == ledger.head()
    assert worlds.state_of(scheme) == worlds.from_scratch(scheme, TODAY)[0]
    assert [row.known for row in Grade.select().order_by(Grade.known)] == [1, ledger.head()]


def test_an_entity_that_registers_during_a_run_is_left_to_the_next(scheme, monkeypatch):
    registered()
    real = frames.population_in

    def registering(*given):
        monkeypatch.setattr(frames, "population_in", real)
        registered()
        return real(*given)

    monkeypatch.setattr(frames, "population_in", registering)
    assert everyone(scheme).entities == 1
    assert stale() == [2]
    assert Grade.select().count() == 1


def test_another_content_of_the_scheme_makes_everyone_due_and_history_grows_only_where_it_says_something_else(
    scheme, tmp_path, settings
):
    registered(), registered()
    everyone(scheme)
    folder = copy_of(settings.path(settings.grading.book) / "general-risk", tmp_path)
    changed = load(folder)
    assert changed.hash != scheme.hash
    assert grading.due(changed, day=TODAY).entities == 2
    assert grading.due(changed, day=TODAY).entities == 0
    kept = {row.hash: row for row in SchemeVersion.select()}
    assert set(kept) == {scheme.hash, changed.hash}
    assert json.loads(kept[changed.hash].content) == json.loads(changed.content)
    assert {row.version for row in GradeState.select()} == {kept[changed.hash].id}
    assert {row.version_id for row in Grade.select()} == {kept[scheme.hash].id}


def copy_of(source, target):
    """The scheme with another limit of one group: other words, so another content."""
    folder = target / source.name
    shutil.copytree(source, folder)
    main = folder / "scheme.toml"
    text = main.read_text(encoding="utf-8")
    assert text.count("highest = 440") == 1
    main.write_text(text.replace("highest = 440", "highest = 430"), encoding="utf-8")
    return folder


def test_a_scheme_that_nobody_was_graded_under_yet_finds_everyone_due_by_their_marks(scheme):
    registered(), registered()
    assert stale() == [1, 2]
    result = grading.due(scheme, day=TODAY)
    assert (result.entities, result.changed) == (2, 2)
    assert result.classes == standing.classes(scheme)


def test_newly_known_coverage_makes_those_that_it_concerns_due(scheme):
    here, there = registered(credit_code(division="990102")), registered(credit_code(division="990203"))
    everyone(scheme)
    with ledger.writing(now=NOW, schemes=worlds.SCHEMES) as pen:
        pen.cover("penalty", "9901", date(2024, 1, 1), None, source="feed")
    assert stale() == [here]
    grading.due(scheme, day=TODAY)
    assert worlds.state_of(scheme) == worlds.from_scratch(scheme, TODAY)[0]
    with ledger.writing(now=NOW, schemes=worlds.SCHEMES) as pen:
        pen.cover("annual_report", "", date(2024, 1, 1), None, source="feed")
    assert stale() == [here, there]


def test_only_stale_leaves_what_time_alone_made_due_to_the_night(scheme):
    aged, new = registered(), registered()
    everyone(scheme, day=date(2023, 1, 1))
    record(new)
    assert grading.due(scheme, day=TODAY, only_stale=True).entities == 1
    assert GradeState.get(GradeState.entity == aged).day == day_number(date(2023, 1, 1))


def test_the_counts_by_kind_and_class_add_up_to_the_entities(scheme):
    for prefix, subject in (
        ("91", "enterprise"),
        ("92", "individual"),
        ("93", "cooperative"),
        ("91", "branch"),
        ("91", "other"),
    ):
        registered(credit_code(prefix), subject=subject)
    result = everyone(scheme)
    assert set(result.classes) == {"enterprise", "individual", "cooperative", "branch"}
    assert sum(number for counts in result.classes.values() for number in counts.values()) == result.entities == 4


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_the_width_of_the_ranges_changes_nothing(scheme, size):
    for number in range(9):
        record(registered(), decided_on=date(2026, 1, 1 + number))
    everyone(scheme, range_size=size)
    assert worlds.state_of(scheme) == worlds.from_scratch(scheme, TODAY)[0]


def test_progress_reaches_the_end(scheme):
    for _ in range(7):
        registered()
    told = []
    everyone(scheme, progress=lambda done, of: told.append((done, of)))
    assert told == [(3, 7), (6, 7), (7, 7)]
    told.clear()
    record(1), record(2)
    grading.due(scheme, day=TODAY, progress=lambda done, of: told.append((done, of)))
    assert told == [(2, 2)]
