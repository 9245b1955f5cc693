import copy
import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.model.bundle import BundleError, Scorecard, canonical, described, from_json
from tests.rules.model import made

MODELS = {"scorecard": made.card, "boosted": made.trees}


@pytest.fixture(params=list(MODELS))
def bundle(request):
    return MODELS[request.param]()


def changed(bundle, *path, to):
    """The JSON of a bundle with one value changed; `to` is called with the value that stood there."""
    body = json.loads(bundle.to_json())
    at = body
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = to(at.get(path[-1]) if isinstance(at, dict) else at[path[-1]])
    return json.dumps(body)


def test_a_bundle_comes_back_the_same_to_the_last_byte(bundle):
    text = bundle.to_json()
    again = from_json(text)
    assert again == bundle
    assert again.to_json() == text
    assert bundle.hash == hashlib.sha256(text.encode()).hexdigest()


def test_spaces_and_the_order_of_keys_do_not_make_another_bundle(bundle):
    loose = json.dumps(dict(reversed(json.loads(bundle.to_json()).items())), indent=2)
    assert from_json(loose).hash == bundle.hash


def test_anything_that_counts_makes_another_hash(bundle):
    others = {
        replace(bundle, seed=bundle.seed + 1).hash,
        replace(bundle, metrics={"auc": 0.5}).hash,
        replace(bundle, calibration=replace(bundle.calibration, slope=0.5)).hash,
        bundle.hash,
    }
    assert len(others) == 4


def test_metrics_are_added_after_the_evaluation_and_kept(bundle):
    said = replace(bundle, metrics={"auc": 0.75, "interval": (0.7, 0.8), "by_quarter": [{"n": 3, "late": None}]})
    assert from_json(said.to_json()).metrics["interval"] == [0.7, 0.8]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1: 2}, b"x", 10**30])
def test_what_is_no_plain_data_cannot_be_kept(bundle, value):
    with pytest.raises(BundleError, match="metrics"):
        replace(bundle, metrics={"auc": value}).to_json()


@pytest.mark.parametrize(
    ("path", "to", "said"),
    [
        (("format",), lambda _: "xinheng-scorecard-9", "format: is 'xinheng-scorecard-9', which is not known"),
        (("more",), lambda _: 1, "more: is an unknown key"),
        (("name",), lambda _: "../x", "name: '../x' is not of the allowed form"),
        (("scheme_hash",), lambda _: "abc", "scheme_hash: 'abc' is not of the allowed form"),
        (("seed",), lambda _: -1, "seed: is -1, outside 0"),
        (("seed",), lambda _: True, "seed: is true where an integer is needed"),
        (("rows",), lambda _: 1, "positives: are .* of 1 rows"),
        (("calibration", "slope"), lambda _: -0.1, "calibration: slope: is -0.1, outside 0"),
        (("calibration", "slope"), lambda _: "1", "calibration: slope: is '1' where a number is needed"),
        (("calibration", "offset"), lambda _: 1, "calibration: offset: is an unknown key"),
        (("window", "train_until"), lambda _: 9_999, "window: calibrate_from: is 700, not after train_until = 9999"),
        (("window", "test_until"), lambda _: 900, "window: test_until: is 900, not after test_from = 900"),
        (("grounds", "failures"), lambda _: 0.5, "grounds: failures: is 0.5 where an integer is needed"),
        (("features",), lambda _: [], "features: is empty"),
        (("features",), lambda held: [held[0], held[0]], r"features\[1\].id: 'failures' is taken"),
        (("features", 0, "id"), lambda _: "base_rate", r"features\[0\].id: 'base_rate' is taken"),
        (("features", 0, "edges"), lambda held: held[::-1], r"features\[0\]: edges: do not ascend"),
        (("features", 0, "edges"), lambda held: [held[0], held[0], *held[1:]], r"features\[0\]: edges: do not ascend"),
        (("features", 0, "direction"), lambda _: "worse", r"features\[0\]: direction: is 'worse'"),
        (("reference", "failures"), lambda held: held[1:], r"reference: failures: has \d+ values where \d+ are needed"),
        (("reference", "base_rate"), lambda _: 1.5, "reference: base_rate: is 1.5, outside 0 to 1"),
        (("reference", "score"), lambda held: [*held, 0.0], r"reference: score: has \d+ values where"),
        (("reference", "unheard_of"), lambda _: [], "reference: unheard_of: is an unknown key"),
        (("versions", "numpy"), lambda _: 2, "versions: numpy: is 2 where a text is needed"),
    ],
)
def test_what_is_wrong_with_a_bundle_is_said_with_its_place(bundle, path, to, said):
    with pytest.raises(BundleError, match=said):
        from_json(changed(bundle, *path, to=to))


@pytest.mark.parametrize(
    ("path", "to", "said"),
    [
        (("features", 0, "points"), lambda held: held[1:], r"features\[0\]: points: has \d+ values where"),
        (("features", 0, "points", 0), lambda _: 1.5, r"points\[0\]: is 1.5 where an integer is needed"),
        (("features", 0, "unknown"), lambda _: None, r"unknown: is null where an integer is needed"),
        (("base",), lambda _: 10**9, "base: is 1000000000, outside"),
        (("trees",), lambda _: [], "trees: is an unknown key"),
    ],
)
def test_points_are_whole_and_one_for_each_bin(path, to, said):
    with pytest.raises(BundleError, match=said):
        from_json(changed(made.card(), *path, to=to))


@pytest.mark.parametrize(("place", "direction"), [(0, "up"), (1, "down")])
def test_points_that_go_against_their_direction_are_refused(place, direction):
    card = made.card()
    assert card.features[place].direction == direction
    turned = changed(card, "features", place, "points", to=lambda held: [*held[:-1], -held[-1]])
    with pytest.raises(
        BundleError, match=rf"features\[{place}\]: points: go from .* against the direction '{direction}'"
    ):
        from_json(turned)


@pytest.mark.parametrize(
    ("key", "at", "value", "said"),
    [
        ("left", 0, 0, r"left\[0\]: leads to 0, which is no new node"),
        ("right", 0, 1, r"left\[0\]: leads to 1, which is no new node"),
        ("left", 0, 9_999, r"left\[0\]: is 9999, outside -1 to"),
        ("left", 0, -1, r"left\[0\]: has one child"),
        ("feature", 0, 4, r"feature\[0\]: is 4, outside 0 to 3"),
        ("missing_left", 0, 2, r"missing_left\[0\]: is 2, outside 0 to 1"),
        ("value", 0, 1e9, r"value\[0\]: is 1000000000.0, outside -100 to 100"),
        ("threshold", 0, None, r"threshold\[0\]: is null where a number is needed"),
    ],
)
def test_a_tree_that_leads_nowhere_or_in_a_circle_is_refused(key, at, value, said):
    with pytest.raises(BundleError, match=said):
        from_json(changed(made.trees(), "trees", 0, key, at, to=lambda _: value))


def test_a_node_that_no_other_leads_to_is_refused():
    body = json.loads(made.trees().to_json())
    for key, value in {
        "left": -1,
        "right": -1,
        "feature": 0,
        "threshold": 0.0,
        "missing_left": 0,
        "value": 0.0,
    }.items():
        body["trees"][0][key].append(value)
    with pytest.raises(BundleError, match="no other leads to"):
        from_json(json.dumps(body))


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "7", '{"format": NaN}', '{"a": 1, "a": 2}', "[" * 100_000, '{"name": "\\ud800"}', '"\ud800"', "{\"seed\": " + "9" * 5_000 + "}"],
    ids=range(11),
)  # fmt: skip
def test_what_is_no_bundle_at_all_is_refused_and_nothing_breaks(text):
    with pytest.raises(BundleError):
        from_json(text)


def places(value, path=()):
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from places(child, (*path, key))


BODIES = {name: json.loads(make().to_json()) for name, make in MODELS.items()}
PLACES = {name: [path for path in places(body) if path] for name, body in BODIES.items()}
odd = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_a_mutated_bundle_is_read_or_refused_and_never_breaks_anything(data):
    name = data.draw(st.sampled_from(list(MODELS)))
    body = copy.deepcopy(BODIES[name])
    path = data.draw(st.sampled_from(PLACES[name]))
    at = body
    for key in path[:-1]:
        at = at[key]
    if data.draw(st.booleans()):
        at[path[-1]] = data.draw(odd)
    else:
        del at[path[-1]]
    text = json.dumps(body)
    try:
        read = from_json(text)
    except BundleError:
        with pytest.raises(BundleError, match=r"(?s)^bundle.*: .*\. .+\.$"):
            from_json(text)
        return
    assert from_json(read.to_json()) == read


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(list(MODELS)), st.integers(0, 10**6), st.text(max_size=3))
def test_a_bundle_with_a_hole_in_its_text_is_read_or_refused(name, at, what):
    text = canonical(BODIES[name])
    at %= len(text)
    try:
        read = from_json(text[:at] + what + text[at + 1 :])
    except BundleError:
        return
    assert from_json(read.to_json()) == read


def test_descriptions_are_taken_from_objects_and_mappings_alike():
    class Outcome:
        def as_dict(self):
            return {"severity": 2}

    assert described(Outcome()) == described({"severity": 2}) == {"severity": 2}
    with pytest.raises(BundleError, match="description: is int"):
        described(3)


def test_the_form_tells_which_model_it_is():
    assert isinstance(from_json(made.card().to_json()), Scorecard)
    assert json.loads(made.trees().to_json())["format"] == "xinheng-boosted-1"
