"""Classes that persons set: how they move the score, when they hold, and what the explanation says of them."""

import pytest

from rules.dated import to_date
from rules.engine import grade
from rules.explain import explain
from tests.rules.beside import override, set_by_persons, upside_down
from tests.rules.frames import DAY, EVERYWHERE, SCHEME, fact, facts, penalty, population

REGISTERED = fact("registration", DAY - 20, code=9999, amount=10**9, seq=1)
UPWARD = upside_down(SCHEME)
FOREVER = (DAY - 5, DAY + 500)


def told(*rows, held=(), day=DAY, scheme=SCHEME):
    return explain(population((1, day)), facts(REGISTERED, *rows), EVERYWHERE, scheme, set_by_persons(*held))[0]


def outcome(*rows, **more):
    found = told(*rows, **more)
    return found.score, found.class_, found.decided_by


@pytest.mark.parametrize(("class_", "score"), [("A", 25), ("B", 44), ("C", 51), ("D", 76)])
def test_an_override_moves_the_score_to_the_nearest_of_its_class_up_or_down(class_, score):
    assert outcome(penalty()) == (44, "B", None)
    assert outcome(penalty(), held=[override(class_, *FOREVER, seq=70)]) == (score, class_, "override:70")


@pytest.mark.parametrize(("class_", "score"), [("A", 76), ("B", 75), ("C", 50), ("D", 25)])
def test_where_high_is_good_it_also_takes_the_nearest_score(class_, score):
    assert outcome(scheme=UPWARD) == (90, "A", None)
    expected = (90 if class_ == "A" else score, class_, "override:70")
    assert outcome(scheme=UPWARD, held=[override(class_, *FOREVER, seq=70)]) == expected


def test_where_high_is_good_it_may_go_up_to_the_lowest_score_of_its_class():
    listed = fact("serious_listing", DAY)
    assert outcome(listed, scheme=UPWARD) == (25, "D", "veto:on_serious_list")
    for class_, score in (("A", 76), ("B", 51), ("C", 26), ("D", 25)):
        assert outcome(listed, scheme=UPWARD, held=[override(class_, *FOREVER, seq=70)])[:2] == (score, class_)


def test_an_override_comes_after_caps_and_vetoes():
    listed = fact("serious_listing", DAY)
    assert outcome(listed, held=[override("B", *FOREVER, seq=70)]) == (50, "B", "override:70")


def test_a_class_that_the_rules_give_too_is_still_set_by_a_person():
    found = told(penalty(), held=[override("B", *FOREVER, seq=70)])
    assert (found.score, found.decided_by) == (44, "override:70")
    assert (found.points[-1].rule, found.points[-1].points) == ("override:70", 0)


@pytest.mark.parametrize(("day", "class_"), [(DAY - 1, "A"), (DAY, "D"), (DAY + 9, "D"), (DAY + 10, "A")])
def test_it_holds_from_its_first_day_to_the_day_before_its_end(day, class_):
    assert outcome(day=day, held=[override("D", DAY, DAY + 10, seq=70)])[1] == class_


def test_of_two_in_force_the_newest_holds_and_the_older_one_again_after_it():
    held = [override("D", DAY, DAY + 30, seq=70), override("C", DAY + 5, DAY + 10, seq=71)]
    for order in (held, held[::-1]):
        found = [outcome(day=DAY + after, held=order)[1:] for after in (4, 5, 9, 10)]
        assert found == [("D", "override:70"), ("C", "override:71"), ("C", "override:71"), ("D", "override:70")]


def test_overrides_of_another_entity_scheme_or_class_move_nothing():
    others = [
        override("D", *FOREVER, seq=70, entity=2),
        override("D", *FOREVER, seq=71, scheme="general-risk"),
        override("AAA", *FOREVER, seq=72),
    ]
    assert told(held=others).digest == told().digest


def test_its_first_day_and_its_end_are_breakpoints():
    held = [override("D", DAY + 3, DAY + 8, seq=70)]
    assert (to_date(DAY + 3).isoformat(), "override: begins") in told(held=held).breakpoints
    assert told(held=held).next_day == to_date(DAY + 3).isoformat()
    assert (to_date(DAY + 8).isoformat(), "override: ends") in told(held=held, day=DAY + 3).breakpoints
    assert not [cause for _, cause in told(held=held, day=DAY + 8).breakpoints if cause.startswith("override")]


def test_the_row_names_the_ledger_number_and_adds_up():
    found = told(penalty(), held=[override("D", *FOREVER, seq=70)])
    row = found.points[-1]
    assert (row.rule, row.points, row.records) == ("override:70", 32, (70,))
    assert row.title == row.sentence == {"zh": "人工认定", "en": "Set by a person"}
    assert sum(line.points for line in found.points) == found.score == 76
    assert 70 in found.records
    assert (found.better, found.worse) == (None, None)
    assert "points do not change it" in found.notes[0]["en"]


def test_the_same_class_by_another_ledger_row_is_another_digest():
    one, other = (told(held=[override("D", *FOREVER, seq=seq)]) for seq in (70, 71))
    assert (one.score, one.class_) == (other.score, other.class_)
    assert one.digest != other.digest


def test_the_digest_of_who_has_no_override_does_not_depend_on_those_of_others():
    asked = population((1, DAY), (2, DAY), (1, DAY + 40))
    held = facts(REGISTERED, penalty(seq=8))
    plain = grade(asked, held, EVERYWHERE, SCHEME)["digest"].to_list()
    moved = grade(asked, held, EVERYWHERE, SCHEME, set_by_persons(override("D", DAY, DAY + 30, seq=70)))
    assert moved["digest"].to_list()[1:] == plain[1:]
    assert moved["digest"][0] != plain[0]
    assert moved["decided_by"].to_list() == ["override:70", None, None]


def test_deciders_of_different_subjects_and_epochs_are_not_mixed_up():
    asked = population((1, DAY), (2, DAY + 200), (3, DAY))
    held = [override("C", *FOREVER, seq=80 - entity, entity=entity) for entity in (1, 2, 3)]
    graded = grade(asked, facts(fact("serious_listing", DAY, entity=3)), EVERYWHERE, SCHEME, set_by_persons(*held))
    assert graded["decided_by"].to_list() == ["override:79", "override:78", "override:77"]
