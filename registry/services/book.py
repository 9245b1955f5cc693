"""Which content of which scheme holds on a day: what officers have activated, else the book as it was shipped.

A scheme that was in force once is kept by the hash of its content, and can be used again for any past day.
"""

import re
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

from registry import clock
from registry.config import Settings
from registry.database import execute, session, write
from registry.errors import BadScheme, RegistryError, UnknownScheme
from registry.kinds import NUMBERS
from registry.models import SchemeProposal, SchemeVersion
from registry.services import ledger
from rules.content import inner_of
from rules.errors import SchemeError
from rules.scheme import Scheme, from_content, load, load_book

# The grades of a proposal that is tried beside what holds stand under this and its number, and mean nothing.
SHADOW = "shadow-"
# Later than any number of the ledger.
NEWEST = 2**62
# Proposals in these states may be graded alongside.
TRIED = ("checked", "compared", "approved")
# What a scheme may be called at all: nothing else is asked of the database.
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
# The number of a proposal, within what the table can hold.
_NUMBER = re.compile(r"[0-9]{1,9}")


class DraftBySetting(RegistryError):
    """A setting lets a scheme hold that rests on a draft, which only two officers may, each confirming that it is not law."""

    code = "draft_by_setting"


def numbers() -> dict[str, int]:
    """The number of every kind of fact, by name: what a scheme may count."""
    return dict(NUMBERS)


@cache
def _shipped(folder: Path) -> dict[str, Scheme]:
    try:
        return load_book(folder, numbers())
    except SchemeError as error:
        raise BadScheme(str(error)) from error


@cache
def _drafts(folder: Path) -> frozenset[str]:
    """Ids of the schemes of the book that rest on a draft: every post asks, and looking through all bases takes long."""
    return frozenset(name for name, one in _shipped(folder).items() if one.rests_on_draft)


def shipped(settings: Settings) -> dict[str, Scheme]:
    """Every scheme of the book by id; read once per process. Needs no database. Raises BadScheme, naming all mistakes."""
    return _shipped(settings.path(settings.grading.book))


def in_force(settings: Settings, name: str | None = None, *, on: date | None, known: int | None = None) -> Scheme:
    """The scheme of that id (default: `[grading] scheme`) as it holds on a day, by what was known at `known` (default: now).

    Without a day it is the content that was activated last. A scheme that nobody has activated is that of the book,
    over the inner schemes that hold. `shadow-7` is proposal 7. Raises UnknownScheme, listing what there is.
    """
    wanted = name or settings.grading.scheme
    with session():
        if wanted.startswith(SHADOW):
            return _shadow(settings, wanted, on, known)
        content = _activated(wanted, on, known) if NAME.fullmatch(wanted) else None
        if content is None:
            book = shipped(settings)
            if wanted not in book:
                raise unknown(settings, wanted)
            found = book[wanted]
            if not found.inner:
                return found
            content = found.content
        return _read(content, _inner(settings, content, on, known))


def unknown(settings: Settings, name: str) -> UnknownScheme:
    """That there is no scheme of that id, and which there are."""
    return UnknownScheme(
        f"There is no scheme {name[:64]!r}. Schemes are: {', '.join(sorted({*shipped(settings), *_ever_activated()}))}."
    )


def schemes_in_force(settings: Settings, *, on: date | None = None) -> list[str]:
    """Ids of every scheme that grades on a day: as shipped, activated, and proposals tried in the shadow.

    Without a day those activated for later are among them: what is said of an entity marks it for them too. Raises
    UnknownScheme and DraftBySetting where a setting names what may not hold by it.
    """
    with session():
        shadows = execute(
            f"SELECT id FROM scheme_proposal WHERE shadow AND state IN ({', '.join('?' * len(TRIED))}) ORDER BY id",  # noqa: S608
            TRIED,
        ).fetchall()
        activated = _ever_activated(on)
        if settings.grading.scheme not in activated:
            _holds_by_setting(settings, "scheme", settings.grading.scheme)
        ids = dict.fromkeys([settings.grading.scheme, *as_shipped(settings), *activated])
    return [*ids, *(f"{SHADOW}{number}" for (number,) in shadows)]


def as_shipped(settings: Settings) -> list[str]:
    """Ids of `[grading] as_shipped`: schemes of the book that hold without an activation. Raises UnknownScheme, and
    DraftBySetting for one that rests on a draft."""
    found = [one.strip() for one in settings.grading.as_shipped.split(",") if one.strip()]
    book = shipped(settings)
    for one in found:
        if one not in book:
            raise UnknownScheme(f"[grading] as_shipped names {one!r}, and the book has: {', '.join(book)}.")
        _holds_by_setting(settings, "as_shipped", one)
    return found


def _holds_by_setting(settings: Settings, setting: str, name: str) -> None:
    if name in _drafts(settings.path(settings.grading.book)):
        raise DraftBySetting(
            f"[grading] {setting} names {name!r}, which rests on a draft 征求意见稿: that is not law, and no setting lets it hold. "
            f"Take it out of [grading] {setting}, then let two officers confirm and approve it: `xinheng scheme export "
            f"book:{name} FOLDER`, `xinheng scheme propose FOLDER`."
        )


def graded_as_of(name: str | None, today: date) -> date:
    """The day as of which a run of today grades a scheme: today. A trial is graded as of the first day of its proposal while
    that is still to come: what begins on that day is what is tried, and its grades have no effect on any day."""
    if name is None or not name.startswith(SHADOW) or _NUMBER.fullmatch(name.removeprefix(SHADOW)) is None:
        return today
    row = SchemeProposal.get_or_none(SchemeProposal.id == int(name.removeprefix(SHADOW)))
    return today if row is None else max(today, clock.day_of(row.from_day))


def is_shadow(scheme: Scheme) -> bool:
    """Whether the grades of this scheme are a trial, without history and without effect."""
    return scheme.id.startswith(SHADOW)


def made_of(scheme: Scheme) -> list[str]:
    """Ids of the scheme and of all whose grades it reads: a class that a person set under one of them moves its grade."""
    return [scheme.id, *(name for inner in scheme.inner.values() for name in made_of(inner))]


def tried_for(scheme: Scheme) -> str:
    """Id of the scheme that a trial would replace."""
    found: str = SchemeProposal.get_by_id(int(scheme.id.removeprefix(SHADOW))).scheme
    return found


def resolve(settings: Settings, text: str, *, on: date | None, folders: bool = False) -> Scheme:
    """The scheme that a person names: `general-risk` (as it holds on the day), `general-risk@1a2b3c` (a kept content by the
    beginning of its hash), `book:general-risk` (as shipped), `proposal:7`, and with `folders` a folder of files.

    Raises UnknownScheme, saying what may be written; BadScheme where a folder has mistakes.
    """
    with session():
        if text.startswith("proposal:") and _NUMBER.fullmatch(text[9:]):
            return _proposed(settings, int(text[9:]), on, None)
        if text.startswith("book:"):
            book = shipped(settings)
            if text[5:] in book:
                return book[text[5:]]
            raise UnknownScheme(f"The book has no scheme {text[5:]!r}. It has: {', '.join(book)}.")
        name, _, prefix = text.partition("@")
        if prefix:
            return _by_prefix(settings, name, prefix)
        if folders and (Path(text) / "scheme.toml").is_file():
            try:
                return load(Path(text), numbers(), {**shipped(settings)})
            except SchemeError as error:
                raise BadScheme(str(error)) from error
        try:
            return in_force(settings, text, on=on)
        except UnknownScheme as error:
            if not folders:
                raise
            raise UnknownScheme(
                f"{error.detail} Nor is {text[:200]!r} a folder with a scheme.toml: write the path of one, seen from here."
            ) from error


def version_of(scheme: Scheme) -> int:
    """The number under which this content of the scheme is kept; it, and what it is over, is kept now if it is new."""
    kept = "SELECT id FROM scheme_version WHERE hash = ?"
    found = execute(kept, (scheme.hash,)).fetchone()
    if found is None:
        for inner in scheme.inner.values():
            version_of(inner)
        with write():
            execute(
                "INSERT INTO scheme_version (scheme, hash, content, first_seq) VALUES (?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING",
                (scheme.id, scheme.hash, scheme.content, ledger.head()),
            )
        found = execute(kept, (scheme.hash,)).fetchone()
    return int(found[0])


def scheme_of_version(number: int) -> Scheme:
    """The scheme of a kept content, over the very contents that it was over then. Raises UnknownScheme."""
    row = SchemeVersion.get_or_none(SchemeVersion.id == number)
    if row is None:
        raise UnknownScheme(f"No content of a scheme is kept under number {number}.")
    return _kept(row.content)


def _kept(content: str) -> Scheme:
    inner: dict[str, Scheme] = {}
    for name, digest in inner_of(content).items():
        row = SchemeVersion.get_or_none(SchemeVersion.hash == digest)
        if row is None:
            raise UnknownScheme(f"The content {digest[:12]} of {name}, over which this scheme was used, is not kept.")
        inner[name] = _kept(row.content)
    return _read(content, inner)


_READ: dict[tuple[str, tuple[str, ...]], Scheme] = {}


def _read(content: str, inner: dict[str, Scheme]) -> Scheme:
    """The scheme of a content, read once per process for each set of inner schemes."""
    key = (content, tuple(one.hash for _, one in sorted(inner.items())))
    if key not in _READ:
        _READ[key] = from_content(content, numbers(), inner or None)
    return _READ[key]


def _inner(settings: Settings, content: str, on: date | None, known: int | None) -> dict[str, Scheme]:
    return {name: in_force(settings, name, on=on, known=known) for name in inner_of(content)}


def _activated(name: str, on: date | None, known: int | None) -> str | None:
    day = clock.day_number(date.max if on is None else on)
    row = execute(
        "SELECT v.content FROM scheme_activation a JOIN scheme_version v ON v.id = a.version_id "
        "WHERE a.scheme = ? AND a.from_day <= ? AND a.known <= ? ORDER BY a.from_day DESC, a.known DESC LIMIT 1",
        (name, day, NEWEST if known is None else known),
    ).fetchone()
    return None if row is None else str(row[0])


def activated_since(scheme: Scheme, *, after: tuple[int, int], until: tuple[int, int]) -> bool:
    """Whether another content of the scheme, or of one that it reads, may hold on a day, by what was known then (`until`: day
    and ledger number), that did not on an earlier day, or was not known yet (`after`)."""
    names = made_of(scheme)
    sql = (
        f"SELECT 1 FROM scheme_activation WHERE scheme IN ({', '.join('?' * len(names))}) AND from_day <= ? AND known <= ? "  # noqa: S608
        "AND NOT (from_day <= ? AND known <= ?)"
    )
    return execute(sql, (*names, *until, *after)).fetchone() is not None


def _ever_activated(on: date | None = None) -> list[str]:
    sql = "SELECT DISTINCT scheme FROM scheme_activation WHERE from_day <= ? ORDER BY scheme"
    day = clock.day_number(date.max if on is None else on)
    return [row[0] for row in execute(sql, (day,)).fetchall()]


def _shadow(settings: Settings, name: str, on: date | None, known: int | None) -> Scheme:
    number = name.removeprefix(SHADOW)
    if _NUMBER.fullmatch(number) is None:
        raise UnknownScheme(f"{name[:64]!r} is no shadow scheme: after {SHADOW!r} stands the number of a proposal.")
    found = _proposed(settings, int(number), on, known)
    return replace(found, id=name)


def _proposed(settings: Settings, number: int, on: date | None, known: int | None) -> Scheme:
    row = SchemeProposal.get_or_none(SchemeProposal.id == number)
    if row is None or row.version is None:
        raise UnknownScheme(
            f"There is no proposal {number} whose content was checked. `xinheng scheme proposals` lists those there are."
        )
    content = row.version.content
    return _read(content, _inner(settings, content, on, known))


def _by_prefix(settings: Settings, name: str, prefix: str) -> Scheme:
    rows = [
        row
        for row in SchemeVersion.select().where(SchemeVersion.scheme == name).order_by(SchemeVersion.id)
        if row.hash.startswith(prefix.lower())
    ]
    one = shipped(settings).get(name)
    if not rows and one is not None and one.hash.startswith(prefix.lower()):
        return one
    if len(rows) != 1:
        said = "several kept contents begin so" if rows else "no kept content begins so"
        raise UnknownScheme(
            f"{name}@{prefix}: {said}. `xinheng scheme history {name}` lists them; write more of the hash."
        )
    return _kept(rows[0].content)
