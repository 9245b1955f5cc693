"""Features are the indicators of a scheme, worked out by the engine that grades."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from rules.dated import to_day
from rules.errors import FrameError, SchemeError
from rules.given import NORMS, NOTHING, Given
from rules.kinds import SUBJECTS
from rules.model.areas import RATES, USUAL, area_rates
from rules.model.features import features
from rules.model.units import CHECK
from rules.scheme import load_files
from tests.rules.frames import DAY, EVERYWHERE, NOWHERE, SCHEME, fact, facts, feeds, population
from tests.rules.model.checks import RECORD, check

PLACES = population((1, 0), division="990102").select("entity", "division")


def asked(*rows, who=((1, DAY),), coverage=EVERYWHERE, given=NOTHING, **more):
    return features(population(*who, **more), facts(*rows), coverage, RECORD, given)


def test_every_indicator_is_a_column_also_those_that_no_rule_reads():
    found = asked()
    assert found.columns == ["entity", "day", *RECORD.indicators]
    assert set(found.columns[2:]) > {name for rule in RECORD.rules.values() for name in rule.indicators}


def test_rows_stand_in_the_order_in_which_they_were_asked_and_one_entity_on_several_days():
    found = asked(*check(DAY - 10, serious=1), who=((2, DAY), (1, DAY), (1, DAY - 11)))
    assert found.select("entity", "day", "visits_ever").rows() == [(2, DAY, 0), (1, DAY, 1), (1, DAY - 11, 0)]


def test_what_nobody_could_have_known_is_null():
    found = asked(coverage=NOWHERE)
    assert found["visits_ever"].to_list() == [None]
    assert asked(coverage=feeds(("check_detail", "", 0, None)))["visits_ever"].to_list() == [0]


def test_who_is_not_of_the_scheme_has_nulls_everywhere():
    toy = features(population((1, DAY), subject="other"), facts(), EVERYWHERE, SCHEME)
    assert toy.row(0)[2:] == (None,) * len(SCHEME.indicators)
    assert set(RECORD.subjects) == set(SUBJECTS)


def test_a_frame_that_lacks_a_column_is_refused():
    with pytest.raises(FrameError, match="no column 'division'"):
        features(population((1, DAY)).drop("division"), facts(), EVERYWHERE, RECORD)


def test_harm_is_number_times_severity_faded_by_the_step_table():
    rows = [*check(DAY - 10, serious=2, problems=1, minor=3), *check(DAY - 400, minor=1)]
    found = asked(*rows)
    # 2·3 + 1·2 + 3·1 = 11 at 92 percent and 1 at 42 percent, in hundredths; visits 92 + 42.
    assert (found["harm_year"][0], found["visits_year"][0]) == (11 * 92 + 42, 92 + 42)
    # One ordinary visit more, with 300 thousandths of harm, in percent of that: what holds where no context says better.
    assert found["harm_year_per_visit"][0] == 100 * (1000 * 1054 + 300 * 100) // (300 * (134 + 100))


def test_a_follow_up_does_not_dilute_what_visits_found():
    one, other = asked(*check(DAY - 10, serious=1)), asked(*check(DAY - 10, serious=1), *check(DAY - 5, purpose=2))
    assert one["harm_year_per_visit"][0] == other["harm_year_per_visit"][0]
    assert (one["follow_ups_2y"][0], other["follow_ups_2y"][0]) == (0, 1)


# --- what was decided only later -----------------------------------------------------------------------------------------


def complaint(day, *, closed, severity, entity=1):
    return fact("item_12315", day, code=1, severity=severity, ends=closed, entity=entity)


COMPLAINTS = ("complaint_load", "complaints_1y", "upheld_2y")


def test_that_a_complaint_was_upheld_is_known_from_the_day_on_which_it_was_closed():
    rows = [complaint(DAY - 30, closed=DAY, severity=3)]
    found = asked(*rows, who=((1, DAY - 1), (1, DAY), (2, DAY)))
    still_open = asked(complaint(DAY - 30, closed=None, severity=1), who=((1, DAY - 1),))
    assert found.select(COMPLAINTS).row(0) == still_open.select(COMPLAINTS).row(0)
    assert (found["upheld_2y"].to_list(), found["complaints_1y"].to_list()) == ([0, 1, 0], [1, 1, 0])
    assert found["complaint_load"][1] == 3 * found["complaint_load"][0]


@examples(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(0, 200), st.none() | st.integers(0, 100), st.sampled_from([0, 2, 3])),
        min_size=1,
        max_size=6,
    )
)
def test_how_complaints_end_later_moves_no_feature(items):
    """Whoever asks on a day sees the same, whatever is decided after it; one by one as all at once."""
    days = (DAY - 60, DAY, DAY + 30)

    rows = [
        complaint(DAY - age, closed=None if taken is None else DAY - age + taken, severity=severity, entity=entity)
        for entity, age, taken, severity in items
    ]
    who = tuple((entity, day) for day in days for entity in (1, 2, 3))
    at_once = asked(*rows, who=who)
    for place, day in enumerate(days):
        # What is not closed by the day is turned round: dismissed becomes upheld, and upheld dismissed.
        turned = [
            {**row, "severity": 2 if row["severity"] == 0 else 0} if row["ends"] and row["ends"] > day else row
            for row in rows
        ]
        alone = asked(*turned, who=who[3 * place : 3 * place + 3])
        assert alone.select(COMPLAINTS).rows() == at_once.select(COMPLAINTS).rows()[3 * place : 3 * place + 3]


def test_a_licence_that_was_given_up_was_in_force_until_then():
    row = fact("licence", DAY - 400, severity=2, ends=DAY)
    assert asked(row, who=((1, DAY - 401), (1, DAY - 1), (1, DAY)))["licences"].to_list() == [0, 1, 0]


def test_the_state_of_today_says_nothing_of_a_day_before():
    def registered(state, standard):
        return [fact("registration", DAY - 900, severity=state), fact("standard_declared", DAY - 90, severity=standard)]

    today, then = asked(*registered(3, 1)), asked(*registered(1, 0))
    assert today.equals(then)
    assert today["standards"][0] == 1


# --- the neighbourhood and what is usual ------------------------------------------------------------------------------


def rates(*rows, day=DAY, weight=1, places=PLACES):
    return {
        (name, low, high): value
        for name, low, high, value in area_rates(facts(*rows), places, day, weight=weight).iter_rows()
    }


def test_the_rate_of_a_division_is_shrunk_to_that_of_all():
    rows = [*check(DAY - 1, problems=1), *check(DAY - 2, entity=2), *check(DAY - 3, entity=2, serious=1)]
    found = rates(*rows, weight=2)
    assert found["area_problems_1y", 990102, 990102] == (1000 + 2 * 666) // (1 + 2)
    assert found["area_problems_1y", 0, 990101] == found["area_problems_1y", 990103, 999999] == 666
    assert found["area_serious_1y", 0, 990101] == 333


def test_only_checks_before_the_day_and_inside_the_window_count():
    rows = [*check(DAY, serious=1), *check(DAY - 200, problems=1), *check(DAY - 900, problems=1)]
    found = rates(*rows)
    assert {name for name, _, _ in found} == {"area_problems_1y", "area_serious_1y", *USUAL}
    assert found["area_problems_1y", 990102, 990102] == 1000
    assert found["area_serious_1y", 990102, 990102] == 0
    assert rates() == {}


def test_a_visit_that_met_nobody_says_nothing_of_its_neighbourhood():
    nobody = [{**row, "code": 4} if row["kind"] == CHECK else row for row in check(DAY - 2, entity=2, problems=1)]
    assert rates(*check(DAY - 1), *nobody) == rates(*check(DAY - 1))


def test_what_is_usual_counts_problems_per_check():
    rows = [*check(DAY - 1, serious=2, problems=3, minor=4), *check(DAY - 2, entity=2)]
    usual = {name: value for (name, _, _), value in rates(*rows).items() if name in USUAL}
    assert usual == {"usual_serious": 1000, "usual_problems": 1500, "usual_minor": 2000, "usual_harm": 8000, "usual_serious_visits": 500}  # fmt: skip


def test_a_context_says_the_rate_of_the_division():
    norms = area_rates(facts(*check(DAY - 1, problems=1), *check(DAY - 2, entity=2)), PLACES, DAY, weight=0)
    given = Given(norms=norms, names=frozenset([*RATES, *USUAL]))
    assert asked(given=given)["area_problems_1y"][0] == 1000
    assert asked(given=given, division="330100")["area_problems_1y"][0] == 500
    assert asked()["area_problems_1y"][0] is None


def test_findings_are_held_against_what_is_usual_at_the_time():
    def usual(value):
        rows = [(name, 0, 999_999, value) for name in USUAL]
        return Given(norms=pl.DataFrame(rows, schema=dict(NORMS), orient="row"), names=frozenset(USUAL))

    one = check(DAY - 10, problems=1)
    # Seen once at 92 percent: the more is usual, the less one problem says.
    assert asked(*one, given=usual(500))["problems_year_per_visit"][0] == 100 * (1000 * 92 + 500 * 100) // (500 * 192)
    assert asked(*one, given=usual(2000))["problems_year_per_visit"][0] == 100 * (1000 * 92 + 2000 * 100) // (
        2000 * 192
    )


@pytest.mark.parametrize("usual", [0, 1, 40, 900, 10**9])
def test_who_was_never_visited_stands_at_the_ordinary_whatever_is_usual(usual):
    rows = [(name, 0, 999_999, usual) for name in USUAL]
    given = Given(norms=pl.DataFrame(rows, schema=dict(NORMS), orient="row"), names=frozenset(USUAL))
    found = asked(given=given)
    ratios = [name for name, one in RECORD.indicators.items() if one.measure == "ratio"]
    assert found.select(ratios).row(0) == (100,) * len(ratios)


# --- the scheme -------------------------------------------------------------------------------------------------------


def test_an_indicator_that_no_rule_reads_is_a_mistake_unless_models_may_read_it():
    folder = {
        str(path.relative_to(root)): path.read_text()
        for root in [_root()]
        for path in root.rglob("*.toml")
        if not path.name.endswith(".cases.toml")
    }
    main = folder["scheme.toml"]
    assert load_files(folder, "inspection-record").hash == RECORD.hash
    folder["scheme.toml"] = main.replace('indicators_for = "models"', 'indicators_for = "rules"')
    with pytest.raises(SchemeError, match="no rule reads this indicator"):
        load_files(folder, "inspection-record")


def _root():
    return Path(__file__).parents[3] / "rules" / "book" / "inspection-record"


def test_the_features_hold_since_1990_so_that_old_registers_can_be_read():
    day = to_day(date(1995, 5, 1))
    found = asked(fact("registration", day - 800, seq=1), who=((1, day),))
    assert (found["age_step"][0], found["visits_ever"][0]) == (3, 0)
