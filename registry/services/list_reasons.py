"""Why the entities of an inspection list have their class: the heaviest reasons of each, worked out once for the whole list."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from registry.services import frames, given, ledger
from rules.engine import facts_needed
from rules.explain import Reason, reasons
from rules.scheme import Scheme

# Most points rows that a supervisor's list shows per entity; the whole is one call away.
REASONS = 5


def of(scheme: Scheme, rows: Sequence[Mapping[str, Any]]) -> dict[int, list[Reason]]:
    """The heaviest points rows of each entity, all in one pass, each as of the day and the knowledge of its grade.

    An entity is left out where its grade does not follow any more (another content of the scheme, kind or coverage
    since): it waits to be renewed, and the rows of another grade would not add up to the score frozen beside them.
    """
    # Given under cuts that the scheme has no more: it could not be graded on that day at all.
    rows = [row for row in rows if scheme.cuts.at(row["graded_day"]) is not None]
    # Nearly always one context; where some grades are older, each set of them over its own.
    return {
        entity: reasons
        for number in sorted({row["context"] for row in rows})
        for entity, reasons in _over(scheme, number, [row for row in rows if row["context"] == number]).items()
    }


def _over(scheme: Scheme, number: int, rows: Sequence[Mapping[str, Any]]) -> dict[int, list[Reason]]:
    """The same for rows whose grades read one context."""
    asked = pl.DataFrame(
        [(row["entity"], row["graded_day"], row["known"]) for row in rows],
        schema={"entity": pl.Int64, "day": pl.Int32, "at": pl.Int64},
        orient="row",
    )
    entities = asked["entity"].to_list()
    head = ledger.head()
    population = frames.population_of(entities, head).join(asked.select("entity", "day"), on="entity")
    facts = frames.facts_ever(entities, facts_needed(scheme)).join(asked.select("entity", "at"), on="entity")
    still = pl.col("gone").is_null() | (pl.col("gone") > pl.col("at"))
    facts = facts.filter((pl.col("seq") <= pl.col("at")) & still).select(list(frames.FACTS))
    asked_of = given.as_read(entities, number, known=head)
    found = reasons(population, facts, frames.coverage(head), scheme, asked_of, most=REASONS)
    digests = {row["entity"]: bytes(row["digest"]) for row in rows}
    return {one.entity: one.heaviest for one in found if one.digest == digests[one.entity]}
