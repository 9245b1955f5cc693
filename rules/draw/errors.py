"""What a draw refuses: what, where, and what to do."""

from __future__ import annotations


class DrawError(ValueError):
    """A draw was asked for in a way that no draw can be made: a mistake in what was handed over, named in the message."""


class NotEnoughInspectors(DrawError):
    """No team can be made for a group of visits.

    ``codes`` are the credit codes of the group, ``area`` the division that it lies in, ``organ`` the organ that lacks inspectors,
    ``needed`` how many it must send; ``there_are`` of the pool suit the area, ``suitable`` of these have no conflict of
    interest with anybody in the group, and ``free`` of these have a day left.
    """

    def __init__(
        self, codes: tuple[str, ...], area: str, organ: str, *, needed: int, there_are: int, suitable: int, free: int
    ) -> None:
        whom = codes[0] if len(codes) == 1 else f"{codes[0]} and {len(codes) - 1} more"
        super().__init__(
            f"No team can visit {whom} (division {area or 'unknown'}): {organ} must send {needed} inspector(s), {there_are} of its pool "
            f"may work there, {suitable} of them have no conflict of interest, and {free} of those have a day left. "
            "Widen the pool, extend the days of the task, or take fewer entities, and commit to the draw anew."
        )
        self.codes = codes
        self.area = area
        self.organ = organ
        self.needed = needed
        self.there_are = there_are
        self.suitable = suitable
        self.free = free
