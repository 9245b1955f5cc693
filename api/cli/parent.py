"""Processes that must not outlive the one that started them: a killed server would leave its workers on the port."""

import importlib
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

# Seconds between two looks: a restart right after a kill waits no longer.
BEAT = 0.25


def follow(end: Callable[[], None], *, parent: int | None = None) -> None:
    """Call `end` once, from a thread, when the parent process (default: the present one) is gone."""
    mine = os.getppid() if parent is None else parent

    def watch() -> None:
        while os.getppid() == mine:
            time.sleep(BEAT)
        end()

    threading.Thread(target=watch, name="follow-parent", daemon=True).start()


def stop_cleanly() -> None:
    """End this process as SIGTERM does."""
    os.kill(os.getpid(), signal.SIGTERM)


def load_app(target: str) -> Any:
    """Load `module:name` in a worker of the web server, and end with the server's main process even if that is killed."""
    follow(lambda: os._exit(1))
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)
