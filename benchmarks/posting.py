"""Penalties posted over HTTP at 50 a second while an import of 100,000 rows writes: what the poster waits."""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import importing, web
from benchmarks.report import Figure
from benchmarks.work import NOW, TODAY, Work, connected, shuffled
from registry import privacy
from registry.config import ROOT
from registry.services import grading, imports, keys
from registry.services.understanding import open_source

A_SECOND = 50
P99_MS = 250.0
WARM_UP = 10


def meanwhile(work: Work) -> list[Figure]:
    """The server and its client are processes of their own; this one imports."""
    database = work.copy("meanwhile")
    with connected(work, database) as (settings, _):
        parties = importing.parties()
        file = work.folder / "meanwhile.csv"
        importing.write_file(file, [line for line, _ in importing.rows(parties, importing.ROWS)])
        codes = shuffled([code for _, code in parties], 5_000)
        secret = keys.create(
            f"poster {time.time_ns()}", organ="信衡市公安局", scopes=["grades:read", "records:write"], divisions=[""],
            actor="benchmark", now=NOW,
        )  # fmt: skip
        asked, stop = work.folder / "posting.json", work.folder / "posting.stop"
        asked.write_text(json.dumps({"secret": secret, "codes": codes, "stop": str(stop)}))
        poster = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.posting", str(asked)], cwd=ROOT, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "XINHENG_DATABASE_URL": f"sqlite:///{database}", "XINHENG_LOG_LEVEL": "error",
                 "XINHENG_PRIVACY_KEY_FILE": str(work.folder / "privacy.key"), "XINHENG_API_RATE_PER_MINUTE": "100000000"},
        )  # fmt: skip
        assert poster.stdout is not None
        poster.stdout.readline()  # it posts now
        start = time.perf_counter()
        imports.run(
            open_source(file), today=TODAY, key=privacy.key(settings), schemes=grading.schemes(settings),
            chunk=settings.import_.chunk_rows, actor="benchmark",
        )  # fmt: skip
        taken = time.perf_counter() - start
        stop.touch()
        times: list[float] = json.loads(poster.communicate(timeout=60)[0])
    p99 = statistics.quantiles(times, n=100, method="inclusive")[98]
    note = (
        f"{len(times):,} posts in {taken:.0f} s of import, each stored and graded; median {statistics.median(times):.0f} ms, "
        f"slowest {max(times):.0f} ms"
    )
    return [Figure("posting at 50/s during an import, p99", p99, "ms", limit=P99_MS, note=note)]


def main(asked: dict[str, Any]) -> None:
    """Serve the product and post to it, one new penalty every 20 ms, until the file `stop` appears; print the times."""
    stop = Path(asked["stop"])
    times: list[float] = []
    with web.served("product", dict(os.environ), asked["secret"]) as port:
        print("posting", flush=True)
        start = time.perf_counter()
        for number, code in enumerate(asked["codes"]):
            if stop.exists():
                break
            time.sleep(max(0.0, start + number / A_SECOND - time.perf_counter()))
            times.append(_post(port, asked["secret"], code, number))
    print(json.dumps(times[WARM_UP:]))


def _post(port: int, secret: str, code: str, number: int) -> float:
    """Milliseconds until one new penalty is acknowledged. Raises RuntimeError unless it was stored."""
    import urllib.request

    body = json.dumps({
        "party": {"code": code}, "document_no": f"信公罚〔2026〕{number}号", "decided_on": "2026-11-02", "kinds": ["fine"],
        "fine_fen": 50_000, "violation": "未按规定登记", "content": "罚款500元",
    }).encode()  # fmt: skip
    sent = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/records/penalty", data=body,
        headers={"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
    )  # fmt: skip
    start = time.perf_counter()
    with urllib.request.urlopen(sent, timeout=30) as answer:  # noqa: S310 (127.0.0.1)
        if answer.status != 201:
            raise RuntimeError(f"A new penalty was answered with {answer.status}.")
        answer.read()
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
