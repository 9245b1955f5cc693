"""Looking up one grade over HTTP, beside an empty view behind the same key check and beside bare Flask.

One server process (granian) and one client process with a few kept connections, all on 127.0.0.1. The client writes
prepared bytes to plain sockets, so that on two cores it is the server that is measured.
"""

import os
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from benchmarks.importing import ORGAN
from benchmarks.report import Figure
from benchmarks.work import NOW, Work, connected, shuffled
from registry.config import ROOT
from registry.database import execute
from registry.services import keys

CONNECTIONS, SECONDS, ROUNDS = 4, 2.0, 5
OF_EMPTY, OF_BARE = 0.70, 0.35
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def measure(work: Work) -> list[Figure]:
    """Requests per second of the three, in turns; the ratios are medians over the rounds."""
    with connected(work) as (_, scheme):
        query = "SELECT e.code FROM grade_state s JOIN entity e ON e.id = s.entity WHERE s.scheme = ? AND e.code IS NOT NULL ORDER BY e.id"
        codes = shuffled([row[0] for row in execute(query, (scheme.id,)).fetchall()], 2_000)
        secret = keys.create(
            f"benchmark {time.time_ns()}",
            organ=ORGAN,
            scopes=["grades:read"],
            divisions=[""],
            actor="benchmark",
            now=NOW,
        )
    environ = {
        **os.environ,
        "XINHENG_DATABASE_URL": f"sqlite:///{work.city}",
        "XINHENG_PRIVACY_KEY_FILE": str(work.folder / "privacy.key"),
        "XINHENG_LOG_LEVEL": "error",
        "XINHENG_API_RATE_PER_MINUTE": "100000000",
    }
    with served("product", environ, secret) as product, served("bare", environ, secret) as bare:
        grades = [_request(f"/api/v1/entities/{code}/grade", secret) for code in codes]
        empty, nothing = [_request("/benchmark/empty", secret)], [_request("/", secret)]
        for requests, port in ((grades, product), (empty, product), (nothing, bare)):
            _per_second(port, requests, 0.5)
        rounds = [
            (
                _per_second(product, grades, SECONDS),
                _per_second(product, empty, SECONDS),
                _per_second(bare, nothing, SECONDS),
            )
            for _ in range(ROUNDS)
        ]
    grade, empty_view, flask = (statistics.median(one[place] for one in rounds) for place in range(3))
    to_empty = statistics.median(one[0] / one[1] for one in rounds)
    to_bare = statistics.median(one[0] / one[2] for one in rounds)
    note = f"1 server process, {CONNECTIONS} connections, {len(codes):,} entities; empty view {empty_view:,.0f}/s, bare Flask {flask:,.0f}/s"
    return [
        Figure(
            "look-up of one grade over HTTP", grade, "/s", to_empty, "empty view", OF_EMPTY, at_least=True, note=note
        ),
        Figure("look-up of one grade over HTTP", grade, "/s", to_bare, "bare Flask", OF_BARE, at_least=True),
    ]


def _request(path: str, secret: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {secret}\r\nAccept: application/json\r\n\r\n".encode()


@contextmanager
def served(what: str, environ: dict[str, str], secret: str) -> Generator[int, None, None]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1", "--no-access-log", "--log-level", "error", f"benchmarks.served:{what}",
    ]  # fmt: skip
    server = subprocess.Popen(command, env=environ, cwd=ROOT)
    try:
        _wait(port, "/benchmark/empty" if what == "product" else "/", secret, server)
        yield port
    finally:
        server.terminate()
        server.wait(30)


def _wait(port: int, path: str, secret: str, server: "subprocess.Popen[bytes]") -> None:
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {secret}"})
    for _ in range(300):
        if server.poll() is not None:
            raise RuntimeError(f"The server ended with status {server.returncode} before it answered.")
        try:
            with urllib.request.urlopen(asked, timeout=5):  # noqa: S310 (127.0.0.1)
                return
        except urllib.error.HTTPError:
            raise
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"The server did not answer on port {port} within 30 seconds.")


def _per_second(port: int, requests: Sequence[bytes], duration: float) -> float:
    """Answers per second over kept connections. Raises RuntimeError on the first answer that is not 200."""
    counts, wrong = [0] * CONNECTIONS, []
    start = time.perf_counter()

    def ask(place: int) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            at = place * len(requests) // CONNECTIONS
            while time.perf_counter() - start < duration:
                connection.sendall(requests[at % len(requests)])
                status = _answer(connection)
                if not status.startswith(b"HTTP/1.1 200"):
                    wrong.append(status)
                    return
                at += 1
                counts[place] += 1

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise RuntimeError(f"The server answered {wrong[0].decode(errors='replace')!r} where 200 was due.")
    return sum(counts) / (time.perf_counter() - start)


def _answer(connection: socket.socket) -> bytes:
    """Read one whole answer and return its status line."""
    held = connection.recv(65536)
    while (end := held.find(b"\r\n\r\n")) < 0:
        held += _more(connection)
    found = _LENGTH.search(held, 0, end)
    wanted = end + 4 + (int(found.group(1)) if found else 0)
    while len(held) < wanted:
        held += _more(connection)
    return held[: held.find(b"\r\n")]


def _more(connection: socket.socket) -> bytes:
    more = connection.recv(65536)
    if not more:
        raise RuntimeError("The server closed the connection in the middle of an answer.")
    return more
