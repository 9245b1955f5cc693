"""Two simulated years of a whole district: what class and model find beside random, and how often the estimates hold the truth.

`make test` looks at half a year of a small district (tests/registry/simulate); this is the district of docs/simulation.md, where
`make soak` takes every policy and both planted risks.
"""

import os

import pytest

from registry.simulate import measures
from registry.simulate.asked import NAMES, PARAMETERS, Asked
from registry.simulate.run import simulate

WHOLE = "XINHENG_TEST_ENTITIES" in os.environ


@pytest.mark.skipif(not WHOLE, reason="two years of 20,000 entities: make soak")
@pytest.mark.parametrize("parameters", PARAMETERS)
def test_class_and_model_finds_half_as_much_again_and_the_estimates_are_honest(parameters):
    report = measures.report(simulate(Asked(parameters=parameters)), coverage=400)
    assert report["policies"]["class+model"]["times_random"] >= 1.5
    assert all(report["policies"][name]["beyond_cap"] == 0 for name in NAMES)
    rows = {row["class"]: row for row in report["coverage"]["class+model"]}
    for name in ("A", "B", "all"):
        assert rows[name]["given"] == 400
        assert 368 <= rows[name]["held"] <= 392, name
    assert rows["all"]["naive"] == 0
    assert report["coverage"]["greedy"][-1]["naive"] == 0
