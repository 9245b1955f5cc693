"""The application over a real database, keys of every sort, and a district with something in it."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.app import create_app, fit
from registry.config import Settings
from registry.services import grading, keys, ledger
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered, statement

ORGAN = "信衡市市场监督管理局"
DIVISION = "990101"
EVERYTHING = list(keys.SCOPES)
WITHOUT_GRADES = [scope for scope in keys.SCOPES if scope != "grades:read"]


class Caller:
    """A test client that sends one key with every request."""

    def __init__(self, app: Flask, key: str | None) -> None:
        self.client: FlaskClient = app.test_client()
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}

    def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> TestResponse:
        given = {"query_string": query} if query else {}
        return self.client.get(path, headers={**self.headers, **(headers or {})}, **given)

    def post(self, path: str, body: Any = None, headers: dict[str, str] | None = None, **kwargs: Any) -> TestResponse:
        # Python's own JSON: ours would refuse to send what a stranger may send.
        sent = kwargs or {"data": json.dumps({} if body is None else body), "content_type": "application/json"}
        return self.client.post(path, headers={**self.headers, **(headers or {})}, **sent)


_MADE: list[Flask] = []


def application(settings: Settings) -> Flask:
    """One application for all tests of this process, fitted to this registry: making it takes longer than most tests."""
    if not _MADE:
        _MADE.append(create_app(settings, today=lambda: TODAY, now=lambda: NOW))
    fit(_MADE[0], settings, today=lambda: TODAY, now=lambda: NOW)
    return _MADE[0]


@pytest.fixture
def app(settings: Settings) -> Flask:
    return application(settings)


@pytest.fixture
def lone_app(on_sqlite: Settings) -> Flask:
    """On SQLite only, for what has nothing to do with the database."""
    return application(on_sqlite)


def calls(app: Flask, name: str, scopes: list[str], divisions: list[str] | None = None, organ: str = ORGAN) -> Caller:
    """A caller with a new key."""
    return Caller(
        app, keys.create(name, organ=organ, scopes=scopes, divisions=divisions or [""], actor="test", now=NOW)
    )


@pytest.fixture
def officer(app: Flask) -> Caller:
    """May do everything."""
    return calls(app, "officer", EVERYTHING)


@pytest.fixture
def clerk(app: Flask) -> Caller:
    """May do everything but read grades."""
    return calls(app, "clerk", WITHOUT_GRADES)


@pytest.fixture
def lone_officer(lone_app: Flask) -> Caller:
    return calls(lone_app, "officer", EVERYTHING)


@pytest.fixture
def feeds() -> None:
    """Every kind has been connected everywhere for years."""
    with ledger.writing(now=NOW, schemes=[]) as pen:
        for kind in ("penalty", "abnormal_listing", "serious_listing", "spot_check", "item_12315", "annual_report"):
            pen.cover(kind, "", date(2019, 1, 1), None, source="test")


@pytest.fixture
def company(feeds: None) -> Callable[..., str]:
    """Makes a registered enterprise without blame but this many penalties and grades it; returns its code."""

    def make(*, penalties: int = 0, division: str = DIVISION, **given: Any) -> str:
        code = credit_code(division=division)
        known = {"industry": 6513, "capital_fen": 1_000_000_00, "address": f"{division}示例路1号"}
        entity = registered(code, **{**known, **given})
        reports = [statement("annual_report", year=year, filed_on=date(year + 1, 4, 1)) for year in range(2019, 2026)]
        with ledger.writing(now=NOW, schemes=["general-risk"]) as pen:
            pen.state([(entity, report) for report in reports], source="test")
        for _ in range(penalties):
            record(entity, kinds=["revoked_licence"])
        return code

    return make


def grade_all(app: Flask) -> None:
    """Grade whoever is due."""
    settings: Settings = app.extensions["xinheng"].settings
    grading.due(grading.scheme_named(settings), day=TODAY)


def penalty(code: str, **given: Any) -> dict[str, Any]:
    """A penalty as an integration posts it."""
    return {
        "party": {"code": code},
        "document_no": "信市监处罚〔2026〕900号",
        "decided_on": "2026-11-02",
        "kinds": ["revoked_licence"],
        "violation": "虚假宣传",
        **given,
    }
