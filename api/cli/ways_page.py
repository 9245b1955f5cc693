"""The ways to a better class, and what would make it worse, as they stand under an explanation at a terminal."""

from collections.abc import Iterator
from typing import Any

import click

WORDS: dict[str, dict[str, Any]] = {
    "zh": {
        "head": "如何降低风险（自 {on} 起）", "way": "最省的办法（{deeds}，{on} 前后可成）: {class} 类，{score} 分", "other": "或者（{deeds}，{on}）: {class} 类，{score} 分", "deeds": ("{number} 项", "{number} 项"),
        "from": "{on} 起可成", "asks": "须证明", "none": "下列事项可以办理，但办成之日分类不因此改善:", "sooner": "下列事项可以办理，但不能使分类更早改善:", "nothing": "没有企业现在可以办理的事项。", "not_exact": "（事项较多，未逐一试遍所有组合）",
        "waiting": "仅待时日（按时报送年报、没有新的记录）: {on} 改善为 {class} 类，{score} 分", "never": "仅待时日，至 {until} 不会改善。",
        "best": "已是最好一类。", "worse": "距更差一级还有 {worse} 分。今日若新增以下任何一项，即入更差的类别:", "far": "距更差一级还有 {worse} 分；没有哪一项常见记录单独足以使分类变差。", "reach": "{words} → {class} 类，{score} 分",
    },
    "en": {
        "head": "How to a better class (from {on} on)", "way": "The cheapest way ({deeds}, done by {on}): class {class}, score {score}", "other": "Or ({deeds}, {on}): class {class}, score {score}", "deeds": ("{number} deed", "{number} deeds"),
        "from": "done by {on}", "asks": "to be shown", "none": "These can be done, but the class is no better on the day they are done:", "sooner": "These can be done, but do not lead to a better class any sooner:", "nothing": "There is nothing that the enterprise can do now.",
        "not_exact": " (not every combination was tried)", "waiting": "By waiting alone (annual reports in time, nothing new on record): class {class} on {on}, score {score}",
        "never": "Waiting alone does not help until {until}.", "best": "This is the best class.", "worse": "{worse} points to the next worse class. Any one of these today would lead there:",
        "far": "{worse} points to the next worse class; no single common record leads there.", "reach": "{words} → class {class}, score {score}",
    },
}  # fmt: skip


def show(ways: dict[str, Any] | None, *, best: str, lang: str) -> None:
    """Print what `ways.of` gives, in `lang`; `best` is the scheme's best class. Nothing where there are no ways to tell of."""
    if ways is not None:
        click.echo("")
        for line in lines(ways, best=best, lang=lang):
            click.echo(line)


def lines(ways: dict[str, Any], *, best: str, lang: str) -> Iterator[str]:
    """The same, line by line."""
    words = WORDS[lang]
    yield words["head"].format(on=ways["on"])
    if ways["class"] == best:
        yield f"  {words['best']}"
    else:
        yield from _down(ways, words, lang)
    yield from _up(ways, words, lang)


def _down(ways: dict[str, Any], words: dict[str, Any], lang: str) -> Iterator[str]:
    actions = {one["id"]: one for one in ways["actions"]}
    for place, way in enumerate(ways["down"]):
        deeds = words["deeds"][len(way["actions"]) != 1].format(number=len(way["actions"]))
        head = words["other" if place else "way"].format(deeds=deeds, **way)
        yield f"  {head}{'' if ways['exact'] or place else words['not_exact']}"
        for one in (actions[id_] for id_ in way["actions"]):
            yield f"    · {one[lang]}{_from(one, words)}"
            if one["conditions"] and not place:
                between = "、" if lang == "zh" else "; "
                yield f"      {words['asks']}: {between.join(asked[lang] for asked in one['conditions'])}"
    if not ways["actions"]:
        yield f"  {words['nothing']}"
    if ways["waiting"] is not None:
        yield f"  {words['waiting'].format(**ways['waiting'])}"
    else:
        yield f"  {words['never'].format(until=ways['until'])}"
    if ways["actions"] and not ways["down"]:
        yield f"  {words['none' if ways['waiting'] is None else 'sooner']}"
        for one in ways["actions"]:
            yield f"    · {one[lang]}{_from(one, words)}"


def _from(one: dict[str, Any], words: dict[str, Any]) -> str:
    return f" — {words['from'].format(on=one['on'])}"


def _up(ways: dict[str, Any], words: dict[str, Any], lang: str) -> Iterator[str]:
    if ways["worse"] is None:
        return
    yield f"  {words['worse' if ways['up'] else 'far'].format(worse=ways['worse'])}"
    for one in ways["up"]:
        yield f"    · {words['reach'].format(words=one[lang], **{'class': one['class'], 'score': one['score']})}"
