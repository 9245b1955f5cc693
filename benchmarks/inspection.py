"""A draw over the enterprises of a city: committed to, run, both minutes written, and replayed by the script of the auditors."""

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.importing import ORGAN
from benchmarks.report import Figure
from benchmarks.work import NOW, TODAY, Work, connected, seconds
from registry import database
from registry.database import execute
from registry.models import Draw, Inspector, Task
from registry.services import draw_minutes, draw_running, draws
from registry.services.draws import Desk, Filters

# 2 % of A and 5 % of B; of C and D as many as their bounds allow.
RATIOS = {"A": 200, "B": 500, "C": 6_000, "D": 10_000}
INSPECTORS = 400
SCRIPT = Path(__file__).resolve().parent.parent / "docs" / "verify_draw.py"
DRAW_S, REPLAY_S, WRITE_MS = 10.0, 30.0, 30.0
SEED, SALT, TOKENS = b"\1" * 32, b"\2" * 32, b"\3" * 32
DESK = Desk("benchmark", "", TODAY, NOW)


def city_draw(work: Work) -> list[Figure]:
    """From the commitment to both minutes on the disk, in seconds; the longest write transaction; and the replay."""
    with connected(work, work.copy("draw")) as (settings, scheme):
        _staff()
        task = _task()
        times: dict[str, float] = {}
        held: list[float] = []

        def timed(name: str, act: Callable[[], Any]) -> Any:
            start = time.perf_counter()
            made = act()
            times[name] = time.perf_counter() - start
            return made

        with _watched(held):
            made, _ = timed("commit", lambda: draws.commit(
                task, Filters(kind="enterprise"), RATIOS, scheme=scheme, seed=SEED, salt=SALT, settings=settings, desk=DESK,
            ))  # fmt: skip
            made, _ = timed(
                "run", lambda: draw_running.run(made.id, witness="4 1 6 6 3 2", token_seed=TOKENS, desk=DESK)
            )
            draws.reveal(made, desk=DESK)
        made = Draw.get_by_id(made.id)
        full, public = work.folder / "draw-full.json", work.folder / "draw-public.json"
        timed("full", lambda: full.write_bytes(draw_minutes.full_file(made)))
        timed("public", lambda: public.write_bytes(draw_minutes.public_file(made)))
    command = [
        sys.executable,
        str(SCRIPT),
        str(full),
        "--public",
        str(public),
        "--announced",
        made.commitment,
        made.root,
    ]
    replay = seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
    note = ", ".join(f"{name} {taken:.1f} s" for name, taken in times.items())
    drawn = f"{made.size:,} of {made.pool:,}, {INSPECTORS} inspectors; {note}"
    return [
        Figure("draw of a city, both minutes written", sum(times.values()), "s", limit=DRAW_S, note=drawn),
        Figure("replay by docs/verify_draw.py", replay, "s", limit=REPLAY_S, note=f"{full.stat().st_size / 1e6:.1f} MB of full minutes"),
        Figure("the same: longest write transaction", max(held), "ms", limit=WRITE_MS, note=f"{len(held)} transactions"),
    ]  # fmt: skip


@contextmanager
def _watched(held: list[float]) -> Any:
    """How long each write transaction held the lock, in milliseconds."""
    pool = database.db.obj
    begin, commit, started = pool.begin, pool.commit, [0.0]

    def began(*given: Any) -> None:
        begin(*given)
        started[0] = time.perf_counter()

    def committed() -> Any:
        done = commit()
        held.append((time.perf_counter() - started[0]) * 1000)
        return done

    pool.begin, pool.commit = began, committed
    try:
        yield
    finally:
        pool.begin, pool.commit = begin, commit


def _task() -> Task:
    made: Task = Task.create(
        type="random", title="双随机抽查", basis="基准测试", organ=ORGAN, items=["登记事项检查", "公示信息检查"], from_on=TODAY,
        to_on=TODAY + timedelta(days=40), state="approved", created_by="benchmark", created_at=NOW, decided_by="another",
    )  # fmt: skip
    return made


def _staff() -> None:
    """Three of four inspectors work in one division, the fourth everywhere."""
    divisions = [row[0] for row in execute("SELECT DISTINCT division FROM entity ORDER BY division").fetchall()]
    for number in range(INSPECTORS):
        areas = [""] if number % 4 == 0 else [divisions[number % len(divisions)]]
        Inspector.create(
            organ=ORGAN, staff_no=f"{number:04d}", name=f"检查员{number}", level="county", areas=areas, items=["*"], capacity=20,
            certificates=[{"no": f"Z{number}", "kind": "执法证", "until": "2028-12-31"}], updated_by="benchmark", updated_at=NOW,
        )  # fmt: skip
