"""Rows of the sample as somebody would have posted them, and what their kind makes of that."""

import json
from collections.abc import Mapping
from typing import Any

from registry.cells.personal import keyed_hash
from registry.kinds import KINDS, Statement
from registry.kinds.terms import person_number
from registry.sample.relations import NO_REGISTRY, paper
from tests.registry.sample.conftest import TODAY

# Where a kind has the day on which it begins, and fields that stand in columns: field → column. Others stand in the detail.
BEGINS = {"penalty": "decided_on", "abnormal_listing": "listed_on", "serious_listing": "listed_on", "spot_check": "checked_on",
          "item_12315": "received_on", "annual_report": "filed_on", "registration_change": "changed_on",
          "standard_declared": "declared_on", "award": "awarded_on", "satisfaction_survey": "surveyed_on",
          "outside_list": "listed_on", "accident": "occurred_on"}  # fmt: skip
COLUMNS = {"abnormal_listing": {"ground": "code", "removed_on": "ends_on"}, "serious_listing": {"article": "code", "removed_on": "ends_on"},
           "item_12315": {"closed_on": "ends_on", "amount_fen": "amount_fen"}, "annual_report": {"year": "code"},
           "product_sampling": {"value_fen": "amount_fen"}, "standard_declared": {"abolished_on": "ends_on"},
           "award": {"prize_fen": "amount_fen"}, "outside_list": {"amount_fen": "amount_fen"}}  # fmt: skip


def papers(entities: int, key: bytes = NO_REGISTRY) -> dict[str, str]:
    """The paper behind every hash that a district of so many entities can have."""
    return {keyed_hash(person_number(paper(person)) or "", key): paper(person) for person in range(entities)}


def posted(kind: str, row: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, Any]:
    """The fields that a row stands for. `known` has the papers by their hashes."""
    fields = json.loads(row["detail_json"]) | {"organ": row["organ"], "document_no": row["document_no"] or ""}
    fields.pop("printed_no", None)
    fields |= {name: row[column] for name, column in COLUMNS.get(kind, {}).items()}
    if kind in BEGINS:
        fields[BEGINS[kind]] = row["happened_on"]
    if kind == "annual_report":
        fields["false"] = row["severity"] == 2
    if fields.pop("withheld", False):
        fields |= {"before": "某人", "after": "另一人"}
    if "person_hash" in fields:
        fields["person_id"] = known[fields.pop("person_hash")]
    return fields


def stated(kind: str, row: Mapping[str, Any], known: Mapping[str, str], key: bytes = NO_REGISTRY) -> Statement:
    """What the kind makes of a row, posted with the fields that it stands for."""
    declared = KINDS[kind]
    return declared.state(declared.schema(today=TODAY, key=key).load(posted(kind, row, known)))
