"""Blocks of a document, and the same blocks as Markdown and as one HTML file.

The HTML needs nothing beside it: pictures are inside; no script, no style sheet and no style attribute, so that it holds under
the strictest policy of a server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from rules.model.svg import FONT, INK, LINE

WIDTH = 940  # of the page, in pixels


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a part of the document; the first one is its title."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Said:
    """A paragraph, Chinese and English."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Rows:
    """A table: its headings, and its rows. Numbers stand to the right in columns after the first ``words``."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1


@dataclass(frozen=True, slots=True)
class Picture:
    """One of the pictures, by its name, and what a reader without it is told."""

    name: str
    alt: str


Block = Heading | Said | Rows | Picture


def markdown(found: Sequence[Block], paths: Mapping[str, str]) -> str:
    """Blocks as Markdown; ``paths`` says where each picture lies."""
    parts = []
    for place, block in enumerate(found):
        match block:
            case Heading(zh, en):
                parts.append(f"{'##' if place else '#'} {zh} {en}")
            case Said(zh, en):
                parts.append(f"{zh}\n\n{en}")
            case Picture(name, alt) if name in paths:
                parts.append(f"![{alt}]({paths[name]})")
            case Rows(headings, rows, words):
                rule = ["---" if column < words else "---:" for column in range(len(headings))]
                lines = [_row(headings), _row(rule), *(_row(row) for row in rows)]
                parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def html(found: Sequence[Block], drawn: Mapping[str, str]) -> str:
    """Blocks as one HTML file with its pictures (SVG by name) inside."""
    title = next(block for block in found if isinstance(block, Heading))
    parts = []
    for place, block in enumerate(found):
        match block:
            case Heading(zh, en):
                level = 2 if place else 1
                parts.append(f'<h{level}>{escape(zh)} <small lang="en">{escape(en)}</small></h{level}>')
            case Said(zh, en):
                parts.append(f'<p>{escape(zh)}<br><span lang="en">{escape(en)}</span></p>')
            case Picture(name, _) if name in drawn:
                parts.append(f"<p>{drawn[name]}</p>")
            case Rows(headings, rows, words):
                parts.append(_html_rows(headings, rows, words))
    return (
        '<!doctype html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
        # As wide as the page: a telephone then shows all of it, to be enlarged, and cuts nothing off.
        f'<meta name="viewport" content="width={WIDTH + 40}">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'">\n'
        f"<title>{escape(f'{title.zh} {title.en}')}</title>\n</head>\n"
        f'<body text="{INK}" bgcolor="#ffffff">\n<table align="center" width="{WIDTH}" cellpadding="12"><tr><td>\n<font face="{FONT}">\n'
        + "\n".join(parts)
        + "\n</font>\n</td></tr></table>\n</body>\n</html>\n"
    )


def _html_rows(headings: Sequence[str], rows: Sequence[Sequence[str]], words: int) -> str:
    head = "".join(f'<th scope="col" bgcolor="#f3f5f8" align="left">{_cell(one)}</th>' for one in headings)
    body = "\n".join(
        "<tr>" + "".join(f'<td valign="top" align="{"left" if column < words else "right"}">{_cell(one)}</td>' for column, one in enumerate(row)) + "</tr>"
        for row in rows
    )  # fmt: skip
    return f'<table border="1" bordercolor="{LINE}" cellspacing="0" cellpadding="6" width="100%">\n<tr>{head}</tr>\n{body}\n</table>'


def _cell(words: str) -> str:
    return f'<font size="2" face="{FONT}">{escape(words)}</font>'
