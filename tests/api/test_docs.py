"""docs/api.md and docs/errors.md say everything there is: an endpoint or an error code that is missing fails here."""

import importlib
import pkgutil
import re

import pytest
from marshmallow.schema import SchemaMeta

import api
import jobs
import registry
from api.problems import every_error
from registry.config import ROOT

API = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
ERRORS = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")


def load_everything() -> None:
    """Import every module, so that every error there is has been declared."""
    for package in (registry, jobs, api):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            # Migrations are scripts; the server's entry point connects to a database.
            if ".migrations" not in module.name and module.name != "api.wsgi":
                importlib.import_module(module.name)


load_everything()
PRODUCT = [kind for kind in every_error() if kind.__module__.partition(".")[0] in ("registry", "jobs", "api")]


@pytest.mark.parametrize("code", sorted({kind.code for kind in PRODUCT}))
def test_every_error_code_is_documented_with_its_status(code):
    (row,) = re.findall(rf"^\| `{code}` \|(.*)$", ERRORS, re.MULTILINE)
    statuses = {kind.status for kind in PRODUCT if kind.code == code}
    assert {int(number) for number in re.findall(r"\d{3}", row.partition("|")[0])} == statuses
    assert len(row.split("|")) == 4, "status, meaning, what to do"


def test_no_error_is_documented_that_does_not_exist():
    assert set(re.findall(r"^\| `(\w+)` \|", ERRORS, re.MULTILINE)) == {kind.code for kind in PRODUCT}


def test_a_code_means_one_thing():
    codes = [kind.code for kind in PRODUCT]
    assert sorted(codes) == sorted(set(codes))


def test_every_shape_of_the_api_has_a_name_of_its_own():
    """The document of the API calls a shape by its name; two of one name would be told apart by a number."""
    shapes = set()
    for module in pkgutil.walk_packages(api.__path__, "api."):
        shapes |= {one for one in vars(importlib.import_module(module.name)).values() if isinstance(one, SchemaMeta)} if module.name != "api.wsgi" else set()  # fmt: skip
    names = sorted(one.__name__.removesuffix("Schema") for one in shapes if one.__module__.startswith("api."))
    assert names == sorted(set(names))


def test_every_endpoint_is_documented_with_its_scopes(lone_app):
    for rule in lone_app.url_map.iter_rules():
        path = re.sub(r"<int\([^)]*\):", "<", rule.rule)
        scopes = getattr(lone_app.view_functions[rule.endpoint], "__allowed__")  # noqa: B009
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            named = f"`{method} {path}`"
            if scopes != "public":
                named = f"### {named} · {' '.join(f'`{scope}`' for scope in scopes)}\n"
            assert named in API, named


def test_every_endpoint_that_needs_a_key_has_an_example(lone_app):
    for part in API.split("\n### ")[1:]:
        assert "    curl " in part, part.partition("\n")[0]


def test_no_endpoint_is_documented_that_does_not_exist(lone_app):
    rules = {re.sub(r"<int\([^)]*\):", "<", rule.rule) for rule in lone_app.url_map.iter_rules()}
    assert set(re.findall(r"`(?:GET|POST|PUT|DELETE) (/[^`]*)`", API)) == rules


def test_every_parameter_of_a_query_is_documented(lone_app):
    document = lone_app.test_client().get("/api/v1/openapi.json").json
    for path, item in document["paths"].items():
        for method, operation in ((method, item[method]) for method in set(item) - {"parameters"}):
            shown = path.replace("{", "<").replace("}", ">")
            named = f"`{method.upper()} {shown}`"
            part = next((part for part in API.split("\n### ") if part.startswith(named)), "")
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "query":
                    assert f"`{parameter['name']}`" in part or f"`{parameter['name']}=" in part, (
                        path,
                        parameter["name"],
                    )
