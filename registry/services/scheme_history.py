"""What held when: the activations of a scheme with the people behind them, its kept contents, and how either becomes files."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from registry import clock
from registry.config import Settings
from registry.database import execute
from registry.errors import UnknownScheme
from registry.models import SchemeProposal, SchemeVersion
from registry.services import book, scheme_files, scheme_proposals
from rules import content as contents
from rules.scheme import Scheme

STEP = "scheme_activated"


@dataclass(frozen=True, slots=True)
class Activation:
    """From which day until which one content held. ``until`` is exclusive, None while nothing follows.

    ``superseded``: another content was activated later for the same day, so this one never held on any.
    """

    seq: int
    scheme: str
    hash: str
    from_day: date
    until: date | None
    superseded: bool
    proposal: int
    proposer: str
    approvers: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class History:
    """``activations``, the newest first; ``shipped`` is the hash of the book's content, which holds before the first of them
    where `[grading] as_shipped` names the scheme (None: not in the book). ``kept`` are (hash, ledger number at its first
    use) of every content that was used or checked."""

    scheme: str
    shipped: str | None
    as_shipped: bool
    activations: tuple[Activation, ...]
    kept: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Coming:
    """A content that was activated and begins later."""

    scheme: str
    hash: str
    from_day: date
    proposal: int


@dataclass(frozen=True, slots=True)
class Exported:
    """Files of a scheme. Not ``whole``: made from the canonical content, which has no worked cases and no comments."""

    scheme: str
    hash: str
    files: dict[str, str]
    whole: bool


def history(settings: Settings, name: str) -> History:
    """Everything that held, will hold or was kept of a scheme. Three queries. Raises UnknownScheme."""
    if book.NAME.fullmatch(name) is None:
        raise book.unknown(settings, name)
    rows = execute(
        "SELECT a.known, v.hash, a.from_day, a.proposal_id, p.proposed_by, CAST(r.detail AS text), m.at FROM scheme_activation a "
        "JOIN scheme_version v ON v.id = a.version_id JOIN scheme_proposal p ON p.id = a.proposal_id "
        "LEFT JOIN record r ON r.seq = a.known LEFT JOIN moment m ON m.seq = "
        "(SELECT min(seq) FROM moment WHERE seq >= a.known) WHERE a.scheme = ? ORDER BY a.from_day, a.known",
        (name,),
    ).fetchall()
    found: list[Activation] = []
    for at, (seq, hash_, day, proposal, proposer, detail, moment) in enumerate(rows):
        following = next((later[2] for later in rows[at + 1 :] if later[2] > day), None)
        over = at + 1 < len(rows) and rows[at + 1][2] == day
        said = orjson.loads(detail or "{}")
        found.append(
            Activation(
                seq, name, hash_, clock.day_of(day), None if following is None else clock.day_of(following), over, proposal,
                proposer, tuple(said.get("approvers", ())), moment or 0,
            )
        )  # fmt: skip
    shipped = book.shipped(settings).get(name)
    kept = SchemeVersion.select(SchemeVersion.hash, SchemeVersion.first_seq).where(SchemeVersion.scheme == name)
    versions = tuple((row.hash, row.first_seq) for row in kept.order_by(SchemeVersion.id))
    if not found and shipped is None and not versions:
        raise UnknownScheme(
            f"There is no scheme {name!r}, and there never was one. `xinheng scheme list` names those there are."
        )
    standing = name in (settings.grading.scheme, *book.as_shipped(settings))
    return History(name, None if shipped is None else shipped.hash, standing, tuple(reversed(found)), versions)


def export(settings: Settings, text: str, *, on: date) -> Exported:
    """The files of a proposal (its number, or `proposal:7`), or of any content that :func:`book.resolve` knows.

    A content that was proposed once has its proposal's files, and that of the book the book's, worked cases and comments
    too. Of any other only the canonical content is kept: its files say so. Raises UnknownScheme, ProposalNotFound.
    """
    number = text.removeprefix("proposal:")
    if number.isascii() and number.isdigit():
        proposal = scheme_proposals.get(int(number))
        return Exported(proposal.scheme, scheme_proposals.hash_of(proposal) or "", dict(proposal.files), True)
    scheme = book.resolve(settings, text, on=on)
    whole = _files_of(settings, scheme)
    return Exported(scheme.id, scheme.hash, whole or scheme_files.as_toml(scheme.content), whole is not None)


def coming(today: date) -> list[Coming]:
    """What is activated for a day after `today`, the next first; of two contents for one day the later decided one. One query."""
    rows = execute(
        "SELECT a.scheme, v.hash, a.from_day, a.proposal_id FROM scheme_activation a JOIN scheme_version v ON v.id = a.version_id "
        "WHERE a.from_day > ? ORDER BY a.from_day, a.scheme, a.known",
        (clock.day_number(today),),
    ).fetchall()
    last = {(name, day): Coming(name, hash_, clock.day_of(day), number) for name, hash_, day, number in rows}
    return list(last.values())


def _files_of(settings: Settings, scheme: Scheme) -> dict[str, str] | None:
    """The files that this content was read from, where they are kept."""
    wanted = _alone(scheme.content)
    shipped = book.shipped(settings).get(scheme.id)
    if shipped is not None and _alone(shipped.content) == wanted:
        for path in sorted(settings.path(settings.grading.book).glob("*/scheme.toml")):
            files = scheme_files.read(path.parent)
            if contents.from_files(files, path.parent.name).id == scheme.id:
                return files
    proposals = SchemeProposal.select().where(
        (SchemeProposal.scheme == scheme.id) & SchemeProposal.version.is_null(False)
    )
    for proposal in proposals.order_by(SchemeProposal.id.desc()):
        if proposal.version is not None and _alone(proposal.version.content) == wanted:
            return dict(proposal.files)
    return None


def _alone(content: str) -> str:
    """A content without what it was used over: the files of a scheme do not say which content of another it reads."""
    return json.dumps({key: value for key, value in json.loads(content).items() if key != "inner"}, sort_keys=True)


def differences() -> Iterator[tuple[str, int]]:
    """Hold the activations, and every kept content, against the ledger: (what is wrong, ledger row or 0), nothing where all is in
    order. For the tamper check."""
    said: dict[int, tuple[Any, ...]] = {}
    for seq, detail, about in execute(
        "SELECT seq, CAST(detail AS text), about FROM record WHERE act = 'step' AND kind = ? ORDER BY seq", (STEP,)
    ).fetchall():
        try:
            row = orjson.loads(detail)
            day = clock.day_number(date.fromisoformat(row["from_day"]))
            said[seq] = (row["scheme"], row["hash"], day, row["proposal"])
            whole = row["hash"][:32] == about
        except (ValueError, KeyError, TypeError):
            whole = False
        if not whole:
            yield "is a step that activates a scheme, and cannot be read.", seq
    held = {
        row[0]: tuple(row[1:])
        for row in execute(
            "SELECT a.known, a.scheme, v.hash, a.from_day, a.proposal_id FROM scheme_activation a "
            "JOIN scheme_version v ON v.id = a.version_id"
        ).fetchall()
    }
    for seq in sorted(set(said) | set(held)):
        if said.get(seq) != held.get(seq):
            yield "says which scheme holds from which day, and the table of activations says something else.", seq
    for scheme, hash_, content in execute("SELECT scheme, hash, content FROM scheme_version ORDER BY id").fetchall():
        if hashlib.sha256(content.encode()).hexdigest() != hash_:
            yield (
                f"The kept content {hash_[:12]} of scheme {scheme} is not the content that it is called by: it was changed.",
                0,
            )
