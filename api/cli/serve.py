"""`serve`, `work` and `run`: the processes."""

import multiprocessing
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from types import FrameType
from typing import Any

import click

from api.cli import FAILED, parent, support
from api.cli.setup import initialise, load
from registry import clock, config
from registry.config import ROOT, Settings
from registry.database import execute
from registry.errors import RegistryError
from registry.services import models, public_grades

# Seconds that children get to finish what they do before they are killed.
PATIENCE = 30
DEMO_ORGAN = "信衡市市场监督管理局"


class PortInUse(RegistryError):
    code = "port_in_use"


with_parent = click.option(
    "--with-parent", type=int, default=None, hidden=True, help="Stop when this process, our parent, is gone."
)


@click.command("serve", epilog="Example: XINHENG_SERVER_PORT=9000 xinheng serve")
@with_parent
def serve(with_parent: int | None) -> None:
    """Run the web server at [server] host and port until SIGTERM or Ctrl-C; requests under way are answered first."""
    if with_parent is not None:
        parent.follow(parent.stop_cleanly, parent=with_parent)
    with support.connected() as settings:
        public_grades.check(settings)
        models.settle(settings, clock.now())
        folder = support.state_folder(settings) / "metrics"
    refuse_taken_port(settings)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(emptied(folder))
    # Fresh processes instead of forks: a fork would carry over locks of threads that it does not have.
    multiprocessing.set_start_method("spawn", force=True)
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    Granian(
        "api.wsgi:app",
        address=settings.server.host,
        port=settings.server.port,
        interface=Interfaces.WSGI,
        workers=settings.server.workers,
        # More threads in a worker only make the slowest answers slower on SQLite: scale by workers.
        blocking_threads=1,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=PATIENCE,
        working_dir=ROOT,
        websockets=False,
    ).serve(target_loader=parent.load_app)


def emptied(folder: Path) -> Path:
    """The folder in which the server's processes share their metrics, without what earlier ones left there."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.db"):
        file.unlink(missing_ok=True)
    return folder


def refuse_taken_port(settings: Settings) -> None:
    """Raise PortInUse where somebody listens already, before anything is started."""
    family = socket.AF_INET6 if ":" in settings.server.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.server.host, settings.server.port))
        except OSError as error:
            raise PortInUse(
                f"{settings.server.host}:{settings.server.port} cannot be listened on: {error.strerror or error}. Stop what listens there, "
                "or set another [server] port (XINHENG_SERVER_PORT=9000)."
            ) from error


@click.command("work", epilog="Example: xinheng work")
@with_parent
def work(with_parent: int | None) -> None:
    """Run the jobs on their schedule until SIGTERM or Ctrl-C. Any number of workers may run; each tick runs once."""
    from jobs import worker

    if with_parent is not None:
        parent.follow(parent.stop_cleanly, parent=with_parent)
    with support.connected() as settings:
        models.settle(settings, clock.now())
        worker.run(settings)


@click.command("run", epilog="Example: xinheng run")
@click.option(
    "--sample/--no-sample",
    "with_sample",
    default=True,
    show_default=True,
    help="Load the sample town into an empty registry.",
)
def run(with_sample: bool) -> int:
    """Everything at once on this machine: database, sample, grades, web server and worker, until Ctrl-C.

    What is there already is left as it is: the second start is quick.
    """
    settings = config.load()
    refuse_taken_port(settings)
    with support.connected(ready=False) as settings:
        initialise(settings)
        prepare(settings, with_sample=with_sample)
        key_file = demo_key(settings)
    where = f"http://{settings.server.host}:{settings.server.port}"
    stop = _Stop()
    children = {name: _child(name) for name in ("serve", "work")}
    click.echo(f"信衡 Xinheng: {where}   (ready: {where}/readyz; reference: {where}/api/v1/docs)")
    click.echo(f"Demo key: {key_file}")
    click.echo(
        f'  curl -G -H "Authorization: Bearer $(cat {key_file})" {where}/api/v1/entities --data-urlencode q=信衡'
    )
    click.echo(
        "Your own key, after `source .venv/bin/activate`: xinheng key create NAME --organ ORGAN --scope entities:read"
    )
    click.echo("Ctrl-C stops.")
    return watch(children, stop)


def prepare(settings: Settings, *, with_sample: bool) -> None:
    """Load the sample town where the ledger is empty, and grade everyone where nobody has a grade."""
    from registry.services import grading, ledger, showcase, visit_due

    if with_sample and ledger.head() == 0:
        click.echo("The registry is empty: loading the sample town …")
        counts = load(settings, size="town", density=1.0, seed=None)
        click.echo(f"{counts['entities']:,} entities, {counts['records']:,} records.")
        shown = showcase.publish_sample(settings, today=support.today(settings), now=clock.now)
        click.echo(f"{shown['records']:,} penalties and listings reviewed; public page: /public/CODE.")
    scheme = grading.scheme_named(settings, on=support.today(settings))
    graded = execute("SELECT 1 FROM grade_state WHERE scheme = ? LIMIT 1", (scheme.id,)).fetchone()
    if graded is None and ledger.head():
        _grade(settings, scheme, support.today(settings))
        # Lists begin with who must be visited; until tonight's run nobody else would say so.
        visit_due.mark(settings, today=support.today(settings))


def _grade(settings: Settings, scheme: Any, day: date) -> None:
    from registry.services import grading

    with support.progress(f"Grade 评定 {scheme.id}") as tell:
        result = grading.everyone(scheme, day=day, range_size=settings.grading.range_size, progress=tell)
    click.echo(f"{result.entities:,} entities graded under {scheme.id}.")


def demo_key(settings: Settings) -> Path:
    """A key for trying things out, in a file that only its owner can read. One that works already is kept."""
    from registry.services import keys

    file = support.state_folder(settings) / "demo.key"
    if file.is_file():
        try:
            keys.caller(file.read_text().strip())
        except keys.BadKey:
            file.unlink()
        else:
            return file
    # A name is never used twice: a key whose file was lost stays what it was, and the next one gets a longer name.
    taken = {key.name for key in keys.every()}
    secret = keys.create(
        "demo" if "demo" not in taken else f"demo-{secrets.token_hex(3)}",
        organ=DEMO_ORGAN,
        scopes=list(keys.SCOPES),
        divisions=[],
        actor=support.actor(),
        now=clock.now(),
    )
    part = file.with_name("demo.key.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(secret + "\n")
    part.replace(file)
    return file


class _Stop:
    """Set by SIGINT and SIGTERM."""

    def __init__(self) -> None:
        self.told = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._tell)

    def _tell(self, _number: int, _frame: FrameType | None) -> None:
        self.told = True


def _child(command: str) -> "subprocess.Popen[bytes]":
    """`xinheng COMMAND` by the same interpreter and code as this process, wherever the command is installed."""
    path = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH", "")) if part)
    return subprocess.Popen(
        [sys.executable, "-c", "from api.cli import main; main()", command, "--with-parent", str(os.getpid())],
        env={**os.environ, "PYTHONPATH": path},
        # Ctrl-C reaches every process of the terminal's group, and a server told to stop twice stops badly. A session of
        # its own hears from this process alone.
        start_new_session=True,
    )


def watch(children: dict[str, "subprocess.Popen[bytes]"], stop: _Stop) -> int:
    """Wait until told to stop or a child ends by itself, then stop them all. The exit status: 0, or 3 where one failed."""
    failed = ""
    while not stop.told and not failed:
        time.sleep(0.2)
        failed = next((name for name, child in children.items() if child.poll() is not None), "")
    if failed and not stop.told:
        click.echo(
            f"xinheng: `xinheng {failed}` ended with status {children[failed].returncode}; stopping the rest.", err=True
        )
    for child in children.values():
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + PATIENCE
    for child in children.values():
        try:
            child.wait(timeout=max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    return 0 if stop.told else FAILED
