"""A scheme as an officer reads it, in Chinese or in English, generated from the data alone.

Titles are those of the scheme; ids stand in square brackets; what a value rests on is quoted as the scheme cites it,
whatever its language. A note is printed in the language it is written in.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any, TypeVar

from rules import conditions, words
from rules.dated import Basis, Dated, Span, to_date, to_day
from rules.kinds import BASIS_KINDS, DIRECTIONS, RAISES
from rules.parts import Cuts, Lookup, Matrix, ParameterValue, Rule, Second, Steps, Title
from rules.scheme import Scheme

T = TypeVar("T")
LANGUAGES = ("zh", "en")
_CHINESE = re.compile(r"[\u3400-\u9fff]")


def printed(scheme: Scheme, on: date, lang: str, terms: words.Terms | None = None) -> Iterator[str]:
    """The lines of ``scheme`` with the values in force on ``on``, in ``lang`` ``zh`` or ``en``.

    ``terms`` say what the codes and severities of each kind are called; without them they are told as numbers. The second
    line says what holds of every value beside which nothing else is said: no basis, and in force since the first day.

    Head and cuts, what the values rest on, groups with their indicators, rules and wanted indicators, and the
    tables, in the order of the files. Whatever is not in force on the day says so.
    """
    page = _Page(scheme, to_day(on), lang, terms or {})
    yield f"{page.title(scheme.title)} [{scheme.id}] {on}"
    yield page.unless()
    yield from page.head()
    yield from page.resting()
    for group in scheme.groups.values():
        yield ""
        most = (
            "" if group.highest is None else page.say(f"，最高 {group.highest} 分", f", at most {group.highest} points")
        )
        yield f"■ {page.title(group.title)} [{group.id}]{most}{page.basis(group.basis) if group.basis else ''}"
        for second in scheme.seconds.values():
            if second.group == group.id:
                yield from page.second(second)
    yield from page.tables()


class _Page:
    def __init__(self, scheme: Scheme, day: int, lang: str, terms: words.Terms) -> None:
        self.scheme, self.day, self.lang, self.terms = scheme, day, lang, terms
        self.first = min(span.start for _, dated in scheme.dated() for span in dated.spans)
        self.titles = {id_: self.title(one.title) for id_, one in scheme.indicators.items()}
        self.quoted = {id_: self.say(f"“{title}”", f"‘{title}’") for id_, title in self.titles.items()}

    def say(self, zh: str, en: str) -> str:
        return zh if self.lang == "zh" else en

    def title(self, title: Title) -> str:
        return title.as_dict()[self.lang]

    def line(self, zh: str, en: str, rest: str) -> str:
        return self.say(f"{zh}：{rest}", f"{en}: {rest}")

    def unless(self) -> str:
        first = to_date(self.first)
        return self.say(
            f"未另注明的数值：依据为产品默认值，无法定依据；自 {first} 起适用",
            f"Unless a line says otherwise: its values are product defaults without legal basis, from {first} on",
        )

    def head(self) -> Iterator[str]:
        one, lang = self.scheme, self.lang
        yield self.line("适用主体", "Subjects", words.subjects(one.subjects, lang))
        if one.members is not None:
            yield self.line("范围", "Members", words.members(one.members, lang, self.terms))
        yield self.line(
            "分值",
            "Scale",
            f"{one.lowest}–{one.highest}{self.say('，基础分 ', ', beginning with ')}{one.base}"
            f"{self.say('；', '; ')}{words.DIRECTION[lang][one.direction]}",
        )
        yield self.line("更新周期", "Cycle", words.CYCLE[lang][one.cycle])
        yield self.line("结果公示", "Shown to the public", words.SHOWN[lang][one.published])
        if one.raises == "automatic":
            counts = self.say(RAISES[one.raises], "counts at once, without an officer")
            yield self.line("模型建议上调一级", "A raise by one class that a model suggests", counts)
        for inner in one.inner.values():
            yield self.line(
                "引用方案", "Reads the grade of", f"{self.title(inner.title)} [{inner.id}] {inner.hash[:12]}"
            )
        yield self.line("内容摘要", "Hash", one.hash[:16])
        yield from self._dated("分级", "Cuts", one.cuts, self._cuts)

    def resting(self) -> Iterator[str]:
        """How many values rest on which kind of basis, and what rests on a draft."""
        counts = Counter(basis.kind for _, basis in self.scheme.bases())
        told = [f"{words.BASIS[self.lang][kind]} {counts[kind]}" for kind in BASIS_KINDS if counts[kind]]
        yield self.line(
            "数值的依据（全部时期）", "What the values of all times rest on", self.say("；", "; ").join(told)
        )
        keys = list(dict.fromkeys(key for key, basis in self.scheme.bases() if basis.kind == "draft"))
        if keys:
            where = self.say("、", ", ").join(f"[{key}]" for key in keys)
            yield self.say(
                f"⚠ 注意：以下数值只依据征求意见稿，没有法律效力，启用须由两人分别确认：{where}",
                f"⚠ These values rest on a draft for comment, which is not law; two persons must confirm that: {where}",
            )
        for inner in self.scheme.inner.values():
            if inner.rests_on_draft:
                yield self.say(
                    f"⚠ 注意：所引用的方案 [{inner.id}] 依据征求意见稿",
                    f"⚠ The scheme [{inner.id}], whose grade it reads, rests on a draft for comment",
                )

    def second(self, second: Second) -> Iterator[str]:
        indicators = [one for one in self.scheme.indicators.values() if one.second == second.id]
        rules = [one for one in self.scheme.rules.values() if one.second == second.id]
        wanted = [one for one in self.scheme.wanted.values() if one.second == second.id]
        empty = "" if indicators or rules else self.say("：暂无数据", ": no data yet")
        yield f"  {self.title(second.title)} [{second.id}]{empty}"
        for one in indicators:
            unit = words.UNITS[self.lang][one.unit].strip()
            said = words.indicator(one, self.lang, self.titles, self.terms)
            yield (
                f"    ○ {self.title(one.title)} [{one.id}]{self.say('：', ': ')}{said}"
                f"{self.say('；单位：', '; unit: ') + unit if unit else ''}"
            )
        for lack in wanted:
            lacking = self.say("尚缺数据，需要：", "not fed yet; needs: ")
            yield f"    ◌ {self.title(lack.title)} [{lack.id}]{self.say('：', ': ')}{lacking}{self.title(lack.needs)}"
        for rule in rules:
            yield from self._rule(rule)

    def tables(self) -> Iterator[str]:
        """Step tables, lookup tables and matrices."""
        for id_, steps in sorted(self.scheme.steps.items()):
            yield from self._table("折算表", "Step table", id_, steps, self._steps)
        for id_, lookup in sorted(self.scheme.lookups.items()):
            yield from self._table("对照表", "Lookup table", id_, lookup, self._lookup)
        for id_, matrix in sorted(self.scheme.matrices.items()):
            yield from self._table("矩阵", "Matrix", id_, matrix, self._matrix)

    def basis(self, basis: Basis) -> str:
        """What a value rests on; empty for a product default, which the head of the page has said of all."""
        kind = words.BASIS[self.lang][basis.kind]
        # A note is written in one language; in a page of the other it would be noise.
        noted = basis.note if basis.note and bool(_CHINESE.search(basis.note)) == (self.lang == "zh") else None
        cited = ""
        if basis.kind != "product_default":
            place = f" {words.article(basis.article, self.lang)}" if basis.article else ""
            quoted = self.say(basis.instrument_zh, basis.instrument) + place
            cited = self.say(f"《{quoted}》", f" “{quoted}”")
        elif not noted:
            return ""
        note = f"{self.say('；', '; ')}{noted}" if noted else ""
        return self.say(f"（依据：{kind}{cited}{note}）", f" (basis: {kind}{cited}{note})")

    def _rule(self, rule: Rule) -> Iterator[str]:
        title = f"    ● {self.title(rule.title)} [{rule.id}]"
        spans = {name: one.at(self.day) for name, one in rule.parameters.items()}
        held = {name: span for name, span in spans.items() if span is not None}
        if len(held) < len(spans):
            yield f"{title}{self.say('：该日不适用', ': not in force on this day')}"
            return
        constants = {name: span.value.value for name, span in held.items()}
        called = {id_: words.numbers(self.scheme.indicators[id_], self.lang, self.terms) for id_ in rule.indicators}
        tree = words.named(rule.when, lambda name: called.get(name, {}), constants, self.lang)
        told = {name: self._told(span.value.value, span.value.unit) for name, span in held.items()}
        titles = {**self.quoted, **{name: said for name, said in told.items() if held[name].value.unit == "fen"}}
        when = conditions.sentence(
            tree, self.lang, titles=titles, constants={name: n for name, n in constants.items() if name not in titles}
        )
        meant = words.meant(rule.when, called)
        effect = self._effect(rule, constants)
        resting = self.basis(rule.basis) if rule.basis else ""
        yield f"{title}{self.say('：当', ': where ')}{when}{self.say('，', ', ')}{effect}{resting}"
        if set(rule.subjects) != set(self.scheme.subjects):
            only = words.subjects(rule.subjects, self.lang)
            yield f"        {self.line('仅适用于', 'only for', only)}"
        for name, span in sorted(held.items()):
            value = self._value(span, meant.get(name, {}))
            yield f"        [{name}] = {value}{self._time(span)}{self.basis(span.basis)}"

    def _effect(self, rule: Rule, constants: dict[str, int]) -> str:
        if rule.effect == "veto":
            worst = rule.target or self.scheme.classes[-1]
            return self.say(f"分类不优于 {worst}", f"the class is no better than {worst}")
        if rule.effect == "cap" or rule.points is None:
            most = constants["at_most"]
            return self.say(f"得分不超过 {most}", f"the score is held at {most} at most")
        names = {**self.quoted, **{name: str(value) for name, value in constants.items()}}
        told = words.points(rule.points, self.lang, names)
        return self.say(f"计分 {told}", f"points: {told}")

    def _value(self, span: Span[ParameterValue], called: words.Numbers) -> str:
        value = span.value
        others = [
            f"{words.SUBJECT[self.lang][one]} {words.amount(number) if value.unit == 'fen' else number}"
            for one, number in value.subjects.items()
            if number != value.value
        ]
        told = self.say(f"（{'、'.join(others)}）", f" ({', '.join(others)})") if others else ""
        said = words.number(value.value, called, self.lang) if called else self._told(value.value, value.unit)
        return f"{said}{told}"

    def _told(self, number: int, unit: str) -> str:
        said = words.UNITS[self.lang][unit]
        return f"{words.amount(number) if unit == 'fen' else number}{self.say(' ', '') if said else ''}{said}"

    def _time(self, span: Span[Any]) -> str:
        """The days of a value; empty for those that the head of the page has said of all."""
        if span.start == self.first and span.until is None:
            return ""
        start = to_date(span.start)
        if span.until is None:
            return self.say(f"，自 {start} 起", f", from {start} on")
        last = to_date(span.until - 1)
        return self.say(f"，自 {start} 起至 {last} 止", f", from {start} to {last}")

    def _dated(self, zh: str, en: str, dated: Dated[T], tell: Any) -> Iterator[str]:
        span = dated.at(self.day)
        if span is None:
            yield self.line(zh, en, self.say("该日没有规定", "nothing is in force on this day"))
        else:
            yield f"{self.line(zh, en, tell(span.value))}{self._time(span)}{self.basis(span.basis)}"

    def _table(self, zh: str, en: str, id_: str, dated: Dated[T], tell: Any) -> Iterator[str]:
        yield ""
        yield from self._dated(f"▦ {zh} [{id_}]", f"▦ {en} [{id_}]", dated, tell)

    def _pairs(self, pairs: Any) -> str:
        return self.say("，", ", ").join(f"{one} {other}" for one, other in pairs)

    def _cuts(self, cuts: Cuts) -> str:
        """Each class with its lowest and highest score: a class ends where the next lower scores begin."""
        highest = list(cuts.highest)
        if self.scheme.direction == DIRECTIONS[0]:
            lowest = [self.scheme.lowest, *(end + 1 for end in highest[:-1])]
        else:
            lowest = [*(end + 1 for end in highest[1:]), self.scheme.lowest]
        return self._pairs(zip(cuts.classes, (f"{a}–{b}" for a, b in zip(lowest, highest, strict=True)), strict=True))

    def _steps(self, steps: Steps) -> str:
        told = [
            self.say(f"满 {edge} 日起 {percent}%", f"from {edge} days {percent} percent")
            for edge, percent in zip(steps.edges, steps.percents, strict=True)
        ]
        return self.say("，", ", ").join(told)

    def _lookup(self, lookup: Lookup) -> str:
        told = [
            f"{low}–{high} → {value}" if low != high else f"{low} → {value}"
            for low, high, value in zip(lookup.lows, lookup.highs, lookup.values, strict=True)
        ]
        return self.say("，", ", ").join([*told, f"{self.say('其余', 'all others')} → {lookup.otherwise}"])

    def _matrix(self, matrix: Matrix) -> str:
        told = [
            self.say(f"第 {place} 行：", f"row {place}: ") + " ".join(map(str, row))
            for place, row in enumerate(matrix.values)
        ]
        return self.say("；", "; ").join(told)
