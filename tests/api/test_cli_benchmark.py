"""`xinheng model benchmark`: a set that somebody brings, from its mapping and files to figures, cards and the look on record."""

import contextlib
import io
import json

import pytest

from api.cli import benchmark
from registry.models import Entity, ModelOpening
from registry.services import model_openings
from tests.api.test_cli import caller
from tests.factories import registered
from tests.registry.benchmarking import district, written

# What programs rely on.
KEYS = {"auc", "auc_low", "auc_high", "rules_auc", "gain_low", "gain_high", "ece", "grade_rates"}


def xinheng(settings, *args, status=0):
    """Run the command beside the registry of `settings`."""
    call = next(caller(settings))
    return call("model", "benchmark", *args, status=status)


@pytest.fixture
def done(on_sqlite, tmp_path, monkeypatch):
    """The made-up district, measured once: the document, the folder of the cards, and the same as a person reads it.

    Somebody has opened the test of `any` before, with another model.
    """
    model_openings.open_period("made_up/any", model="f" * 64, from_day=18_444, until_day=18_628, by="somebody", now=1)
    said = []
    document = benchmark._document
    monkeypatch.setattr(benchmark, "_document", lambda *given: said.append(given) or document(*given))
    mapping, cards = district(tmp_path, shops=150), tmp_path / "cards"
    result = xinheng(
        on_sqlite, "--mapping", mapping, "--data", tmp_path, "--card", cards, "--again", "new bins", "--json"
    )
    with contextlib.redirect_stdout(io.StringIO()) as told:
        benchmark._say(*said[0][:2])
    for one in said[0][1]:
        # The rules that the model has to beat see every row that the model sees.
        rows = sum(one.trained.rows[part][0] for part in ("train", "calibrate"))
        assert f"Fitted on {rows} visits" in one.trained.rules.content
    return json.loads(result.stdout), cards, told.getvalue()


def test_a_set_of_ones_own_is_measured_without_code(on_sqlite, done):
    said, cards, told = done
    assert set(said["targets"]) == {"grave", "any"}
    for one in said["targets"].values():
        assert set(one) >= KEYS
        assert one["auc_low"] < one["auc"] < one["auc_high"]
        assert one["auc"] > 0.6 > one["overdue_auc"]
        assert list(one["grade_rates"]) == ["A", "B", "C", "D"]
        assert one["leaks"] == []
    windows = said["targets"]["any"]["units"]
    assert sum(part["visits"] for part in windows.values()) > 1_200
    assert windows["train"]["visits"] > windows["test"]["visits"] > 0
    # Every target has a page that opens, and its pictures.
    assert {path.suffix for path in cards.rglob("*") if path.is_file()} >= {".md", ".html", ".svg"}
    assert {path.name for path in cards.glob("*.html")} == {"made_up-grave.html", "made_up-any.html"}
    assert "规则＋模型 rules + model" in told
    assert "150 entities" in told
    # The records stood in a registry of their own; the looks stand in ours, each as what it is.
    assert Entity.select().count() == 0
    models = {id_: one["model"] for id_, one in said["targets"].items()}
    assert [(one.target, one.first, one.why, one.model) for one in ModelOpening.select().order_by(ModelOpening.id)] == [
        ("made_up/any", True, "", "f" * 64),
        ("made_up/grave", True, "new bins", models["grave"]),
        ("made_up/any", False, "new bins", models["any"]),
    ]
    assert [said["targets"][id_]["opening"]["first"] for id_ in ("grave", "any")] == [True, False]


def test_too_few_visits_are_refused_with_the_numbers(on_sqlite, tmp_path):
    result = xinheng(on_sqlite, "--mapping", written(tmp_path), "--data", tmp_path, status=3)
    assert "made_up, target grave: train 0 visits" in result.stderr


def test_what_is_wrong_is_said_before_anything_is_loaded(on_sqlite, tmp_path):
    unknown = xinheng(on_sqlite, "atlantis_food", "--data", tmp_path, status=3)
    assert "There is no benchmark 'atlantis_food'" in unknown.stderr
    assert "toronto_dinesafe" in unknown.stderr
    nothing = xinheng(on_sqlite, "toronto_dinesafe", "--data", tmp_path, status=3)
    assert "'inspections_2001_2012.parquet' is not in the folder" in nothing.stderr
    assert "Name a benchmark" in xinheng(on_sqlite, "--data", tmp_path, status=2).stderr
    both = xinheng(on_sqlite, "toronto_dinesafe", "--mapping", written(tmp_path), "--data", tmp_path, status=2)
    assert "which of the two is meant" in both.stderr
    target = xinheng(on_sqlite, "--mapping", written(tmp_path), "--data", tmp_path, "--target", "none", status=3)
    assert "made_up has no target none. Its targets are: grave, any." in target.stderr


def test_a_registry_that_holds_records_is_not_used_for_a_benchmark(on_sqlite, tmp_path):
    registered()
    result = xinheng(
        on_sqlite, "--mapping", written(tmp_path), "--data", tmp_path, "--database", on_sqlite.database.url, status=3
    )
    assert "must never mix" in result.stderr
