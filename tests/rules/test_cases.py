"""Worked cases beside the rules: they are run by the engine itself, and a rule without one is a mistake."""

import shutil

import pytest

from rules import cases
from rules.content import files_of
from rules.errors import SchemeError
from rules.scheme import load, load_files
from tests.rules.frames import SCHEME, TOY

OUTER = TOY.parent / "toy_outer"
OVER = load(OUTER, inner={"toy": SCHEME})


@pytest.fixture
def toy(tmp_path):
    return shutil.copytree(TOY, tmp_path / "toy")


def test_every_case_of_the_toy_scheme_holds():
    outcomes = cases.run(TOY, SCHEME)
    assert len(outcomes) == 12
    assert [str(outcome) for outcome in outcomes if not outcome.passed] == []


def test_a_case_that_does_not_hold_says_what_came_instead(toy):
    path = toy / "rules" / "points.cases.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("points = 60", "points = 61"), encoding="utf-8")
    failed = [outcome for outcome in cases.run(toy, SCHEME) if not outcome.passed]
    assert [str(outcome) for outcome in failed] == [
        "toy/rules/points.cases.toml: case 2: penalised, 'first day of the new value' on 2024-05-01: "
        "expected hit with 61 points, but it is hit with 60 points."
    ]


def test_a_rule_without_a_case_is_a_mistake(toy):
    (toy / "rules" / "holds.cases.toml").unlink()
    with pytest.raises(SchemeError) as error:
        cases.read(toy, SCHEME)
    assert [mistake.key for mistake in error.value.mistakes] == [
        "rule.cancelled", "rule.on_serious_list", "rule.other_state", "rule.revoked",
    ]  # fmt: skip
    assert error.value.problem == "has no worked case"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('rule   = "fined"', 'rule   = "find"', "case 4.rule: is 'find', which is not known"),
        ("{ fines = 1001 }", "{ fine = 1001 }", "case 4.given.fine: is not read by the rule"),
        ('result = "no_data" }', 'result = "maybe" }', "case 4.expect.result: is 'maybe', which is not known"),
        ("on     = 2024-04-30", "onn    = 2024-04-30", "case 1.onn: is an unknown key"),
        ("{ fines = 1001 }", "{ fines = 1.5 }", "case 4.given.fines: is 1.5 where an integer is needed"),
        ("[[case]]", "[[case", "(TOML): cannot be read"),
    ],
)
def test_a_broken_case_names_file_key_and_remedy(toy, old, new, message):
    path = toy / "rules" / "points.cases.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SchemeError) as error:
        cases.read(toy, SCHEME)
    assert f"toy/rules/points.cases.toml: {message}" in str(error.value)


def texts(folder):
    return {path: raw.decode() for path, raw in files_of(folder).items()}


def named(files):
    """What is demanded of the cases of the toy scheme with these files, by key."""
    with pytest.raises(SchemeError) as error:
        cases.read_files(files, "toy", load_files(files, "toy"))
    return {mistake.key: mistake.problem for mistake in error.value.mistakes}


def test_rules_over_other_schemes_contexts_and_matrices_have_cases_like_any_other():
    outcomes = cases.run(OUTER, OVER)
    assert [(one.case.rule, one.result, one.points) for one in outcomes] == [
        ("base_of_all", "hit", 60), ("base_of_all", "hit", 40), ("low_score", "no_data", None), ("crowded", "hit", 0),
        ("much_complained", "hit", 0), ("much_complained", "no_hit", None),
    ]  # fmt: skip


def test_cases_are_read_from_texts_as_from_a_folder():
    assert cases.run_files(texts(TOY), "toy", SCHEME) == cases.run(TOY, SCHEME)


def test_a_value_that_changes_is_shown_on_its_last_and_on_its_first_day():
    files = texts(TOY)
    assert cases.read_files(files, "toy", SCHEME)
    path = "rules/points.cases.toml"
    late = {**files, path: files[path].replace("2024-05-01", "2024-05-02")}
    assert named(late) == {
        "rule.penalised.parameter.each": "changes on 2024-05-01, but the rule has no worked case on 2024-05-01"
    }
    neither = {**late, path: late[path].replace("2024-04-30\ngiven  = { penalties", "2024-04-29\ngiven  = { penalties")}
    neither[path] = neither[path].replace(
        '2024-04-30\nsubject = "individual"\ngiven   = { pen', "2024-04-28\ngiven = { pen"
    )
    assert named(neither) == {
        "rule.penalised.parameter.each": "changes on 2024-05-01, but the rule has no worked case on 2024-04-30 or on "
        "2024-05-01"
    }


def test_a_case_of_a_subject_that_the_rule_does_not_cover_shows_no_change():
    files = texts(TOY)
    points, shown = "rules/points.toml", "rules/points.cases.toml"
    files[points] = files[points].replace('when   = "penalties >= at_least"', 'when   = "penalties >= at_least"\n'
                                          'subjects = ["individual"]')  # fmt: skip
    assert named(files) == {
        "rule.penalised.parameter.each": "changes on 2024-05-01, but the rule has no worked case on 2024-05-01"
    }
    assert "subject" in files[shown]


def test_a_value_that_only_changes_what_it_rests_on_needs_no_cases_of_that_day():
    files = texts(TOY)
    points, shown = "rules/points.toml", "rules/points.cases.toml"
    files[points] = files[points].replace("value = 30\nunit  = \"point\"", 'value = 20\nunit = "point"\n'
                                          "subjects = { individual = 15 }")  # fmt: skip
    files[shown] = files[shown].replace("2024-05-01", "2024-06-01")
    assert len(cases.read_files(files, "toy", load_files(files, "toy"))) == 12
