"""Leak drills: what a feature cannot know is caught, by the test that is meant to catch it, and named."""

import numpy as np
import polars as pl
import pytest

from rules.errors import FrameError
from rules.kinds import KINDS
from rules.model import leaks
from rules.model.leaked_names import refused_names
from rules.model.units import Outcome, UnitRule, units, visits

QUARTERS = [(day, day + 90) for day in range(16_000, 16_000 + 90 * 8, 90)]
DETAIL = KINDS["check_detail"]
HONEST = ("problems", "last_found", "quiet_days", "industry")


def checked(entity, day, found, seq):
    """The facts of one check: that it took place, and what it found."""
    head = {
        "entity": entity,
        "kind": DETAIL,
        "code": 1,
        "severity": 0,
        "amount": 0,
        "day": day,
        "ends": None,
        "seq": seq,
    }
    return [head, *([head | {"severity": 2, "amount": found}] if found else [])]


def world(entities=500, seed=3):
    """Facts of entities of lasting, different risk, each visited once a quarter by one of ten inspectors."""
    rng = np.random.default_rng(seed)
    risk = rng.normal(-1.2, 1.0, entities)
    facts, seen = [], []
    for entity in range(entities):
        for start, _ in QUARTERS:
            day, inspector = int(start + rng.integers(0, 90)), int(rng.integers(0, 10))
            strict = 0.9 * (inspector > 6)
            fails = rng.random() < 1 / (1 + np.exp(-(risk[entity] + strict)))
            facts += checked(entity, day, int(fails * rng.integers(1, 6)), len(seen) + 1)
            seen.append((entity, day, inspector))
    return facts, pl.DataFrame(seen, schema=["entity", "visit", "inspector_seen"], orient="row")


def framed(facts):
    kinds = {
        "kind": pl.Int16,
        "code": pl.Int32,
        "severity": pl.Int16,
        "amount": pl.Int64,
        "day": pl.Int32,
        "ends": pl.Int32,
    }
    return pl.DataFrame(facts, schema={"entity": pl.Int64, **kinds, "seq": pl.Int64})


def worked_out(facts, chosen, gone=0):
    """Honest features of units, read from checks up to ``gone`` days before the day of the list."""
    made = visits(facts).select("entity", pl.col("visit").alias("checked"), "found_2")
    pairs = chosen.select("entity", "day").with_row_index().join(made, on="entity", how="left")
    known = pairs.filter(pl.col("checked") < pl.col("day") - gone).sort("checked")
    read = known.group_by("index").agg(
        problems=pl.col("found_2").sum(), last_found=pl.col("found_2").last(), newest=pl.col("checked").last()
    )
    joined = chosen.with_row_index().join(read, on="index", how="left").sort("index")
    return joined.with_columns(
        pl.col("problems").fill_null(0), quiet_days=pl.col("day") - pl.col("newest"), industry=pl.col("entity") % 5
    ).drop("index", "newest")


@pytest.fixture(scope="module")
def city():
    facts, seen = world()
    frame = framed(facts)
    chosen = units(frame, Outcome(2, 1), UnitRule(), QUARTERS[2:])
    return frame, chosen, worked_out(frame, chosen), seen


def examined(table, features=HONEST, **more):
    return leaks.examine(table, features, seed=1, fixed={"industry"}, **more)


def named(found):
    return {(leak.feature, leak.test) for leak in found}


def test_honest_features_pass_every_test(city):
    frame, chosen, table, _ = city
    before = frame.filter(pl.col("day") < chosen["day"].max())
    again = worked_out(before, chosen)
    held_back = worked_out(frame, chosen, gone=60)
    assert examined(table, again=again, without_last=held_back, visits=visits(frame)) == []


def test_the_inspector_is_caught_by_name_and_under_any_name(city):
    frame, chosen, table, seen = city
    leaky = table.join(seen, on=("entity", "visit"), how="left", maintain_order="left").rename(
        {"inspector_seen": "inspector"}
    )
    assert ("inspector", "name") in named(examined(leaky, (*HONEST, "inspector")))
    disguised = leaky.rename({"inspector": "team_load"})
    found = examined(disguised, (*HONEST, "team_load"), again=worked_out(frame, chosen))
    assert named(found) == {("team_load", "frozen")}
    assert "cannot be worked out again" in found[0].en


def test_the_weather_of_the_visit_is_caught_by_name_and_under_any_name(city):
    frame, chosen, table, _ = city
    leaky = table.with_columns(temperature=20 - (pl.col("visit") % 360 - 180).abs() // 6)
    assert named(examined(leaky, (*HONEST, "temperature"))) == {("temperature", "name")}
    found = examined(leaky.rename({"temperature": "comfort"}), (*HONEST, "comfort"), again=worked_out(frame, chosen))
    assert named(found) == {("comfort", "frozen")}


def test_a_duplicated_inspection_with_a_shifted_date_is_caught_and_named(city):
    frame, chosen, _, _ = city
    copies = (
        frame.join(
            chosen.select("entity", "day", "visit"),
            left_on=("entity", "day"),
            right_on=("entity", "visit"),
            how="inner",
        )
        .with_columns(day=pl.col("day_right") - 9, seq=pl.col("seq") + 1_000_000)
        .select(frame.columns)
    )
    doubled = pl.concat([frame, copies])
    table = worked_out(doubled, chosen)
    # It lies before the day of the list, so that taking later facts away does not find it.
    again = worked_out(doubled.filter(pl.col("day") < chosen["day"].max()), chosen)
    assert leaks.changed(table, again, HONEST) == []
    found = examined(table, without_last=worked_out(doubled, chosen, gone=30), visits=visits(doubled))
    assert {("last_found", "alarm"), ("last_found", "withheld"), ("last_found", "shuffled_time"), ("check_detail", "copies")} <= named(found)  # fmt: skip
    assert "duplicates with a shifted date" in found[-1].en
    assert all("industry" not in leak.feature for leak in found)


def test_visits_that_all_find_the_same_are_no_duplicates():
    """A register that writes down results alone has one finding for every failure, and in a bad trade nearly all fail."""
    rng = np.random.default_rng(8)
    rows = [
        row
        for entity in range(60)
        for number, (start, _) in enumerate(QUARTERS)
        for row in checked(entity, int(start + rng.integers(0, 60)), int(rng.random() < 0.92), 100 * entity + number)
    ]
    frame = framed(rows)
    chosen = units(frame, Outcome(2, 1), UnitRule(), QUARTERS[2:])
    made = visits(frame)
    assert leaks.copied_visits(chosen, made) == []
    # Were every failure copied, it would be seen here too.
    own = chosen.select("entity", "visit", at=pl.col("day") - 9)
    copies = made.join(own, on=("entity", "visit")).with_columns(visit="at").select(made.columns)
    doubled = pl.concat([made.join(copies, on=("entity", "visit"), how="anti"), copies])
    assert named(leaks.copied_visits(chosen, doubled)) == {("check_detail", "copies")}


def test_an_id_is_caught_by_name_and_under_any_name(city):
    _, _, table, _ = city
    leaky = table.with_columns(entity_id=pl.col("entity") * 7919 % 10_007)
    assert ("entity_id", "name") in named(examined(leaky, (*HONEST, "entity_id")))
    assert named(examined(leaky.rename({"entity_id": "size"}), (*HONEST, "size"))) == {("size", "identity")}


def test_a_fact_of_the_day_of_the_list_or_later_is_caught(city):
    frame, chosen, _, _ = city
    late = worked_out(frame, chosen, gone=-40)
    found = leaks.changed(late, worked_out(frame, chosen), ("last_found", "industry"))
    assert named(found) == {("last_found", "frozen")}
    assert found[0].value > 0.1


def test_a_value_of_the_day_of_extraction_is_caught_because_it_never_changes(city):
    _, _, table, _ = city
    worst = table.group_by("entity").agg(pl.col("y").sum().alias("standing"))
    leaky = table.join(worst, on="entity", how="left", maintain_order="left")
    found = examined(leaky, (*HONEST, "standing"))
    assert ("standing", "timeless") in named(found)
    assert {leak.feature for leak in found} == {"standing"}


def test_the_outcome_itself_is_caught_however_it_is_written(city):
    _, _, table, _ = city
    rng = np.random.default_rng(1)
    y = pl.col("y").cast(pl.Int64)
    leaky = table.with_columns(parity=pl.Series(rng.integers(0, 4, table.height) * 2) + y, hint=1 - y)
    found = leaks.alarms(leaky, ("hint", "parity", "problems"))
    assert named(found) == {("hint", "alarm"), ("parity", "alarm")}


def test_one_feature_that_beats_all_fitted_rules_is_named(city):
    _, _, table, _ = city
    y = table["y"].to_numpy()
    better = table.with_columns(hunch=(y + np.random.default_rng(4).normal(0, 1.0, y.size)).round(2))
    assert leaks.alarms(better, ("hunch",)) == []
    weak = np.random.default_rng(5).normal(size=y.size)
    found = leaks.alarms(better, ("hunch",), rules=weak)
    assert named(found) == {("hunch", "alarm")}
    assert found[0].limit == pytest.approx(0.6, abs=0.03)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("inspector", "inspector"), ("inspectorGroup", "inspector"), ("sanitarian_purple", "inspector"), ("检查员编号", "identity"),
        ("主办检查员", "inspector"), ("postcode_prefix", "place"), ("division2", "place"), ("所在邮编", "place"), ("geo_lat", "place"),
        ("entity_id", "identity"), ("licence_number", "identity"), ("industry_code", "identity"), ("weather", "weather"),
        ("mean_temperature_3d", "weather"), ("当日气温", "weather"), ("outcome", "visit"), ("visit_day", "visit"), ("本次检查项目", "visit"),
        ("current_class", "class"), ("statutory_visits", "class"), ("types", "class"), ("现行风险等级", "class"), ("risk_category", "class"),
    ],
)  # fmt: skip
def test_a_name_is_refused_with_its_family(name, family):
    assert refused_names([name])[name].family == family


@pytest.mark.parametrize(
    "name",
    ["days_since_check", "last_visit_problems", "visits_before", "recurrent_faults", "division_rate", "区划平均问题率", "industry",
     "subject_kind", "age_days", "problems_w_730", "complaints_2y", "window_load", "last_result", "latest_listing", "rainbow_share"],
)  # fmt: skip
def test_an_honest_name_is_not_refused(name):
    assert refused_names([name]) == {}


def test_a_training_is_refused_with_every_leak_and_what_to_do():
    with pytest.raises(
        leaks.LeakFound, match=r"inspector: it names the inspector.*weather: it is the weather.*Take these"
    ) as told:
        leaks.refuse(leaks.names(["problems", "inspector", "weather"]))
    assert [leak.feature for leak in told.value.leaks] == ["inspector", "weather"]
    leaks.refuse([])


def test_too_little_to_judge_names_nothing(city):
    _, _, table, _ = city
    few = table.head(30)
    assert leaks.alarms(few.with_columns(hint=pl.col("y")), ("hint",)) == []
    assert leaks.timeless(few.head(5), ("industry",)) == []


def test_frames_that_do_not_fit_are_refused(city):
    _, _, table, _ = city
    with pytest.raises(FrameError, match="no column mood"):
        examined(table, ("mood",))
    with pytest.raises(FrameError, match="same rows in the same order"):
        leaks.changed(table, table.head(3), HONEST)
