"""What an enterprise can do about its class: repairs, removal from the list, late reports, expired terms; each from which day on.

The words tell a person what to do; what it does to the facts is for `rules.ways` to grade. The first day of a deed that an
organ decides on is the day on which it must have decided at the latest, applied for as early as may be.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from registry import clock, publicity
from registry.kinds import KINDS
from registry.kinds.abnormal_listing import GROUNDS
from registry.models import Entity
from registry.services import abnormal_list, life, repairs, workdays
from registry.services.life import Target
from rules import conditions, measures
from rules.deeds import Action, Added
from rules.kinds import REGISTRATION
from rules.parts import Indicator
from rules.scheme import Scheme

LISTINGS = tuple(KINDS[name].number for name in repairs.LISTINGS)
REPORT = KINDS["annual_report"].number
# Severity of the fact of a report that comes after its deadline.
LATE = 1
# Working days in which a licence or a business term is renewed. Product default: no basis is claimed.
RENEWED_WITHIN = 20
# Conditions of a repair that later penalties can put out of reach for good, and the one that a deed of its own meets.
OUT_OF_REACH, NOT_LISTED = ("no_repeat", "no_heavy_penalty"), "not_listed"
_RENEWED = {"licence": ("许可", "licence"), "certification": ("认证", "certification")}


@dataclass(frozen=True, slots=True)
class Deed:
    """A deed with what is said of it beside its words: the ledger rows it is about, and what will be asked for."""

    action: Action
    records: tuple[int, ...]
    conditions: tuple[dict[str, str], ...] = ()


def possible(
    entity: Entity,
    scheme: Scheme,
    facts: pl.DataFrame,
    *,
    indicators: Collection[str],
    records: Collection[int],
    today: date,
) -> list[Deed]:
    """All that the entity can do about the points that `records` and `indicators` give it.

    `facts` are those of the entity as they are known now. Records that were withdrawn or repaired, or do not count, and
    listings that ended, offer nothing; neither does a penalty while a listing stands in the way that cannot be removed.
    """
    day = clock.day_number(today)
    standing = facts.filter(pl.col("kind").is_in(LISTINGS) & (pl.col("ends").is_null() | (pl.col("ends") > day)))
    listed: dict[int, int] = dict(standing.select("seq", "code").iter_rows())
    reported = set(facts.filter((pl.col("kind") == REPORT) & (pl.col("day") <= day))["code"].to_list())
    found: list[Deed] = []
    waiting: list[Target] = []
    for target in life.targets(seqs=sorted({*records, *listed})) if records or listed else []:
        if target.out or target.withdrawn:
            continue
        if target.seq in listed:
            # Also a listing that gives no points: no penalty is repaired while its party is on a list.
            found += _off_the_list(entity, target, listed[target.seq], reported, today)
        elif target.kind not in repairs.LISTINGS:
            waiting.append(target)
    latest: dict[str, int] = {}
    for deed in found:
        latest[deed.action.about] = max(latest.get(deed.action.about, 0), deed.action.day)
    stuck = any(f"record:{seq}" not in latest for seq in listed)
    for target in waiting:
        found += _repair(target, latest, stuck, today)
    looked_at = list(_read(scheme, indicators))
    filed = {fact.code for deed in found for fact in deed.action.adds if fact.kind == REPORT}
    found += _reports(looked_at, facts, reported | filed, day)
    found += _renewals(looked_at, facts, today)
    return found


def _off_the_list(
    entity: Entity, target: Target, ground: int, reported: Collection[int], today: date
) -> Iterator[Deed]:
    """Removal 移出 (the listing ends), and repair 信用修复 (it counts no more). `ground` is of an abnormal listing."""
    adds: tuple[Added, ...] = ()
    more_zh, more_en = "", ""
    if target.kind == "abnormal_listing":
        if ground == 1 and (year := _year(target)) is not None and year not in reported:
            adds = (Added(REPORT, year, LATE),)
        if entity.status not in abnormal_list.GONE:
            causes = [text for code, (text, grounds) in abnormal_list.REMOVALS.items()
                      if ground in grounds and code not in (abnormal_list.TRANSFER, 7)]  # fmt: skip
            verb = (
                ("恢复正常记载状态", "restoration")
                if abnormal_list.is_marked(entity)
                else ("移出经营异常名录", "removal")
            )
            more_zh, more_en = "或者".join(causes), GROUNDS[ground].en if ground in GROUNDS else ""
            action = Action(
                id=f"removal:{target.seq}",
                zh=f"{more_zh}，申请{verb[0]}{_number(target)}",
                en=f"end the ground ({more_en}), apply for {verb[1]} from the abnormal-operation list{_numbered(target)}",
                day=clock.day_number(workdays.due(today, abnormal_list.REMOVE_WITHIN)),
                about=f"record:{target.seq}",
                ends=frozenset([target.seq]),
                adds=adds,
            )
            yield Deed(action, (target.seq,), _asked(target, today))
    for deed in _repair(target, {}, False, today):
        before_zh, before_en = (f"{more_zh}，", "end the ground, ") if more_zh else ("", "")
        action = Action(
            id=deed.action.id,
            zh=f"{before_zh}{deed.action.zh}",
            en=f"{before_en}{deed.action.en}",
            day=deed.action.day,
            about=deed.action.about,
            removes=deed.action.removes,
            adds=adds,
        )
        yield Deed(action, deed.records, deed.conditions)


def _year(target: Target) -> int | None:
    """The report year for which a listing stands: as it says, else the last one whose term was over on the day of listing."""
    if target.detail.get("year"):
        return int(target.detail["year"])
    if target.happened_on is None:
        return None
    return target.happened_on.year - (1 if target.happened_on > date(target.happened_on.year, 6, 30) else 2)


def _repair(target: Target, listings: dict[str, int], stuck: bool, today: date) -> Iterator[Deed]:
    """The repair of one record, if it can be had: once its shortest publicity is over and its party is on no list.

    `listings` are the matters that must be dealt with before, with the day on which each is; `stuck`: one cannot be.
    """
    rule = publicity.repair_rule(target.kind, today)
    if rule is None or (target.kind in repairs.CHECKS and target.severity == 0):
        return
    start = repairs.shortest_over(target, today) if "minimum_over" in rule.conditions else today
    if start is None:
        return
    met = {name: one["met"] for name, one in repairs.conditions_of(target, today).items()}
    if any(met.get(name) is False for name in OUT_OF_REACH):
        return
    needs: frozenset[str] = frozenset()
    if NOT_LISTED in rule.conditions and (listings or stuck):
        if stuck:
            return
        needs = frozenset(listings)
        start = max(start, clock.day_of(max(listings.values())))
    kind = KINDS[target.kind].title
    action = Action(
        id=f"repair:{target.seq}",
        zh=f"申请{kind.zh}信用修复{_number(target)}",
        en=f"apply for repair: {kind.en}{_numbered(target)}",
        day=clock.day_number(workdays.due(max(start, today), rule.accept_within + rule.decide_within)),
        about=f"record:{target.seq}",
        removes=frozenset([target.seq]),
        needs=needs,
    )
    yield Deed(action, (target.seq,), _asked(target, today))


def _asked(target: Target, today: date) -> tuple[dict[str, str], ...]:
    """What an officer will ask for, in words."""
    rule = publicity.repair_rule(target.kind, today)
    names = () if rule is None else rule.conditions
    told = ((name, publicity.condition(name)) for name in names)
    return tuple({"name": name, "zh": one.zh, "en": one.en} for name, one in told if one.checked == "officer")


def _reports(
    indicators: Iterable[Indicator], facts: pl.DataFrame, reported: Collection[int], day: int
) -> Iterator[Deed]:
    """Every year whose report fell due, is looked at and was not filed."""
    registered = facts.filter((pl.col("kind") == REGISTRATION) & (pl.col("day") <= day)).sort("day", "seq")
    if not registered.height:
        return
    since, today = clock.day_of(int(registered["day"][-1])).year, clock.day_of(day)
    years: set[int] = set()
    for one in indicators:
        if one.measure == "missing_years":
            last = today.year - (1 if today >= date(today.year, *one.deadline) else 2)
            years |= set(range(max(since, last - one.years + 1), last + 1))
    for year in sorted(years - set(reported)):
        action = Action(
            id=f"report:{year}",
            zh=f"补报并公示{year}年度年度报告",
            en=f"file and publish the annual report of {year}",
            day=day,
            about=f"report:{year}",
            adds=(Added(REPORT, year, LATE),),
        )
        yield Deed(action, ())


def _renewals(indicators: Iterable[Indicator], facts: pl.DataFrame, today: date) -> Iterator[Deed]:
    """Terms that have run out, or are about to: of the business, of the newest licence, of the newest certification."""
    day = clock.day_number(today)
    done = clock.day_number(workdays.due(today, RENEWED_WITHIN))
    seen: set[int] = set()
    for one in indicators:
        if one.measure != "expired" or not (one.kind == REGISTRATION or one.kind_name in _RENEWED):
            continue
        held = facts.filter((pl.col("kind") == one.kind) & (pl.col("day") <= day))
        held = held if one.where is None else held.filter(conditions.to_polars(one.where))
        newest = held.sort("day", "seq", "code", "severity", "amount").tail(1)
        if not newest.height or newest["ends"][0] is None or newest["ends"][0] > day + one.ahead:
            continue
        seq, code = int(newest["seq"][0]), int(newest["code"][0])
        if seq in seen:
            continue
        seen.add(seq)
        until = clock.day_of(int(newest["ends"][0])) - timedelta(days=1)
        if one.kind == REGISTRATION:
            zh, en = f"办理经营期限变更登记（至{until}）", f"extend the business term (until {until})"
            action = Action(f"extension:{seq}", zh, en, done, f"record:{seq}", extends=frozenset([seq]))
        else:
            zh, en = _RENEWED[one.kind_name]
            zh, en = f"延续或者重新取得{zh}（有效期至{until}）", f"renew the {en} (valid until {until})"
            adds = (Added(one.kind, code),)
            action = Action(f"renewal:{seq}", zh, en, done, f"record:{seq}", adds=adds)
        yield Deed(action, (seq,))


def _read(scheme: Scheme, ids: Iterable[str]) -> Iterator[Indicator]:
    """Indicators and all that they are made of; of a grade that another scheme gives, all of that scheme."""
    for id_ in ids:
        one = scheme.indicators[id_]
        yield one
        yield from _read(scheme, measures.inputs(one))
        if one.measure == "grade":
            yield from _read(scheme.inner[one.scheme], scheme.inner[one.scheme].indicators)


def _number(target: Target) -> str:
    said: Any = target.detail.get("printed_no") or target.document_no or target.happened_on
    return f"（{said}）" if said else ""


def _numbered(target: Target) -> str:
    return _number(target).replace("（", " (").replace("）", ")")


def to_come(scheme: Scheme, facts: pl.DataFrame, day: int, last: int) -> pl.DataFrame:
    """Annual reports that fall due after `day` and until day `last`, as facts, each filed on the last day of its term.

    Whoever waits is taken to file them: without them every enterprise grows worse each summer. A year that was reported
    already is left out, and so is what is overdue.
    """
    reported = set(facts.filter(pl.col("kind") == REPORT)["code"].to_list())
    terms = {one.deadline for one in _read(scheme, scheme.indicators) if one.measure == "missing_years"}
    highest = facts["seq"].max()
    seq = highest if isinstance(highest, int) else 0
    entity = facts["entity"][0] if facts.height else 0
    rows: list[tuple[Any, ...]] = []
    for year in range(clock.day_of(day).year - 1, clock.day_of(last).year):
        ends = [clock.day_number(date(year + 1, *deadline)) - 1 for deadline in terms]
        if ends and year not in reported and day < min(ends) <= last:
            rows.append((entity, REPORT, year, 0, 0, min(ends), None, seq + 1 + len(rows)))
    return pl.DataFrame(rows, schema=dict(facts.schema), orient="row")
