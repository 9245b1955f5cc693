"""Grades that the public may see 可以公示的等级: quality credit where a local rule says so, and never a risk class.

Three things must agree before a class is shown: the scheme says that a local rule may allow it, `[grading] public` names it
together with that rule, and the very content that gave the grade says so too, down to the schemes it is made of.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from registry import clock
from registry.config import Settings
from registry.database import execute
from registry.errors import ConfigError, UnknownScheme
from registry.services import book
from rules.scheme import Scheme

ALLOWED = "local_rule"


def named(settings: Settings) -> list[str]:
    """Ids of `[grading] public`, each once."""
    return list(dict.fromkeys(one.strip() for one in settings.grading.public.split(",") if one.strip()))


def check(settings: Settings) -> None:
    """Refuse to start where `[grading] public` names what the public may not see, or not the rule on which it is shown.

    Nor may a model serve classes that are shown, alone or inside another grade: a raise would show there. Raises ConfigError,
    naming setting, scheme and remedy. Without a scheme there it reads nothing.
    """
    for name in named(settings):
        where = f"[grading] public names {name!r}"
        remedy = f"Take it out of [grading] public{_choices(settings)}."
        try:
            found = book.shipped(settings).get(name) or book.in_force(settings, name, on=None)
        except UnknownScheme as error:
            raise ConfigError(f"{where}, and there is no such scheme. {remedy}") from error
        why = _why_never(found)
        if why:
            raise ConfigError(f"{where}, {why}. {remedy}")
        if settings.model.use == "on" and _holds(found, settings.model.grades):
            raise ConfigError(
                f"{where}, and [model] grades names {settings.model.grades!r}: a class that a model raises would be public 上调类别会被公示. "
                f'Take {name!r} out of [grading] public, name another scheme in [model] grades, or set [model] use = "off".'
            )
    if named(settings) and not settings.grading.public_basis.strip():
        raise ConfigError(
            "[grading] public names schemes, and [grading] public_basis is empty. Write there the local rule on which their "
            "grades are shown, with its number and day, or leave [grading] public empty."
        )


def shown(settings: Settings, entities: Sequence[int]) -> list[dict[str, Any]]:
    """What anyone may see of the grades of these entities, in the order of the setting: `scheme`, `title`, `class`, `day`
    (ISO text) and `basis`. Never a score or a reason.

    One query and one more for each grade, and none where nothing may be shown. A grade whose own content may not be published is left out.
    """
    wanted = named(settings)
    if not wanted or not entities or not settings.grading.public_basis.strip():
        return []
    sql = (
        "SELECT scheme, class, day, version FROM grade_state "  # noqa: S608 (places only)
        f"WHERE scheme IN ({', '.join('?' * len(wanted))}) AND entity IN ({', '.join('?' * len(entities))})"
    )
    found = []
    for scheme, class_, day, version in execute(sql, [*wanted, *entities]).fetchall():
        content = book.scheme_of_version(version)
        if _why_never(content) is None:
            title = {"zh": content.title.zh, "en": content.title.en}
            found.append((wanted.index(scheme), scheme, title, class_, clock.day_of(day)))
    basis = settings.grading.public_basis.strip()
    return [_told(*one[1:], basis) for one in sorted(found, key=lambda one: one[0])]


def _told(scheme: str, title: dict[str, str], class_: str, day: date, basis: str) -> dict[str, Any]:
    return {"scheme": scheme, "title": title, "class": class_, "day": day.isoformat(), "basis": basis}


def _why_never(scheme: Scheme) -> str | None:
    """Why the public may not see a grade of this scheme; None where a local rule may allow it."""
    if scheme.published != ALLOWED:
        return "which is never published 不公示"
    for inner in scheme.inner.values():
        if _why_never(inner):
            return f"which contains {inner.id!r}, and that is never published 不公示"
    return None


def _holds(scheme: Scheme, name: str) -> bool:
    """Whether a scheme is the one of that name, or is made of it at any depth."""
    return scheme.id == name or any(_holds(inner, name) for inner in scheme.inner.values())


def _choices(settings: Settings) -> str:
    may = [one.id for one in book.shipped(settings).values() if _why_never(one) is None]
    return f"; schemes of the book that a local rule may make public: {', '.join(may)}" if may else ""
