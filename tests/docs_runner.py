"""Run the console blocks of README and docs against a real registry, and compare what they print with what is printed there.

    python -m tests.docs_runner [--fill] README.md       rewrite the outputs of a page from a run

A block is ``` console; lines that begin with `$ ` are commands, what follows is their output. `xinheng …` runs inside this
process and `curl …` against a server inside this process, both at the day of the docs; `make …` and `git …` are checked against
the Makefile, not run. A line `…` stands for any number of lines. What follows `<!-- day: 2026-12-01 -->` is run on that day. Secret bytes (seeds of draws)
follow from the command, so that a page can name whom its draw drew. The folder of the page has docs/ with the scripts in it.
"""

import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import tomllib
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from unittest import mock

import time_machine
from click.testing import CliRunner
from werkzeug.serving import make_server

from registry import config, database, privacy, schema
from registry.config import ROOT

# The day on which the pages were written; every output in them is of this day.
DAY = date(2026, 11, 21)
NOW = 1_795_219_200_000
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
# What is not shown to a reader: from here on the page is of another day.
DAY_MARK = re.compile(r"<!-- day: (\d{4}-\d\d-\d\d) -->")
PART = re.compile(rf"^{DAY_MARK.pattern}$|{BLOCK.pattern}", re.M | re.S)
REDIRECTED = re.compile(r"(xinheng [^|><]+) > (\S+)\s*")
ASSIGNMENT = re.compile(r"[A-Z]+=\S")
LISTEN = "127.0.0.1:8080"

PENALTIES = (
    "行政相对人名称,统一社会信用代码,行政处罚决定书文号,违法行为类型,处罚类别,处罚内容,罚款金额,处罚决定日期,处罚机关\n"
    "信衡示例食品有限公司,91990101MA0000016K,信市监处罚〔2026〕801号,标签不合格,罚款,罚款2000元,0.2,2026-10-12,信衡市市场监督管理局\n"
    "信衡示例商贸有限公司,91990101MA0000024R,信市监处罚〔2026〕802号,虚假宣传,罚款,罚款5000元,-0.5,2026-10-12,信衡市市场监督管理局\n"
)


@dataclass(frozen=True, slots=True)
class Command:
    line: str
    output: str
    day: date = DAY


def pages() -> list[Path]:
    return [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> list[tuple[str, str]]:
    """Every fenced block of a page as (language, text)."""
    return [(match[1], match[2]) for match in BLOCK.finditer(page.read_text(encoding="utf-8"))]


def commands(text: str) -> list[Command]:
    """The commands of a console block, each with the output printed under it. A line that ends in \\ or leaves a quote open goes on."""
    found: list[Command] = []
    line, output = "", []
    going_on = False
    for row in text.splitlines():
        if going_on or row.startswith("$ "):
            if not going_on:
                if line:
                    found.append(Command(line, "\n".join(output)))
                line, output = "", []
            part = row if going_on else row[2:]
            line += part + "\n"
            going_on = part.endswith("\\") or line.count("'") % 2 == 1
        else:
            output.append(row)
    return [*found, Command(line, "\n".join(output))] if line else found


def script(page: Path) -> list[Command]:
    """The commands of all console blocks of a page, in order, each with the day on which it is run."""
    found, day = [], DAY
    for match in PART.finditer(page.read_text(encoding="utf-8")):
        if match[1]:
            day = date.fromisoformat(match[1])
        elif match[2] == "console":
            found += [Command(one.line, one.output, day) for one in commands(match[3])]
    return found


class World:
    """A registry with the sample town, a server, a key and a working directory: what a reader of the page has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.assigned: list[str] = []
        self.day = DAY
        # How often each command was given, and how many secrets the last one has had.
        self.given: Counter[str] = Counter()
        self.secret = ("", 0)
        os.environ["XINHENG_DATABASE_URL"] = f"sqlite:///{folder}/xinheng.db"
        os.environ["XINHENG_PRIVACY_KEY_FILE"] = str(folder / "privacy.key")
        self.settings = config.load()
        (folder / "var").mkdir(exist_ok=True)
        (folder / "penalties.csv").write_text(PENALTIES, encoding="utf-8")
        if not (folder / "docs").is_symlink():
            (folder / "docs").symlink_to(ROOT / "docs")

    def _bytes(self, size: int = 32) -> bytes:
        """Secret bytes that follow from the command that asks for them, and from which of them they are."""
        line, taken = self.secret
        self.secret = (line, taken + 1)
        return hashlib.shake_256(f"{line} {self.given[line]} {taken}".encode()).digest(size)

    @classmethod
    def like(cls, town: Path, folder: Path) -> "World":
        """A world in `folder` that has what :meth:`make` left in `town`."""
        shutil.copytree(town, folder, symlinks=True, dirs_exist_ok=True)
        return cls(folder)

    def make(self) -> None:
        """Load the sample town, grade it and give the reader a key: what every page begins with, and seconds of work."""
        from registry.services import context_building, grading, keys, sampling, seal, showcase, visit_due

        database.connect(self.settings)
        privacy.make_key(self.settings)
        with database.session():
            schema.upgrade()
            seal.make_log(self.settings, now=NOW)
        sampling.load_sample(self.settings, size="town", today=DAY, now=NOW)
        context_building.build(self.settings, day=DAY, now=NOW)
        with database.session():
            showcase.publish_sample(self.settings, today=DAY, now=lambda: NOW)
        grading.everyone(grading.scheme_named(self.settings), day=DAY, range_size=60_000, now=lambda: NOW)
        visit_due.mark(self.settings, today=DAY)
        with database.session():
            secret = keys.create(
                "demo", organ="信衡市市场监督管理局", scopes=list(keys.SCOPES), divisions=[""], actor="docs", now=NOW
            )
        (self.folder / "var" / "demo.key").write_text(secret)
        # Closed, everything stands in the files, which may be copied.
        database.db.obj.close_all()

    @contextlib.contextmanager
    def open(self) -> Generator["World", None, None]:
        from api.app import create_app

        database.connect(self.settings)
        app = create_app(
            self.settings, today=lambda: self.day, now=lambda: NOW + (self.day - DAY).days * 24 * 60 * 60 * 1000
        )
        server = make_server("127.0.0.1", 0, app, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.port = server.port
        try:
            with mock.patch.object(secrets, "token_bytes", self._bytes):
                yield self
        finally:
            server.shutdown()
            database.db.obj.close_all()

    def run(self, line: str, day: date = DAY) -> str:
        """What a command prints (both streams) on a day. Raises AssertionError where it fails."""
        self.day = day
        self.given[line] += 1
        self.secret = (line, 0)
        words = line.split()
        if ASSIGNMENT.match(line):
            # Later commands of the page see the value that it has now, as in the reader's own shell.
            name = line.partition("=")[0]
            self.assigned.append(self._bash(f"{line.rstrip()}\nprintf '{name}=%q\\n' \"${name}\""))
            return ""
        if redirected := REDIRECTED.fullmatch(line):
            printed, told = self._xinheng(redirected[1])
            (self.folder / redirected[2]).write_text(printed, encoding="utf-8")
            return told
        if words[0] == "xinheng" and not re.search(r"[|><]", line):
            return "".join(self._xinheng(line, mixed=True))
        return self._bash(line)

    def _bash(self, line: str) -> str:
        text = "".join([*self.assigned, line]).replace(LISTEN, f"127.0.0.1:{self.port}")
        done = subprocess.run(
            ["bash", "-c", text], cwd=self.folder, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        return done.stdout.replace(f"127.0.0.1:{self.port}", LISTEN)

    def _xinheng(self, line: str, *, mixed: bool = False) -> tuple[str, str]:
        import shlex

        from api.cli import cli

        moment = f"{self.day}T09:00:00+08:00"
        with contextlib.chdir(self.folder), time_machine.travel(moment, tick=True):
            result = CliRunner().invoke(cli, shlex.split(line.replace("\\\n", " "))[1:])
        # 1: done, with refused rows; the page shows such files on purpose.
        assert result.exit_code in (0, 1), f"{line}\n{result.output}\n{result.exception!r}"
        return (result.output, "") if mixed else (result.stdout, result.stderr)


def checkable(line: str) -> bool:
    """Whether a command is run; the others (make, git) are checked against the Makefile."""
    return line.split()[0] not in ("make", "git", "cd", "uv")


def matches(expected: str, printed: str) -> bool:
    """Compare line by line; `…` stands for any lines, and within a line for anything."""

    def pattern(text: str) -> str:
        rows = [
            ".*" if row.strip() == "…" else re.escape(row.rstrip()).replace("…", ".*")
            for row in text.strip().splitlines()
        ]
        return "\n".join(rows)

    wanted, got = volatile(expected), volatile(printed)
    return re.fullmatch(pattern(wanted), "\n".join(row.rstrip() for row in got.strip().splitlines()), re.S) is not None


def volatile(text: str) -> str:
    """Replace what differs from run to run: durations."""
    return re.sub(r"\b\d+(\.\d+)? ?(s|ms|秒)\b", "TIME", text)


def check_static(language: str, text: str) -> None:
    """Blocks that are no commands must at least be what they say."""
    if language == "toml":
        tomllib.loads(text.replace("…", ""))
    elif language == "json":
        json.loads(text)


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))


def update(page: Path, *, fill: bool) -> None:
    """Rewrite the outputs of a page from a run. With `fill`, commands without an output get theirs as well."""
    with tempfile.TemporaryDirectory() as folder:
        made = World(Path(folder))
        made.make()
        with made.open() as world:
            _rewrite(page, world, fill=fill)


def _rewrite(page: Path, world: World, *, fill: bool) -> None:
    day = DAY

    def shown(command: Command) -> str:
        if not checkable(command.line):
            return command.output
        printed = world.run(command.line, day).strip()
        if "…" in command.output and matches(command.output, printed):
            return command.output
        return printed if fill or command.output.strip() else command.output

    def again(match: re.Match[str]) -> str:
        nonlocal day
        if match[1]:
            day = date.fromisoformat(match[1])
        if match[2] != "console":
            return match[0]
        parts = [part for one in commands(match[3]) for part in ("$ " + one.line.rstrip("\n"), shown(one)) if part]
        return "```console\n" + "\n".join(parts) + "\n```"

    page.write_text(PART.sub(again, page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    names = [name for name in sys.argv[1:] if name != "--fill"]
    for name in names:
        update(ROOT / name, fill="--fill" in sys.argv)
