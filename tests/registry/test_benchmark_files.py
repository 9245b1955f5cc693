"""Files of a benchmark as frames: what can be used is there, what cannot is counted by reason, what is not said is refused."""

import gzip
from datetime import date

import polars as pl
import pytest

from registry.services import benchmark_files, benchmark_mapping
from registry.services.benchmark_files import BadBenchmarkSet
from tests.registry.benchmarking import MAPPING, VISITS, read, written


def test_visits_are_read_by_day_with_what_they_found(tmp_path):
    found = read(tmp_path)
    assert found.visits.select("id", "entity", "purpose", "serious", "problem", "minor", "penalty").rows() == [
        ("1", "a", "routine", 1, 0, 2, "fine"),
        ("3", "b", "routine", 0, 0, 0, None),
        ("2", "a", "follow_up", 0, 0, 0, None),
        ("4", "b", "complaint", 0, 0, 1, None),
        ("8", "c", "other", 2, 0, 0, None),
    ]


def test_what_is_left_out_is_counted_by_reason(tmp_path):
    assert read(tmp_path).left_out == {
        "visits left out by the mapping": 1,
        "visits that name nobody": 1,
        "visits without a day": 1,
        "visits whose id came before": 1,
        "complaints about nobody of the set": 1,
        "licences that end before they begin": 1,
    }


def test_entities_are_those_of_their_file_and_of_the_visits(tmp_path):
    found = read(tmp_path, shops="shop,opened,rank\na,01/02/2010,high\nd,05/06/2017,high\n")
    established = found.entities.select("id", "established").rows()
    assert established == [("a", date(2010, 2, 1)), ("b", None), ("c", None), ("d", date(2017, 6, 5))]
    assert found.ranks.rows() == [("a", 2), ("d", 2)]


def test_a_value_that_the_mapping_does_not_explain_is_refused_and_shown(tmp_path):
    with pytest.raises(BadBenchmarkSet, match=r"visits 1\.purpose: .* 'Something'.*`otherwise`"):
        read(tmp_path, mapping=MAPPING.replace('otherwise = "other"\n', ""))


def test_days_of_another_format_are_refused_with_an_example(tmp_path):
    with pytest.raises(BadBenchmarkSet, match=r"visits 1\.day.*'05\.01\.2018'.*`format`"):
        read(tmp_path, visits=VISITS.replace("2018-01-05", "05.01.2018"))


def test_what_is_no_number_of_findings_is_refused(tmp_path):
    with pytest.raises(BadBenchmarkSet, match=r"visits 1\.serious: 'grave' in visits\.csv holds 'many'"):
        read(tmp_path, visits=VISITS.replace(",Planned,1,2,", ",Planned,many,2,"))


def test_a_number_of_findings_is_whole(tmp_path):
    with pytest.raises(BadBenchmarkSet, match=r"holds '1\.5', which is no number of findings.*whole numbers"):
        read(tmp_path, visits=VISITS.replace(",Planned,1,2,", ",Planned,1.5,2,"))


def test_a_visit_that_says_nothing_of_what_it_found_is_left_out_and_counted(tmp_path):
    found = read(tmp_path, visits=VISITS.replace("2,a,2018-02-01,looked again,0,0,", "2,a,2018-02-01,looked again,,,"))
    assert "2" not in found.visits["id"]
    assert found.left_out["visits without a result"] == 1
    half = read(tmp_path, visits=VISITS.replace("2,a,2018-02-01,looked again,0,0,", "2,a,2018-02-01,looked again,1,,"))
    assert half.visits.filter(pl.col("id") == "2").select("serious", "minor").rows() == [(1, 0)]


def test_findings_may_stand_in_rows_of_their_own(tmp_path):
    mapping = MAPPING.replace(
        'serious = "grave"\nminor   = "slight"\n',
        "\n[visits.findings]\n"
        'file = "findings.csv"\nvisit = "number"\n'
        'severity = { column = "level", values = { "A" = "serious", "B" = "problem", "" = "nothing" } }\n',
    )
    findings = "number,level\n1,A\n1,A\n1,B\n2,\n99,A\n"
    found = read(tmp_path, mapping=mapping, findings=findings).visits
    assert found.select("id", "serious", "problem", "minor").rows()[:3] == [
        ("1", 2, 1, 0),
        ("3", 0, 0, 0),
        ("2", 0, 0, 0),
    ]


def test_complaints_may_be_told_from_other_rows_by_a_column(tmp_path):
    told = 'file   = "complaints.csv"\ntype = { column = "what", values = { "Noise" = "report" }, otherwise = "skip" }'
    mapping = MAPPING.replace('file   = "complaints.csv"', told)
    found = read(tmp_path, mapping=mapping, complaints="shop,day,what\na,2018-03-01,noise\na,2018-04-01,praise\n")
    assert found.complaints.select("entity", "day", "type").rows() == [("a", date(2018, 3, 1), "report")]
    assert found.left_out["complaints left out by the mapping"] == 1


def test_ids_are_the_same_whatever_type_a_file_keeps_them_in(tmp_path):
    mapping = MAPPING.replace('"visits.csv"', '"visits.parquet"').replace('nobody  = ["0"]\n', "")
    path = written(tmp_path, mapping=mapping, shops="shop,opened,rank\n17,01/02/2010,high\n")
    pl.DataFrame(
        {
            "number": [1.0, 2.0], "shop": [17.0, 17.0], "day": [date(2018, 1, 5), date(2018, 6, 5)],
            "reason": ["Planned", "Planned"], "grave": ["1", "0"], "slight": [0.0, None], "fined": [None, "yes"],
        }
    ).write_parquet(tmp_path / "visits.parquet")  # fmt: skip
    found = benchmark_files.read(benchmark_mapping.load(path), tmp_path)
    assert found.visits["entity"].to_list() == ["17", "17"]
    assert found.entities.row(0) == ("17", date(2010, 2, 1), None, None)
    assert found.visits["minor"].to_list() == [0, 0]


def test_several_files_alike_and_packed_ones_are_read_as_one(tmp_path):
    head, *rows = VISITS.splitlines()
    path = written(tmp_path, mapping=MAPPING.replace('"visits.csv"', '"visits_*.csv*"'))
    (tmp_path / "visits_1.csv").write_bytes("\n".join([head, *rows[:2]]).encode("utf-8-sig"))
    (tmp_path / "visits_2.csv.gz").write_bytes(gzip.compress("\n".join([head, *rows[2:4]]).encode("gb18030")))
    assert benchmark_files.read(benchmark_mapping.load(path), tmp_path).visits["id"].to_list() == ["1", "3", "2", "4"]


def test_a_complaint_about_an_address_counts_where_one_entity_is_found_there(tmp_path):
    mapping = MAPPING.replace(
        "[[visits]]", '[area]\nfile = "visits.csv"\nentity = "shop"\naddress = "where"\n\n[[visits]]', 1
    )
    mapping = mapping.replace(
        'file   = "complaints.csv"\nentity = "shop"', 'file   = "complaints.csv"\naddress = "place"'
    )
    visits = (
        "number,shop,day,reason,grave,slight,fined,where\n1,a,2018-01-05,Planned,0,0,,1 N Main St\n"
        "2,b,2018-01-06,Planned,0,0,,2 Market Sq\n3,c,2018-01-07,Planned,0,0,,2 Market Sq\n"
    )
    complaints = "place,day\n1 n. MAIN,2018-03-01\n2 MARKET,2018-03-01\n9 Nowhere,2018-03-01\n"
    found = read(tmp_path, mapping=mapping, visits=visits, complaints=complaints)
    assert found.complaints.select("entity", "day").rows() == [("a", date(2018, 3, 1))]


def test_units_may_be_listed_with_a_flag_for_the_test(tmp_path):
    start, end = MAPPING.index("[units]"), MAPPING.index("[[targets]]")
    mapping = MAPPING[:start] + '[units]\nfile = "units.csv"\nid = "number"\n\n' + MAPPING[end:]
    mapping = mapping.replace("[split]", '[split]\nflag = "hold"\nvalues = ["T"]')
    found = read(tmp_path, mapping=mapping, units="number,hold\n1,F\n3,t\n")
    assert found.units.rows() == [("1", False), ("3", True)]


def test_a_set_of_which_nothing_is_left_is_refused_with_the_reasons(tmp_path):
    with pytest.raises(BadBenchmarkSet, match="no visit is left"):
        read(tmp_path, visits=VISITS.splitlines()[0] + "\n1,0,2018-01-05,Planned,1,2,yes,x\n")
