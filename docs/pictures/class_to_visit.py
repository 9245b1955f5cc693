"""Draw docs/pictures/class-to-visit.svg: who does what of an inspection by lot, in which order, and what everybody can see of it.

python docs/pictures/class_to_visit.py
"""

from html import escape
from pathlib import Path

INK, SOFT, LINE, ARROW = "#1d2733", "#5b6876", "#d5dbe1", "#8a97a5"
WIDTH, LEFT, COLUMN, TOP, LANE = 1352, 130, 92, 92, 92
BOX_WIDTH, BOX_HEIGHT = 72, 56
LANES = (
    ("公众", "everybody", "#e7f1ec"),
    ("经办人", "who makes it", "#ffffff"),
    ("第二人", "second person", "#ffffff"),
    ("检查人员", "inspectors", "#ffffff"),
    ("企业", "the enterprise", "#ffffff"),
    ("台账、分类", "ledger and class", "#eef2f7"),
)
PUBLIC, MAKER, SECOND, INSPECTORS, ENTERPRISE, LEDGER = range(len(LANES))
# (name, column, lane, Chinese, English)
STEPS = (
    ("plan", 0, MAKER, "测算", "how many"),
    ("task", 1, MAKER, "任务", "task"),
    ("approve", 1, SECOND, "审批", "approved"),
    ("commit", 2, MAKER, "承诺", "commit"),
    ("announced", 2, PUBLIC, "公告", "two digests"),
    ("on_record", 2, LEDGER, "入账", "on record"),
    ("witness", 3, PUBLIC, "见证", "dice"),
    ("draw", 3, MAKER, "抽取", "drawn"),
    ("sheets", 4, INSPECTORS, "名单", "list, sheets"),
    ("recusal", 5, INSPECTORS, "回避", "redrawn"),
    ("notice", 6, ENTERPRISE, "亮码核验", "at the door"),
    ("enter", 6, INSPECTORS, "入企", "scan to enter"),
    ("result", 7, INSPECTORS, "结果", "checklist"),
    ("review", 7, SECOND, "审核", "reviewed"),
    ("record", 8, LEDGER, "记录", "spot check"),
    ("regrade", 9, LEDGER, "重评", "new class"),
    ("published", 9, PUBLIC, "公示", "never a class"),
    ("rating", 10, ENTERPRISE, "评价", "rating"),
    ("close", 11, MAKER, "办结", "closed"),
    ("minutes", 11, PUBLIC, "公开", "minutes"),
    ("figures", 12, MAKER, "统计", "figures"),
)
FLOW = (
    ("plan", "task"), ("task", "approve"), ("approve", "commit"), ("commit", "announced"), ("commit", "on_record"), ("announced", "witness"),
    ("witness", "draw"), ("draw", "sheets"), ("sheets", "recusal"), ("recusal", "enter"), ("notice", "enter"), ("enter", "result"),
    ("result", "review"), ("review", "record"), ("record", "regrade"), ("record", "published"),
    ("result", "rating"), ("review", "close"), ("close", "minutes"), ("close", "figures"),
)  # fmt: skip
PLACES = {name: (column, lane) for name, column, lane, _, _ in STEPS}


def text(
    x: float, y: float, words: str, *, size: int, colour: str = INK, weight: int = 400, anchor: str = "middle"
) -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}" font-weight="{weight}" text-anchor="{anchor}">{escape(words)}</text>'


def middle(name: str) -> tuple[float, float]:
    """The middle of a step's box."""
    column, lane = PLACES[name]
    return LEFT + column * COLUMN + COLUMN / 2, TOP + lane * LANE + LANE / 2


def arrow(first: str, then: str) -> str:
    """A line from one box to the next: straight where they share a lane or a column, else along a gap between columns."""
    (x1, y1), (x2, y2) = middle(first), middle(then)
    if x1 == x2:
        down = 1 if y2 > y1 else -1
        path = f"M{x1} {y1 + down * BOX_HEIGHT / 2} V{y2 - down * (BOX_HEIGHT / 2 + 5)}"
    elif y1 == y2:
        path = f"M{x1 + BOX_WIDTH / 2} {y1} H{x2 - BOX_WIDTH / 2 - 5}"
    else:
        gap = x2 - COLUMN / 2
        path = f"M{x1 + BOX_WIDTH / 2} {y1} H{gap} V{y2} H{x2 - BOX_WIDTH / 2 - 5}"
    return f'<path d="{path}" fill="none" stroke="{ARROW}" stroke-width="1.6" marker-end="url(#tip)"/>'


def lanes() -> list[str]:
    parts = []
    for place, (zh, en, fill) in enumerate(LANES):
        y = TOP + place * LANE
        parts += [
            f'<rect x="16" y="{y}" width="{WIDTH - 32}" height="{LANE}" fill="{fill}" stroke="{LINE}"/>',
            text(28, y + LANE / 2 - 2, zh, size=16, weight=600, anchor="start"),
            text(28, y + LANE / 2 + 17, en, size=12, colour=SOFT, anchor="start"),
        ]
    return parts


def boxes() -> list[str]:
    parts = []
    for name, _, _, zh, en in STEPS:
        x, y = middle(name)
        parts += [
            f'<rect x="{x - BOX_WIDTH / 2}" y="{y - BOX_HEIGHT / 2}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8" fill="#fff" stroke="{INK}"/>',
            text(x, y - 3, zh, size=16, weight=600),
            text(x, y + 16, en, size=11, colour=SOFT),
        ]
    return parts


def main() -> None:
    height = TOP + len(LANES) * LANE + 40
    parts = [
        text(16, 40, "从分类到入企", size=22, weight=700, anchor="start"),
        text(16, 66, "an inspection by lot: who does what, in which order", size=14, colour=SOFT, anchor="start"),
        *lanes(),
        *(arrow(*one) for one in FLOW),
        *boxes(),
        text(16, height - 14, "谁提出、谁不得审批；分类不进入现场联和公示。 Nobody approves what he made; no class reaches the field or the public.", size=12, colour=SOFT, anchor="start"),
    ]  # fmt: skip
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        "font-family=\"'Noto Sans CJK SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',sans-serif\">"
        f'<defs><marker id="tip" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
        f'<path d="M0 0 L8 4 L0 8 z" fill="{ARROW}"/></marker></defs>'
        f'<rect width="{WIDTH}" height="{height}" fill="#f5f7f9"/>{"".join(parts)}</svg>\n'
    )
    Path(__file__).with_name("class-to-visit.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
