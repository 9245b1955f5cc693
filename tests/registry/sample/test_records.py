"""Records: in the shape of the contract, dated within their entity's life, numbered as organs number, consistent."""

import json
from datetime import date

import polars as pl
import pytest

from registry.cells.documents import fold_document_no
from registry.cells.personal import mask_personal
from registry.kinds import abnormal_listing, annual_report, item_12315, penalty, serious_listing, spot_check
from registry.sample import Sample, generate
from registry.sample.checks import SEVERITIES
from registry.sample.frames import RECORD_SCHEMA
from tests.registry.sample.conftest import TODAY

KINDS = ["penalty", "abnormal_listing", "serious_listing", "spot_check", "item_12315", "annual_report"]
# (code, severity) that docs/architecture.md allows.
ALLOWED = {
    "penalty": {(code, severity) for code in range(1, 15) for severity in (1, 2, 3)},
    "abnormal_listing": {(ground, 1) for ground in (1, 2, 3, 4)},
    "serious_listing": {(article, 1) for article in range(5, 12)},
    "spot_check": set(SEVERITIES.items()),
    "item_12315": {(1, 0), (1, 1), (1, 2), (1, 3), (2, 0), (2, 1), (2, 2), (3, 0)},
    "annual_report": {(year, severity) for year in (2023, 2024, 2025) for severity in (0, 1, 2)},
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
        assert (ended["ends_on"] <= day).all(), kind


def test_records_lie_within_the_coverage_of_their_kind(city: Sample):
    feeds = {kind: (prefix, start, end) for kind, prefix, start, end in city.coverage}
    assert set(feeds) == {"registration", *KINDS}
    for kind, frame in city.records.items():
        prefix, start, end = feeds[kind]
        assert frame["happened_on"].min() >= start
        assert end is None
        assert city.entities["division"].str.starts_with(prefix).all()


@pytest.mark.parametrize("kind", ["penalty", "abnormal_listing", "serious_listing", "spot_check", "item_12315"])
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


def test_details_are_what_the_kind_of_record_makes_of_the_same_statement(town: Sample):
    """The loader writes the frames straight into the ledger: they must be what an import of the same would store."""
    stated = {
        penalty: ("decided_on", {}),
        abnormal_listing: ("listed_on", {"ground": "code", "removed_on": "ends_on"}),
        serious_listing: ("listed_on", {"article": "code", "removed_on": "ends_on"}),
        spot_check: ("checked_on", {}),
        item_12315: ("received_on", {"closed_on": "ends_on", "amount_fen": "amount_fen"}),
        annual_report: ("filed_on", {"year": "code"}),
    }
    for module, (day, columns) in stated.items():
        kind, schema = module.KIND.name, module.KIND.schema(today=TODAY)
        assert len(town.records[kind]) > 0
        for row in town.records[kind].head(3_000).iter_rows(named=True):
            detail = json.loads(row["detail_json"])
            given = {name: value for name, value in detail.items() if name != "printed_no"}
            given |= {name: row[column] for name, column in columns.items()}
            given |= {day: row["happened_on"], "organ": row["organ"], "document_no": row["document_no"] or ""}
            if module is annual_report:
                given["false"] = row["severity"] == 2
            given = {name: value.isoformat() if isinstance(value, date) else value for name, value in given.items()}
            statement = module.KIND.state(schema.load(given))
            assert (statement.code, statement.severity) == (row["code"], row["severity"]), (kind, row)
            assert statement.amount_fen == row["amount_fen"], (kind, row)
            assert (statement.happened_on, statement.ends_on) == (row["happened_on"], row["ends_on"]), (kind, row)
            assert statement.detail == detail, (kind, row)


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
