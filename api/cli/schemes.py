"""`scheme`: list, check and read schemes."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import click

from api.cli import REFUSED, support
from api.cli.support import DAY, as_json
from registry import config
from registry.kinds import KINDS
from registry.services import grading
from rules import cases
from rules.conditions import sentence
from rules.dated import Basis, Dated, to_date, to_day
from rules.errors import SchemeError
from rules.kinds import BASIS_KINDS, SUBJECTS
from rules.parts import Indicator, Rule
from rules.scheme import Scheme, load


@click.group("scheme")
def scheme() -> None:
    """List, check and read schemes: rules as data, with their legal basis.

    \b
    Example:
      xinheng scheme show general-risk --on 2026-01-01
    """


@scheme.command("list", epilog="Example: xinheng scheme list --json")
@as_json
def list_schemes(as_json: bool) -> None:
    """List the schemes of the book."""
    settings = config.load()
    rows: list[dict[str, Any]] = []
    for name in grading.schemes(settings):
        one = grading.scheme_named(settings, name)
        rows.append({
            "id": one.id, "title": one.title.as_dict(), "subjects": list(one.subjects), "classes": list(one.classes),
            "published": one.published, "indicators": len(one.indicators), "rules": len(one.rules), "hash": one.hash,
        })  # fmt: skip
    if as_json:
        support.emit(rows)
        return
    support.table(
        ["方案 id", "名称 title", "分类 classes", "公示 published", "指标 indicators", "规则 rules", "摘要 hash"],
        [
            [
                row["id"],
                f"{row['title']['zh']} {row['title']['en']}",
                " ".join(row["classes"]),
                "是 yes" if row["published"] else "否 no",
                row["indicators"],
                row["rules"],
                row["hash"][:12],
            ]
            for row in rows
        ],
    )


@scheme.command("check", epilog="Example: xinheng scheme check rules/book/general-risk")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), required=False)
@as_json
def check(folder: Path | None, as_json: bool) -> int:
    """Check a scheme, or every scheme of the book, and judge its worked cases.

    Names file, key and remedy of every mistake. Exit status 1: there are mistakes, or a case gives another result.
    """
    settings = config.load()
    folders = (
        [folder]
        if folder
        else [path.parent for path in sorted(settings.path(settings.grading.book).glob("*/scheme.toml"))]
    )
    reports = [_checked(one) for one in folders]
    wrong = any(report["mistakes"] or report["failed"] for report in reports)
    if as_json:
        support.emit(reports)
        return REFUSED if wrong else 0
    for report in reports:
        for mistake in report["mistakes"]:
            click.echo(f"{mistake['file']}: {mistake['key']}: {mistake['problem']}. {mistake['remedy']}.")
        for line in report["failed"]:
            click.echo(line)
        if not report["mistakes"] and not report["failed"]:
            click.echo(f"{report['folder']}: in order; {report['rules']} rules, {report['cases']} cases as expected.")
    return REFUSED if wrong else 0


def _checked(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = {"folder": folder.name, "rules": 0, "cases": 0, "mistakes": [], "failed": []}
    try:
        found = load(folder, {kind.name: kind.number for kind in KINDS.values()})
        outcomes = cases.run(folder, found)
    except SchemeError as error:
        report["mistakes"] = [
            {"file": one.file, "key": one.key, "problem": one.problem, "remedy": one.remedy} for one in error.mistakes
        ]
        return report
    report |= {
        "rules": len(found.rules),
        "cases": len(outcomes),
        "failed": [str(one) for one in outcomes if not one.passed],
    }
    return report


@scheme.command("show", epilog="Example: xinheng scheme show --on 2026-01-01 --lang en")
@click.argument("name", metavar="[ID]", required=False)
@click.option("--on", "day", type=DAY, default=None, help="The day whose values are shown. Default: today.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
def show(name: str | None, day: date | None, lang: str) -> None:
    """Print a scheme as an officer reads it: cuts, groups, rules in words, values in force on the day, and their basis."""
    settings = config.load()
    found = grading.scheme_named(settings, name)
    on = day or support.today(settings)
    for line in told(found, on, lang):
        click.echo(line)


def told(scheme: Scheme, on: date, lang: str) -> Iterator[str]:
    """The scheme in lines of `lang` (`zh`, `en`) with the values in force on a day."""
    zh, day = lang == "zh", to_day(on)
    yield f"{scheme.title.as_dict()[lang]} ({scheme.id}), {on}"
    yield f"{'适用主体' if zh else 'Subjects'}: {'、'.join(SUBJECTS[one] for one in scheme.subjects) if zh else ', '.join(scheme.subjects)}"
    yield f"{'结果公示' if zh else 'Published'}: {('是' if zh else 'yes') if scheme.published else ('否' if zh else 'no')}   {'摘要' if zh else 'Hash'}: {scheme.hash[:16]}"
    cuts = scheme.cuts.at(day)
    if cuts is None:
        yield f"{'该日尚无分级标准' if zh else 'No cuts are in force on this day'}"
    else:
        pairs = zip(cuts.value.classes, cuts.value.highest, strict=True)
        yield f"{'分级' if zh else 'Cuts'}: {', '.join(f'{class_} ≤ {most}' for class_, most in pairs)}   {_basis(cuts.basis, lang)}"
    for group in scheme.groups.values():
        most = f"（{'最高' if zh else 'at most'} {group.highest}）" if group.highest is not None else ""
        yield ""
        yield f"■ {group.title.as_dict()[lang]}{most}"
        for second in (one for one in scheme.seconds.values() if one.group == group.id):
            rules = [rule for rule in scheme.rules.values() if rule.second == second.id]
            yield f"  {second.title.as_dict()[lang]}{'' if rules else ('：暂无数据' if zh else ': no data yet')}"
            for rule in rules:
                yield from _rule(scheme, rule, day, lang)


def _rule(scheme: Scheme, rule: Rule, day: int, lang: str) -> Iterator[str]:
    zh = lang == "zh"
    values = {name: span.value.value for name, one in rule.parameters.items() if (span := one.at(day)) is not None}
    if len(values) < len(rule.parameters):
        yield f"    · {rule.title.as_dict()[lang]} [{rule.id}]: {'该日不适用' if zh else 'not in force on this day'}"
        return
    titles = {name: _named(scheme.indicators[name], lang) for name in rule.indicators}
    effect = {
        "points": rule.points_text,
        "veto": f"→ {rule.target or scheme.classes[-1]}",
        "cap": f"≤ {values.get('at_most')}",
    }[rule.effect]
    yield f"    · {rule.title.as_dict()[lang]} [{rule.id}]"
    yield f"        {'当' if zh else 'when'} {sentence(rule.when, lang, titles=titles, constants=values)}: {_with(effect, titles, values)}"
    if set(rule.subjects) != set(scheme.subjects):
        yield f"        {'限于' if zh else 'only'} {'、'.join(SUBJECTS[one] for one in rule.subjects) if zh else ', '.join(rule.subjects)}"
    for name, one in sorted(rule.parameters.items()):
        yield f"        {name} = {_value(one, day)}   {_basis(_span(one, day).basis, lang)}"


def _span(one: Dated[Any], day: int) -> Any:
    return one.at(day)


def _value(one: Dated[Any], day: int) -> str:
    span = _span(one, day)
    others = ", ".join(f"{subject} {value}" for subject, value in span.value.subjects.items())
    ends = f" < {to_date(span.until)}" if span.until is not None else ""
    return f"{span.value.value} {span.value.unit}{f' ({others})' if others else ''} [{to_date(span.start)}{ends}]"


def _with(text: str, titles: dict[str, str], values: dict[str, int]) -> str:
    """A points expression with titles and values in place of names; longest names first, so none is cut in two."""
    for name in sorted([*titles, *values], key=len, reverse=True):
        text = text.replace(name, titles.get(name) or str(values[name]))
    return text


def _named(indicator: Indicator, lang: str) -> str:
    return indicator.title.as_dict()[lang]


def _basis(basis: Basis, lang: str) -> str:
    kind = BASIS_KINDS[basis.kind] if lang == "zh" else basis.kind.replace("_", " ")
    place = f" {basis.article}" if basis.article else ""
    return f"({kind})" if basis.kind == "product_default" else f"({kind}: {basis.instrument}{place})"
