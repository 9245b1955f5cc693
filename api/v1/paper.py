"""What the views of lists and documents share: the caller's desk, and who may read cases and documents at all."""

from typing import Any

from peewee import Model

from api.auth import caller
from api.context import here
from api.errors import MissingScope
from registry.services import documents
from registry.services.documents import Desk

# Whoever works on lists, repairs or publication; drafts and withdrawn listings are nobody else's business.
INSIDERS = ("listings:propose", "listings:audit", "repairs:decide", "records:review")


def desk() -> Desk:
    """Where the caller works: his organ, as the file of organs describes it. Raises UnknownOrgan."""
    at, who = here(), caller()
    return documents.desk(
        at.settings, organ=who.organ, actor=who.actor, today=at.today(), now=at.now(), schemes=at.schemes
    )


def row(model: Model) -> dict[str, Any]:
    """Every column of a row by name, also those that were left empty when it was made; references as their numbers."""
    found = model._meta.sorted_fields
    return {field.name: getattr(model, getattr(field, "object_id_name", field.name)) for field in found}


def insider(what: str) -> None:
    """Raise MissingScope unless the caller works on such papers. `what` begins the sentence."""
    if not any(caller().may(scope) for scope in INSIDERS):
        raise MissingScope(INSIDERS[0], what)
