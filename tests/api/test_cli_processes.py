"""`serve` and `run` as real processes: they answer, stop when told, and leave nobody behind when they are killed."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from pathlib import Path

import orjson
import pytest

from api.cli.serve import PortInUse, demo_key, emptied, refuse_taken_port
from registry import config
from registry.config import ROOT
from registry.services import keys

pytestmark = pytest.mark.slow


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return {
        **os.environ, "XINHENG_DATABASE_URL": f"sqlite:///{tmp_path}/xinheng.db", "XINHENG_PRIVACY_KEY_FILE": f"{tmp_path}/privacy.key",
        "XINHENG_SERVER_PORT": str(port), "XINHENG_SERVER_WORKERS": "1",
    }  # fmt: skip


@pytest.fixture
def start(environ: dict[str, str], tmp_path: Path) -> Generator[object, None, None]:
    """Start a command; whatever is left of it is killed when the test is over."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(*args: str) -> "subprocess.Popen[bytes]":
        with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
            running.append(
                subprocess.Popen(
                    [sys.executable, "-c", "from api.cli import main; main()", *args],
                    cwd=ROOT,
                    env=environ,
                    stdout=out,
                    stderr=err,
                    start_new_session=True,
                )
            )
        return running[-1]

    yield begin
    for child in running:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def answers(environ: dict[str, str], path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{environ['XINHENG_SERVER_PORT']}{path}", timeout=2) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def wait(environ: dict[str, str], path: str, *, wanted: bool = True, seconds: float = 60) -> float:
    began = time.monotonic()
    while answers(environ, path) is not wanted:
        assert time.monotonic() - began < seconds, (
            f"{path} did not {'answer' if wanted else 'stop answering'} in {seconds} s"
        )
        time.sleep(0.1)
    return time.monotonic() - began


def test_run_answers_makes_a_key_stops_on_sigterm_and_starts_quickly_again(environ, start, tmp_path):
    child = start("run")
    wait(environ, "/readyz")
    secret = (tmp_path / "demo.key").read_text().strip()
    assert stat.S_IMODE((tmp_path / "demo.key").stat().st_mode) == 0o600
    request = urllib.request.Request(
        f"http://127.0.0.1:{environ['XINHENG_SERVER_PORT']}/api/v1/entities?q=%E4%BF%A1%E8%A1%A1&limit=1",
        headers={"Authorization": f"Bearer {secret}"},
    )
    with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310 (our own server)
        found = orjson.loads(reply.read())["items"]
    assert found[0]["class"] in "ABCD"
    child.send_signal(signal.SIGTERM)
    assert child.wait(timeout=40) == 0
    wait(environ, "/livez", wanted=False)
    start("run")
    wait(environ, "/readyz")
    assert (tmp_path / "demo.key").read_text().strip() == secret
    out = (tmp_path / "out").read_text()
    assert "loading" not in out
    assert str(tmp_path / "demo.key") in out


def test_ctrl_c_of_a_terminal_stops_everything_at_once_without_killing_anybody(environ, start, tmp_path):
    child = start("run", "--no-sample")
    wait(environ, "/livez")
    os.killpg(child.pid, signal.SIGINT)  # a terminal tells every process of the group
    assert child.wait(timeout=40) == 0
    wait(environ, "/livez", wanted=False)
    assert "Killing" not in (tmp_path / "err").read_text()


def test_a_killed_run_leaves_nobody_on_the_port(environ, start, tmp_path):
    child = start("run", "--no-sample")
    wait(environ, "/livez")
    child.kill()
    child.wait()
    wait(environ, "/livez", wanted=False, seconds=20)
    start("run", "--no-sample")
    wait(environ, "/livez")


def test_a_taken_port_is_named_before_anything_starts():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = config.load(environ={"XINHENG_SERVER_PORT": str(taken.getsockname()[1])})
        with pytest.raises(PortInUse, match="XINHENG_SERVER_PORT"):
            refuse_taken_port(settings)


def test_a_demo_key_that_works_is_kept_and_one_that_does_not_is_replaced(on_sqlite):
    file = demo_key(on_sqlite)
    first = file.read_text()
    assert demo_key(on_sqlite).read_text() == first
    keys.revoke(keys.every()[0].name, actor="test", now=1)
    assert demo_key(on_sqlite).read_text() != first
    assert keys.caller(file.read_text().strip()).may("records:write")
    file.unlink()
    assert keys.caller(demo_key(on_sqlite).read_text().strip()).organ


def test_metrics_of_an_earlier_server_are_removed_and_nothing_else(tmp_path):
    folder = tmp_path / "metrics"
    folder.mkdir()
    (folder / "counter_1.db").write_text("")
    (folder / "note.txt").write_text("")
    assert [file.name for file in emptied(folder).iterdir()] == ["note.txt"]
