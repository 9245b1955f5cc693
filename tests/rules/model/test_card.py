"""A model card says the same in Markdown and in one HTML file that needs nothing beside it; its pictures are well formed."""

import re
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

from rules.model import card, report
from rules.model.score import score
from rules.model.svg import ticks
from rules.parts import Title
from tests.rules.model import made

TITLES = {
    "failures": Title("检查问题负荷 <半衰两年>", "load of problems | half-life two years"),
    "season": Title("季节", "season"),
}
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def evaluated():
    rows = made.table(1_500, seed=9, first_day=900).with_columns(
        period=pl.col("day"), visit=pl.col("day") + pl.Series(np.arange(1_500) % 90, dtype=pl.Int32)
    )
    said = score(made.card(), rows)
    found = report.evaluate(
        rows, model=said["points"], chance=said["chance"], rules=rows["failures"], boosted=score(made.trees(), rows)["points"],
        seed=1, target="toy", resamples=50,
    )  # fmt: skip
    return found, card.files(found, made.card(), stem="toy", titles=TITLES, recipe=made.RECIPE, leaks=[])


def test_a_card_is_two_documents_and_four_pictures(evaluated):
    names = ("calibration", "capture", "classes", "contributions")
    assert sorted(evaluated[1]) == sorted(["toy.md", "toy.html", *(f"pictures/toy-{name}.svg" for name in names)])


def test_every_picture_that_the_markdown_shows_is_there(evaluated):
    files = evaluated[1]
    shown = re.findall(r"!\[[^]]+\]\(([^)]+)\)", files["toy.md"])
    assert sorted(shown) == sorted(path for path in files if path.endswith(".svg"))


def test_the_markdown_holds_the_figures_of_the_report(evaluated):
    found, files = evaluated
    text = files["toy.md"]
    assert f"{found['orders']['model']['auc']:.4f}" in text
    assert found["verdict"]["zh"] in text
    assert made.card().hash in text
    assert r"load of problems \| half-life two years" in text
    columns = {line.replace(r"\|", "").count("|") for line in text.split("## ")[2].splitlines() if line.startswith("|")}
    assert len(columns) <= 2  # the orders and the paired differences


def test_the_html_holds_under_the_strictest_policy(evaluated):
    text = evaluated[1]["toy.html"]
    assert not re.search(
        r"<script|<style|<link|<img|\sstyle=|\son\w+=|javascript:|https?://(?!www\.w3\.org/2000/svg)", text
    )
    assert "default-src 'none'" in text
    assert text.count("<svg") == 4
    assert "&lt;半衰两年&gt;" in text
    assert "<半衰" not in text


def test_every_picture_is_well_formed_and_within_its_frame(evaluated):
    for path, text in evaluated[1].items():
        if path.endswith(".svg"):
            root = ElementTree.fromstring(text)  # noqa: S314  our own drawing
            width, height = (float(root.attrib[name]) for name in ("width", "height"))
            assert root.find(f"{SVG}title").text
            for shape in root.iter(f"{SVG}rect"):
                x, y, wide, high = (float(shape.attrib[name]) for name in ("x", "y", "width", "height"))
                assert 0 <= x <= x + wide <= width + 0.2, path
                assert 0 <= y <= y + high <= height + 0.2, path
            for words in root.iter(f"{SVG}text"):
                assert 0 <= float(words.attrib["x"]) <= width
                assert 0 <= float(words.attrib["y"]) <= height


def test_the_capture_picture_draws_every_order_once(evaluated):
    found, files = evaluated
    root = ElementTree.fromstring(files["pictures/toy-capture.svg"])  # noqa: S314  our own drawing
    assert len(root.findall(f"{SVG}polyline")) == len(found["curves"]["orders"])


def test_ranges_are_against_the_mean_of_the_training_rows():
    ranges = card.ranges_of(made.card(), TITLES)
    assert [one["feature"] for one in ranges] == list(made.RECIPE.ids)
    for one in ranges:
        assert one["low"] <= one["usual_low"] <= one["usual_high"] <= one["high"]
        assert one["low"] <= 0 <= one["high"]
    assert next(one for one in ranges if one["feature"] == "quiet_days")["unknown"] is not None
    assert next(one for one in ranges if one["feature"] == "season")["unknown"] is None


def test_boosted_trees_have_a_card_without_points(evaluated):
    files = card.files(evaluated[0], made.trees(), stem="trees")
    assert "pictures/trees-contributions.svg" not in files
    assert "提升树 boosted trees" in files["trees.md"]
    assert "No leak check was run" in files["trees.md"]


def test_leaks_stand_in_the_card(evaluated):
    leak = {"feature": "inspector", "test": "name", "zh": "指明检查人员", "en": "it names the inspector"}
    files = card.files(evaluated[0], made.card(), stem="toy", leaks=[leak], notes=[Title("许可", "Licence: open")])
    assert "it names the inspector" in files["toy.html"]
    assert "Licence: open" in files["toy.md"]


def test_a_failure_is_told_in_words_and_no_points_are_less_than_nothing(evaluated):
    text = evaluated[1]["toy.md"]
    assert "一般以上问题至少 1 项 at least 1 problem, not minor" in text
    spans = re.findall(r"\(([+-]\d+), ([+-]\d+)\) \|$", text, re.MULTILINE)
    assert len(spans) == len(made.card().features)
    assert "-0" not in {end for span in spans for end in span}


def test_a_telephone_shows_the_whole_width_of_the_page(evaluated):
    text = evaluated[1]["toy.html"]
    (screen,) = re.findall(r'name="viewport" content="width=(\d+)"', text)
    (page,) = re.findall(r'<table align="center" width="(\d+)"', text)
    assert int(screen) >= int(page)


def test_ticks_are_round_and_reach_around_what_is_drawn():
    assert ticks(0, 0.83) == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert ticks(-80, 190, 6) == [-100, -50, 0, 50, 100, 150, 200]
    assert ticks(0, 0.031)[-1] >= 0.031
