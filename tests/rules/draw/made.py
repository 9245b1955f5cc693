"""Small draws for tests, and the auditor's script run on their minutes."""

import contextlib
import functools
import importlib.util
import io
import random
import tempfile
from dataclasses import replace
from pathlib import Path

from registry import config
from rules.draw import Candidates, Frame, Pool, canonical, draw, full_minutes

SCRIPT = config.ROOT / "docs" / "verify_draw.py"
SALT, SEED, WITNESS = bytes(range(32)), bytes(range(100, 132)), "骰子 6 2 3 5 1 1 4 6 2 5"
SENDS = "示例区市场监督管理局"
JOINS = "示例区城市管理局"
AREAS = ("990101", "990102")


def code_of(number):
    return f"91990101MA{number:08d}"


def pool_of_size(size=6, *, days=20, organs=(SENDS, JOINS), conflicts=(), areas=None):
    members = {organ: [f"{number:03d}" for number in range(1, size + 1)] for organ in organs}
    everyone = {(organ, one): days for organ, of in members.items() for one in of}
    return Pool(members, everyone, areas or {}, list(conflicts))


def frame_of(strata="AAAAAAAAAAAABBBBBBCCD", sizes=None, *, algorithm="sha256", salt=SALT, pool=None, **over):
    """A draw over one candidate for each letter, its stratum."""
    return replace(
        Frame(
            algorithm=algorithm, organ=SENDS, task="2026-7", day="2026-03-02", frequency="f" * 64,
            candidates=Candidates([code_of(number) for number in range(len(strata))], list(strata), salt),
            sizes=sizes or {"A": 3, "B": 2, "C": 1, "D": 1},
            excluded={code_of(90000): "annual_cap", code_of(90001): "recently_checked"}, per_day=2, pool=pool or pool_of_size(),
        ),
        **over,
    )  # fmt: skip


def tour_of(frame, drawn):
    """Through one division after the other, and in an order that is not that of the codes."""
    codes = [frame.candidates.codes[place] for place in drawn.places]
    return sorted(((code, AREAS[int(code[-1]) % 2]) for code in codes), key=lambda stop: (stop[1], stop[0][::-1]))


def minutes_of(frame, seed=SEED, witness=WITNESS):
    drawn = draw(frame, seed, witness)
    return full_minutes(frame, drawn, tour_of(frame, drawn))


@functools.cache
def loaded():
    spec = importlib.util.spec_from_file_location("verify_draw", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def checked_by_script(full=None, public=None, announced=None):
    """Exit status of docs/verify_draw.py, and what it prints. Minutes are given as such, or as the bytes of their file."""
    script, said, arguments = loaded(), io.StringIO(), []
    script.wrong.clear()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        for name, given in (("full", full), ("public", public)):
            if given is not None:
                path = Path(folder) / f"{name}.json"
                path.write_bytes(given if isinstance(given, bytes) else canonical(given))
                arguments += ["--public", str(path)] if name == "public" else [str(path)]
        try:
            status = script.main([*arguments, *(["--announced", *announced] if announced else [])])
        except SystemExit as ended:
            status = ended.code
    return status, said.getvalue()


def seeded(number):
    return random.Random(number)
