"""Pulling a prioritised inspection list of 500 over HTTP out of everybody, a fifth of it by lot: one request after the other."""

import json
import os
import statistics
import time
import urllib.request
from datetime import timedelta

from benchmarks.importing import ORGAN
from benchmarks.report import Figure
from benchmarks.web import served
from benchmarks.work import NOW, TODAY, Work, connected
from registry.database import execute
from registry.services import keys, tasks

LIST_MS, SIZE, PULLS = 200.0, 500, 12


def measure(work: Work) -> list[Figure]:
    """Twelve lists under one task, each with its visits; the first two do not count. Who is on one is passed over by the next."""
    file = work.copy("list")
    with connected(work, file):
        task = tasks.create(
            type="key_supervision", title="重点检查", basis="基准测试", organ=ORGAN, items=["登记事项检查"], from_on=TODAY,
            to_on=TODAY + timedelta(days=30), actor="benchmark", now=NOW,
        ).id  # fmt: skip
        scopes = ["tasks:write", "grades:read"]
        secret = keys.create("lists", organ=ORGAN, scopes=scopes, divisions=[""], actor="benchmark", now=NOW)
        entities = execute("SELECT count(*) FROM entity").fetchone()[0]
    environ = {
        **os.environ,
        "XINHENG_DATABASE_URL": f"sqlite:///{file}",
        "XINHENG_PRIVACY_KEY_FILE": str(work.folder / "privacy.key"),
        "XINHENG_LOG_LEVEL": "error",
    }
    with served("product", environ, secret) as port:
        times = [_pull(port, secret, task, number) for number in range(PULLS)][2:]
    note = (
        f"{entities:,} entities; choosing, lot, reasons of all {SIZE}, saving with visits; slowest {max(times):.0f} ms"
    )
    return [
        Figure("inspection list of 500 over HTTP, median", statistics.median(times), "ms", limit=LIST_MS, note=note)
    ]


def _pull(port: int, secret: str, task: int, number: int) -> float:
    """Milliseconds of one request. Raises ValueError where the list has not as many entities as were asked for."""
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/lists",
        json.dumps({"task": task, "size": SIZE}).encode(),
        {"Authorization": f"Bearer {secret}", "Content-Type": "application/json", "Idempotency-Key": f"list-{number}"},
    )
    start = time.perf_counter()
    with urllib.request.urlopen(asked, timeout=60) as reply:  # noqa: S310 (127.0.0.1)
        made = json.load(reply)
    if made["size"] != SIZE:
        raise ValueError(f"List {made['id']} has {made['size']} entities and not {SIZE}.")
    return (time.perf_counter() - start) * 1000
