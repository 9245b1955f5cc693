"""Mappings: how the columns of a file become the fields of a kind. A mapping is a TOML file, beside this one or saved by a
place in its own folder (`[import] mappings`)."""

import difflib
from collections.abc import Collection, Iterable
from collections.abc import Mapping as Named
from functools import cache
from pathlib import Path

from registry.cells.personal import mask_personal
from registry.errors import BadFile
from registry.mappings.form import READS, Column, Mapping, Order, Read, clean_heading, load, parse, same_heading

# How much of a header a message shows.
MOST_SHOWN, LONGEST_SHOWN = 12, 40
FOLDER = Path(__file__).parent


@cache
def shipped() -> dict[str, Mapping]:
    """Every mapping that comes with the product, by id."""
    return {mapping.id: mapping for mapping in (load(path) for path in sorted(FOLDER.glob("*.toml")))}


def known(folder: Path | None = None) -> dict[str, Mapping | BadFile]:
    """Shipped mappings and those saved in `folder`, by id. A saved one that cannot be used stands there as its error.

    A saved mapping never takes the place of a shipped one: it is an error that says so.
    """
    found: dict[str, Mapping | BadFile] = dict(shipped())
    for path in sorted(folder.glob("*.toml")) if folder is not None and folder.is_dir() else ():
        if path.stem in shipped():
            found[f"{path.stem} (saved)"] = clash(path.stem)
            continue
        try:
            found[path.stem] = load(path)
        except BadFile as error:
            found[path.stem] = error
    return found


def clash(name: str) -> BadFile:
    """The refusal of a saved mapping that has the name of a shipped one."""
    return BadFile(f"There is a shipped mapping {name!r}. Give your own another name, for example my-{name}.")


def named(name: str, folder: Path | None = None) -> Mapping:
    """The mapping of that name, or in the file of that path. Raises BadFile where there is none or it is not in order."""
    if name.endswith(".toml") or "/" in name or "\\" in name:
        return load(Path(name))
    there = known(folder)
    found = there.get(name)
    if found is None:
        raise BadFile(f"There is no mapping {name!r}. Mappings are: {', '.join(there)}.")
    if isinstance(found, BadFile):
        raise found
    return found


def candidates(kind: str | None, name: str | None, folder: Path | None = None) -> list[Mapping]:
    """The mappings among which that of a file is looked for: the one that was named, else all of the kind that are in order."""
    if name is not None:
        return [named(name, folder)]
    return [one for one in known(folder).values() if isinstance(one, Mapping) and kind in (None, one.kind)]


def choose(
    header: list[str], *, kind: str | None, name: str | None, folder: Path | None = None, said: str = ""
) -> Mapping:
    """Find the mapping of a file by its headings, or the one that was named.

    `said` is what the file is called and what stands above its header: where headings alone say too little, a mapping asks
    for a word in it, unless it was named. Raises BadFile when none fits (saying which came nearest and what it misses) or
    several do.
    """
    wanted = candidates(kind, name, folder)
    if name is not None:
        if not wanted[0].has_columns(header):
            raise BadFile(f"Mapping {name} does not fit: {_missing(wanted[0], header)}.")
        return wanted[0]
    fitting = [mapping for mapping in wanted if mapping.fits(header, said)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        # The one that knows most of the headings, then the one that asks for most; a draw is for a person to settle.
        ranked = sorted(((one.knows(header), len(one.requires)), at) for at, one in enumerate(fitting))
        if ranked[-1][0] > ranked[-2][0]:
            return fitting[ranked[-1][1]]
        names = ", ".join(mapping.id for mapping in fitting)
        raise BadFile(f"Several mappings fit this header: {names}. Name one with --mapping.")
    every = candidates(None, None, folder)
    if not any(mapping.knows(header) for mapping in every):
        # The first line is probably a row: people and their numbers stand in it, so none of it is shown.
        raise BadFile(
            f"No mapping fits: none of the {len(header)} cells of the first line is a heading that any mapping knows. If the "
            "file has no line of headings, add one; docs/imports.md shows how to write a mapping, and `xinheng mapping draft` "
            "begins one."
        )
    nearest = max(wanted, key=lambda one: (one.knows(header), -len(_groups_missing(one, header))), default=None)
    hint = f" Nearest is {nearest.id}: {_lacking(nearest, header)}." if nearest else ""
    raise BadFile(
        f"No mapping fits the header {shown(header)}.{hint} docs/imports.md shows how to write one, and `xinheng mapping "
        "draft` begins one."
    )


def shown(headings: Iterable[str], near: Named[str, str | None] | None = None) -> str:
    """Headings as a message may show them: the first twelve, shortened, personal numbers masked.

    Where a file has no line of headings, they are the cells of its first row. `near` names the heading that is
    probably meant (`unknown_headings`).
    """
    cut = list(headings)
    listed: list[str] = []
    for heading in cut[:MOST_SHOWN]:
        meant = (near or {}).get(heading)
        listed.append(shortened(heading) + (f" (did you mean {meant}?)" if meant else ""))
    more = len(cut) - len(listed)
    return "，".join(listed) + (f" and {more} more" if more else "")


def shortened(text: str) -> str:
    """A text as a message may show it: personal numbers masked, forty characters at most."""
    safe = mask_personal(text.replace("\x00", "␀"))
    return safe if len(safe) <= LONGEST_SHOWN else f"{safe[:LONGEST_SHOWN]}…"


def _groups_missing(mapping: Mapping, header: list[str]) -> list[str]:
    present = set(map(same_heading, header))
    return [" or ".join(group) for group in mapping.requires if not present.intersection(map(same_heading, group))]


def _missing(mapping: Mapping, header: list[str]) -> str:
    return f"the file has no column {' and no column '.join(_groups_missing(mapping, header))}"


def _lacking(mapping: Mapping, header: list[str]) -> str:
    if not mapping.has_columns(header):
        return _missing(mapping, header)
    words = " or ".join(mapping.says)
    return (
        f"its headings fit, and neither the file's name nor a title says {words}; name it with --mapping {mapping.id}"
    )


def unknown_headings(mapping: Mapping, header: Collection[str]) -> dict[str, str | None]:
    """Headings that the mapping does not know, each with the known one it resembles most (or None)."""
    every, compared = mapping.headings(), mapping.known()
    strange = [heading for heading in header if heading and same_heading(heading) not in compared]
    return {
        heading: next(iter(difflib.get_close_matches(heading[:LONGEST_SHOWN], every, 1)), None) for heading in strange
    }


__all__ = [
    "READS", "Column", "Mapping", "Order", "Read", "candidates", "choose", "clash", "clean_heading", "known", "load", "named",
    "parse", "shipped", "shortened", "shown", "unknown_headings",
]  # fmt: skip
