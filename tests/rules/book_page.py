"""The tables of docs/general-risk.md, made from the scheme: ``python -m tests.rules.book_page`` writes them anew."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from registry.kinds import KINDS
from rules import scheme
from rules.dated import Basis, to_day
from rules.kinds import CONTEXT_NORMS, CONTEXT_VALUES
from rules.parts import Indicator, ParameterValue, Rule
from rules.scheme import Scheme

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "rules" / "book" / "general-risk"
PAGE = ROOT / "docs" / "general-risk.md"
TODAY = date(2026, 11, 21)
SUBJECTS = ("enterprise", "individual", "cooperative")
_NAMES = {"item_12315": "12315 item"}
_HOW = {
    "count": "count",
    "sum": "sum",
    "max": "greatest",
    "load": "weighted by age",
    "open": "in force on the day",
    "open_age": "age of the oldest in force",
    "age": "age of the newest",
    "last": "newest",
    "lookup": "table",
    "expired": "ended",
    "missing_years": "missing years",
}


def groups(book: Scheme) -> Iterator[str]:
    """One row for each second-level group, in the order of the scheme."""
    for second in book.seconds.values():
        group = book.groups[second.group]
        fed = sum(one.second == second.id for one in book.indicators.values())
        yield _row(
            f"{group.title.zh} {group.title.en}",
            str(group.highest),
            f"{second.title.zh} {second.title.en}",
            str(fed) if fed else "no data yet 暂无数据",
        )


def indicators(book: Scheme) -> Iterator[str]:
    """One row for each third-level indicator, by second-level group."""
    for one in _by_second(book, book.indicators.values()):
        kind = KINDS[one.kind_name]
        said = _NAMES.get(one.kind_name, f"{one.kind_name.replace('_', ' ')} {kind.title.zh}")
        yield _row(f"`{one.id}`", f"{one.title.zh} · {one.title.en}", said, how(one), one.unit)


def how(one: Indicator) -> str:
    """What an indicator does with the facts, in few words."""
    if one.measure == "context":
        return f"frozen context: {CONTEXT_VALUES[one.of]}"
    if one.measure == "percent_of_norm":
        return f"`{one.indicator}` in percent of the norm {CONTEXT_NORMS[one.norm].split('（')[0]}"
    if one.measure == "missing_years":
        return f"missing years of the last {one.years}"
    if one.measure == "expired" and one.ahead:
        return f"ends within {one.ahead} days"
    if one.window is None:
        return _HOW[one.measure]
    years = one.window // 365
    span = f"{years} year{'s' * (years > 1)}" if one.window % 365 == 0 else f"{one.window} days"
    return f"{_HOW[one.measure]} in {span}"


def rules(book: Scheme) -> Iterator[str]:
    """One row for each rule with its values of today, by second-level group."""
    for rule in _by_second(book, book.rules.values()):
        bases = dict.fromkeys(_cited(basis) for basis in _bases(rule) if basis.kind != "product_default")
        rests = "; ".join(bases) or "product default"
        yield _row(f"`{rule.id}`", f"{rule.title.zh} · {rule.title.en}", f"`{_when(rule)}`", _effect(rule), rests)


def wanted(book: Scheme) -> Iterator[str]:
    """One row for each indicator that nothing feeds yet."""
    for one in _by_second(book, book.wanted.values()):
        yield _row(
            book.seconds[one.second].title.zh, f"{one.title.zh} {one.title.en}", f"{one.needs.zh} · {one.needs.en}"
        )


TABLES = {
    "| first level | most points | second level | indicators |": groups,
    "| indicator | title | from | how | unit |": indicators,
    "| rule | title | when | points | rests on |": rules,
    "| group | wanted | needs |": wanted,
}


def table(page: str, header: str) -> list[str]:
    """The rows of ``page`` under ``header``."""
    lines = page.splitlines()
    first = lines.index(header) + 2
    return lines[first : next(at for at in range(first, len(lines)) if not lines[at].startswith("|"))]


def rewritten(page: str, book: Scheme) -> str:
    """``page`` with every table made anew."""
    for header, rows in TABLES.items():
        old = table(page, header)
        lead = header + "\n" + "|---" * (header.count("|") - 1) + "|\n"
        was = lead + "".join(f"{line}\n" for line in old)
        page = page.replace(was, lead + "".join(f"{line}\n" for line in rows(book)))
    return page


def points_of(rule: Rule, name: str = "points_each") -> str:
    """A value of today by subject: enterprise / individual business / cooperative, – where the rule does not apply."""
    value = _value(rule, name)
    return " / ".join(str(value.of(one)) if one in rule.subjects else "–" for one in SUBJECTS)


def _value(rule: Rule, name: str) -> ParameterValue:
    span = rule.parameters[name].at(to_day(TODAY))
    if span is None:
        raise ValueError(f"{rule.id}.{name} has no value on {TODAY}: give it one, or take the rule out of the page.")
    return span.value


def _effect(rule: Rule) -> str:
    if rule.effect == "veto":
        return f"class {rule.target}"
    if rule.effect == "cap":
        return f"score held at {_value(rule, 'at_most').value}"
    each = " each" if "*" in rule.points_text else ""
    most = f", at most {points_of(rule, 'points_most')}" if "points_most" in rule.parameters else ""
    return points_of(rule) + each + most


def _when(rule: Rule) -> str:
    text = rule.when_text
    for name in sorted(rule.parameters, key=len, reverse=True):
        value = _value(rule, name)
        told = points_of(rule, name) if value.subjects else str(value.value)
        text = " ".join(_word(word, name, told) for word in text.split())
    return text


def _word(word: str, name: str, told: str) -> str:
    plain = word.strip("()")
    return word.replace(plain, told) if plain == name else word


def _bases(rule: Rule) -> Iterator[Basis]:
    if rule.basis is not None:
        yield rule.basis
    for parameter in rule.parameters.values():
        yield from (span.basis for span in parameter.spans)


def _cited(basis: Basis) -> str:
    article = f", {basis.article}" if basis.article else ""
    return f"{basis.instrument}{article} ({basis.kind.replace('_', ' ')})"


def _by_second(book, parts):
    order = list(book.seconds)
    return sorted(parts, key=lambda part: (order.index(part.second), part.id))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8"), scheme.load(FOLDER)), encoding="utf-8")
