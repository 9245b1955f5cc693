"""Whatever somebody writes where the name of a scheme stands: a scheme, or a problem that says which there are."""

import pytest

from registry.services import governance, scheme_shadows
from tests.conftest import NOW, TODAY
from tests.registry.proposing import ANNA, LATER, local


@pytest.mark.parametrize("name", ["none", "shadow-99999999999999999999999", "shadow-3000000000", "shadow-²", "a%00b"])
@pytest.mark.parametrize("more", ["", "/history"])
def test_a_name_that_no_scheme_has_is_not_found(officer, name, more):
    answer = officer.get(f"/api/v1/schemes/{name}{more}")
    assert (answer.status_code, answer.json["code"]) == (404, "unknown_scheme")


@pytest.mark.parametrize(
    "name", ["proposal:99999999999999999999999", "proposal:3000000000", "proposal:²", "x@1", "book:x"]
)
def test_a_name_that_no_scheme_has_cannot_be_compared(officer, name):
    answer = officer.post("/api/v1/schemes/comparisons", {"old": "general-risk", "new": name})
    assert (answer.status_code, answer.json["code"]) == (404, "unknown_scheme")


def test_a_trial_is_no_scheme_that_readers_of_the_registry_see(app, officer, clerk):
    settings = app.extensions["xinheng"].settings
    said = governance.propose(
        settings, files=local(), reason="试行", from_day=LATER, by=ANNA, today=TODAY, now=NOW
    )  # fmt: skip
    scheme_shadows.switch(said.proposal.id, on=True, by=ANNA, now=NOW, today=TODAY)
    for who in (officer, clerk):
        assert who.get(f"/api/v1/schemes/shadow-{said.proposal.id}").status_code == 404
        assert [row["id"] for row in who.get("/api/v1/schemes").json["items"]] == ["general-risk"]
