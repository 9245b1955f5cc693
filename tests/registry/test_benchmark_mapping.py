"""A mapping of somebody's benchmark: read whole, or refused with every mistake in it: file, key and remedy."""

import dataclasses
import re

import pytest

from registry.config import ROOT
from registry.services import benchmark_files, benchmark_mapping
from registry.services.benchmark_form import (
    SEVERITIES,
    Area,
    Complaints,
    Entities,
    Findings,
    Penalty,
    Statutory,
    Units,
    Words,
)
from registry.services.benchmark_mapping import BadBenchmarkMapping
from rules.model.units import Outcome
from tests.registry.benchmarking import MAPPING, written


def refused(folder, mapping):
    """(key, problem, remedy) of each mistake."""
    with pytest.raises(BadBenchmarkMapping) as error:
        benchmark_mapping.load(written(folder, mapping=mapping))
    assert all(mistake.file == "made_up.toml" and mistake.remedy for mistake in error.value.mistakes)
    return {mistake.key: mistake.problem for mistake in error.value.mistakes}


def test_a_mapping_in_order_says_what_it_says(tmp_path):
    made = benchmark_mapping.load(written(tmp_path))
    assert made.name == "made_up"
    assert [(target.id, target.outcome) for target in made.targets] == [
        ("grave", Outcome(severity=3)),
        ("any", Outcome(severity=1)),
    ]
    assert made.units.purposes == (1,)
    assert made.split.plan == "quarter"
    assert made.visits[0].counts == {3: "grave", 1: "slight"}


def test_every_shipped_mapping_is_in_order():
    assert {"chicago_food", "detroit_food", "toronto_dinesafe"} <= set(benchmark_mapping.shipped())
    for path in benchmark_mapping.shipped().values():
        assert benchmark_mapping.load(path).title.zh


@pytest.mark.parametrize(
    ("old", "new", "key", "problem"),
    [
        ('source  = "made up by a test"', "", "source", "is missing"),
        ('serious = "grave"', 'seriuos = "grave"', "visits 1.seriuos", "is an unknown key"),
        ('severity = "serious"', 'severity = "terrible"', "targets 1.severity", "'terrible', which is not known"),
        ('"Planned" = "routine"', '"Planned" = "usual"', "visits 1.purpose.values.Planned", "'usual', which is not known"),
        ("train_until     = 2020-01-01", 'train_until     = "2020"', "split.train_until", "where a date is needed"),
        ("test_until      = 2021-01-01", "test_until      = 2020-07-01", "split.test_until", "not after test_from"),
        ("calibrate_from  = 2020-01-01", "calibrate_from  = 2019-07-01", "split", "windows that overlap"),
        ("train_from      = 2018-01-01", "train_from      = 2018-02-01", "split.train_from", "in the middle of a quarter"),
        ('id       = "any"', 'id       = "grave"', "targets", "two targets of one id"),
        ('ranks  = { "high" = 2, "low" = 1 }', 'ranks  = ["high"]', "statutory.ranks", "not a table of whole numbers"),
        ('column    = "reason"', 'column    = "inspector"', "visits 1.purpose", "which `never` forbids"),
        ('purposes  = ["routine"]', 'purposes  = ["routin"]', "units.purposes", "'routin', which is not known"),
        ('kind   = "fine"', 'kind   = "slap"', "visits 1.penalty.kind", "'slap', which is not known"),
        ('entity = "shop"\nday    = "day"', 'day    = "day"', "complaints 1.entity", "must stand alone"),
        ('serious = "grave"\nminor   = "slight"\n', "", "visits 1.serious", "nothing else says what these visits found"),
        ("[units]", '[units]\nfile = "units.csv"', "units.id", "is missing"),
        ("[split]", '[split]\nflag = "Test"\nvalues = ["1"]', "split.flag", "has no file"),
    ],
)  # fmt: skip
def test_each_mistake_is_named_with_its_key_and_a_remedy(tmp_path, old, new, key, problem):
    assert old in MAPPING
    found = refused(tmp_path, MAPPING.replace(old, new, 1))
    assert key in found
    assert problem in found[key]


def test_all_mistakes_come_at_once(tmp_path):
    broken = MAPPING.replace('"routine"', '"usual"').replace('severity = "minor"', 'severity = "tiny"')
    assert len(refused(tmp_path, broken)) >= 2


def test_what_is_no_toml_is_refused_with_its_place(tmp_path):
    with pytest.raises(BadBenchmarkMapping, match="line 2"):
        benchmark_mapping.load(written(tmp_path, mapping="\nsource = \n"))
    with pytest.raises(BadBenchmarkMapping, match="cannot be read"):
        benchmark_mapping.load(tmp_path / "nowhere.toml")


def test_a_file_and_a_column_that_are_not_there_are_named(tmp_path):
    mapping = MAPPING.replace('"licences.csv"', '"licenses.csv"').replace('serious = "grave"', 'serious = "graves"')
    made = benchmark_mapping.load(written(tmp_path, mapping=mapping))
    with pytest.raises(BadBenchmarkMapping) as error:
        benchmark_files.read(made, tmp_path)
    assert "visits 1.serious: visits.csv has no column 'graves'. Did you mean 'grave'?" in str(error.value)
    assert "licences 1.file: 'licenses.csv' is not in the folder" in str(error.value)
    with pytest.raises(BadBenchmarkMapping, match="finds no folder"):
        benchmark_files.read(made, tmp_path / "nowhere")


def test_a_file_outside_the_folder_is_not_read(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    made = benchmark_mapping.load(written(inner, mapping=MAPPING.replace('"shops.csv"', '"../shops.csv"')))
    (tmp_path / "shops.csv").write_text("shop,opened,rank\na,,\n")
    with pytest.raises(BadBenchmarkMapping, match="is not in the folder"):
        benchmark_files.read(made, inner)


def test_an_exact_value_goes_before_a_part_and_parts_in_their_order():
    words = Words("x", {"complaint": "complaint"}, {"again": "follow_up", "complaint": "other"}, None)
    assert words.of(" Complaint ") == "complaint"
    assert words.of("complaint, again") == "follow_up"
    assert words.of("a complaint of noise") == "other"
    assert words.of("nothing") is None


def test_the_mapping_of_the_docs_reads_the_files_of_the_docs(tmp_path):
    page = (ROOT / "docs" / "benchmarks-of-others.md").read_text(encoding="utf-8")
    for name, text in re.findall(r"^`(\w+\.csv)`\n\n```csv\n(.*?)^```", page, re.M | re.S):
        (tmp_path / name).write_text(text, encoding="utf-8")
    (whole,) = re.findall(r"^```toml\n(.*?)^```", page, re.M | re.S)
    (tmp_path / "my_city.toml").write_text(whole, encoding="utf-8")
    found = benchmark_files.read(benchmark_mapping.load(tmp_path / "my_city.toml"), tmp_path)
    assert found.visits.select("id", "purpose", "serious", "problem", "penalty").rows() == [
        ("1", "routine", 1, 2, "fine"),
        ("3", "routine", 0, 1, None),
        ("2", "follow_up", 0, 0, None),
        ("4", "complaint", 0, 0, None),
    ]
    assert found.entities["division"].to_list() == ["990100", "990200"]
    assert (found.complaints.height, found.ranks.rows()) == (1, [("S-1", 3), ("S-2", 1)])


def test_every_key_of_a_mapping_is_in_the_docs():
    page = (ROOT / "docs" / "benchmarks-of-others.md").read_text(encoding="utf-8")
    forms = (Area, Complaints, Entities, Findings, Penalty, Statutory, Units)
    keys = (
        {one.name for form in forms for one in dataclasses.fields(form)} | set(SEVERITIES) | {"from", "until", "flag"}
    )
    assert not {key for key in keys if f"`{key}" not in page}
