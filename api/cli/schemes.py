"""`scheme`: list, check and read schemes."""

import difflib
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click

from api.cli import REFUSED, support
from api.cli.support import DAY, as_json
from registry import config
from registry.errors import BadScheme
from registry.numbers import terms
from registry.services import book, grading, scheme_history
from rules import cases
from rules.errors import SchemeError
from rules.kinds import PUBLISHED
from rules.printed import LANGUAGES, printed
from rules.scheme import Scheme, load_beside


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
    """List the schemes that grade here today, then the others of the book, and what begins later.

    Trials are listed by `scheme proposals`.
    """
    rows: list[dict[str, Any]] = []
    with support.connected() as settings:
        today = support.today(settings)
        names = [name for name in grading.schemes(settings, today) if not name.startswith(book.SHADOW)]
        holding = {name: grading.scheme_named(settings, name, today) for name in names}
        later = scheme_history.coming(today)
        new = {one.scheme: book.in_force(settings, one.scheme, on=one.from_day) for one in reversed(later)}
        others = {id_: one for id_, one in {**new, **book.shipped(settings)}.items() if id_ not in holding}
        for name, one in {**holding, **others}.items():
            rows.append({
                "id": one.id, "title": one.title.as_dict(), "subjects": list(one.subjects), "classes": list(one.classes),
                "published": one.published, "grades": name in holding, "indicators": len(one.indicators),
                "rules": len(one.rules), "hash": one.hash,
                "later": [
                    {"from": begun.from_day.isoformat(), "hash": begun.hash, "proposal": begun.proposal}
                    for begun in later if begun.scheme == name
                ],
            })  # fmt: skip
    if as_json:
        support.emit(rows)
        return
    columns = [
        "方案 id",
        "名称 title",
        "分类 classes",
        "公示 published",
        "评定 grades",
        "指标 indicators",
        "规则 rules",
        "摘要 hash",
    ]
    support.table(
        columns,
        [
            [
                row["id"],
                f"{row['title']['zh']} {row['title']['en']}",
                " ".join(row["classes"]),
                PUBLISHED[row["published"]],
                "是 yes" if row["grades"] else "否 no",
                row["indicators"],
                row["rules"],
                row["hash"][:12],
            ]
            for row in rows
        ],
    )
    for row in rows:
        for begun in row["later"]:
            click.echo(
                f"自 from {begun['from']}: {row['id']} {begun['hash'][:12]} (方案 proposal {begun['proposal']}, "
                f"xinheng scheme show {row['id']} --on {begun['from']})"
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
    reports = [_checked(one, settings.path(settings.grading.book)) for one in folders]
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


def _checked(folder: Path, beside: Path) -> dict[str, Any]:
    report: dict[str, Any] = {"folder": folder.name, "rules": 0, "cases": 0, "mistakes": [], "failed": []}
    try:
        found = load_beside(folder, beside, book.numbers())
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
@click.option("--lang", type=click.Choice(LANGUAGES), default="zh", show_default=True)
@click.option(
    "--find", "word", default="", help="Only the rules, indicators and tables whose line has this word in it."
)
@click.option("--beside", metavar="ID", default=None, help="Only what another scheme says otherwise: - there, + here.")
def show(name: str | None, day: date | None, lang: str, word: str, beside: str | None) -> None:
    """Print a scheme as an officer reads it: cuts, visits, groups, indicators and rules in words, values in force on the day.

    ID is a scheme as it holds on the day (default: the one that grades), id@HASH a content that was kept, book:ID what was
    shipped, proposal:N a proposal, or a folder of files.
    """
    named = terms()
    lines = list(printed(*_shown(name, day), lang, named))
    if word and beside:
        raise click.UsageError("--find and --beside each say which lines are meant: give one of them.")
    if word and len(lines := list(_found(lines, word))) < 3:
        raise click.UsageError(f"No line of this scheme has {word!r} in it. Without --find all of it is printed.")
    if beside:
        lines = list(_otherwise(list(printed(*_shown(beside, day), lang, named)), lines))
        click.echo("\n".join(lines) if lines else f"The same as {beside}, word for word 内容相同.")
        return
    for line in lines:
        click.echo(line)


def _otherwise(old: list[str], new: list[str]) -> Iterator[str]:
    """The lines of `old` that `new` has not, marked -, and those of `new` that `old` has not, marked +, in their order."""
    # Lines such as "[at_least] = 1" are common, and no less a hold for that: no junk.
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for what, old_first, old_end, new_first, new_end in matcher.get_opcodes():
        if what != "equal":
            yield from (f"- {line}" for line in old[old_first:old_end] if line)
            yield from (f"+ {line}" for line in new[new_first:new_end] if line)


def _found(lines: Sequence[str], word: str) -> Iterator[str]:
    """The title, what holds of all values, and what has the word in its first line: whole, below its headings."""
    yield from lines[:2]
    above: dict[int, str] = {}  # indentation → heading that was not printed yet
    within = -1  # indentation of what is being printed
    for line in lines[2:]:
        deep = len(line) - len(line.lstrip())
        if line and deep > within >= 0:
            yield line
            continue
        within = -1
        above = {at: heading for at, heading in above.items() if at < deep}
        if line and word.casefold() in line.casefold():
            yield from above.values()
            above, within = {}, deep
            yield line
        elif line:
            above[deep] = line


def _shown(name: str | None, day: date | None) -> tuple[Scheme, date]:
    """The scheme that a person names, and the day. A folder and the book as shipped need no database."""
    settings = config.load()
    on = day or support.today(settings)
    if name and (Path(name) / "scheme.toml").is_file():
        try:
            return load_beside(Path(name), settings.path(settings.grading.book), book.numbers()), on
        except SchemeError as error:
            raise BadScheme(str(error)) from error
    if name and (found := book.shipped(settings).get(name.removeprefix("book:"))) and name.startswith("book:"):
        return found, on
    with support.connected() as connected:
        return book.resolve(connected, name or connected.grading.scheme, on=on), on


from api.cli import compare as _compare  # noqa: E402, F401 (its command joins the group)
from api.cli import proposals as _proposals  # noqa: E402, F401 (its commands join the group)
