"""Records: in the shape of the contract, dated within their entity's life, numbered as organs number, consistent."""

import json
import re
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.cells.checks import resident_id
from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.cells.personal import mask_personal
from registry.kinds.outside_list import LISTS
from registry.kinds.terms import person_number
from registry.kinds.validity import STANDING
from registry.sample import Sample, generate
from registry.sample.checks import SEVERITIES
from registry.sample.frames import RECORD_SCHEMA
from registry.sample.keys import record_key
from registry.sample.relations import paper
from tests.registry.sample.conftest import TODAY
from tests.registry.sample.stating import papers, stated

FURTHER = ["licence", "product_sampling", "registration_change", "certification", "standard_declared", "recall", "award",
           "satisfaction_survey", "outside_list", "accident", "relation"]  # fmt: skip
KINDS = ["penalty", "abnormal_listing", "serious_listing", "spot_check", "item_12315", "annual_report", *FURTHER]
# Kinds that say until when something will hold.
AHEAD = ("licence", "certification", "award", "outside_list")
# (code, severity) that docs/architecture.md allows.
ALLOWED = {
    "penalty": {(code, severity) for code in range(1, 15) for severity in (1, 2, 3)},
    "abnormal_listing": {(ground, 1) for ground in (1, 2, 3, 4)},
    "serious_listing": {(article, 1) for article in range(5, 12)},
    "spot_check": set(SEVERITIES.items()),
    "item_12315": {(1, 0), (1, 1), (1, 2), (1, 3), (2, 0), (2, 1), (2, 2), (3, 0)},
    "annual_report": {(year, severity) for year in (2023, 2024, 2025) for severity in (0, 1, 2)},
    "licence": {(subject, term.severity) for subject in (1, 2, 3, 4, 5, 7) for term in STANDING.terms.values()},
    "product_sampling": {(field, severity) for field in (1, 2, 3, 4, 6, 7) for severity in range(4)},
    "registration_change": {(item, 0) for item in (4, 5, 6, 8, 12)} | {(item, 1) for item in (1, 2, 3, 7)} | {(4, 2)},
    "certification": {(programme, term.severity) for programme in range(1, 12) for term in STANDING.terms.values()},
    "standard_declared": {(1, 0), (1, 1)},
    "recall": {(product, severity) for product in (2, 3, 7, 9) for severity in (1, 2, 3)},
    "award": {(honour, level) for honour in range(1, 12) for level in (1, 2, 3, 4)},
    "satisfaction_survey": {(score, by) for score in range(6_000, 10_000) for by in range(4)},
    "outside_list": {(term.number, term.severity) for term in LISTS.terms.values()} | {(6, 1), (6, 3)},
    "accident": {(sort, severity) for sort in range(1, 7) for severity in range(4)},
    "relation": {(type_, 0) for type_ in (1, 2, 3, 4)},
}


@pytest.mark.parametrize("kind", KINDS)
def test_frames_have_the_columns_of_the_contract(city: Sample, kind: str):
    frame = city.records[kind]
    assert dict(frame.schema) == dict(RECORD_SCHEMA)
    assert frame.select(pl.exclude("ends_on", "document_no")).null_count().sum_horizontal().item() == 0
    assert frame["entity"].is_between(0, len(city.entities) - 1).all()
    assert (frame["amount_fen"] >= 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_code_and_severity_are_those_of_the_projection_table(city: Sample, kind: str):
    assert set(city.records[kind].select("code", "severity").unique().iter_rows()) <= ALLOWED[kind]


@pytest.mark.parametrize("day", [TODAY, date(2026, 7, 1), date(2026, 7, 6), date(2026, 3, 1), date(2024, 2, 29)])
def test_nothing_lies_after_today_or_before_its_entity(day: date):
    sample = generate("town", today=day)
    born = sample.entities["established"]
    for kind, frame in sample.records.items():
        assert (frame["happened_on"] <= day).all(), kind
        assert (frame["happened_on"] >= born.gather(frame["entity"])).all(), kind
        ended = frame.drop_nulls("ends_on")
        assert (ended["ends_on"] >= ended["happened_on"]).all(), kind
        assert kind in AHEAD or (ended["ends_on"] <= day).all(), kind


def test_records_lie_within_the_coverage_of_their_kind(city: Sample):
    feeds = {kind: (prefix, start, end) for kind, prefix, start, end in city.coverage}
    assert set(feeds) == {"registration", *KINDS}
    for kind, frame in city.records.items():
        prefix, start, end = feeds[kind]
        assert frame["happened_on"].min() >= start
        assert end is None
        assert city.entities["division"].str.starts_with(prefix).all()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("annual_report", "outside_list", "relation")])
def test_an_organ_gives_a_number_once_also_when_folded(city: Sample, kind: str):
    frame = city.records[kind].select("organ", number=pl.col("document_no").map_elements(fold_document_no, pl.String))
    assert not frame.is_duplicated().any()
    assert not (frame["number"] == "").any()


def test_numbers_run_from_one_in_every_year_in_the_order_of_days(city: Sample):
    bureau = city.records["penalty"].filter(organ="信衡市市场监督管理局")
    this_year = bureau.filter(pl.col("happened_on") >= date(2026, 1, 1))["document_no"].to_list()
    assert this_year == [f"信衡市监处罚〔2026〕{number}号" for number in range(1, len(this_year) + 1)]
    assert len(this_year) > 10


def test_annual_reports_have_no_number_and_one_a_year(city: Sample):
    reports = city.records["annual_report"]
    assert reports["document_no"].null_count() == len(reports)
    assert not reports.select("entity", "code").is_duplicated().any()


def test_nothing_in_the_records_looks_like_a_personal_number(town: Sample):
    for frame in town.records.values():
        for number, detail in frame.select("document_no", "detail_json").iter_rows():
            assert mask_personal(detail) == detail
            assert number is None or mask_personal(number) == number


def test_details_and_keys_are_what_the_kind_of_record_makes_of_the_same_statement(town: Sample):
    """The loader writes the frames straight into the ledger: they must be what an import of the same would store."""
    known = papers(len(town.entities))
    for kind, frame in town.records.items():
        assert len(frame) > 0
        for row in frame.head(3_000).iter_rows(named=True):
            detail = json.loads(row["detail_json"])
            statement = stated(kind, row, known)
            assert (statement.code, statement.severity) == (row["code"], row["severity"]), (kind, row)
            assert statement.amount_fen == row["amount_fen"], (kind, row)
            assert (statement.happened_on, statement.ends_on) == (row["happened_on"], row["ends_on"]), (kind, row)
            assert statement.detail == detail, (kind, row)
            assert list(statement.detail) == list(detail), (kind, row)
            number = fold_document_no(row["document_no"] or "")
            assert statement.document_no == number, (kind, row)
            own = record_key(kind, fold_name(row["organ"]), number, row["code"], row["happened_on"], detail)
            assert statement.key == own, (kind, row)


def test_whoever_is_listed_for_no_report_has_not_filed_since_and_nobody_else_is_missing(city: Sample):
    """An enterprise owes the years from its first on; each is filed, or explained by the list or by a revocation."""
    filed = city.records["annual_report"].select("entity", year="code", filed_on="happened_on")
    enterprises = city.entities.with_row_index("entity").select(
        pl.col("entity").cast(pl.Int32), "kind", "status", "established"
    )
    owed = enterprises.filter(kind="enterprise", status=1).join(
        pl.DataFrame({"year": [2023, 2024, 2025]}, schema={"year": pl.Int32}), how="cross"
    )
    owed = owed.filter(pl.col("established").dt.year() <= pl.col("year"))
    listed = (
        city.records["abnormal_listing"]
        .filter(code=1)
        .select("entity", "ends_on", since=pl.col("detail_json").str.json_path_match("$.year").cast(pl.Int32))
    )
    rows = owed.join(filed, on=["entity", "year"], how="left").join(listed, on="entity", how="left")
    missing = rows.filter(pl.col("filed_on").is_null())
    still = pl.col("ends_on").is_null() & (pl.col("year") >= pl.col("since"))
    assert missing.select(still.fill_null(False).all()).item()
    assert rows.filter(still & pl.col("since").is_not_null())["filed_on"].null_count() == len(missing)
    # Whoever got off the list filed late, after it was listed and before it was removed.
    repaired = rows.filter(pl.col("ends_on").is_not_null() & (pl.col("year") == pl.col("since")))
    assert (repaired["filed_on"] < repaired["ends_on"]).all()
    assert (repaired["filed_on"] > repaired.select(pl.date(pl.col("year") + 1, 7, 1)).to_series()).all()


def test_lateness_is_what_the_days_say(city: Sample):
    reports = city.records["annual_report"].filter(pl.col("severity") < 2)
    late = reports.select(pl.col("happened_on") > pl.date(pl.col("code") + 1, 6, 30)).to_series()
    assert (late == (reports["severity"] == 1)).all()


def test_a_revoked_enterprise_files_nothing_and_is_not_listed_or_visited(city: Sample):
    revoked = city.entities.with_row_index("entity").filter(status=2)["entity"].cast(pl.Int32).implode()
    for kind in ("annual_report", "abnormal_listing", "spot_check"):
        assert city.records[kind].filter(pl.col("entity").is_in(revoked)).is_empty()


def test_decisions_are_taken_on_working_days(city: Sample):
    for kind in ("penalty", "spot_check"):
        weekday = city.records[kind]["happened_on"].dt.weekday()
        # A decision about an entity that was founded at the weekend stays there.
        assert (weekday >= 6).mean() < 0.01


def test_late_and_missing_reports_are_common_enough_to_tell_something(city: Sample):
    late = city.records["annual_report"].filter(pl.col("severity") > 0)["entity"]
    open_ground = city.records["abnormal_listing"].filter(pl.col("ends_on").is_null(), code=1)["entity"]
    behind = pl.concat([late, open_ground]).unique()
    kinds = city.entities["kind"].gather(behind)
    assert 0.13 < (kinds == "enterprise").sum() / 123_096 < 0.20


@settings(max_examples=60, deadline=None)
@given(
    size=st.integers(1, 400), seed=st.integers(0, 10_000), density=st.sampled_from([0.3, 1.0, 6.0]),
    day=st.dates(date(2020, 1, 1), date(2030, 12, 31)),
)  # fmt: skip
def test_no_two_records_of_an_entity_are_the_same_one_whatever_the_district(
    size: int, seed: int, density: float, day: date
):
    sample = generate(size, today=day, seed=seed, density=density)
    born = sample.entities["established"]
    for kind, frame in sample.records.items():
        keys = [
            (row["entity"], row["organ"], *record_key(
                kind, row["organ"], row["document_no"] or "", row["code"], row["happened_on"], json.loads(row["detail_json"])
            ))
            for row in frame.iter_rows(named=True)
        ]  # fmt: skip
        assert len(set(keys)) == len(keys), kind
        assert frame["happened_on"].is_between(born.gather(frame["entity"]), pl.lit(day)).all(), kind
    assert sample.truth["bayes"].is_finite().all()


def test_a_tie_is_with_another_enterprise_of_the_district_and_a_person_is_a_hash_alone(city: Sample):
    relations = city.records["relation"].with_columns(
        code_here=city.entities["code"].gather(city.records["relation"]["entity"]),
        other=pl.col("detail_json").str.json_path_match("$.other_code"),
        named=pl.col("detail_json").str.json_path_match("$.other_name"),
        person=pl.col("detail_json").str.json_path_match("$.person_hash"),
    )
    ties, people = relations.filter(pl.col("code") > 1), relations.filter(code=1)
    firms = city.entities.filter(kind="enterprise").select(other="code", right="name")
    found = ties.join(firms, on="other", how="inner")
    assert len(found) == len(ties) == 20_000
    assert (found["named"] == found["right"]).all()
    assert (ties["other"] != ties["code_here"]).all()
    assert people["person"].str.contains("^[0-9a-f]{64}$").all()
    assert set(json.loads(people["detail_json"][0])) == {"type", "person_hash", "valid_from"}


def test_the_paper_of_an_invented_person_is_no_identity_number_that_anybody_can_have():
    numbers = [paper(person) for person in (*range(3_000), 10**6, 5 * 10**6)]
    assert len(set(numbers)) == len(numbers)
    for number in numbers:
        assert re.fullmatch(r"990199\d{12}", number)
        assert resident_id(number) is None
        assert person_number(number) == f"paper/{number}"


def test_a_representative_shared_by_several_is_that_of_one_older_enterprise_and_younger_ones(city: Sample):
    people = city.records["relation"].filter(code=1).with_columns(
        person=pl.col("detail_json").str.json_path_match("$.person_hash")
    )  # fmt: skip
    ages = people.with_columns(established=city.entities["established"].gather(people["entity"]))
    several = ages.filter(pl.len().over("person") > 1)
    assert several["person"].n_unique() > 1_000
    old = pl.col("established") < date(2020, 11, 23)
    assert several.group_by("person").agg(old.sum()).select((pl.col("established") == 1).all()).item()


def test_papers_in_force_are_in_force_and_those_that_ran_out_have_run_out(city: Sample):
    for kind in ("licence", "certification"):
        rows = city.records[kind].with_columns(
            standing=pl.col("detail_json").str.json_path_match("$.standing"),
            last=pl.col("detail_json").str.json_path_match("$.valid_to").str.to_date(),
        )
        holds = rows.group_by("standing").agg(
            pl.len(), holds=(pl.col("last") >= TODAY).all(), out=(pl.col("last") < TODAY).all()
        )
        said = {name: (holds, out) for name, _, holds, out in holds.iter_rows()}
        assert set(said) == {"valid", "expired", "suspended", "ended", "withdrawn"}
        assert said["valid"] == said["suspended"] == (True, False)
        assert said["expired"] == (False, True)
        share = rows.filter(standing="valid", severity=0).filter(pl.col("ends_on") > TODAY)
        assert 0.85 < len(share) / len(rows) < 0.96
