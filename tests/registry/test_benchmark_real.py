"""The three sets of real inspections beside the repository: read and taken in as their notes say, and, where asked for, measured.

Nothing of them is copied here: they are counted. XINHENG_TEST_BENCHMARKS=1 measures all targets (about five minutes).
"""

import dataclasses
import json
import os

import pytest

from registry import clock
from registry.config import Database
from registry.services import benchmark_files, benchmark_import, benchmark_mapping, frames, ledger, model_frames, verify
from registry.services import seal as sealing
from rules.model.units import PURPOSES, UnitRule, quarters, units, visits
from tests.api.test_cli import caller
from tests.conftest import NOW, TODAY

pytestmark = pytest.mark.real
# Set → visits, entities, serious problems, complaints, licences, by their own notes.
COUNTS = {
    "toronto_dinesafe": (82_520, 5_670, 3_556, 0, 0),
    "detroit_food": (8_602, 2_209, 6_607, 0, 0),
    "chicago_food": (27_600, 12_367, 5_471, 8_989, 13_834),
}
# Target → the least AUC of fitted rules and of rules + model, and what would be a leak.
GOALS = {
    "toronto_dinesafe/significant": (0.74, 0.762, 0.85), "toronto_dinesafe/crucial": (0.75, 0.772, 0.85),
    "detroit_food/priority_two": (0.78, 0.79, 0.88), "chicago_food/critical": (0.55, 0.595, 0.65),
}  # fmt: skip


@pytest.fixture
def folder(shared):
    found = shared / "benchmarks"
    if not found.is_dir():
        pytest.skip("SKIPPED: the benchmarks (../shared/data/benchmarks) are not here")
    return found


def read(folder, name):
    mapping = benchmark_mapping.load(benchmark_mapping.shipped()[name])
    return mapping, benchmark_files.read(mapping, folder / name)


@pytest.mark.parametrize("name", COUNTS)
def test_a_set_is_read_as_its_notes_say(folder, name):
    _, rows = read(folder, name)
    assert (
        rows.visits.height, rows.entities.height, rows.visits["serious"].sum(), rows.complaints.height, rows.licences.height,
    ) == COUNTS[name]  # fmt: skip


def test_a_set_stands_in_the_ledger_with_the_units_of_its_notes(folder, on_sqlite):
    sealing.make_log(on_sqlite, now=NOW)
    mapping, rows = read(folder, "detroit_food")
    benchmark_import.load(on_sqlite, mapping, rows, today=TODAY, now=lambda: NOW)
    assert verify.verify(on_sqlite).findings == []
    # 1,721 tested visits with 360 failures; two records of one day are one visit here.
    facts = frames.facts_in(1, rows.entities.height, {19}, ledger.head())
    rule = UnitRule((PURPOSES["routine"],), mapping.units.least_gap, mapping.units.history)
    test = units(facts, mapping.targets[0].outcome, rule, quarters(*mapping.split.test))
    assert (test.height, int(test["y"].sum())) == (1_722, 363)
    assert visits(facts).height == model_frames.all_visits(ledger.head(), 60_000).height
    assert clock.day_of(int(test["period"].min())) == mapping.split.test[0]


@pytest.mark.slow
@pytest.mark.skipif(
    not os.environ.get("XINHENG_TEST_BENCHMARKS"), reason="SKIPPED: takes minutes; set XINHENG_TEST_BENCHMARKS=1 to measure"
)  # fmt: skip
@pytest.mark.parametrize("name", COUNTS)
def test_rules_and_model_reach_what_they_must_on_real_inspections(folder, on_sqlite, tmp_path, name):
    own = dataclasses.replace(on_sqlite, database=Database(f"sqlite:///{tmp_path / 'none.db'}"))
    call = next(caller(own))
    said = json.loads(call("model", "benchmark", name, "--data", folder, "--json").stdout)
    for id_, one in said["targets"].items():
        rules, model, leak = GOALS[f"{name}/{id_}"]
        assert one["rules_auc"] >= rules
        assert model <= one["auc"] <= leak
        assert one["leaks"] == []
