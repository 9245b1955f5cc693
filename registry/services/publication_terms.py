"""Class and periods of one record on one channel 失信类别和公示期: by the dated tables, or by an officer who said why."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from registry import publicity
from registry.services.life import Target

# Begins the basis of a class that an officer gave.
OFFICER = "officer: "
# Ends the officer's words in a basis.
OFFICER_END = f"（{publicity.BASIS_KINDS['officer']}）"


def class_for(target: Target, class_: str, reason: str, before: Mapping[str, Any] | None) -> publicity.Class | None:
    """The class of a dated record: an officer's, given now or in its row `before`, else the table's; None where it gives none."""
    if target.kind != "penalty":
        return publicity.Class("none" if target.severity == 0 else "general", "", "product_default")
    given = officers_class(class_, reason, before)
    if given is not None:
        return given
    assert target.happened_on is not None
    return publicity.class_of(
        target.detail, subject=target.entity.kind, division=target.entity.division, decided_on=target.happened_on
    )


def officers_class(class_: str, reason: str, before: Mapping[str, Any] | None) -> publicity.Class | None:
    """The class that an officer gives now, or gave before: what he decided stands until another does."""
    if class_:
        return publicity.Class(class_, f"{OFFICER}{reason}", "officer")
    if before is not None and before["basis"].startswith(OFFICER):
        return publicity.Class(before["class_"], before["basis"].rpartition(OFFICER_END)[0], "officer")
    return None


def terms_of(
    target: Target, channel: str, class_: publicity.Class, *, published_on: date, today: date, old_rows: str
) -> publicity.Terms:
    """How long a record may be shown on a channel by the tables of `registry/publicity`."""
    if target.kind == "penalty":
        assert target.happened_on is not None
        return publicity.penalty_terms(
            class_.name, target.detail, channel=channel, organ=target.organ, decided_on=target.happened_on,
            published_on=published_on, today=today, old_rows=old_rows,
        )  # fmt: skip
    return publicity.other_terms(
        target.kind, severity=target.severity, happened_on=target.happened_on, ends_on=target.ends_on,
        until=day_of(target.detail.get("until")), published_on=published_on,
    )  # fmt: skip


def legal_terms(
    target: Target, channel: str, before: Mapping[str, Any] | None, *, today: date
) -> publicity.Terms | None:
    """How long a dated record that is not published on a channel here ought to be shown there, by the rules of its own
    time; None where its class cannot be told. `before` is its row of that channel, where it has one.
    """
    found = class_for(target, "", "", before)
    return None if found is None else terms_of(target, channel, found, published_on=today, today=today, old_rows="keep")


def basis_of(target: Target, class_: publicity.Class, terms: publicity.Terms) -> str:
    """What class and periods rest on, as it is printed; a product default says that it is one."""
    if target.kind != "penalty":
        return terms.basis
    return f"{class_.basis}（{publicity.BASIS_KINDS[class_.basis_kind]}）；{terms.basis}"


def day_of(text: Any) -> date | None:
    """A day of a record's detail, which is text or nothing."""
    return date.fromisoformat(text) if text else None
