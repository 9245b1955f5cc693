"""The head of a scheme, and what can only be checked once everything else has been read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rules.draft import Draft
from rules.errors import Mistake
from rules.kinds import CYCLES, DIRECTIONS, INDICATORS_FOR, PUBLISHED, RAISES, SUBJECTS
from rules.measures import circle, inputs
from rules.reader import Table

# Points: with a thousand rules of the most points each, every row of a ledger still fits into 32 bits.
_FURTHEST = 5 * 10**8
_ID = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)


def read_head(table: Table) -> dict[str, Any]:
    """The plain keys of ``[scheme]``."""
    lowest, highest = (table.integer(key, low=-_FURTHEST, high=_FURTHEST) for key in ("lowest", "highest"))
    if lowest >= highest:
        table.wrong("highest", f"is {highest}, not above lowest = {lowest}", "Write the greatest score there can be")
    id_ = table.text("id", '"general-risk"')
    if id_ and not _ID.fullmatch(id_):
        remedy = "Use a lower-case letter, then letters, digits and -, at most 32 characters"
        table.wrong("id", f"the id {id_!r} is not of the allowed form", remedy)
    return {
        "id": id_,
        "title": table.title("title"),
        "subjects": table.names("subjects", tuple(SUBJECTS)),
        "published": table.choice("published", tuple(PUBLISHED), "never"),
        "cycle": table.choice("cycle", CYCLES, "month"),
        "base": table.integer("base", default=0, low=-_FURTHEST, high=_FURTHEST),
        "lowest": lowest,
        "highest": highest,
        "direction": table.choice("direction", DIRECTIONS),
        "raises": table.choice("raises", tuple(RAISES), "officer"),
        "indicators_for": table.choice("indicators_for", INDICATORS_FOR, INDICATORS_FOR[0]),
    }


def check_whole(draft: Draft, main: Table, scheme: Mapping[str, Any]) -> None:
    """What can only be seen when everything has been read: things nobody uses, caps outside the scale."""
    read = {name for rule in draft.rules.values() for name in rule.indicators}
    read |= {name for one in draft.indicators.values() for name in inputs(one)}
    if ids := circle(draft.indicators):
        problem = f"is worked out from itself: {' from '.join(ids)}"
        where = draft.declared["indicator", ids[0]]
        draft.mistakes.append(Mistake(where, f"indicator.{ids[0]}", problem, "Let one of them read something else"))
    for id_ in draft.indicators:
        if id_ not in read and scheme["indicators_for"] == INDICATORS_FOR[0]:
            where = draft.declared["indicator", id_]
            remedy = "Use it in a rule or remove it"
            draft.mistakes.append(Mistake(where, f"indicator.{id_}", "no rule reads this indicator", remedy))
    for sort, declared, used in (
        ("steps", draft.steps, {one.steps for one in draft.indicators.values()}),
        ("lookup", draft.lookups, {one.lookup for one in draft.indicators.values()}),
        ("matrix", draft.matrices, {one.matrix for one in draft.indicators.values()}),
    ):
        for id_ in sorted(set(declared) - used):
            main.wrong(f"{sort}.{id_}", "no indicator reads this table", "Use it in an indicator or remove it")
    for id_, rule in draft.rules.items():
        for span in rule.parameters["at_most"].spans if rule.effect == "cap" else ():
            for value in (span.value.value, *span.value.subjects.values()):
                if not scheme["lowest"] <= value <= scheme["highest"]:
                    problem = f"{value} lies outside the scale {scheme['lowest']} to {scheme['highest']}"
                    where = draft.declared["rule", id_]
                    remedy = "Hold the score at a value of the scale"
                    draft.mistakes.append(Mistake(where, f"rule.{id_}.parameter.at_most", problem, remedy))
    if not draft.rules:
        main.wrong("", "the scheme has no rules", "Put at least one [rule.…] into a file of the folder rules/")
