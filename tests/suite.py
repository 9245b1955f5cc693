"""Run the whole suite as `make test` does: in parallel, with branch coverage held to its floor.

python -m tests.suite [PATH …]
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Branch coverage that may not be undercut, and of what.
FLOOR = 90
HELD = "rules/*,registry/services/*"


def main(paths: list[str]) -> int:
    """Run pytest under coverage and return the exit status. The floor holds for a run of everything only."""
    environment = {**os.environ, "COVERAGE_PROCESS_START": str(ROOT / "pyproject.toml")}
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "erase"], cwd=ROOT, check=True)
    # One more than there are cores: tests wait for databases, servers and processes that they killed.
    workers = str(min(4, (os.cpu_count() or 1) + 1))
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", workers, "--dist", "worksteal", "--cov", "--cov-report=", "--durations=10", "-rs", *paths],
        cwd=ROOT, env=environment, check=False,
    )  # fmt: skip
    if tests.returncode != 0 or paths != ["tests"]:
        return tests.returncode
    # Data of processes that the tests started lies beside pytest-cov's own.
    subprocess.run([*coverage, "combine", "--append", "-q"], cwd=ROOT, check=False, capture_output=True)
    held = subprocess.run(
        [*coverage, "report", f"--include={HELD}", f"--fail-under={FLOOR}", "--skip-covered"], cwd=ROOT, check=False
    )
    return held.returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:] or ["tests"]))
