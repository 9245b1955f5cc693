"""Nouns: one aggregate a file. What must always be true of a row is a constraint; an index names the query it serves."""

from registry.models.access import ApiKey, Audit, Reply
from registry.models.base import Base
from registry.models.entity import Entity, EntityName
from registry.models.grade import Grade, GradeRange, GradeRun, GradeState, SchemeVersion, Stale
from registry.models.imports import ImportReject, ImportRun, Unmatched
from registry.models.job import JobLease, JobRun
from registry.models.record import Coverage, Fact, LedgerHead, Moment, Provenance, Record
from registry.models.work import InspectionList, InspectionListRow, Task

ALL: tuple[type[Base], ...] = (
    Entity, EntityName, LedgerHead, Moment, Record, Provenance, Fact, Coverage,
    SchemeVersion, Grade, GradeState, Stale, GradeRun, GradeRange,
    ImportRun, ImportReject, Unmatched, Task, InspectionList, InspectionListRow,
    ApiKey, Reply, Audit, JobLease, JobRun,
)  # fmt: skip

__all__ = [
    "ALL", "ApiKey", "Audit", "Base", "Coverage", "Entity", "EntityName", "Fact", "Grade", "GradeRange", "GradeRun",
    "GradeState", "ImportReject", "ImportRun", "InspectionList", "InspectionListRow", "JobLease", "JobRun", "LedgerHead",
    "Moment", "Provenance", "Record", "Reply", "SchemeVersion", "Stale", "Task", "Unmatched",
]  # fmt: skip
