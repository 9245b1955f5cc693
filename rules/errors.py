"""What the rules package refuses, and how it says so: what, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class Refused(ValueError):
    """A condition or a points expression that is not of the allowed form.

    It knows what is wrong and what to do, not yet where: the reader of the file adds file and key.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}. {remedy}.")
        self.problem = problem
        self.remedy = remedy


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake in a scheme: the file, the key inside it, what is wrong, and what would mend it."""

    file: str
    key: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.problem}. {self.remedy}."


class SchemeError(Exception):
    """A scheme cannot be used. Holds every mistake that was found, so that one reading mends them all.

    ``file``, ``key``, ``problem`` and ``remedy`` are those of the first mistake.
    """

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        if not self.mistakes:
            raise ValueError("A SchemeError needs at least one mistake.")
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))

    @property
    def file(self) -> str:
        return self.mistakes[0].file

    @property
    def key(self) -> str:
        return self.mistakes[0].key

    @property
    def problem(self) -> str:
        return self.mistakes[0].problem

    @property
    def remedy(self) -> str:
        return self.mistakes[0].remedy


class FrameError(ValueError):
    """A frame handed to the engine lacks a column or has it in another type: a mistake of the caller, not of data."""


class NotInForce(ValueError):
    """A grade was asked for a day on which the scheme has no cuts, so no class can follow."""

    def __init__(self, scheme: str, day: str, since: str) -> None:
        super().__init__(
            f"Scheme {scheme!r} has no cuts in force on {day}, so it cannot give a class for that day. "
            f"Its first cuts hold from {since}: ask for a day on which cuts are in force, or add cuts to scheme.toml."
        )
        self.scheme = scheme
        self.day = day
