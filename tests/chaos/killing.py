"""Start a process, kill it at a random moment, and hold what it left behind to account.

`XINHENG_TEST_KILLS` sets how often each test kills (default 1; `make chaos` 20), `XINHENG_TEST_SEED` another sequence of
moments; the seed is printed, so that a failure can be run again.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from registry import config, database
from registry.clock import day_number
from registry.kinds import KINDS
from registry.models import Fact, Grade, GradeState, LedgerHead, Record

KILLS = int(os.environ.get("XINHENG_TEST_KILLS", "1"))
SEED = int(os.environ.get("XINHENG_TEST_SEED", "20261121"))


def moments(name):
    """A seeded stream of random moments for one test, and the word about it."""
    print(f"XINHENG_TEST_SEED={SEED} ({name}, {KILLS} kills)")
    return random.Random(f"{SEED} {name}")


def environment(settings, folder, **more):
    return {
        **os.environ,
        "XINHENG_DATABASE_URL": settings.database.url,
        "XINHENG_PRIVACY_KEY_FILE": str(Path(folder) / "privacy.key"),
        **more,
    }


class Process:
    """A Python process of ours, in a group of its own, whose lines are kept."""

    def __init__(self, script, *arguments, environ):
        command = [sys.executable, "-u", "-c", script, *map(str, arguments)]
        # A file, not a pipe: a server that logs must not stop because nobody reads.
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (it lives as long as the process)
        self.popen = subprocess.Popen(
            command,
            cwd=config.ROOT,
            env=environ,
            text=True,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            start_new_session=True,
        )

    def wait_until_ready(self):
        """Wait for the first line: everything is imported and connected, the work begins."""
        line = self.popen.stdout.readline()
        assert line.strip() == "ready", self.said_on_stderr()

    def kill_after(self, lines, seconds):
        """Let it say so many lines and work so much longer, kill it with -9, and return all that it could say."""
        said = [line for line in (self.popen.stdout.readline() for _ in range(lines)) if line]
        time.sleep(seconds)
        return [line.strip() for line in said] + self.kill()

    def kill(self):
        # Whole group: a server's workers must die with it, as they would in a power cut.
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, signal.SIGKILL)
        out, _ = self.popen.communicate(timeout=30)
        assert self.popen.returncode in (0, -signal.SIGKILL), self.said_on_stderr()
        wait_until_the_database_noticed()
        return out.splitlines()

    def said_on_stderr(self):
        self.errors.seek(0)
        return self.errors.read()[-3_000:]

    @property
    def was_killed(self):
        return self.popen.returncode == -signal.SIGKILL


def wait_until_the_database_noticed():
    """PostgreSQL ends, or rolls back, what a dead client had asked for: until then two queries may see two states."""
    sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
    for _ in range(200 if database.is_postgres() else 0):
        if database.execute(sql).fetchone()[0] == 0:
            return
        time.sleep(0.05)
    assert not database.is_postgres(), "a transaction of a killed process was still open after 10 seconds"


def assert_the_ledger_is_whole():
    """No number given twice or left out, one current row a record, facts exactly as the ledger implies, file intact."""
    if not database.is_postgres():
        assert [row[0] for row in database.execute("PRAGMA integrity_check").fetchall()] == ["ok"]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    head = LedgerHead.get().seq
    rows = list(Record.select().order_by(Record.seq))
    assert [row.seq for row in rows] == list(range(1, head + 1))
    current = [row.identity for row in rows if row.replaced_seq is None]
    assert len(current) == len(set(current))
    implied = {
        (row.entity_id, row.seq, KINDS[row.kind].number, row.code, row.severity, row.amount_fen, day_number(row.happened_on),
         None if row.ends_on is None else day_number(row.ends_on), row.replaced_seq)
        for row in rows
        if row.kind != "coverage" and row.act != "withdraw" and row.happened_on is not None
    }  # fmt: skip
    there = [
        (f.entity, f.known, f.kind, f.code, f.severity, f.amount, f.day, f.ends, f.gone)
        for f in Fact.select().where(Fact.part == 0)
    ]
    assert len(there) == len(set(there))
    assert set(there) == implied


def assert_history_has_changes_only():
    """Each row of the history differs from the one before it, and the newest is the grade that stands."""
    before = {}
    for row in Grade.select().order_by(Grade.entity, Grade.known, Grade.day):
        said = (row.version_id, bytes(row.digest))
        assert before.get(row.entity) != said
        before[row.entity] = said
    standing = {row.entity: (row.version, bytes(row.digest)) for row in GradeState.select()}
    assert standing == {entity: said for entity, said in before.items() if entity in standing}
