"""What a context 背景值 says, from what was known at one ledger number: sets of columns, never a loop over entities.

Here it is worked out; `registry.services.context_building` stores it. docs/context.md says what each value is.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

import orjson
import polars as pl

from registry import clock, parameters
from registry.config import Settings
from registry.database import execute, read_frame, session
from registry.kinds import KINDS
from registry.kinds.relation import TYPES
from registry.kinds.spot_check import OUTCOMES
from registry.services import aliases, book, context_norms, frames
from rules.kinds import CONTEXT_NORMS
from rules.model.areas import area_rates
from rules.model.units import DETAIL

PENALTY, ABNORMAL, SERIOUS = (KINDS[name].number for name in ("penalty", "abnormal_listing", "serious_listing"))
CHECK, ITEM = (KINDS[name].number for name in ("spot_check", "item_12315"))
READ = {PENALTY, ABNORMAL, SERIOUS, CHECK, ITEM, DETAIL}
COMPLAINT = 1
REVOKED, CANCELLED = 2, 3
REPRESENTATIVE = TYPES.terms["legal_representative"].number
# Who holds office 任职: not who merely owns a share.
OFFICES = (REPRESENTATIVE, TYPES.terms["manager"].number)
# Outcomes 6 and 7 say that there was nothing to check.
CHECKED = tuple(code for code in OUTCOMES if code not in (6, 7))

PARTIES = {"entity": pl.Int64, "status": pl.Int16, "industry": pl.Int32, "division": pl.String, "address": pl.String}
VALUES = {"entity": pl.Int64, "name": pl.String, "value": pl.Int64, "behind": pl.String}
RELATIONS = {"seq": pl.Int64, "entity": pl.Int64, "type": pl.Int16, "other": pl.Int64, "person": pl.String}
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Made:
    """A context before it is stored. `values` has columns entity, name, value, behind (JSON, "" where nothing is behind)."""

    day: int
    known: int
    names: list[str]
    norms: list[tuple[str, int, int, int]]
    values: pl.DataFrame

    @property
    def hash(self) -> str:
        """SHA-256 over all that it says, in one fixed order."""
        said = hashlib.sha256(orjson.dumps([self.day, self.known, self.names, self.norms]))
        for part in self.values.sort("entity", "name").iter_slices(100_000):
            rows = part.select(pl.concat_str("entity", "name", "value", "behind", separator="|"))
            said.update(("\n" + "\n".join(rows.to_series().to_list())).encode())
        return said.hexdigest()


def read(settings: Settings, *, day: date, known: int, without: str = "", progress: Progress | None = None) -> Made:
    """What a context of a day says, from what was known at ledger number `known`; nothing is stored.

    `without` is the hash of a context whose own grades are left out: those of the day that rest on this very context.
    """
    with session():
        scheme = book.in_force(settings, on=day, known=known)
        number = clock.day_number(day)
        set_to = {name: one.on(day).value for name, one in parameters.shipped("context").items()}
        into = aliases.within(0, aliases.NOW, known=known)
        parties, seen, checks = _all(settings.grading.range_size, number, known, set_to, into, progress)
        worst = _worst(scheme.id, scheme.classes[-1], number, known, without)
        flags = parties.join(seen, on="entity", how="left").select(
            "entity",
            abnormal=pl.col("abnormal").fill_null(value=False),
            serious=pl.col("serious").fill_null(value=False),
            penalised=pl.col("penalised").fill_null(value=False),
            revoked=pl.col("status") == REVOKED,
            worst=pl.col("entity").is_in(worst["entity"].implode()),
        )
        pairs = _pairs(_relations(day, known, into), parties["entity"]).join(
            flags, left_on="other", right_on="entity", how="left"
        )
        values = pl.concat(
            [
                _same_address(parties),
                _counted("related", pairs),
                *(
                    _counted(f"related_{name}", pairs.filter(pl.col(name)))
                    for name in ("abnormal", "serious", "revoked", "penalised", "worst")
                ),
                _counted("representative_others", pairs.filter("office")),
                _counted("representative_revoked", pairs.filter(pl.col("office") & pl.col("revoked"))),
            ]
        ).sort("entity", "name")
        feeds = frames.coverage(known)
        norms = _norms(parties.join(seen, on="entity", how="left"), feeds, number, set_to)
        placed = parties.select("entity", "division")
        norms += area_rates(checks, placed, number, weight=set_to["weight_checks"]).rows()
        names = _names(
            values, norms, _feeding(feeds, number), graded=worst.height > 0 or _graded(scheme.id, number, known)
        )
        return Made(number, known, names, norms, values)


# --- what was known ------------------------------------------------------------------------------------------------


def _all(
    size: int, day: int, known: int, set_to: dict[str, int], into: dict[int, int], progress: Progress | None
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Who is registered and not cancelled, as was known, what stood on record about each, and the facts of all checks; in
    ranges of ids."""
    highest = int(execute("SELECT coalesce(max(id), 0) FROM entity").fetchone()[0])
    nothing = pl.DataFrame(schema=frames.FACTS)
    parties, seen, checks = [pl.DataFrame(schema=PARTIES)], [_seen(nothing, day, set_to)], [nothing]
    for first in range(1, highest + 1, size):
        last = first + size - 1
        parties.append(_parties(first, last, known))
        facts = frames.facts_in(first, last, READ, known)
        seen.append(_seen(facts, day, set_to))
        checks.append(facts.filter(pl.col("kind").is_in([CHECK, DETAIL])))
        if progress is not None:
            progress(min(last, highest), highest)
    merged = pl.Series(sorted(into), dtype=pl.Int64)
    standing = pl.concat(parties).filter(pl.col("status") != CANCELLED, ~pl.col("entity").is_in(merged.implode()))
    return standing, pl.concat(seen), pl.concat(checks)


def _parties(first: int, last: int, known: int) -> pl.DataFrame:
    sql = "SELECT id, status, industry, division, address FROM entity WHERE id BETWEEN ? AND ? AND registered_seq <= ?"
    now = read_frame(sql, (first, last, known), dict(PARTIES))
    # Whose registration changed since stands in the ledger as it was known then.
    before = execute(
        "SELECT r.entity_id, r.severity, r.code, r.detail FROM entity e JOIN record r ON r.entity_id = e.id "
        "WHERE e.id BETWEEN ? AND ? AND e.registered_seq > ? AND r.kind = 'registration' AND r.act NOT IN ('withdraw', 'step') "
        "AND r.seq <= ? AND (r.replaced_seq IS NULL OR r.replaced_seq > ?)",
        (first, last, known, known, known),
    ).fetchall()
    rows = []
    for entity, status, industry, detail in before:
        # SQLite keeps the detail as text, PostgreSQL as a document.
        said = orjson.loads(detail) if isinstance(detail, str) else detail
        rows.append((entity, status, industry, said.get("division", ""), said.get("address", "")))
    return pl.concat([now, pl.DataFrame(rows, schema=PARTIES, orient="row")])


def _seen(facts: pl.DataFrame, day: int, set_to: dict[str, int]) -> pl.DataFrame:
    """One row per entity with facts: is it listed on the day, was it penalised, and the counts behind the norms."""
    kind, counts = pl.col("kind"), pl.col("severity") >= 1
    past = pl.col("day") <= day
    held = past & (pl.col("ends").is_null() | (pl.col("ends") > day))
    year = past & (pl.col("day") > day - set_to["year_days"])
    check = (kind == CHECK) & past & (pl.col("day") > day - set_to["check_days"]) & pl.col("code").is_in(CHECKED)
    penalty = (kind == PENALTY) & counts & year
    return facts.group_by("entity").agg(
        abnormal=((kind == ABNORMAL) & held).any(),
        serious=((kind == SERIOUS) & held).any(),
        penalised=penalty.any(),
        penalties=penalty.sum().cast(pl.Int64),
        complaints=((kind == ITEM) & (pl.col("code") == COMPLAINT) & counts & year).sum().cast(pl.Int64),
        violations=(check & counts).sum().cast(pl.Int64),
        checks=check.sum().cast(pl.Int64),
    )


def _relations(day: date, known: int, into: dict[int, int]) -> pl.DataFrame:
    """Relations that hold on the day as was known, both sides under who they are; `other` is 0 for who is not here."""
    sql = (
        "SELECT r.known, r.entity, r.type, CASE WHEN r.other_code = '' THEN 0 ELSE coalesce("
        "(SELECT c.id FROM entity c WHERE c.code = r.other_code), "
        "(SELECT min(n.id) FROM entity n WHERE n.registration_no = r.other_code), 0) END, coalesce(r.person_hash, '') "
        "FROM relation r WHERE r.known <= ? AND (r.gone IS NULL OR r.gone > ?) "
        "AND (r.from_on IS NULL OR r.from_on <= ?) AND (r.to_on IS NULL OR r.to_on > ?)"
    )
    found = read_frame(sql, (known, known, day.isoformat(), day.isoformat()), dict(RELATIONS))
    return found.with_columns(pl.col("entity", "other").replace(into)) if into else found


def _worst(scheme: str, worst: str, day: int, known: int, without: str) -> pl.DataFrame:
    """Entities whose grade, as was known, is of the worst class. The history is asked: the present state would tell
    what came later."""
    then = "{0}.known <= ? AND {0}.day <= ? AND ({0}.context IS NULL OR {0}.context <> ?)"
    sql = (
        "SELECT DISTINCT g.entity FROM grade g JOIN scheme_version v ON v.id = g.version_id "  # noqa: S608 (ours)
        f"WHERE v.scheme = ? AND g.class = ? AND {then.format('g')} AND NOT EXISTS ("
        "SELECT 1 FROM grade n JOIN scheme_version w ON w.id = n.version_id "
        f"WHERE n.entity = g.entity AND w.scheme = v.scheme AND {then.format('n')} AND (n.known > g.known "
        "OR (n.known = g.known AND (n.day > g.day OR (n.day = g.day AND n.version_id > g.version_id)))))"
    )
    return read_frame(sql, (scheme, worst, known, day, without, known, day, without), {"entity": pl.Int64})


def _graded(scheme: str, day: int, known: int) -> bool:
    sql = (
        "SELECT 1 FROM grade g JOIN scheme_version v ON v.id = g.version_id WHERE v.scheme = ? AND g.known <= ? AND g.day <= ? "
        "LIMIT 1"
    )
    return execute(sql, (scheme, known, day)).fetchone() is not None


# --- values --------------------------------------------------------------------------------------------------------


def _pairs(relations: pl.DataFrame, standing: pl.Series) -> pl.DataFrame:
    """Every two entities that are related, from either side, with a ledger row that says so; several rows where several do.

    Related are: the two ends of a relation; and an entity with every other one in which its legal representative, known by
    the keyed hash of his number, has any part. `office` marks those in which he holds office, seen from his entity.
    """
    ends = relations.filter(pl.col("other") > 0).select("entity", "other", "seq", office=pl.lit(value=False))
    persons = relations.filter(pl.col("person") != "").select("entity", "person", "seq", "type")
    represented = persons.filter(pl.col("type") == REPRESENTATIVE).select("entity", "person", "seq")
    both = represented.join(
        persons.rename({"entity": "other", "seq": "other_seq"}), on="person", how="inner"
    ).with_columns(office=pl.col("type").is_in(OFFICES))
    shared = pl.concat(
        [both.select("entity", "other", pl.col(name).alias("seq"), "office") for name in ("seq", "other_seq")]
    )
    forth = pl.concat([ends, shared])
    back = forth.select(
        pl.col("other").alias("entity"), pl.col("entity").alias("other"), "seq", office=pl.lit(value=False)
    )
    known = standing.implode()
    return (
        pl.concat([forth, back])
        .filter(pl.col("entity") != pl.col("other"), pl.col("entity").is_in(known), pl.col("other").is_in(known))
        .unique()
    )


def _counted(name: str, pairs: pl.DataFrame) -> pl.DataFrame:
    """How many other entities stand beside each one, each once, and the rows that say so."""
    counted = pairs.group_by("entity").agg(
        value=pl.col("other").n_unique().cast(pl.Int64), seqs=pl.col("seq").unique().sort().cast(pl.String)
    )
    return counted.select(
        "entity",
        pl.lit(name).alias("name"),
        "value",
        behind=pl.concat_str(pl.lit("["), pl.col("seqs").list.join(","), pl.lit("]")),
    )


def _same_address(parties: pl.DataFrame) -> pl.DataFrame:
    """How many others are registered at the same address of the same city; who has no address has nobody beside him."""
    placed = parties.select("entity", city=pl.col("division").str.slice(0, 4), place=folded(pl.col("address"))).filter(
        pl.col("place") != ""
    )
    beside = placed.with_columns(value=pl.len().over("city", "place").cast(pl.Int64) - 1).filter(pl.col("value") > 0)
    return beside.select("entity", pl.lit("same_address").alias("name"), "value", pl.lit("").alias("behind"))


def folded(address: pl.Expr) -> pl.Expr:
    """The form of an address under which it is compared: NFKC, upper case, one hyphen for all, without blanks, brackets,
    commas and stops."""
    plain = address.fill_null("").str.normalize("NFKC").str.to_uppercase()
    return plain.str.replace_all(r"[‐‑‒–—―−~]+", "-").str.replace_all(r"[\s()\[\]【】〔〕,，。、;:'\"“”·]", "")


# --- norms and names -----------------------------------------------------------------------------------------------


def _norms(
    parties: pl.DataFrame, feeds: pl.DataFrame, day: int, set_to: dict[str, int]
) -> list[tuple[str, int, int, int]]:
    """Norms by industry over those whom a feed covers: without one nobody knows that there was nothing."""
    found: list[tuple[str, int, int, int]] = []
    asked = {
        "complaints": (ITEM, "year_days", pl.len(), "weight_entities"),
        "violations": (CHECK, "check_days", pl.col("checks").sum(), "weight_checks"),
        "penalties": (PENALTY, "year_days", pl.len(), "weight_entities"),
    }
    for name in CONTEXT_NORMS:
        kind, window, units, weight = asked[name]
        prefixes = _feeding(feeds, day, set_to[window]).get(kind, ())
        counts = (
            parties.filter(_within(prefixes))
            .with_columns(pl.col(name, "checks").fill_null(0))
            .group_by("industry")
            .agg(pl.col(name).sum(), units.cast(pl.Int64).alias("units"))
        )
        found += [(name, *one) for one in context_norms.ranges(counts.iter_rows(), set_to[weight])]
    return found


def _within(prefixes: Iterable[str]) -> pl.Expr:
    inside = pl.lit(value=False)
    for prefix in sorted(set(prefixes)):
        inside |= pl.col("division").str.starts_with(prefix)
    return inside


def _feeding(feeds: pl.DataFrame, day: int, window: int = 1) -> dict[int, list[str]]:
    """Kind → division prefixes with a feed on some of these days up to `day`, as indicators ask it (`rules.coverage`)."""
    on = feeds.filter(pl.col("from_day") <= day, pl.col("to_day").is_null() | (pl.col("to_day") > day - window))
    found: dict[int, list[str]] = {}
    for kind, division in on.select("kind", "division").iter_rows():
        found.setdefault(kind, []).append(division)
    return found


def _names(
    values: pl.DataFrame, norms: list[tuple[str, int, int, int]], feeds: dict[int, list[str]], *, graded: bool
) -> list[str]:
    """What the context answers for: no listing of related ones is known where no feed of listings was ever connected."""
    names = {"same_address", "related", "related_revoked", "representative_others", "representative_revoked"}
    names |= {
        name
        for name, kind in (("related_abnormal", ABNORMAL), ("related_serious", SERIOUS), ("related_penalised", PENALTY))
        if kind in feeds
    }
    if graded:
        names.add("related_worst")
    return sorted({*names, *values["name"].unique().to_list(), *(one[0] for one in norms)})
