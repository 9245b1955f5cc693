"""``python -m benchmarks``: measure everything on the city and print one table of figures beside their budgets."""

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.report import Figure, table

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Step:
    """One child process: ``module:function`` of this package, which takes a `Work` and returns figures."""

    name: str  # what --only takes; steps of one name run together
    function: str
    usual: bool = True
    district: bool = True  # it works on the district that was loaded and graded


# The floor is timed right before and right after the grading that is held against it.
STEPS = (
    Step("sample", "grades:load"),
    Step("grading", "floor:export_and_time"),
    Step("grading", "grades:full"),
    Step("grading", "floor:measure"),
    Step("grading", "grades:ratios"),
    Step("due", "grades:due"),
    Step("zen", "row_by_row:measure"),
    Step("openfisca", "columns:measure"),
    Step("import", "importing:measure"),
    Step("posting", "posting:meanwhile"),
    Step("post", "reading:post"),
    Step("search", "reading:search_by_name"),
    Step("list", "lists:measure"),
    Step("inspection", "inspection:city_draw"),
    Step("explain", "reading:explain"),
    Step("http", "web:measure"),
    Step("model", "model:measure", district=False),
    Step("ten", "grades:ten", usual=False),
)
NAMES = [*dict.fromkeys(step.name for step in STEPS), "density"]
# Needed by every other that works on it: the district, graded.
ALWAYS = ("sample", "grading")
DENSITY = 8.5


def main() -> int:
    arguments = _parser().parse_args()
    if arguments.child:
        return _child(arguments)
    wanted = arguments.only or [step.name for step in STEPS if step.usual]
    figures: list[Figure] = []
    failed = False
    with tempfile.TemporaryDirectory(prefix="xinheng-bench-", dir=arguments.dir) as made:
        for density, names in _passes(wanted, arguments.density):
            folder = Path(made) / f"density-{density:g}"
            folder.mkdir()
            needed = ALWAYS if any(step.district for step in STEPS if step.name in names) else ()
            for step in STEPS:
                if step.name in names or step.name in needed:
                    found = _run(step, folder, arguments.size, density)
                    failed |= found is None
                    figures += found or []
    print(heading(arguments.size))
    print(table(figures))
    if arguments.json:
        arguments.json.write_text(
            json.dumps([figure.as_dict() for figure in figures], ensure_ascii=False, indent=1) + "\n"
        )
    return 3 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog="Example: python -m benchmarks --size town --only import --only search",
    )
    parser.add_argument("--size", default="city", help="city (default), town, or a number of entities")
    parser.add_argument("--density", type=float, default=1, help="multiple of the records (default 1)")
    parser.add_argument(
        "--only", action="append", choices=NAMES, metavar="NAME", help=f"one of {', '.join(NAMES)}; may be repeated"
    )
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures there as JSON, too")
    parser.add_argument("--dir", metavar="PATH", help="where the temporary databases go (about 4 GB for the city)")
    parser.add_argument("--child", metavar="FUNCTION", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser


def _passes(wanted: list[str], density: float) -> list[tuple[float, list[str]]]:
    """Which measurements are made on which district; a dense one is only graded."""
    passes = [(density, names)] if (names := [name for name in wanted if name != "density"]) else []
    return [*passes, (DENSITY, ["grading"])] if "density" in wanted else passes


def _run(step: Step, folder: Path, size: str, density: float) -> list[Figure] | None:
    """Run one step in a process of its own, so that its memory is its own; None if it failed, which is said."""
    start = time.perf_counter()
    print(f"{step.name}: {step.function} …", end=" ", file=sys.stderr, flush=True)
    command = [
        sys.executable,
        "-m",
        "benchmarks",
        "--child",
        step.function,
        "--folder",
        str(folder),
        "--size",
        size,
        "--density",
        str(density),
    ]
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    print(f"{time.perf_counter() - start:.1f} s", file=sys.stderr)
    if ended.returncode:
        print(f"{step.function} failed with status {ended.returncode}; what it said stands above.", file=sys.stderr)
        return None
    prefix = "" if density == 1 else f"density {density:g}: "
    return [Figure(**{**one, "what": prefix + one["what"]}) for one in json.loads(ended.stdout.splitlines()[-1])]


def _child(arguments: argparse.Namespace) -> int:
    from benchmarks.work import Work

    module, name = arguments.child.split(":")
    size: Any = int(arguments.size) if arguments.size.isdecimal() else arguments.size
    measure = getattr(importlib.import_module(f"benchmarks.{module}"), name)
    figures: list[Figure] = measure(Work(arguments.folder, size, arguments.density))
    print(
        json.dumps([{name: value for name, value in figure.as_dict().items() if name != "met"} for figure in figures])
    )
    return 0


def heading(size: str) -> str:
    """When, where and on what: figures mean nothing without it."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return f"{datetime.now().date()}, {size}, {os.cpu_count()} cores, Python {platform.python_version()}, load {load} at the end\n"


if __name__ == "__main__":
    sys.exit(main())
