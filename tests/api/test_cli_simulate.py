"""`xinheng simulate` at a terminal: no database, no settings, the same bytes for the same seed."""

import orjson
from click.testing import CliRunner

from api.cli import cli

SMALL = ("--entities", "600", "--months", "2", "--visits", "20", "--policy", "class")


def simulate(*args):
    return CliRunner(env={"XINHENG_DATABASE_URL": "sqlite:////nowhere/at-all.db"}).invoke(
        cli, ["simulate", *SMALL, *args]
    )


def test_the_report_and_its_pictures_come_without_a_database(tmp_path):
    got = simulate("--pictures", str(tmp_path / "new"), "--coverage", "20")
    assert got.exit_code == 0, got.output
    for said in (
        "600 户 entities",
        "纯随机 random",
        "分类导向 class",
        "各类问题发现率",
        "Intervals that hold the truth: class",
    ):
        assert said in got.stdout
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "simulation-findings.svg", "simulation-rates.svg", "simulation-visits.svg",
    ]  # fmt: skip


def test_json_is_alone_on_standard_output_and_holds_no_time():
    got = simulate("--json", "--seeds", "2")
    body = orjson.loads(got.stdout)
    assert [*body["policies"]] == ["random", "class"]
    assert len(body["over_seeds"]["class"]["times_random"]["values"]) == 2
    assert "second" not in got.stdout
    assert got.stderr.strip().endswith(" s")


def test_what_cannot_be_simulated_is_one_line_that_says_what_to_give():
    got = simulate("--visits", "400")
    assert got.exit_code == 3
    assert got.stderr.strip() == "xinheng: 400 visits a month cannot be simulated. Give 1 to 60."
    assert simulate("--policy", "best").exit_code == 2
