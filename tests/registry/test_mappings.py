"""Mappings are data: they are found by the headings of a file, and every mistake in one names file and key."""

import pytest

from registry import mappings
from registry.errors import BadFile
from registry.kinds import KINDS
from registry.services import imports
from tests.registry.tables import CODES_2021, HEADINGS_2018, HEADINGS_2021, REGISTRATION, table

GOOD = """
[mapping]
kind = "penalty"
title = "示例"
requires = [["文书号"], ["当事人", "单位名称"]]
[party]
code = ["代码"]
name = ["当事人", "单位名称"]
[fields]
document_no = ["文书号"]
fine_fen = { from = ["罚款"], read = "yuan" }
"""


def loaded(tmp_path, text):
    path = tmp_path / "example.toml"
    path.write_text(text, encoding="utf-8")
    return mappings.load(path)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (HEADINGS_2018, "penalty-legal-person"),
        (HEADINGS_2021, "penalty-legal-person"),
        (CODES_2021, "penalty-legal-person"),
        (REGISTRATION, "registration"),
    ],
    ids=["2018", "2021", "codes", "registration"],
)
def test_a_file_is_recognised_by_its_headings_and_every_one_of_them_is_known(header, expected):
    chosen = mappings.choose(list(header), kind=None, name=None)
    assert chosen.id == expected
    assert mappings.unknown_headings(chosen, list(header)) == {}


@pytest.mark.parametrize(
    "written", ["行政处罚决定书文号 ", "\ufeff行政处罚决定书文号", "行政处罚\n决定书文号", "行政处罚决定书　文号"]
)
def test_blanks_and_marks_in_a_heading_do_no_harm(written):
    assert mappings.clean_heading(written) == "行政处罚决定书文号"


def test_full_width_brackets_and_letters_in_a_heading_do_no_harm(tmp_path):
    wide = [heading.replace("(", "（").replace(")", "）").replace("_", "＿") for heading in HEADINGS_2018]
    assert wide != list(HEADINGS_2018)
    opened = imports.open_source(table(tmp_path, wide))
    assert mappings.unknown_headings(opened.mapping, opened.header) == {}


def test_an_unknown_column_is_refused_with_the_known_one_that_it_resembles(tmp_path):
    header = ["罚款金额(万圆)" if heading == "罚款金额(万元)" else heading for heading in HEADINGS_2021]
    with pytest.raises(BadFile) as caught:
        imports.open_source(table(tmp_path, header))
    assert "罚款金额(万圆) (did you mean 罚款金额(万元)?)" in caught.value.detail
    assert "--ignore-unknown" in caught.value.detail


def test_an_unknown_column_may_be_left_out_when_somebody_says_so(tmp_path):
    opened = imports.open_source(table(tmp_path, [*HEADINGS_2021, "经办人"]), ignore_unknown=True)
    assert opened.mapping.id == "penalty-legal-person"


def test_a_column_that_stands_there_twice_is_refused(tmp_path):
    with pytest.raises(BadFile, match=r"has the column 处罚机关 twice"):
        imports.open_source(table(tmp_path, [*HEADINGS_2021, "处罚机关"]))


def test_a_header_that_no_mapping_knows_says_which_came_nearest_and_what_is_missing(tmp_path):
    with pytest.raises(BadFile) as caught:
        imports.open_source(table(tmp_path, ["行政处罚决定书文号", "行政相对人名称"]))
    assert "Nearest is penalty-legal-person: the file has no column 处罚决定日期 or CF_JDRQ" in caught.value.detail


def test_a_mapping_that_was_named_and_does_not_fit_says_why(tmp_path):
    with pytest.raises(BadFile, match="Mapping registration does not fit: the file has no column"):
        imports.open_source(table(tmp_path, HEADINGS_2021), mapping="registration")


def test_a_mapping_that_does_not_exist_is_answered_with_those_that_do(tmp_path):
    with pytest.raises(BadFile, match=r"There is no mapping 'penalties'\. Mappings are: .*registration"):
        imports.open_source(table(tmp_path, HEADINGS_2021), mapping="penalties")


def test_a_file_of_another_kind_than_was_asked_for_is_refused(tmp_path):
    with pytest.raises(BadFile, match="No mapping fits"):
        imports.open_source(table(tmp_path, HEADINGS_2021), kind="registration")


def test_several_mappings_that_fit_equally_well_are_for_a_person_to_settle(tmp_path, monkeypatch):
    twins = {name: loaded(tmp_path, GOOD) for name in ("one", "two")}
    monkeypatch.setattr(mappings, "shipped", lambda: twins)
    with pytest.raises(BadFile, match=r"Several mappings fit this header: example, example\. Name one with --mapping"):
        mappings.choose(["文书号", "当事人"], kind=None, name=None)


def test_of_several_mappings_that_fit_the_one_that_knows_more_headings_is_taken(tmp_path, monkeypatch):
    more = loaded(tmp_path, GOOD + 'content = ["内容"]\n')
    monkeypatch.setattr(mappings, "shipped", lambda: {"one": loaded(tmp_path, GOOD), "two": more})
    assert mappings.choose(["文书号", "当事人", "内容"], kind=None, name=None) is more


def test_a_mapping_in_order_is_read(tmp_path):
    mapping = loaded(tmp_path, GOOD)
    assert (mapping.id, mapping.kind, mapping.columns[1].read) == ("example", "penalty", "yuan")


BROKEN = [
    ("toml", GOOD + "[fields", "example.toml is not valid TOML: "),
    ("no [party]", GOOD.replace("[party]", "[constants]").replace("code =", "remark =").replace('name = ["当', 'organ = ["当'), "the key 'party' is missing"),
    ("no kind", GOOD.replace('kind = "penalty"\n', ""), "the key 'kind' is missing"),
    ("no party", GOOD.replace('code = ["代码"]\n', "").replace('name = ["当事人", "单位名称"]\n', ""), "[party] needs code or name"),
    ("kind unknown", GOOD.replace('"penalty"', '"penalties"'), "[mapping] kind = 'penalties' is not a kind. Kinds are: registration"),
    ("kind no text", GOOD.replace('"penalty"', "[]"), "[mapping] kind must be text in quotes"),
    ("title no text", GOOD.replace('"示例"', "3"), "[mapping] title must be text in quotes"),
    ("requires text", GOOD.replace('[["文书号"], ["当事人", "单位名称"]]', '"文书号"'), "[mapping] requires must be a list of lists"),
    ("requires flat", GOOD.replace('[["文书号"], ["当事人", "单位名称"]]', '["文书号"]'), "[mapping] requires must be a list of headings"),
    ("headings text", GOOD.replace('document_no = ["文书号"]', 'document_no = "文书号"'), "[fields] document_no must be a list of headings, or a table with `from`"),
    ("headings number", GOOD.replace('["代码"]', "[3]"), "[party] code must be a list of headings"),
    ("headings empty", GOOD.replace('["代码"]', "[]"), "[party] code must be a list of headings"),
    ("no from", GOOD.replace('from = ["罚款"], ', ""), "[fields] fine_fen must be a list of headings, or a table with `from`"),
    ("read unknown", GOOD.replace('"yuan"', '"dollar"'), "[fields] fine_fen takes `from`, `read` (text, day, yuan"),
    ("order unknown", GOOD.replace('read = "yuan"', 'order = "ydm"'), "[fields] fine_fen takes `from`"),
    ("column key unknown", GOOD.replace('read = "yuan"', 'reed = "yuan"'), "[fields] fine_fen takes `from`"),
    ("field unknown", GOOD + 'fine = ["罚金"]\n', "penalty has no field 'fine'. Its fields are: basis"),
    ("constant unknown", GOOD + "[constants]\nsize = 3\n", "penalty has no field 'size'"),
    ("constants no table", "constants = 3\n" + GOOD, "[constants] must be a table"),
    ("mapping no table", "mapping = 3\n" + GOOD.replace("[mapping]", "[other]"), "[mapping] must be a table"),
    ("key unknown", GOOD.replace("[mapping]", "[mapping]\nencoding = 'gbk'"), "[mapping] encoding is not a key of a mapping"),
    ("party key unknown", GOOD.replace("[party]", "[party]\nphone = ['电话']"), "[party] phone is not a key of a mapping"),
    ("codes without system", GOOD + 'kinds = { from = ["类"], read = "codes" }\n', "reads codes and needs `system`"),
    ("system without codes", GOOD + 'kinds = { from = ["类"], system = "x" }\n', "go with read = \"codes\""),
    ("values no table", GOOD + 'content = { from = ["类"], values = ["1"] }\n', "[fields] content values must be a table"),
    ("value no plain one", GOOD + 'content = { from = ["类"], values = { "1" = 1.5 } }\n', "values must be a table of texts"),
    ("form without a place", GOOD + 'content = { form = "无" }\n', "form must name headings in braces"),
    ("form with a conversion", GOOD + 'content = { form = "{类!r}" }\n', "form must name headings in braces"),
    ("form unclosed", GOOD + 'content = { form = "{类" }\n', "form must name headings in braces"),
    ("says text", GOOD.replace('title = "示例"', 'title = "示例"\nsays = "示例"'), "[mapping] says must be a list of words"),
    ("persons half", GOOD.replace("[fields]", 'persons = { from = ["类"] }\n[fields]'), "[party] persons takes `from` with `values`"),
    ("refuse half", GOOD + '[[refuse]]\nfrom = ["状态"]\n', "[[refuse]] takes `from`, `values` and `why`"),
    ("refuse no list", 'refuse = 3\n' + GOOD, "[[refuse]] must be a list of tables"),
    ("table unknown", GOOD + "[rows]\nskip = 1\n", "example.toml: rows is not a key of a mapping"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_a_broken_mapping_names_the_file_and_the_key(tmp_path, text, said):
    with pytest.raises(BadFile) as caught:
        loaded(tmp_path, text)
    assert caught.value.detail.startswith("example.toml")
    assert said in caught.value.detail


def test_a_mapping_that_is_no_text_or_not_there_is_named(tmp_path):
    path = tmp_path / "example.toml"
    with pytest.raises(BadFile, match=r"The mapping example\.toml cannot be read"):
        mappings.load(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadFile, match=r"example\.toml is not valid TOML"):
        mappings.load(path)


def test_every_shipped_mapping_is_in_order_and_feeds_a_kind():
    assert {"registration", "penalty-legal-person", "penalty-tax", "penalty-environment"} <= set(mappings.shipped())
    assert all(mapping.kind in KINDS for mapping in mappings.shipped().values())
