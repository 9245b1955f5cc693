"""kill -9 of the server while records are posted to it, one by one and as a batch: nothing acknowledged is lost or doubled."""

import socket
import threading
import time
import urllib.error
import urllib.request

import orjson
import pytest

from registry import clock
from registry.models import GradeState, Record, Reply, Stale
from registry.services import grading, keys
from tests.chaos.killing import (
    KILLS,
    Process,
    assert_history_has_changes_only,
    assert_the_ledger_is_whole,
    environment,
    moments,
)
from tests.conftest import NOW
from tests.factories import credit_code, registered
from tests.registry.tables import ORGAN

pytestmark = pytest.mark.chaos
ENTITIES, BATCH = 20, 200
SERVE = """
import sys
sys.argv = ["xinheng", "serve"]
print("ready")
from api.cli import main
main()
"""


class Client:
    """An integration that posts, keeps what was acknowledged, and stops when the line goes dead."""

    def __init__(self, port, key):
        self.url, self.key, self.acknowledged = f"http://127.0.0.1:{port}", key, []

    def ready(self):
        try:
            return self._ask("/readyz").status == 200
        except OSError:
            return False

    def _ask(self, path, body=None, **headers):
        data = None if body is None else orjson.dumps(body)
        all_headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **headers}
        request = urllib.request.Request(self.url + path, data=data, headers=all_headers)  # noqa: S310 (our own server)
        return urllib.request.urlopen(request, timeout=20)  # noqa: S310

    def post(self, record, key=None):
        """Post one record and return (status, said)."""
        with self._ask("/api/v1/records/penalty", record, **({"Idempotency-Key": key} if key else {})) as reply:
            said = orjson.loads(reply.read())
        self.acknowledged.append(record["document_no"])
        return reply.status, said

    def post_batch(self, records):
        with self._ask("/api/v1/records/penalty/batch", {"records": records}) as reply:
            said = orjson.loads(reply.read())
        self.acknowledged += [
            one["document_no"]
            for one, row in zip(records, said["rows"], strict=True)
            if row["said"] in ("stored", "unchanged")
        ]
        return said

    def keep_posting(self, records, batch):
        """Post everything that it can until the server is gone."""
        try:
            for number, record in enumerate(records):
                self.post(record, key=f"k-{record['document_no'][:-1].encode().hex()}" if number % 2 else None)
                if number == len(records) // 8:
                    self.post_batch(batch)
        except (OSError, urllib.error.URLError, ConnectionError, EOFError):
            return


def penalties(turn, prefix, count):
    return [
        {"party": {"code": credit_code(number=number % ENTITIES)}, "document_no": f"{prefix}{turn}-{number}号", "decided_on": "2024-03-02",
         "kinds": ["fine"], "fine_fen": 100_00 + number}
        for number in range(count)
    ]  # fmt: skip


@pytest.fixture
def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def started(settings, tmp_path, port):
    environ = environment(settings, tmp_path, XINHENG_SERVER_PORT=str(port), XINHENG_SERVER_WORKERS="2")
    process = Process(SERVE, environ=environ)
    process.wait_until_ready()
    return process


def wait_for(client, process):
    for _ in range(300):
        if client.ready():
            return
        assert process.popen.poll() is None, process.said_on_stderr()
        time.sleep(0.1)
    raise AssertionError("the server did not become ready in 30 seconds")


def document_numbers():
    return sorted(row.detail["printed_no"] for row in Record.select().where(Record.kind == "penalty"))


def test_a_server_that_is_killed_keeps_what_it_acknowledged_and_repeated_requests_store_the_rest_once(
    on_sqlite, tmp_path, port
):
    scheme = grading.scheme_named(on_sqlite)
    for number in range(ENTITIES):
        registered(credit_code(number=number))
    today = clock.today(on_sqlite.jobs.timezone)  # as the server has it
    grading.due(scheme, day=today)
    key = keys.create(
        "chaos", organ=ORGAN, scopes=["records:write", "entities:read"], divisions=[""], actor="test", now=NOW
    )
    random = moments("server")
    everything = []
    for turn in range(KILLS):
        client = Client(port, key)
        singles, batch = penalties(turn, "单", 400), penalties(turn, "批", BATCH)
        process = started(on_sqlite, tmp_path, port)
        wait_for(client, process)
        poster = threading.Thread(target=client.keep_posting, args=(singles, batch))
        poster.start()
        time.sleep(random.uniform(0.05, 2.0))
        process.kill()
        poster.join(timeout=60)
        assert process.was_killed
        found = document_numbers()
        assert len(found) == len(set(found)), "a record was doubled"
        assert set(client.acknowledged) <= set(found), "an acknowledged record was lost"
        assert_the_ledger_is_whole()
        assert_history_has_changes_only()
        # The server comes back; the integration, which cannot know how far it came, repeats what it sent, all of it.
        process = started(on_sqlite, tmp_path, port)
        wait_for(client, process)
        repeated = singles[: len(found) % 400 + 40]
        for number, record in enumerate(repeated):
            before = record["document_no"] in found
            status, said = client.post(record)
            assert status == (200 if before else 201), (number, said)
        said = client.post_batch(batch)
        process.kill()
        assert (said["refused"], said["deferred"]) == (0, 0)
        assert said["stored"] + said["unchanged"] == BATCH
        everything += [record["document_no"] for record in [*repeated, *batch]]
        found = document_numbers()
        assert len(found) == len(set(found))
        assert set(everything) <= set(found)
        assert_the_ledger_is_whole()
        assert_history_has_changes_only()
        # Grades were written with the records; whatever could not be is marked, and nothing else is.
        grading.due(scheme, day=today, only_stale=True)
        assert Stale.select().count() == 0
        assert GradeState.select().count() == ENTITIES
    assert Reply.select().where(Reply.status == 0).count() == 0
