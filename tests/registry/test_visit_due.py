"""By when an entity must be visited again: the job against the textbook, and what it writes."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest

from registry.clock import day_number
from registry.config import Inspection
from registry.models import Entity, VisitDue
from registry.services import frequency, merges, visit_due
from registry.services.visit_due import Marked
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered
from tests.registry.counting import graded, visited

DAY = day_number(TODAY)
BASIS = 'basis = { instrument = "Invented", kind = "product_default" }'


def table(settings, tmp_path, *rows):
    """Settings with a table of (id, class, industries, every_days, from) for general items."""
    parts = ['[frequency]\nid = "toy"\ntitle = { zh = "玩具", en = "Toy" }']
    for id_, class_, industries, every, since in rows:
        words = f"industries = {industries}\n" if industries else ""
        values = f"every_days = {every}" if every else "highest = 200"
        parts.append(
            f'[row.{id_}]\nschemes = ["general-risk"]\nnatures = ["general"]\nclass = "{class_}"\n{words}'
            f"[[row.{id_}.values]]\nfrom = {since}\n{values}\n{BASIS}"
        )
    path = tmp_path / "frequency.toml"
    path.write_text("\n".join(parts), encoding="utf-8")
    return replace(settings, inspection=Inspection(frequency=str(path)))


def stored():
    return {row.entity: (row.due_day, row.last_day, row.rule) for row in VisitDue.select()}


def test_the_job_gives_what_the_textbook_gives_on_random_visits(settings, tmp_path):
    random = Random(20261121)
    here = table(
        settings, tmp_path, ("all_c", "C", "", 365, "2018-01-01"), ("all_d", "D", "", 182, "2018-01-01"),
        ("food_c", "C", '["14"]', 121, "2022-01-01"), ("quiet_d", "D", '["5211"]', None, "2018-01-01"),
    )  # fmt: skip
    made, visits = {}, {}
    for number in range(24):
        industry, class_ = random.choice([1431, 5211, 6513]), random.choice("ACD")
        established = TODAY - timedelta(days=random.randrange(10, 5_000))
        entity = registered(industry=industry, established=established)
        made[entity] = (class_, industry, established)
        days = [TODAY - timedelta(days=random.randrange(0, 900)) for _ in range(random.randrange(3))]
        for day in days:
            if random.random() < 0.5:
                record(entity, "spot_check", checked_on=day)
            else:
                visited(entity, day)
        visits[entity] = max(days, default=None)
        if number == 0:
            Entity.update(status=2).where(Entity.id == entity).execute()
            visits[entity] = "closed"
    graded(*((entity, one[0]) for entity, one in made.items()))
    rules = {"C": ("all_c", 365, date(2018, 1, 1)), "D": ("all_d", 182, date(2018, 1, 1))}
    expected = {}
    for entity, (class_, industry, established) in made.items():
        rule = rules.get(class_)
        if class_ == "C" and industry == 1431:
            rule = ("food_c", 121, date(2022, 1, 1))
        if (class_ == "D" and industry == 5211) or visits[entity] == "closed" or rule is None:
            continue
        last = visits[entity]
        due = (last or max(established, rule[2])) + timedelta(days=rule[1])
        expected[entity] = (day_number(due), None if last is None else day_number(last), rule[0])
    assert len(expected) > 8
    found = visit_due.mark(here, today=TODAY)
    assert stored() == expected
    overdue = sum(due < DAY for due, _, _ in expected.values())
    assert found == Marked(len(expected), overdue, len(expected), 0)
    assert visit_due.mark(here, today=TODAY) == Marked(len(expected), overdue, 0, 0), (
        "nothing changed, nothing is written"
    )


def test_only_what_changed_is_written_in_chunks_and_a_run_cut_short_is_finished_by_the_next(
    on_sqlite, tmp_path, monkeypatch
):
    monkeypatch.setattr(visit_due, "CHUNK", 2)
    here = table(on_sqlite, tmp_path, ("all_c", "C", "", 365, "2018-01-01"))
    entities = [registered(credit_code()) for _ in range(5)]
    graded(*((entity, "C") for entity in entities))

    class Stopped(Exception):
        pass

    beats = []

    def stop():
        beats.append(len(stored()))
        if len(beats) == 3:
            raise Stopped

    with pytest.raises(Stopped):
        visit_due.mark(here, today=TODAY, progress=stop)
    assert beats == [0, 2, 4]
    assert visit_due.mark(here, today=TODAY).written == 1
    visited(entities[0], TODAY)
    graded(*((entity, "C") for entity in entities[:4]))
    assert visit_due.mark(here, today=TODAY) == Marked(4, 3, 1, 1)
    assert stored()[entities[0]] == (DAY + 365, DAY, "all_c")
    graded()
    assert visit_due.mark(here, today=TODAY) == Marked(0, 0, 0, 4)


def test_the_earliest_of_several_schemes_holds_and_none_that_does_not_grade_here(on_sqlite):
    as_shipped = replace(on_sqlite, grading=replace(on_sqlite.grading, as_shipped="food-producer"))
    entity = registered(industry=1431, established=date(2015, 3, 1))
    record(entity, "spot_check", checked_on=date(2026, 5, 5))
    graded((entity, "C"))
    graded((entity, "C"), scheme="food-producer")
    graded((entity, "D"), scheme="food-producer-anhui")
    for settings, rule, every in ((on_sqlite, "food_industry_c", 365), (as_shipped, "food_2016_c", 182)):
        visit_due.mark(settings, today=TODAY)
        last = day_number(date(2026, 5, 5))
        assert stored() == {entity: (last + every, last, rule)}


def test_who_was_merged_is_due_no_more_and_its_last_visit_counts_for_the_one_that_it_is(on_sqlite, tmp_path):
    here = table(on_sqlite, tmp_path, ("all_c", "C", "", 365, "2018-01-01"))
    codes = [credit_code(), credit_code()]
    into, gone = (registered(code) for code in codes)
    visited(gone, TODAY)
    graded((into, "C"), (gone, "C"))
    merges.merge(codes[1], codes[0], reason="吸收合并", actor="cli:test", today=TODAY, now=NOW, schemes=[])
    graded((into, "C"), (gone, "C"))
    visit_due.mark(here, today=TODAY)
    assert stored() == {into: (DAY + 365, DAY, "all_c")}


def test_an_interval_begins_with_the_first_day_on_which_it_was_the_same(on_sqlite, tmp_path):
    here = table(on_sqlite, tmp_path, ("all_c", "C", "", 365, "2018-01-01\nuntil = 2020-01-01"))
    path = here.path(here.inspection.frequency)
    again = f"\n[[row.all_c.values]]\nfrom = 2020-01-01\nevery_days = 365\nat_most = 2\n{BASIS}"
    path.write_text(path.read_text(encoding="utf-8") + again, encoding="utf-8")
    entity = registered(established=date(2001, 1, 1))
    graded((entity, "C"))
    assert visit_due.due(here, today=TODAY).rows() == [(entity, day_number(date(2018, 1, 1)) + 365, None, "all_c")]
    assert frequency.table(here).interval_since("all_c", DAY) == day_number(date(2018, 1, 1))
