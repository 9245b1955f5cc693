"""What a draw refuses, for all who make draws; and the texts that they share."""

from registry.cells.personal import mask_personal
from registry.errors import RegistryError

LONGEST_TEXT, LONGEST_WITNESS = 2_000, 2_000
# What was thrown, and by whom, takes more than a word: a word that somebody thinks of can be chosen. A product default 产品默认值.
SHORTEST_WITNESS = 6
STATES = {"committed": "已承诺，待抽取", "drawn": "已抽取", "revealed": "已公开", "void": "已作废"}


class DrawNotFound(RegistryError):
    """There is no such draw, or not of the organ and the divisions of who asks."""

    code = "draw_not_found"
    status = 404

    def __init__(self, number: int) -> None:
        super().__init__(
            f"There is no draw {number}. `xinheng draw list`, GET /api/v1/draws and GET /api/v1/public/draws show those that there are."
        )


class DrawConflict(RegistryError):
    """What was asked for does not follow from where the draw stands, or the task has another draw."""

    code = "draw_conflict"
    status = 409


class DrawRefused(RegistryError):
    """A draw, or a step of one, that lacks something or asks for what no draw may do."""

    code = "draw_refused"
    status = 422


class NothingToDraw(RegistryError):
    """Nobody fits, or everybody who fits is left out."""

    code = "nothing_to_draw"
    status = 422


class NoTeam(RegistryError):
    """At least two inspectors of each organ cannot be found for every visit."""

    code = "not_enough_inspectors"
    status = 422


def words(text: str, name: str, what: str, longest: int = LONGEST_TEXT) -> str:
    """A text that is kept, personal numbers masked. Raises DrawRefused where it is empty; `what` says what it should say."""
    if not text.strip():
        raise DrawRefused(f"The text `{name}` is missing. Say {what}.")
    return mask_personal(text.strip())[:longest]


def spoken(text: str) -> str:
    """The words of a witness exactly as they are bound, without the blanks around them.

    Raises DrawRefused where there are fewer than six characters besides blanks, more than 2,000, or part of them reads as a
    personal number: that would be masked, and what is bound would not be what was spoken.
    """
    said = text.strip()
    if len("".join(said.split())) < SHORTEST_WITNESS:
        raise DrawRefused(
            f"The text `witness` must hold at least {SHORTEST_WITNESS} characters besides blanks. Say what was thrown or drawn in public "
            "after the announcement, by whom, and when."
        )
    if len(said) > LONGEST_WITNESS:
        raise DrawRefused(f"The text `witness` has {len(said):,} characters and may have {LONGEST_WITNESS:,}. Say it shorter; nothing was bound.")  # fmt: skip
    if mask_personal(said) != said:
        raise DrawRefused(
            "Part of the text `witness` reads as a personal number and would not be kept as it was spoken. Leave numbers of persons "
            "out, and put blanks between the figures that were thrown. Nothing was bound."
        )
    return said
