"""The frequency table: what the shipped files say, which row wins, one hash whatever the order, every mistake by key."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.dated import to_day
from rules.inspection.frequency import FrequencyError, read
from rules.scheme import load_book

FOLDER = Path(__file__).parents[3] / "rules" / "inspection"
DISTRICT, BAYANNUR = (read(FOLDER / f"{name}.toml") for name in ("frequency", "frequency-bayannur"))
DAY = to_day(date(2026, 11, 21))


def ratios(table, nature, day=DAY, industry=None):
    found = [table.at("general-risk", nature, class_, industry, day) for class_ in "ABCD"]
    return [(one.lowest, one.highest) for one in found]


def test_the_district_draws_two_percent_of_a_five_of_b_and_c_and_d_within_the_bounds_of_lindian():
    assert ratios(DISTRICT, "general") == [(0, 200), (500, 2_000), (2_100, 6_000), (6_100, 10_000)]
    assert [DISTRICT.at("general-risk", "general", class_, None, DAY).usual for class_ in "ABCD"] == [
        200,
        500,
        2_100,
        6_100,
    ]
    assert [DISTRICT.at("general-risk", "general", class_, None, DAY).at_most for class_ in "ABCD"] == [
        None,
        1,
        2,
        None,
    ]


def test_bayannur_visits_every_c_and_d():
    assert ratios(BAYANNUR, "general") == [(0, 200), (0, 500), (10_000, 10_000), (10_000, 10_000)]


@pytest.mark.parametrize("table", [DISTRICT, BAYANNUR])
def test_key_items_have_no_upper_bound_and_need_not_be_rarer_than_general_ones(table):
    for key, general in zip(ratios(table, "key"), ratios(table, "general"), strict=True):
        assert key[1] == 10_000
        assert key[0] >= general[0]


@pytest.mark.parametrize(
    ("scheme", "intervals"),
    [
        ("food-producer", [365, 365, 182, 121]),
        ("food-producer-anhui", [730, 365, 182, 121]),
        ("food-producer-draft-2022", [730, 365, 182, 121]),
    ],
)
def test_food_producers_are_visited_by_the_intervals_of_their_own_rule(scheme, intervals):
    for nature in ("general", "key"):
        assert [DISTRICT.at(scheme, nature, class_, 1431, DAY).every_days for class_ in "ABCD"] == intervals


def test_values_hold_from_their_day_and_are_carried_back_as_ours():
    before, after = to_day(date(2024, 11, 5)), to_day(date(2024, 11, 6))
    kinds = [DISTRICT.at("general-risk", "general", "C", None, day).basis.kind for day in (before, after)]
    assert kinds == ["product_default", "local_example"]
    assert DISTRICT.at("general-risk", "general", "C", None, to_day(date(2020, 12, 31))) is None
    assert DISTRICT.annual_cap(to_day(date(2025, 1, 2))) is None
    assert DISTRICT.annual_cap(to_day(date(2025, 1, 3))) == 2


def test_the_cap_names_what_it_does_not_hold_back_and_why():
    found = DISTRICT.exemptions(DAY)
    assert set(found) == {"complaint_or_report", "monitoring_alert", "transferred_lead", "statutory", "recheck"}
    assert all(one.reason.zh and one.reason.en for one in found.values())


@pytest.mark.parametrize("table", [DISTRICT, BAYANNUR])
def test_the_table_speaks_of_every_class_of_every_scheme_that_it_names(table):
    book = load_book(FOLDER.parent / "book")
    for scheme in table.schemes():
        for nature in ("general", "key"):
            assert all(table.at(scheme, nature, class_, None, DAY) for class_ in book[scheme].classes)


def test_a_page_of_the_table_has_every_row_with_its_basis():
    said = DISTRICT.as_dict(DAY)
    assert [row["id"] for row in said["rows"]] == sorted(line.id for line in DISTRICT.lines)
    food = next(row for row in said["rows"] if row["id"] == "food_industry_d")
    assert (food["industries"], food["every_days"], food["basis"]["kind"]) == (
        ["13", "14", "15"],
        182,
        "product_default",
    )
    assert said["skip"]["days"] == {"A": 90, "B": 90, "C": 90, "D": 90}
    assert (said["annual_cap"]["most"], said["visit"]["minutes"], len(said["exempt"])) == (2, 90, 5)


# --- which row wins ------------------------------------------------------------------------------------------------

HEAD = '[frequency]\nid = "toy"\ntitle = { zh = "玩具", en = "Toy" }\n'
BASIS = 'basis = { instrument = "Invented", kind = "product_default" }\n'


def made(id_, *, industries="", values="highest = 200", start="2020-01-01", until="", schemes='["toy"]', class_="A"):
    words = f"industries = {industries}\n" if industries else ""
    ends = f"until = {until}\n" if until else ""
    return (
        f'[row.{id_}]\nschemes = {schemes}\nnatures = ["general"]\nclass = "{class_}"\n{words}'
        f"[[row.{id_}.values]]\nfrom = {start}\n{ends}{values}\n{BASIS}"
    )


def written(tmp_path, *parts):
    path = tmp_path / "toy.toml"
    path.write_text(HEAD + "\n".join(parts), encoding="utf-8")
    return path


def test_the_longer_prefix_of_an_industry_wins_and_what_is_not_in_force_does_not(tmp_path):
    table = read(written(
        tmp_path,
        made("everyone"),
        made("food", industries='["14", "56"]'),
        made("dairy", industries='["144"]'),
        made("one", industries='["1441"]', until="2021-01-01"),
    ))  # fmt: skip
    asked = {
        None: "everyone",
        0: "everyone",
        1399: "everyone",
        1400: "food",
        5699: "food",
        1449: "dairy",
        1441: "dairy",
    }
    assert {industry: table.at("toy", "general", "A", industry, DAY).id for industry in asked} == asked
    assert table.at("toy", "general", "A", 1441, to_day(date(2020, 6, 1))).id == "one"
    assert table.at("toy", "key", "A", 1441, DAY) is None
    assert table.at("other", "general", "A", None, DAY) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 9_999), st.sampled_from("ABCD"), st.integers(DAY - 3_000, DAY + 500), st.booleans())
def test_rows_laid_over_each_other_give_what_asking_one_by_one_gives(industry, class_, day, general):
    nature = "general" if general else "key"
    on_top = None
    for name, range_, row in DISTRICT.rows("general-risk", nature, day):
        if name == class_ and (range_ is None or range_[0] <= industry <= range_[1]):
            on_top = row
    assert on_top == DISTRICT.at("general-risk", nature, class_, industry, day)


def test_the_hash_is_of_what_counts_and_not_of_its_order(tmp_path):
    parts = (FOLDER / "frequency.toml").read_text(encoding="utf-8").split("\n\n")
    for seed in range(3):
        shuffled = [part for part in parts if not part.startswith("#")]
        # A row stands before its values; everything else may stand anywhere.
        groups, rest = {}, []
        for part in shuffled:
            name = part.split("]")[0].strip("[").removesuffix(".values")
            groups.setdefault(name if name.startswith("row.") else f"{len(rest)}", []).append(part)
            if not name.startswith("row."):
                rest.append(part)
        listed = list(groups.values())
        Random(seed).shuffle(listed)
        path = tmp_path / f"{seed}.toml"
        path.write_text("\n\n".join(part for group in listed for part in group), encoding="utf-8")
        assert read(path).hash == DISTRICT.hash
    changed = tmp_path / "changed.toml"
    changed.write_text("\n\n".join(parts).replace("lowest  = 2100", "lowest  = 2200", 1), encoding="utf-8")
    assert read(changed).hash != DISTRICT.hash != BAYANNUR.hash


# --- mistakes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ([], "toy.toml: row: is missing: the table says nothing. Write at least one [row.…]."),
        ([made("a", values="lowest = 300\nhighest = 200")], "row.a.values.lowest: is 300, above highest = 200."),
        ([made("a", values="highest = 20000")], "row.a.values.highest: is 20000, outside 1 to 10000."),
        ([made("a", values="lowest = 1")], "row.a.values.highest: is missing, and so is every_days."),
        ([made("a", values="every_days = 100\nat_most = 2")],
         "row.a.values.at_most: is 2, but a visit every 100 days is 3 a year."),
        ([made("a", industries='["1"]')], "row.a.industries: has '1'. Write prefixes of GB/T 4754"),
        ([made("a", schemes='"toy"')], "row.a.schemes: is not a list of distinct texts."),
        ([made("a"), made("b", schemes='["toy", "other"]')],
         "row.b: holds for the same class and industries as row.a from 2020-01-01 on."),
        ([made("a", values="highest = 200\nrate = 3")], "row.a.values.rate: is an unknown key."),
        ([made("a", values="every_days = 100"), f"[[skip]]\nfrom = 2020-01-01\ndays = {{ A = 101 }}\n{BASIS}"],
         "row.a.values.every_days: is 100, but who was visited less than 101 days ago is skipped."),
        ([made("a"), f"[[skip]]\nfrom = 2020-01-01\ndays = {{ A = -1 }}\n{BASIS}"],
         "skip.days: is not a table of days by class."),
        ([made("a"), f"[[cap]]\nfrom = 2025-01-01\nuntil = 2025-06-01\nmost = 2\n{BASIS}"
                     f"[[cap]]\nfrom = 2025-07-01\nmost = 2\n{BASIS}"],
         "cap: gap: no value holds from 2025-06-01 until 2025-07-01."),
        ([made("a"), "[cap]\nmost = 2"], "cap: is not a list of tables. Write [[cap]]."),
        ([made("a"), "[exempt.statutory]\nfrom = 2025-01-01\n" + BASIS], "exempt.statutory.reason: is missing."),
        ([made("a", values="highest = ２")], "cannot be read"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_key_and_remedy(tmp_path, parts, says):
    with pytest.raises(FrequencyError) as refused:
        read(written(tmp_path, *parts))
    assert says in str(refused.value)


def test_rows_of_one_class_may_follow_each_other_in_time(tmp_path):
    table = read(written(tmp_path, made("a", until="2025-01-01"), made("b", start="2025-01-01")))
    assert [table.at("toy", "general", "A", None, to_day(date(year, 6, 1))).id for year in (2024, 2025)] == ["a", "b"]


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FrequencyError, match=r"there is no such file. Name a file that exists"):
        read(tmp_path / "none.toml")
