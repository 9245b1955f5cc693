"""To add a kind of record is to add one file: a copy of the product gets one, and everything knows the new kind."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from registry.config import ROOT
from registry.kinds import NUMBERS
from rules.kinds import KINDS as KNOWN_TO_RULES
from tests.factories import credit_code

TOY = Path(__file__).parent / "toy"


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What a product with one file more says (toy/life.py)."""
    folder = tmp_path_factory.mktemp("product")
    for package in ("registry", "rules", "jobs", "api"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "config.toml", folder)
    shutil.copy(TOY / "hygiene_score.py", folder / "registry" / "kinds")
    # Files come in by a mapping and rules read by a scheme: both are data, not code.
    shutil.copy(TOY / "hygiene-score.toml", folder / "registry" / "mappings")
    shutil.copytree(TOY / "scheme", folder / "book" / "hygiene")
    environ = {
        **os.environ, "PYTHONPATH": str(folder), "XINHENG_DATABASE_URL": f"sqlite:///{folder}/toy.db",
        "XINHENG_PRIVACY_KEY_FILE": str(folder / "privacy.key"), "XINHENG_GRADING_BOOK": "book", "XINHENG_GRADING_SCHEME": "hygiene",
    }  # fmt: skip
    run = subprocess.run(
        [sys.executable, TOY / "life.py", folder, credit_code()],
        cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert told["from"] == str(folder / "registry"), "it must be the copy that ran"
    return told


def test_it_is_imported(said):
    assert (said["import"]["read"], said["import"]["stored"]) == (1, 1)


def test_a_scheme_reads_it_although_the_rules_never_heard_of_it(said):
    assert said["rules_know"] is False
    assert said["check"]["mistakes"] == said["check"]["failed"] == []
    assert (said["graded"]["class"], said["graded"]["score"], said["graded"]["reproduced"]) == ("A", 40, True)


def test_it_is_posted_and_grades_at_once(said):
    assert (said["posted"]["status"], said["posted"]["said"]) == (201, "stored")
    assert (said["posted"]["grade"]["class"], said["posted"]["grade"]["score"]) == ("B", 80)


def test_it_stands_in_the_timeline_the_contract_and_the_dictionary(said):
    assert said["lines"] == ["卫生评分 4 分", "卫生评分 3 分"]
    assert "hygiene_score" in said["offered"]
    assert said["described"] is True
    assert said["dictionary"] is True


def test_what_the_rules_know_by_themselves_is_what_the_registry_says():
    assert dict(KNOWN_TO_RULES) == NUMBERS
