"""Real databases for every test that asks for `settings`: one run on SQLite, one on PostgreSQL.

Each test copies one migrated database, so the suite stays fast.
"""

import logging
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from registry import config, database, privacy, schema
from registry.config import Settings
from tests import postgres

TODAY = date(2026, 11, 21)
NOW = 1_795_219_200_000  # 2026-11-21T00:00:00Z
SHARED = config.ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One migrated SQLite file, to be copied."""
    file = tmp_path_factory.mktemp("template") / "xinheng.db"
    database.connect(config.load(environ={"XINHENG_DATABASE_URL": f"sqlite:///{file}"}))
    with database.session():
        schema.upgrade()
        database.db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.db.obj.close_all()
    return file


@pytest.fixture(scope="session")
def postgres_server() -> Generator[str, None, None]:
    """A PostgreSQL server with one migrated database called `template`, to be copied."""
    with postgres.server() as url:
        with psycopg.connect(url.format("postgres"), autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS xh_template")
            connection.execute("CREATE DATABASE xh_template")
        database.connect(config.load(environ={"XINHENG_DATABASE_URL": url.format("xh_template")}))
        with database.session():
            schema.upgrade()
        database.db.obj.close_all()
        yield url


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: str) -> postgres.Databases:
    return postgres.Databases(postgres_server)


def _sqlite(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    file = tmp_path / "xinheng.db"
    shutil.copy(request.getfixturevalue("sqlite_template"), file)
    return f"sqlite:///{file}"


def _connected(url: str, tmp_path: Path) -> Generator[Settings, None, None]:
    environ = {"XINHENG_DATABASE_URL": url, "XINHENG_PRIVACY_KEY_FILE": str(tmp_path / "privacy.key")}
    settings = config.load(environ=environ)
    database.connect(settings)
    privacy.make_key(settings)
    with database.session():
        yield settings
    database.db.obj.close_all()


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Settings, None, None]:
    """A connected, migrated, empty registry: the test runs once on each kind of database."""
    if request.param == "sqlite":
        yield from _connected(_sqlite(request, tmp_path), tmp_path)
    else:
        lent: postgres.Databases = request.getfixturevalue("postgres_databases")
        name = lent.take()
        try:
            yield from _connected(lent.server.format(name), tmp_path)
        finally:
            lent.give_back(name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What runs on both databases is traced on one: tracing takes a third of the time and PostgreSQL reaches the same lines."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        if callspec is not None and callspec.params.get("settings") == "postgresql":
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture
def on_sqlite(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Settings, None, None]:
    """The same on SQLite only, for what has nothing to do with the kind of database."""
    yield from _connected(_sqlite(request, tmp_path), tmp_path)


@pytest.fixture
def count_queries() -> Callable[[], Any]:
    """Record the statements that the mapper and our own SQL send while the block runs."""

    @contextmanager
    def counting() -> Generator[list[str], None, None]:
        sent: list[str] = []

        class Listener(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                sent.append(str(record.msg[0]) if isinstance(record.msg, tuple) else record.getMessage())

        logger, listener = logging.getLogger("peewee"), Listener()
        level = logger.level
        logger.addHandler(listener)
        logger.setLevel(logging.DEBUG)
        try:
            yield sent
        finally:
            logger.removeHandler(listener)
            logger.setLevel(level)

    return counting


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real files beside the repository; tests that need it say loudly that they were skipped."""
    if not SHARED.is_dir():
        pytest.skip("SKIPPED: the real files (../shared/data) are not here")
    return SHARED
