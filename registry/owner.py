"""Who works on something, so that another process can tell whether it still does."""

import os
import socket
from pathlib import Path


def _started(pid: int) -> str:
    """When a process of this machine started, in clock ticks since boot; empty when there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    fields = text.rpartition(")")[2].split()
    # A zombie runs no more; its parent has only not asked yet.
    return "" if fields[0] == "Z" else fields[19]


def me() -> str:
    """This process, by machine, number and start: numbers are given again, starts are not."""
    pid = os.getpid()
    return f"{socket.gethostname()[:60]}:{pid}:{_started(pid)}"


def is_gone(owner: str) -> bool:
    """Say whether `owner` surely runs no more. False for another machine's process: only its lease can tell."""
    machine, pid, started = owner.rsplit(":", 2)
    return machine == socket.gethostname()[:60] and _started(int(pid)) != started
