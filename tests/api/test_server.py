"""The application as the web server runs it: chunked bodies, two processes, the same request many times at once."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import pytest

from registry.models import Record, Task
from registry.services import keys
from tests.api.conftest import EVERYTHING, ORGAN, penalty
from tests.api.test_work import TASK
from tests.conftest import NOW
from tests.factories import credit_code


@pytest.fixture
def port(settings) -> Iterator[int]:
    """A real server with two processes over the test's database."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    environ = {
        **os.environ,
        "XINHENG_DATABASE_URL": settings.database.url,
        "XINHENG_PRIVACY_KEY_FILE": settings.privacy.key_file,
        "XINHENG_LOG_LEVEL": "error",
    }
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(number)]
    command += ["--workers", "2", "--blocking-threads", "1", "--no-ws", "--log-level", "error"]
    # A worker that is told to stop while it starts may never do so: it is given five seconds.
    command += ["--workers-kill-timeout", "5", "api.wsgi:app"]
    with subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(200):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", number)) == 0:
                        break
                time.sleep(0.1)
            yield number
        finally:
            server.terminate()
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                server.kill()


def post(port, key, path, body, **headers):
    """Send one POST; returns status, headers and body."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    sent = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **headers}
    # A server that refuses a body may answer, and hang up, before all of it is sent.
    with contextlib.suppress(BrokenPipeError):
        connection.request("POST", path, body, sent, encode_chunked=not isinstance(body, bytes))
    reply = connection.getresponse()
    return reply.status, dict(reply.getheaders()), reply.read()


def test_a_chunked_body_is_read_and_its_size_is_limited_all_the_same(settings, port):
    key = keys.create("k", organ=ORGAN, scopes=EVERYTHING, divisions=[""], actor="test", now=NOW)
    # The server's clock is the real one.
    whole = json.dumps(penalty(credit_code(), decided_on="2020-01-02")).encode()
    status, _, body = post(
        port, key, "/api/v1/records/penalty", iter([whole[:20], whole[20:]]), **{"Transfer-Encoding": "chunked"}
    )
    assert (status, json.loads(body)["said"]) == (201, "stored")
    parts = iter([b'{"remark": "', *[b"x" * 10_000] * 120, b'"}'])
    status, _, body = post(port, key, "/api/v1/records/penalty", parts, **{"Transfer-Encoding": "chunked"})
    assert (status, json.loads(body)["code"]) == (413, "body_too_large")


def test_one_request_sent_twenty_times_at_once_acts_once(settings, port):
    key = keys.create("k", organ=ORGAN, scopes=EVERYTHING, divisions=[""], actor="test", now=NOW)
    task, record = json.dumps(TASK).encode(), json.dumps(penalty(credit_code(), decided_on="2020-01-02")).encode()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: post(port, key, "/api/v1/tasks", task, **{"Idempotency-Key": "one"}), range(20)))
        stored = list(pool.map(lambda _: post(port, key, "/api/v1/records/penalty", record), range(20)))
    assert {(status, body) for status, _, body in made} == {(201, made[0][2])}
    assert sum("idempotent-replay" not in {name.lower() for name in headers} for _, headers, _ in made) == 1
    assert Task.select().count() == 1
    assert sorted(status for status, _, _ in stored) == [200] * 19 + [201]
    assert Record.select().where(Record.kind == "penalty").count() == 1
