"""The database: migrations make exactly what the models say, also when two start at once, and never change again."""

import hashlib
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from registry import config, database, schema
from registry.models import LedgerHead
from registry.services import ledger

ROOT = config.ROOT
# What has been released is never edited: a change is a new file. Until 0.1.0 is released the first one may still grow.
FROZEN = {
    "0001_initial.py": "f8f94fc699cba8da",
    "0001_initial.sqlite.sql": "70880664f71003a1",
    "0001_initial.postgresql.sql": "95928a2cd5798580",
}
START = """
import sys
from registry import config, database, schema
settings = config.load()
database.connect(settings)
sys.stdin.readline()
with database.session():
    print(len(schema.upgrade()), flush=True)
"""


def connected(url):
    database.connect(config.load(environ={"XINHENG_DATABASE_URL": url}))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request, tmp_path):
    """The URL of a database without any table, one of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server, name = request.getfixturevalue("postgres_server"), "xh_schema_test"
    with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
    yield server.format(name)
    with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def test_the_migrations_make_exactly_what_the_models_say(empty_url):
    connected(empty_url)
    with database.session():
        schema.create_from_models()
        from_models = schema.describe()
        drop_everything()
        assert schema.describe() == []
        assert schema.upgrade() != []
        migrated = schema.describe()
    database.db.obj.close_all()
    assert migrated == from_models
    assert len(migrated) > 40


def drop_everything():
    if database.is_postgres():
        database.db.execute_sql("DROP SCHEMA public CASCADE")
        database.db.execute_sql("CREATE SCHEMA public")
        return
    database.db.execute_sql("PRAGMA foreign_keys = 0")
    for index in ("name_index", "name_index_pinyin"):
        database.db.execute_sql(f"DROP TABLE {index}")
    for (name,) in database.db.execute_sql("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        database.db.execute_sql(f'DROP TABLE "{name}"')


def test_upgrading_again_does_nothing_and_the_database_is_current(empty_url):
    connected(empty_url)
    with database.session():
        assert not schema.is_current()
        assert len(schema.upgrade()) >= 1
        assert schema.upgrade() == []
        assert schema.is_current()
        assert LedgerHead.select().count() == 1
    database.db.obj.close_all()


def test_two_starters_at_once_do_no_harm(empty_url):
    environment = {"XINHENG_DATABASE_URL": empty_url, "PATH": "/usr/bin:/bin"}
    starters = [
        subprocess.Popen([sys.executable, "-c", START], env=environment, cwd=ROOT, text=True,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]  # fmt: skip
    for one in starters:  # all have imported everything by now or soon; the line lets them go together
        one.stdin.write("go\n")
        one.stdin.flush()
    said = [one.communicate(timeout=60) for one in starters]
    assert [one.returncode for one in starters] == [0, 0, 0], said
    applied = sorted(int(out) for out, _ in said)
    assert applied[:2] == [0, 0]
    assert applied[2] >= 1
    connected(empty_url)
    with database.session():
        assert schema.is_current()
        assert ledger.head() == 0
    database.db.obj.close_all()


@pytest.mark.parametrize("name", sorted(FROZEN))
def test_a_migration_never_changes_once_it_is_written(name):
    content = (schema.FOLDER / name).read_bytes()
    assert hashlib.sha256(content).hexdigest()[:16] == FROZEN[name]


def test_every_migration_is_frozen_by_its_hash():
    assert {path.name for path in schema.FOLDER.glob("0*") if path.is_file()} == set(FROZEN)


def test_migrations_stand_beside_each_other_by_number():
    numbers = sorted({path.name[:4] for path in Path(schema.FOLDER).glob("0*.py")})
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
