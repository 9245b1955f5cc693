"""Worked cases beside the rules: they are run by the engine itself, and a rule without one is a mistake."""

import shutil

import pytest

from rules import cases
from rules.errors import SchemeError
from tests.rules.frames import SCHEME, TOY


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
