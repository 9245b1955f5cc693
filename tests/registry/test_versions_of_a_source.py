"""Files of one source that carry its own clock: whichever file comes last, the later version of a record holds."""

import csv

import pytest

from tests.factories import credit_code, registered
from tests.registry.importing import counts_of, imported, penalties

HEADINGS = (
    "行政处罚决定书文号", "处罚名称", "处罚类别1", "处罚事由", "处罚依据", "行政相对人名称", "行政相对人代码_1(统一社会信用代码)", "处罚结果",
    "处罚决定日期", "处罚机关", "当前状态", "数据更新时间戳",
)  # fmt: skip


def _file(path, code, fine, at):
    row = (
        "信市监处罚〔2020〕6号",
        "行政处罚",
        "2",
        "虚假宣传",
        "《广告法》",
        "",
        code,
        f"罚款{fine}元",
        "2020-03-02",
        "信衡市市场监督管理局",
        "0",
        at,
    )
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([HEADINGS, row])
    return path


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_later_version_holds_whichever_file_comes_last(settings, tmp_path, order):
    code = credit_code()
    registered(code)
    files = [
        _file(tmp_path / "old.csv", code, 3000, "2020/3/9 8:00:05"),
        _file(tmp_path / "new.csv", code, 5000, "2020/3/9 16:55:21"),
    ]
    reports = [imported(settings, files[at]) for at in order]
    assert counts_of(reports[0]) == {"stored": 1}
    assert counts_of(reports[1]) == ({"stored": 1} if order == (0, 1) else {"unchanged": 1})
    (row,) = penalties()
    assert (row.amount_fen, row.detail["stated_at"]) == (5000_00, "2020-03-09T16:55:21")


def test_a_time_that_no_clock_shows_is_refused_by_name(on_sqlite, tmp_path):
    file = _file(tmp_path / "bad.csv", credit_code(), 3000, "2020/3/9 25:00:00")
    assert counts_of(imported(on_sqlite, file)) == {"rejected": 1}
