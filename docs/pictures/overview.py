"""Draw docs/pictures/overview.svg from the registry that is configured: what goes in, how it is graded, what comes out.

XINHENG_DATABASE_URL=sqlite:////path/to/city.db python docs/pictures/overview.py
"""

from datetime import date
from html import escape
from pathlib import Path

from registry import clock, config, database
from registry.kinds import KINDS
from registry.models import Entity
from registry.services import explanation, grading, standing

COLOURS = {"A": "#2e7d5b", "B": "#7a9a3a", "C": "#d08a1d", "D": "#b3372f"}
INK, SOFT, LINE, PAPER = "#1d2733", "#5b6876", "#d5dbe1", "#ffffff"
WIDTH, HEIGHT = 1180, 560


def text(
    x: float, y: float, words: str, *, size: int = 15, colour: str = INK, weight: int = 400, anchor: str = "start"
) -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}" font-weight="{weight}" text-anchor="{anchor}">{escape(words)}</text>'


def box(x: float, y: float, width: float, height: float, *, fill: str = PAPER) -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="10" fill="{fill}" stroke="{LINE}"/>'


def heading(x: float, zh: str, en: str) -> list[str]:
    return [text(x, 58, zh, size=22, weight=700), text(x, 80, en, size=14, colour=SOFT)]


def records(x: float) -> list[str]:
    """What stands in the ledger, by kind."""
    rows = dict(
        database.execute("SELECT kind, count(*) FROM record WHERE replaced_seq IS NULL GROUP BY kind").fetchall()
    )
    parts = [*heading(x, "记录", "records in the ledger"), box(x, 98, 300, 420)]
    for place, kind in enumerate(kind for kind in KINDS.values() if kind.name in rows):
        y = 138 + place * 56
        parts += [
            text(x + 20, y, kind.title.zh, weight=600),
            text(x + 20, y + 19, kind.title.en, size=12, colour=SOFT),
            text(x + 280, y + 6, f"{rows[kind.name]:,}", size=17, anchor="end"),
        ]
    return parts


def classes(x: float, counts: dict[str, int]) -> list[str]:
    """How the enterprises of the district fall into classes."""
    total = sum(counts.values())
    parts = [*heading(x, "风险分类", f"{total:,} enterprises by class"), box(x, 98, 330, 420)]
    longest = max(counts.values())
    for place, (name, number) in enumerate(sorted(counts.items())):
        y = 150 + place * 92
        parts += [
            text(x + 20, y + 8, name, size=30, weight=700, colour=COLOURS[name]),
            f'<rect x="{x + 56}" y="{y - 18}" width="{max(3, 244 * number / longest):.1f}" height="30" rx="4" fill="{COLOURS[name]}"/>',
            text(x + 56, y + 32, f"{number:,}  ·  {100 * number / total:.1f} %", size=14, colour=SOFT),
        ]
    return parts


def reasons(x: float, explained: explanation.Explained) -> list[str]:
    """One enterprise's class with the points behind it."""
    found = explained.explanation
    parts = [*heading(x, "理由", "one enterprise, point by point"), box(x, 98, 440, 420)]
    parts += [
        text(x + 20, 142, explained.entity.name, size=17, weight=600),
        text(
            x + 420,
            142,
            f"{found.class_}  {found.score}",
            size=22,
            weight=700,
            colour=COLOURS[found.class_],
            anchor="end",
        ),
    ]
    rows = sorted((row for row in found.points if row.points), key=lambda row: -abs(row.points))[:7]
    longest = max(abs(row.points) for row in rows)
    for place, row in enumerate(rows):
        y = 182 + place * 46
        colour = COLOURS["D"] if row.points > 0 else COLOURS["A"]
        parts += [
            text(x + 20, y, row.title["zh"], size=14),
            text(x + 20, y + 16, row.title["en"], size=11, colour=SOFT),
            f'<rect x="{x + 270}" y="{y - 11}" width="{max(2, 96 * abs(row.points) / longest):.1f}" height="16" rx="3" fill="{colour}"/>',
            text(x + 420, y + 3, f"{row.points:+d}", size=14, anchor="end"),
        ]
    return parts


def main() -> None:
    settings = config.load()
    database.connect(settings)
    scheme = grading.scheme_named(settings)
    with database.session():
        counts = standing.classes(scheme)["enterprise"]
        # An enterprise of class D of which much is known: several things came together, no veto.
        row = database.execute(
            "SELECT s.entity, s.day FROM grade_state s JOIN entity e ON e.id = s.entity JOIN fact p ON p.entity = e.id "
            "AND p.kind = 2 JOIN fact f ON f.entity = e.id AND f.kind IN (3, 5, 6) AND f.severity > 0 WHERE e.kind = 'enterprise' "
            "AND s.class = 'D' AND s.score BETWEEN 760 AND 960 GROUP BY s.entity, s.day "
            "ORDER BY count(DISTINCT f.kind) DESC, count(*) DESC, s.entity LIMIT 1"
        ).fetchone()
        day: date = clock.day_of(row[1])
        explained = explanation.of(Entity.get_by_id(row[0]), scheme, today=day)
        parts = [*records(30), *classes(350, counts), *reasons(700, explained)]
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        "font-family=\"'Noto Sans CJK SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',sans-serif\">"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#f5f7f9"/>{"".join(parts)}'
        f"{text(30, 545, f'Synthetic district 合成样本, {day}. No real enterprise. 不含真实企业。', size=12, colour=SOFT)}</svg>\n"
    )
    Path(__file__).with_name("overview.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
