"""Delivery 送达 of documents: each attempt is on record, and the one that succeeded starts the clock of the remedies."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from registry.cells.personal import mask_personal
from registry.errors import RegistryError
from registry.models import Delivery, Document, Entity
from registry.publicity import add_months
from registry.services import audit, documents, ledger, workdays
from registry.services.documents import Desk
from registry.services.ledger import Pen

METHODS = {
    "direct": "直接送达",
    "post": "邮寄送达",
    "electronic": "电子送达",
    "special_letter": "专用信函",
    "public_notice": "公告送达",
    "left": "留置送达",
}
LETTER = "contact_letter"
# Civil Procedure Law (2023), Art. 95, which the Administrative Penalty Law, Art. 61, refers to: delivered after 30 days.
NOTICE_DAYS = 30
# Administrative Reconsideration Law (2023), Art. 20; Administrative Litigation Law, Art. 46.
RECONSIDERATION_DAYS = 60
LAWSUIT_MONTHS = 6
# Order 68, Art. 9: two special letters, 15 to 30 days apart.
APART = (15, 30)


class DeliveryConflict(RegistryError):
    code = "delivery_conflict"
    status = 409


class DeliveryNotFound(RegistryError):
    code = "delivery_not_found"
    status = 404


class BadDelivery(RegistryError):
    code = "bad_delivery"
    status = 422


@dataclass(frozen=True, slots=True)
class Remedies:
    """Until when a party may ask for reconsideration 行政复议 and sue 行政诉讼: the last day of each."""

    delivered_on: date
    reconsider_by: date
    sue_by: date


@dataclass(frozen=True, slots=True)
class Uncontactable:
    """A party to whom two special letters in a row could not be delivered, with the two days on which they were sent."""

    entity: int
    address: str
    first_on: date
    second_on: date
    letters: tuple[str, str]


def send(document: Document, *, method: str, sent_on: date, desk: Desk) -> tuple[Delivery, bool]:
    """Put on record that a document was sent; returns the delivery and whether it is new. Safe to repeat.

    Raises BadDelivery for an unknown method or a day that cannot be, DeliveryConflict where it was delivered already.
    """
    if method not in METHODS:
        raise BadDelivery(f"There is no method of delivery {method!r}. Methods are: {', '.join(METHODS)}.")
    _own(document, desk)
    if not document.issued_on <= sent_on <= desk.today:
        raise BadDelivery(
            f"{document.printed_no} cannot have been sent on {sent_on}: it was issued on {document.issued_on}, and today is {desk.today}. "
            "Give a day between the two."
        )
    with ledger.writing(now=desk.now, schemes=desk.schemes) as pen:
        same = (Delivery.document == document) & (Delivery.method == method) & (Delivery.sent_on == sent_on)
        if (before := Delivery.get_or_none(same)) is not None:
            return before, False
        if (done := delivered(document)) is not None:
            raise DeliveryConflict(f"{document.printed_no} was delivered on {done.delivered_on}. It is not sent again.")
        made = Delivery.create(
            document=document, method=method, sent_on=sent_on, noted_by=desk.actor, noted_at=desk.now
        )  # fmt: skip
        _step(pen, "delivery_sent", document, made, sent_on, {"method": method}, desk)
        return made, True


def succeeded(number: int, *, delivered_on: date, proof: str, desk: Desk) -> tuple[Delivery, bool]:
    """Put on record that a delivery reached its party: the clock of the remedies starts. Safe to repeat.

    `proof` says what shows it (receipt, tracking number, photograph, consent to electronic delivery …). Raises
    BadDelivery and DeliveryConflict.
    """
    with ledger.writing(now=desk.now, schemes=desk.schemes) as pen:
        made, document = _found(number, desk)
        if not proof.strip():
            raise BadDelivery(
                "Say what proves the delivery: receipt, tracking number, photograph, place of the notice."
            )
        if not made.sent_on <= delivered_on <= desk.today:
            raise BadDelivery(
                f"Delivery {number} was sent on {made.sent_on}, and today is {desk.today}: it cannot have arrived on {delivered_on}."
            )
        if made.method == "public_notice" and delivered_on < made.sent_on + timedelta(days=NOTICE_DAYS):
            raise BadDelivery(
                f"A public notice of {made.sent_on} counts as delivered after {NOTICE_DAYS} days, on "
                f"{made.sent_on + timedelta(days=NOTICE_DAYS)} at the earliest. Record it then."
            )
        if made.delivered_on == delivered_on:
            return made, False
        _open(made)
        if (done := delivered(document)) is not None:
            raise DeliveryConflict(
                f"{document.printed_no} was delivered on {done.delivered_on}, as delivery {done.id}."
            )
        made.delivered_on, made.proof = delivered_on, mask_personal(proof.strip())[:200]
        made.save()
        said = {"method": made.method, "delivered_on": delivered_on.isoformat(), "proof": made.proof}
        _step(pen, "delivery_done", document, made, delivered_on, said, desk)
        return made, True


def failed(number: int, *, because: str, desk: Desk) -> tuple[Delivery, bool]:
    """Put on record that a delivery did not reach its party, and why. Safe to repeat. Raises DeliveryConflict."""
    with ledger.writing(now=desk.now, schemes=desk.schemes) as pen:
        made, document = _found(number, desk)
        reason = mask_personal(because.strip())
        if not reason:
            raise BadDelivery("Say why the delivery failed, for example: no such addressee, returned unsigned.")
        if made.failed_because == reason:
            return made, False
        _open(made)
        made.failed_because = reason
        made.save()
        _step(pen, "delivery_failed", document, made, desk.today, {"method": made.method, "because": reason}, desk)
        return made, True


def delivered(document: Document) -> Delivery | None:
    """The delivery by which a document reached its party, if it did."""
    found = Delivery.get_or_none((Delivery.document == document) & Delivery.delivered_on.is_null(False))
    assert found is None or isinstance(found, Delivery)
    return found


def of(document: Document) -> list[Delivery]:
    """Every attempt to deliver a document, oldest first."""
    return list(Delivery.select().where(Delivery.document == document).order_by(Delivery.id))


def remedies(document: Document) -> Remedies | None:
    """Until when its party may ask for reconsideration and sue; None while it is not delivered, or has no such clause.

    The day of delivery does not count. Where the last day is a holiday, the first working day after it is the last.
    """
    done = delivered(document)
    if done is None or done.delivered_on is None or "reconsideration" not in document.variables:
        return None
    on: date = done.delivered_on
    return Remedies(on, _last(on + timedelta(days=RECONSIDERATION_DAYS)), _last(add_months(on, LAWSUIT_MONTHS)))


def uncontactable(today: date, *, organ: str | None = None) -> list[Uncontactable]:
    """Parties that two special letters 专用信函 in a row, 15 to 30 days apart, did not reach: candidates for ground 4.

    A letter counts as failed once that is on record; one still under way proves nothing. A letter that was signed for in
    between breaks the pair, and so does a change of the registered address: the new one was never tried.
    """
    rows = (
        Delivery.select(
            Document.entity, Delivery.sent_on, Delivery.delivered_on, Delivery.failed_because, Document.variables, Document.printed_no
        )
        .join(Document)
        .where((Document.type == LETTER) & (Delivery.method == "special_letter") & (Delivery.sent_on <= today))
        .order_by(Document.entity, Delivery.sent_on, Delivery.id)
    )  # fmt: skip
    if organ is not None:
        rows = rows.where(Document.organ == organ)
    tried: dict[int, list[tuple[date, bool, str, str]]] = {}
    for entity, sent_on, arrived, because, variables, printed_no in _tuples(rows):
        if arrived is not None or because:
            letter = (sent_on, arrived is not None, variables.get("address", ""), printed_no)
            tried.setdefault(entity, []).append(letter)
    addresses: dict[int, str] = {}
    if tried:
        addresses.update(_tuples(Entity.select(Entity.id, Entity.address).where(Entity.id.in_(list(tried)))))
    found = (_pair(entity, letters, addresses.get(entity, "")) for entity, letters in tried.items())
    return [one for one in found if one is not None]


def _pair(entity: int, letters: Sequence[tuple[date, bool, str, str]], address: str) -> Uncontactable | None:
    """The newest two failed letters to the present address, none signed for since the first of them."""
    found: Uncontactable | None = None
    for at, (second_on, signed, to, second) in enumerate(letters):
        if signed or to != (address or documents.UNSTATED):
            found = None
            continue
        for first_on, was_signed, to_first, first in reversed(letters[:at]):
            if was_signed:
                break
            if to_first == to and APART[0] <= (second_on - first_on).days <= APART[1]:
                found = Uncontactable(entity, address, first_on, second_on, (first, second))
                break
    return found


def _tuples(query: Any) -> Iterable[Any]:
    """The rows of a query as tuples, values as Python has them."""
    rows: Iterable[Any] = query.tuples()
    return rows


def _last(day: date) -> date:
    """The last day of a term of the party's: moved on past holidays as far as the calendar is known."""
    while workdays.known(day.year) and not workdays.is_working(day):
        day += workdays.ONE
    return day


def _found(number: int, desk: Desk) -> tuple[Delivery, Document]:
    made = Delivery.get_or_none(Delivery.id == number)
    document = None if made is None else Document.get(Document.id == made.document_id)
    if made is None or document is None or document.organ != desk.organ.name:
        raise DeliveryNotFound(f"{desk.organ.name} has no delivery {number}. A document shows its deliveries.")
    return made, document


def _own(document: Document, desk: Desk) -> None:
    if document.organ != desk.organ.name:
        raise DeliveryConflict(f"{document.printed_no} is a document of {document.organ}: that organ delivers it.")


def _open(made: Delivery) -> None:
    if made.delivered_on is not None or made.failed_because:
        ended = f"reached its party on {made.delivered_on}" if made.delivered_on else "failed"
        raise DeliveryConflict(f"Delivery {made.id} {ended}. Send the document again, as a new delivery.")


def _step(pen: Pen, name: str, document: Document, made: Delivery, on: date, said: dict[str, str], desk: Desk) -> None:
    about = document.about or f"document:{document.id}"
    pen.step(
        name, about=about, entity=document.entity, key=[document.printed_no, made.id], on=on,
        detail={"number": document.printed_no, **said}, by=desk.actor,
    )  # fmt: skip
    audit.note(f"document.{name}", actor=desk.actor, subject=f"document {document.id}", now=desk.now, delivery=made.id)
