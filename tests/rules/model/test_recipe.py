import re
from dataclasses import replace

import pytest

from rules.kinds import KINDS
from rules.model import leaks, recipe
from rules.model.bundle import from_json
from rules.model.recipe import RecipeError
from rules.scheme import load_book

TEXT = """
[recipe]
scheme = "toy-record"
bins = 8
least_share = 0.01
l2 = [60, 250]
half_life = 730
history = "visits"
points_per_doubling = 100
least_rows = 500
least_positives = 50

[boosted]
rounds = 100
learning_rate = 0.05
leaves = 8
least_rows = 80
l2 = 10
tried = 0.3

[grounds]
visits = 1

[[feature]]
id = "failures"
direction = "up"
why = "who failed before fails again"

[[feature]]
id = "quiet_days"
direction = "down"
why = "the longer without a failure, the better"
"""


def test_a_recipe_is_read_whole():
    read = recipe.read(TEXT)
    assert read.ids == ("failures", "quiet_days")
    assert (read.scheme, read.bins, read.l2, read.half_life) == ("toy-record", 8, (60.0, 250.0), 730)
    assert dict(read.grounds) == {"visits": 1}
    assert read.trees.leaves == 8


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("bins = 8", "bins = 1", "recipe.toml: recipe: bins: is 1, outside 2 to 200"),
        ("bins = 8", "", "recipe.toml: recipe: bins: is missing"),
        ("bins = 8", 'bins = "8"', "is '8' where an integer is needed"),
        ("bins = 8", "bins = true", "is true where an integer is needed"),
        ("bins = 8", "bins = 8\nbinz = 9", "recipe: binz: is an unknown key"),
        ("least_share = 0.01", "least_share = nan", "outside 0 to 0.5"),
        ('direction = "up"', 'direction = "upwards"', "feature[0]: direction: is 'upwards', which is not known"),
        ('id = "quiet_days"', 'id = "failures"', "feature[1].id: names 'failures' a second time"),
        ('id = "quiet_days"', 'id = "score"', "'score' is a reserved word"),
        ('id = "quiet_days"', 'id = "Quiet days"', "feature[1]: id: 'Quiet days' is not of the allowed form"),
        ("visits = 1", "visits = 0.5", "grounds: visits: is 0.5 where an integer is needed"),
        ("[boosted]", "[boosted", "cannot be read"),
        ("[grounds]", "[more]\nx = 1\n[grounds]", "recipe.toml: more: is an unknown key"),
    ],
)
def test_a_mistake_in_a_recipe_is_named_with_its_place(old, new, said):
    with pytest.raises(RecipeError) as refused:
        recipe.read(TEXT.replace(old, new, 1))
    assert said in str(refused.value)


def test_a_recipe_whose_features_the_scheme_lacks_is_refused_with_their_names():
    read = recipe.read(TEXT)
    recipe.against(read, {"failures", "quiet_days", "visits"})
    with pytest.raises(RecipeError, match="has no indicator quiet_days, visits"):
        recipe.against(read, {"failures"})


def test_the_shipped_recipe_gives_a_reason_for_every_feature_and_names_nothing_that_leaks():
    shipped = recipe.load()
    assert len(shipped.features) >= 15
    assert all(len(one.why) > 10 for one in shipped.features)
    assert leaks.names(shipped.ids) == []
    assert shipped.points_per_doubling == 100


def test_every_feature_of_the_shipped_recipe_is_an_indicator_of_its_scheme(book):
    shipped = recipe.load()
    recipe.against(shipped, book[shipped.scheme].indicators)


def test_the_page_of_the_model_shows_the_recipe_as_it_is_and_a_bundle_that_can_be_read():
    page = (recipe.FILE.parents[2] / "docs" / "model.md").read_text(encoding="utf-8")
    shown = recipe.read(re.search(r"```toml\n(.*?)```", page, re.DOTALL)[1])
    assert replace(shown, features=()) == replace(recipe.load(), features=())
    assert shown.features[0] in recipe.load().features
    assert from_json(re.search(r"```json\n(.*?)```", page, re.DOTALL)[1]).scheme == shown.scheme


@pytest.fixture(scope="module")
def book():
    return load_book(recipe.FILE.parents[1] / "book", KINDS)
