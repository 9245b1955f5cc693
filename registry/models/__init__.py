"""Nouns: one aggregate a file. What must always be true of a row is a constraint; an index names the query it serves."""

from registry.models.access import ApiKey, Audit, Reply
from registry.models.base import Base
from registry.models.context import ContextValue, GradeContext
from registry.models.entity import Entity, EntityName, NamePinyin
from registry.models.exchange import Outbound, OutboundRow, Upload
from registry.models.governance import GradeOverride, SchemeActivation, SchemeApproval, SchemeProposal
from registry.models.grade import Grade, GradeChange, GradeRange, GradeRun, GradeState, SchemeVersion, Stale
from registry.models.imports import ImportReject, ImportRun, Unmatched
from registry.models.inspection import (
    EntityLabel,
    InspectionItem,
    Inspector,
    InspectorAway,
    InspectorConflict,
    Label,
)
from registry.models.job import JobLease, JobRun
from registry.models.life import CHANNELS, Notice, NoticeReceipt, Objection, Publication, Recipient, Repair, Review
from registry.models.matching import Alias, Decision, Settled
from registry.models.model import EarlyWarning, GradeRaise, Model, ModelOpening, ModelReport, ModelScore, WarningStep
from registry.models.paper import Delivery, Document, DocumentTemplate, ListingCase, Reminder, Series
from registry.models.record import Coverage, Fact, LedgerHead, Moment, Provenance, Record, Uncounted
from registry.models.relation import Claim, Relation
from registry.models.seal import Erasure, Leaf, SealLog, SealNode, SealRoot
from registry.models.visit import CaseLead, Visit, VisitDue, VisitInspector, VisitRating, VisitResult, VisitStep
from registry.models.work import Draw, DrawRound, DrawStratum, InspectionList, InspectionListRow, Task

ALL: tuple[type[Base], ...] = (
    Entity, EntityName, NamePinyin, LedgerHead, Moment, Record, Uncounted, Provenance, Fact, Coverage,
    SchemeVersion, SchemeProposal, SchemeApproval, SchemeActivation, GradeOverride, GradeContext, ContextValue,
    Grade, GradeChange, GradeState, Stale, GradeRun, GradeRange,
    Model, ModelOpening, ModelScore, ModelReport, GradeRaise, EarlyWarning, WarningStep,
    ImportRun, ImportReject, Unmatched, Task, Draw, DrawStratum, DrawRound, InspectionList, InspectionListRow,
    InspectionItem, Label, EntityLabel, Inspector, InspectorConflict, InspectorAway,
    Visit, VisitInspector, VisitStep, VisitResult, VisitRating, CaseLead, VisitDue,
    Review, Publication, Objection, Repair, Notice, Recipient, NoticeReceipt, Series, DocumentTemplate, Document, Delivery, ListingCase, Reminder,
    SealLog, Leaf, SealNode, SealRoot, Erasure, Upload, Outbound, OutboundRow, Alias, Decision, Settled, Relation, Claim,
    ApiKey, Reply, Audit, JobLease, JobRun,
)  # fmt: skip

__all__ = [
    "ALL",
    "CHANNELS",
    "Alias",
    "ApiKey",
    "Audit",
    "Base",
    "CaseLead",
    "Claim",
    "ContextValue",
    "Coverage",
    "Decision",
    "Delivery",
    "Document",
    "DocumentTemplate",
    "Draw",
    "DrawRound",
    "DrawStratum",
    "EarlyWarning",
    "Entity",
    "EntityLabel",
    "EntityName",
    "Erasure",
    "Fact",
    "Grade",
    "GradeChange",
    "GradeContext",
    "GradeOverride",
    "GradeRaise",
    "GradeRange",
    "GradeRun",
    "GradeState",
    "ImportReject",
    "ImportRun",
    "InspectionItem",
    "InspectionList",
    "InspectionListRow",
    "Inspector",
    "InspectorAway",
    "InspectorConflict",
    "JobLease",
    "JobRun",
    "Label",
    "Leaf",
    "LedgerHead",
    "ListingCase",
    "Model",
    "ModelOpening",
    "ModelReport",
    "ModelScore",
    "Moment",
    "NamePinyin",
    "Notice",
    "NoticeReceipt",
    "Objection",
    "Outbound",
    "OutboundRow",
    "Provenance",
    "Publication",
    "Recipient",
    "Record",
    "Relation",
    "Reminder",
    "Repair",
    "Reply",
    "Review",
    "SchemeActivation",
    "SchemeApproval",
    "SchemeProposal",
    "SchemeVersion",
    "SealLog",
    "SealNode",
    "SealRoot",
    "Series",
    "Settled",
    "Stale",
    "Task",
    "Uncounted",
    "Unmatched",
    "Upload",
    "Visit",
    "VisitDue",
    "VisitInspector",
    "VisitRating",
    "VisitResult",
    "VisitStep",
    "WarningStep",
]
