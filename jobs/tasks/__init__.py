"""What the jobs do. Every file here is read when the package is; to add a job is to add one function with `@job`."""

from jobs.declared import JOBS, named
from jobs.tasks import (
    complaints,
    context,
    files,
    grading,
    inspections,
    listings,
    models,
    publication,
    raises,
    results,
    schemes,
    seal,
    upkeep,
    warnings,
)

__all__ = [
    "JOBS",
    "complaints",
    "context",
    "files",
    "grading",
    "inspections",
    "listings",
    "models",
    "named",
    "publication",
    "raises",
    "results",
    "schemes",
    "seal",
    "upkeep",
    "warnings",
]
