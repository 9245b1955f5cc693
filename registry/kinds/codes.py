"""Named code lists: the codes of one authority, of one place or of ours, and what each says."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from registry.cells.personal import mask_personal


@dataclass(frozen=True, slots=True)
class Label:
    """One term in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Term:
    """One entry of a code list. `number` is our own code that it stands for, `severity` what it weighs where the list
    weighs. `words` are other ways to write it."""

    number: int
    zh: str
    en: str
    words: tuple[str, ...] = ()
    severity: int = 0


@dataclass(frozen=True)
class CodeList:
    """A named code list: whose it is, since when it holds, and what each code says.

    `id` is stored beside a code wherever lists differ by place or year: one code means two things in two of them.
    `basis` names the source; a list of our own says so.
    """

    id: str
    title: Label
    terms: Mapping[str, Term]
    basis: str
    since: date | None = None
    until: date | None = None  # first day on which it no longer holds

    @cached_property
    def _exact(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, term in self.terms.items():
            for word in (name, term.zh, term.en, *term.words):
                found.setdefault(folded(word), name)
        return found

    @cached_property
    def _within(self) -> list[tuple[re.Pattern[str], str]]:
        """(word, name), longest first: 工业产品生产许可证 must not be taken for 产品, nor the end of SYSTEMS for EMS."""
        every = {(folded(word), name) for name, term in self.terms.items() for word in (term.zh, *term.words)}
        ordered = sorted((pair for pair in every if len(pair[0]) > 1), key=lambda pair: (-len(pair[0]), pair))
        return [
            (re.compile(_edge(word[0], "(?<!{})") + re.escape(word) + _edge(word[-1], "(?!{})")), name)
            for word, name in ordered
        ]

    def holds(self, on: date | None) -> bool:
        """Whether the list holds on a day; of an undated record that nobody can tell, and it may."""
        if on is None:
            return True
        return (self.since is None or self.since <= on) and (self.until is None or on < self.until)

    def refusal(self, code: str, on: date | None) -> str | None:
        """Why a code of this list cannot stand in a record of a day, with what the list has; None where it can."""
        named = f"The list {self.id} {self.title.zh}"
        if not self.holds(on):
            days = " and ".join(
                said for said in (f"from {self.since}" if self.since else "", f"before {self.until}" if self.until else "") if said
            )  # fmt: skip
            return f"{named} holds {days}, not on {on}. Give the code of the list of that day, or correct the day."
        if code not in self.terms:
            listed = ", ".join(f"{name} {term.zh}" for name, term in self.terms.items())
            return f"{named} has no code {mask_personal(code)[:20]!r}. It has: {listed}."
        return None

    def find(self, text: str, *, within: bool = False) -> str | None:
        """The name of the term that a text is; with `within`, of the longest term that the text contains."""
        found = self._exact.get(folded(text))
        return next(iter(self.named_in(text)), None) if found is None and within else found

    def named_in(self, text: str) -> list[str]:
        """Names of all terms that a text contains, the longest first."""
        plain = folded(text)
        return list(dict.fromkeys(name for word, name in self._within if word.search(plain)))


def _edge(character: str, form: str) -> str:
    """What may not stand beside a word: more letters after a Latin letter, more digits after a digit."""
    if not character.isascii() or not character.isalnum():
        return ""
    return form.format("[0-9]" if character.isdigit() else "[A-Z]")


def folded(text: str) -> str:
    """A term as it is compared: half width, upper case, without blanks."""
    return "".join(unicodedata.normalize("NFKC", text).upper().split())


def labelled(
    id_: str, title: Label, labels: Mapping[int, Label], basis: str, since: date | None = None, until: date | None = None
) -> CodeList:  # fmt: skip
    """A list whose codes are our own numbers."""
    return CodeList(id_, title, {str(n): Term(n, one.zh, one.en) for n, one in labels.items()}, basis, since, until)
