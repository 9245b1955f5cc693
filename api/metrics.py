"""Counts and latencies for Prometheus, by route and status. No code, name or key is ever a label.

With several server processes set PROMETHEUS_MULTIPROC_DIR to an empty folder: each process counts there.
"""

import os

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

requests = Counter("xinheng_requests", "Requests answered", ["route", "method", "status"])
latency = Histogram(
    "xinheng_request_seconds",
    "Time to answer, in seconds",
    ["route"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)


def observe(route: str, method: str, status: int, seconds: float) -> None:
    requests.labels(route, method if method in METHODS else "other", str(status)).inc()
    latency.labels(route).observe(seconds)


def text() -> tuple[bytes, str]:
    """Every metric of every server process, and the media type."""
    registry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST


def of_ledger(*, findings: int, at: int) -> bytes:
    """Gauges of the newest tamper check: its findings, and when it ended (`at` in milliseconds UTC, told in seconds)."""
    return (
        "# HELP xinheng_ledger_findings What the newest nightly check of the ledger found; 0 is well\n"
        "# TYPE xinheng_ledger_findings gauge\n"
        f"xinheng_ledger_findings {findings}\n"
        "# HELP xinheng_ledger_checked_timestamp_seconds When it ended\n"
        "# TYPE xinheng_ledger_checked_timestamp_seconds gauge\n"
        f"xinheng_ledger_checked_timestamp_seconds {at / 1000}\n"
    ).encode()
