"""A scheme: a folder of TOML, read once, checked as a whole, frozen, and known by the hash of its content.

Use :func:`load` for one folder, :func:`load_files` for texts kept elsewhere, :func:`load_book` for all folders of a book
and :func:`from_content` for a content that was stored. See docs/schemes.md for the form of the files.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rules import content
from rules.compiled import Compiled, compile_for
from rules.content import Source
from rules.dated import Basis, Dated, to_date
from rules.draft import Draft
from rules.errors import Mistake, NotInForce, Refused, SchemeError
from rules.kinds import INDICATORS_FOR, KINDS
from rules.measures import read_indicators
from rules.parts import Cuts, Group, Indicator, Lookup, Matrix, Membership, Rule, Second, Steps, Title, Wanted
from rules.reader import Table
from rules.reading import read_cuts, read_groups, read_members, read_rules, read_wanted
from rules.whole import check_whole, read_head


@dataclass(frozen=True, slots=True, eq=False)
class Scheme:
    """A checked scheme. Two schemes with the same ``hash`` give the same grades.

    ``classes`` go from the best to the worst; groups stand in the order of the page, all else is sorted by id; days are
    integers.
    """

    id: str
    title: Title
    subjects: tuple[str, ...]
    published: str  # a key of `rules.kinds.PUBLISHED`
    cycle: str
    base: int
    lowest: int
    highest: int
    direction: str
    cuts: Dated[Cuts]
    groups: Mapping[str, Group]
    seconds: Mapping[str, Second]
    steps: Mapping[str, Dated[Steps]]
    lookups: Mapping[str, Dated[Lookup]]
    indicators: Mapping[str, Indicator]
    rules: Mapping[str, Rule]
    hash: str  # SHA-256 of `content`
    content: str = field(repr=False)  # canonical JSON of everything that counts
    boundaries: tuple[int, ...]  # days on which any dated value of its own that decides about grades changes
    members: Membership | None = None  # None: everyone of its subjects
    matrices: Mapping[str, Dated[Matrix]] = field(default_factory=dict)
    wanted: Mapping[str, Wanted] = field(default_factory=dict)
    inner: Mapping[str, Scheme] = field(default_factory=dict)  # those whose grade an indicator reads, by id
    indicators_for: str = INDICATORS_FOR[0]
    raises: str = "officer"  # a key of `rules.kinds.RAISES`
    _compiled: dict[tuple[str, int, bool], Compiled] = field(default_factory=dict, repr=False)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.cuts.spans[0].value.classes

    @property
    def rests_on_draft(self) -> bool:
        """Whether any value, of this scheme or of one whose grade it reads, rests on a draft (征求意见稿)."""
        own = any(basis.kind == "draft" for _, basis in self.bases())
        return own or any(one.rests_on_draft for one in self.inner.values())

    def bases(self) -> Iterator[tuple[str, Basis]]:
        """The key and the basis of everything in this scheme that names one, in a fixed order."""
        yield from ((f"group.{id_}", one.basis) for id_, one in self.groups.items() if one.basis is not None)
        for key, dated in self.dated():
            yield from ((key, span.basis) for span in dated.spans)
        yield from ((f"rule.{id_}", one.basis) for id_, one in self.rules.items() if one.basis is not None)

    def dated(self) -> Iterator[tuple[str, Dated[Any]]]:
        """The key and the value of everything in this scheme that is dated, in a fixed order."""
        yield "scheme.cuts", self.cuts
        for sort, tables in (("steps", self.steps), ("lookup", self.lookups), ("matrix", self.matrices)):
            yield from ((f"{sort}.{id_}", one) for id_, one in tables.items())
        for id_, rule in self.rules.items():
            yield from ((f"rule.{id_}.parameter.{name}", one) for name, one in rule.parameters.items())

    def epoch(self, day: int) -> int:
        """Number of the span of days, between two boundaries, in which ``day`` lies; -1 before the first."""
        return bisect_right(self.boundaries, day) - 1

    def compiled(self, subject: str, epoch: int, *, measuring: bool = False) -> Compiled:
        """The scheme for one subject inside one epoch, with every dated value fixed. Made once, then kept.

        With ``measuring`` it has all its indicators and no rules.

        Raises
        ------
        NotInForce
            If no cuts are in force then.
        """
        key = (subject, epoch, measuring)
        if key not in self._compiled:
            first = self.cuts.spans[0].start
            day = self.boundaries[epoch] if epoch >= 0 else self.boundaries[0] - 1
            if self.cuts.at(day) is None:
                raise NotInForce(self.id, to_date(day).isoformat(), to_date(first).isoformat())
            self._compiled[key] = compile_for(self, subject, day, measuring=measuring)
        return self._compiled[key]


def load(folder: Path, kinds: Mapping[str, int] = KINDS, inner: Mapping[str, Scheme] | None = None) -> Scheme:
    """Read and check the scheme in ``folder``. ``inner`` are the schemes whose grade it may read, by id.

    Raises
    ------
    SchemeError
        With every mistake in every file, each with file, key and remedy.
    """
    return load_files(content.files_of(folder), folder.name, kinds, inner)


def load_files(
    files: Mapping[str, str | bytes],
    name: str,
    kinds: Mapping[str, int] = KINDS,
    inner: Mapping[str, Scheme] | None = None,
) -> Scheme:
    """As :func:`load`, from the texts of the files by their path inside the folder; ``name`` stands for the folder."""
    return _built(content.from_files(files, name), kinds, inner or {})


def load_beside(folder: Path, book: Path, kinds: Mapping[str, int] = KINDS) -> Scheme:
    """As :func:`load`, with the schemes of the book ``book`` as those whose grade it may read."""
    source = content.from_files(content.files_of(folder), folder.name)
    return _built(source, kinds, Shelf(book, kinds).beside(source))


def from_content(stored: str, kinds: Mapping[str, int] = KINDS, inner: Mapping[str, Scheme] | None = None) -> Scheme:
    """The scheme of a canonical content that was stored: the same content gives the same hash, byte for byte.

    ``inner`` are the schemes whose grade it reads (:func:`rules.content.inner_of` says which, and their hashes). Other
    versions of them give another scheme, with another hash.

    Raises
    ------
    SchemeError
        If the content was damaged, or an inner scheme or a kind of record that it reads is not given.
    """
    return _built(content.from_content(stored), kinds, inner or {})


def load_book(folder: Path, kinds: Mapping[str, int] = KINDS) -> dict[str, Scheme]:
    """Every scheme of a book by id, in the order of their folders: each folder that holds a ``scheme.toml``.

    A scheme that reads the grade of another is given that other scheme of the same book.

    Raises
    ------
    SchemeError
        With every mistake in every scheme, or if two folders declare the same id.
    """
    shelf = Shelf(folder, kinds)
    schemes = [shelf.scheme(id_) for id_ in shelf.sources]
    if shelf.mistakes:
        raise SchemeError(shelf.mistakes)
    return {scheme.id: scheme for scheme in schemes if isinstance(scheme, Scheme)}


class Shelf:
    """The folders of a book, read when they are asked for.

    ``sources`` are the raw tables by id, ``mistakes`` those of every scheme that was asked for and cannot be used.
    """

    def __init__(self, folder: Path, kinds: Mapping[str, int] = KINDS) -> None:
        self.sources: dict[str, Source] = {}
        self.mistakes: list[Mistake] = []
        self._kinds = kinds
        self._read: dict[str, Scheme | Refused] = {}
        for path in sorted(folder.glob("*/scheme.toml")):
            source = content.from_files(content.files_of(path.parent), path.parent.name)
            id_ = source.id or path.parent.name
            if id_ in self.sources:
                problem = f"duplicate id {id_!r}"
                self.mistakes.append(Mistake(source.main.file, "scheme.id", problem, "Give each scheme its own id"))
                id_ = source.main.file  # read all the same, for its other mistakes
            self.sources[id_] = source

    def scheme(self, id_: str) -> Scheme | Refused:
        """The scheme of that id, or why there is none; its own mistakes are filed in ``mistakes``."""
        if id_ not in self._read:
            self._read[id_] = _circle(id_)  # for whoever asks while it is being read, hence is asked by it
            try:
                source = self.sources[id_]
                self._read[id_] = _built(source, self._kinds, self.beside(source))
            except SchemeError as error:
                self.mistakes.extend(error.mistakes)
                self._read[id_] = Refused(f"names {id_!r}, which has mistakes of its own", "Mend that scheme first")
        return self._read[id_]

    def beside(self, source: Source) -> dict[str, Scheme | Refused]:
        """The schemes of the book that ``source`` reads, by id."""
        return {id_: self.scheme(id_) for id_ in sorted(source.inner & set(self.sources))}


def _built(source: Source, kinds: Mapping[str, int], inner: Mapping[str, Scheme | Refused]) -> Scheme:
    """The scheme of raw tables. Raises SchemeError as :func:`load`."""
    beside = {id_: _circle(id_) if _reads(one, id_, source.id) else one for id_, one in inner.items()}
    draft = Draft(source.mistakes, inner=beside, measures=source.raw_indicators())
    if draft.mistakes:
        raise SchemeError(draft.mistakes)
    main = source.main
    head = Table(main.file, "scheme", main.raw("scheme", "Begin the file with [scheme]"), draft.mistakes)
    scheme = read_head(head)
    read_groups(main, draft)
    scheme["cuts"] = read_cuts(head, **{key: scheme[key] for key in ("lowest", "highest", "direction")})
    classes = scheme["cuts"].spans[0].value.classes if scheme["cuts"].spans else ()
    scheme["members"] = read_members(head, kinds)
    read_wanted(main, draft)
    head.finish()
    main.finish()
    for table in source.indicators:
        read_indicators(table, draft, kinds)
        read_wanted(table, draft)
        table.finish()
    for table in source.rules:
        read_rules(table, draft, scheme["subjects"], classes)
        table.finish()
    if not draft.mistakes:
        check_whole(draft, main, scheme)
    if draft.mistakes:
        raise SchemeError(draft.mistakes)
    deciding: list[Dated[Any]] = [scheme["cuts"], *draft.steps.values(), *draft.lookups.values()]
    deciding += [*draft.matrices.values(), *(one for rule in draft.rules.values() for one in rule.parameters.values())]
    read = {id_: one for id_, one in sorted(inner.items()) if id_ in source.inner and isinstance(one, Scheme)}
    text = source.content({id_: one.hash for id_, one in read.items()})
    return Scheme(
        **scheme,
        groups=draft.groups,
        seconds=draft.seconds,
        steps=dict(sorted(draft.steps.items())),
        lookups=dict(sorted(draft.lookups.items())),
        matrices=dict(sorted(draft.matrices.items())),
        wanted=dict(sorted(draft.wanted.items())),
        inner=read,
        indicators=dict(sorted(draft.indicators.items())),
        rules=dict(sorted(draft.rules.items())),
        hash=hashlib.sha256(text.encode()).hexdigest(),
        content=text,
        boundaries=tuple(sorted(set().union(*(one.edges() for one in deciding)))),
    )


def _reads(one: Scheme | Refused, id_: str, other: str) -> bool:
    """Whether the scheme ``one``, of id ``id_``, is ``other`` or reads its grade, itself or through others."""
    if id_ == other:
        return True
    return isinstance(one, Scheme) and any(_reads(inner, name, other) for name, inner in one.inner.items())


def _circle(id_: str) -> Refused:
    return Refused(f"names {id_!r}, which would read the grade of this scheme", "Let no scheme read its own grade")
