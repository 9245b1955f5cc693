"""What the jobs do. Every file here is read when the package is; to add a job is to add one function with `@job`."""

from jobs.declared import JOBS, named
from jobs.tasks import (
    complaints,
    context,
    files,
    grading,
    listings,
    models,
    publication,
    raises,
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
    "listings",
    "models",
    "named",
    "publication",
    "raises",
    "schemes",
    "seal",
    "upkeep",
    "warnings",
]
