"""Whoever waits for another writer waits as long as the setting says, is told so, and has changed nothing."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from threading import Event, Thread

import psycopg
import pytest
from peewee import OperationalError

from registry import database
from registry.config import Settings
from registry.errors import DatabaseBusy
from registry.models import Entity, Record, Reply
from registry.services import grading, ledger, records
from tests.api.conftest import EVERYTHING, application, calls, penalty
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered
from tests.registry.tables import ORGAN

on_postgresql = pytest.mark.parametrize("settings", ["postgresql"], indirect=True)


@pytest.fixture
def impatient(settings: Settings) -> Generator[Settings, None, None]:
    """The same database, through connections that wait one second for a lock."""
    database.db.obj.close_all()
    changed = replace(settings, database=replace(settings.database, timeout=1))
    database.connect(changed)
    with database.session():
        yield changed


@contextmanager
def held(settings: Settings, sql: str) -> Generator[psycopg.Connection, None, None]:
    """Another connection that has run `sql` and does not commit."""
    with psycopg.connect(settings.database.url) as other:
        other.execute(sql)
        yield other
        other.rollback()


@on_postgresql
def test_a_post_that_waits_for_another_writer_is_told_busy_in_time_and_stores_nothing(impatient):
    code = credit_code()
    registered(code)
    scheme = grading.scheme_named(impatient)
    checked = records.check("penalty", penalty(code), organ=ORGAN, today=TODAY)
    writer = {"source": "key:x", "actor": "key:x", "scheme": scheme, "schemes": [scheme.id], "today": TODAY, "now": NOW}
    head, began = ledger.head(), time.monotonic()
    with held(impatient, "SELECT seq FROM ledger_head WHERE id = 1 FOR UPDATE"), pytest.raises(DatabaseBusy):
        records.post([checked], **writer)
    assert 0.9 < time.monotonic() - began < 8
    assert ledger.head() == head
    assert Record.select().where(Record.kind == "penalty").count() == 0
    assert records.post([checked], **writer)[0].said == "stored", "the connection is as good as new"


@on_postgresql
def test_over_http_busy_is_503_with_the_seconds_to_wait_and_the_repeated_request_is_done(impatient):
    code = credit_code(division="990101")
    registered(code)
    caller = calls(application(impatient), "x", EVERYTHING)
    entities = Entity.select().count()
    with held(impatient, "SELECT seq FROM ledger_head WHERE id = 1 FOR UPDATE"):
        reply = caller.post("/api/v1/records/penalty", penalty(code), headers={"Idempotency-Key": "one"})
    assert (reply.status_code, reply.json["code"]) == (503, "database_busy")
    assert int(reply.headers["Retry-After"]) > 0
    assert (Entity.select().count(), Reply.select().count()) == (entities, 0)
    again = caller.post("/api/v1/records/penalty", penalty(code), headers={"Idempotency-Key": "one"})
    assert (again.status_code, again.json["said"]) == (201, "stored")


@on_postgresql
def test_who_loses_a_deadlock_is_told_busy(settings):
    """Each holds a row that the other wants: PostgreSQL ends one of the two after a second."""
    one, two = registered(), registered()
    touch = "UPDATE entity SET address = address WHERE id = ?"
    ready, said = Event(), []

    def other() -> None:
        with database.session():
            try:
                with database.write():
                    database.execute(touch, (two,))
                    ready.set()
                    database.execute_many(touch, [(one,)])
                said.append("done")
            except DatabaseBusy:
                said.append("busy")

    thread = Thread(target=other)
    try:
        with database.write():
            database.execute(touch, (one,))
            thread.start()
            ready.wait(10)
            database.execute(touch, (two,))
        said.append("done")
    except DatabaseBusy:
        said.append("busy")
    thread.join(20)
    assert sorted(said) == ["busy", "done"]


@on_postgresql
@pytest.mark.parametrize("state", database.BUSY)
def test_the_states_that_say_try_again_are_told_busy_whoever_raised_them(settings, state):
    raising = f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{state}'; END $$"
    for run in (database.execute, lambda sql: database.db.connection().cursor().execute(sql)):
        with pytest.raises(DatabaseBusy), database.write():
            run(raising)
    with pytest.raises(OperationalError), database.write():
        database.execute("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '53300'; END $$")


@on_postgresql
@pytest.mark.parametrize(("end", "shown"), [("", "1s"), ("options=-c%20lock_timeout%3D250", "250ms")])
def test_options_in_the_url_are_kept_and_win(impatient, end, shown):
    url = impatient.database.url
    if end:
        url += ("&" if "?" in url else "?") + end
    database.db.obj.close_all()
    for form in (url, url.replace("postgresql://", "postgres://", 1)):
        database.connect(replace(impatient, database=replace(impatient.database, url=form)))
        with database.session():
            assert database.execute("SHOW lock_timeout").fetchone()[0] == shown
        database.db.obj.close_all()


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_on_sqlite_too_a_writer_that_waits_too_long_is_told_busy(impatient):
    entity, head = registered(), ledger.head()
    holding, release = Event(), Event()

    def other() -> None:
        with database.session(), database.write():
            holding.set()
            release.wait(20)

    thread = Thread(target=other)
    thread.start()
    assert holding.wait(10)
    try:
        with pytest.raises(DatabaseBusy):
            record(entity)
    finally:
        release.set()
        thread.join(20)
    assert ledger.head() == head
