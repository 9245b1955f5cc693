import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from rules import judging
from rules.errors import FrameError
from rules.model import fitted
from rules.model.training import TrainingError
from rules.scheme import from_content, load_files

SCHEME = """
[scheme]
id = "toy-record"
title = { zh = "玩具记录", en = "Toy record" }
subjects = ["enterprise"]
published = "never"
lowest = 0
highest = 100000
direction = "higher_is_riskier"

[[scheme.cuts]]
from = 1970-01-01
classes = [{ class = "A", to = 10 }, { class = "B", to = 20 }, { class = "C", to = 30 }, { class = "D", to = 100000 }]
basis = { instrument = "Invented", kind = "product_default" }

[group.every]
title = { zh = "全部", en = "All" }

[second.every]
group = "every"
title = { zh = "全部", en = "All" }
"""
INDICATOR = """
[indicator.{id}]
second = "every"
title = {{ zh = "{id}", en = "{id}" }}
unit = "count"
kind = "spot_check"
where = "severity >= {severity}"
window = 365
measure = "count"
"""
RULE = """
[rule.{id}]
second = "every"
title = {{ zh = "{id}", en = "{id}" }}
when = "{indicator} >= 1"
points = "{points}"
reason = {{ zh = "{id}", en = "{id}" }}

[[rule.{id}.parameter.w_{id}]]
from = 1970-01-01
value = 1
unit = "point"
basis = {{ instrument = "Invented", kind = "local_example", article = "1" }}
"""
NAMES = ("serious", "general", "minor")


def scheme(points="w_{id} * {indicator}", head=SCHEME):
    rules = "".join(
        RULE.format(id=name, indicator=name, points=points.format(id=name, indicator=name)) for name in NAMES
    )
    files = {
        "scheme.toml": head,
        "indicators/all.toml": "".join(INDICATOR.format(id=name, severity=s) for s, name in enumerate(NAMES, 1)),
        "rules/all.toml": rules,
    }
    return load_files(files, "toy-record")


def table(size=4_000, seed=1, weights=(0.9, 0.3, 0.0)):
    rng = np.random.default_rng(seed)
    counts = {name: rng.poisson(1.5, size) for name in NAMES}
    odds = -2.5 + sum(weight * counts[name] for weight, name in zip(weights, NAMES, strict=True))
    return pl.DataFrame(
        {
            "entity": np.arange(size),
            "day": pl.Series(90 * rng.integers(0, 8, size), dtype=pl.Int32),
            "visit": pl.Series(rng.integers(0, 720, size), dtype=pl.Int32),
            "y": (rng.random(size) < 1 / (1 + np.exp(-odds))).astype(np.int8),
            "weight": np.ones(size),
            **counts,
        }
    )


def weights_of(one):
    return {name: one.rules[name].parameters[f"w_{name}"].spans[0].value.value for name in NAMES}


@pytest.fixture(scope="module")
def rules():
    return fitted.fit_rules(table(), scheme())


def test_weights_stand_to_each_other_as_in_the_truth(rules):
    found = weights_of(rules)
    assert found["serious"] / found["general"] == pytest.approx(3.0, rel=0.25)
    assert found["minor"] < 0.1 * found["serious"]


def test_a_weight_is_never_below_0():
    found = weights_of(fitted.fit_rules(table(weights=(0.9, -0.5, 0.0)), scheme()))
    assert found["general"] == 0
    assert min(found.values()) >= 0


def test_fitted_rules_order_new_rows_as_the_truth_does(rules):
    fresh = table(seed=2)
    truth = 3 * fresh["serious"] + fresh["general"]
    assert roc_auc_score(fresh["y"], fitted.rule_score(fresh, rules)) > roc_auc_score(fresh["y"], truth) - 0.003


def test_cuts_leave_half_a_fifth_and_a_twentieth_of_the_training_scores_above_them(rules):
    scores = fitted.rule_score(table(), rules)
    highest = rules.cuts.spans[0].value.highest
    for limit, share in zip(highest, (0.5, 0.2, 0.05), strict=False):
        assert (scores > limit).mean() <= share
        assert (scores >= limit).mean() >= share
    assert highest[-1] == rules.highest


def test_scores_spread_over_the_scale(rules):
    scores = fitted.rule_score(table(), rules)
    assert np.quantile(scores, 0.999) > 0.9 * rules.highest
    assert (scores == rules.highest).mean() < 0.002


def test_the_fitted_scheme_says_what_it_rests_on(rules):
    own = rules.rules["serious"].parameters["w_serious"].spans[0].basis
    assert own.kind == rules.cuts.spans[0].basis.kind == "product_default"
    assert own.article is None
    visits, failures = table().height, table()["y"].sum()
    assert own.note == f"Fitted on {visits} visits from 1970-01-01 to 1971-12-21, {failures} of them failures"


def test_what_comes_out_is_an_ordinary_scheme_with_a_hash_of_its_own(rules):
    assert rules.id == "toy-record"
    assert rules.hash != scheme().hash
    assert from_content(rules.content).hash == rules.hash
    assert fitted.fit_rules(table(), scheme()).hash == rules.hash


def test_scores_are_those_that_grading_gives(rules):
    rows = table(50)
    found = weights_of(rules)
    by_hand = sum(found[name] * rows[name] for name in NAMES)
    scores = fitted.rule_score(rows, rules)
    assert scores.tolist() == by_hand.clip(0, rules.highest).to_list()
    classes = judging.class_of(rules, rules.cuts.spans[0].value, scores)
    assert set(classes.tolist()) <= {0, 1, 2, 3}


def test_an_unknown_indicator_gives_no_points(rules):
    rows = table(20).with_columns(serious=pl.lit(None, pl.Int64), general=pl.lit(0), minor=pl.lit(0))
    assert fitted.rule_score(rows, rules).tolist() == [0] * 20


def test_a_row_of_weight_three_counts_as_three_rows():
    rows = table(1_500)
    heavy = rows.with_columns(weight=pl.when(pl.col("serious") > 2).then(3.0).otherwise(1.0))
    thrice = pl.concat([rows, *[rows.filter(pl.col("serious") > 2)] * 2])
    one, other = weights_of(fitted.fit_rules(heavy, scheme())), weights_of(fitted.fit_rules(thrice, scheme()))
    assert one["general"] / one["serious"] == pytest.approx(other["general"] / other["serious"], abs=0.02)


def test_rows_with_one_outcome_only_are_refused_with_the_numbers():
    with pytest.raises(TrainingError, match="0 failures among 4000 visits"):
        fitted.fit_rules(table().with_columns(y=pl.lit(0)), scheme())


def test_a_scheme_without_weights_is_refused():
    bare = load_files(
        {
            "scheme.toml": SCHEME,
            "indicators/all.toml": INDICATOR.format(id="serious", severity=3),
            "rules/all.toml": RULE.format(id="serious", indicator="serious", points="5 * fixed").replace(
                "w_serious", "fixed"
            ),
        },
        "toy-record",
    )
    with pytest.raises(TrainingError, match="has no weight to fit"):
        fitted.fit_rules(table(), bare)


def test_points_that_do_not_grow_evenly_with_a_weight_are_refused():
    with pytest.raises(TrainingError, match="do not grow evenly with w_general"):
        fitted.fit_rules(table(), scheme("min(w_{id}, 1) * {indicator}"))


def test_a_scale_too_narrow_for_whole_weights_is_refused():
    narrow = SCHEME.replace("highest = 100000", "highest = 40").replace("to = 100000", "to = 40")
    coarse = table().with_columns(pl.col(name) * 1000 for name in NAMES)
    with pytest.raises(TrainingError, match="too narrow"):
        fitted.fit_rules(coarse, scheme(head=narrow))


def test_failures_that_no_weight_explains_are_refused():
    with pytest.raises(TrainingError, match="none of its weights rises"):
        fitted.fit_rules(table(weights=(-1.5, -1.5, -1.5)), scheme())


def test_an_indicator_that_is_missing_is_named():
    with pytest.raises(FrameError, match="no column 'general'"):
        fitted.fit_rules(table().drop("general"), scheme())
