"""Money: cells, sentences and registered capital become integers of fen, exactly."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.cells import CellError
from registry.cells.amounts import Capital, capital, confiscated_in_words, fen, fen_in_words
from registry.cells.numerals import number


def in_numerals(value: int, digits: str = "零一二三四五六七八九", units: str = "十百千万亿") -> str:
    """Write 0 < value < 10^12 as a person would; an independent renderer to check the reader against."""

    def section(n: int) -> str:
        text, gap = "", False
        for power, unit in ((1000, units[2]), (100, units[1]), (10, units[0]), (1, "")):
            digit = n // power % 10
            if digit:
                text += (digits[0] if gap and text else "") + digits[digit] + unit
                gap = False
            else:
                gap = True
        return text

    text, before = "", False
    for power, unit in ((10**8, units[4]), (10**4, units[3]), (1, "")):
        part = value // power % 10**4
        if part:
            text += (digits[0] if before and part < 1000 else "") + section(part) + unit
        before = before or bool(part)
    return text


@given(st.integers(1, 10**12 - 1))
def test_every_number_written_in_numerals_is_read_back(value):
    assert number(in_numerals(value)) == value
    assert number(in_numerals(value, "零壹贰叁肆伍陆柒捌玖", "拾佰仟万亿")) == value


@given(st.integers(1, 10**9))
def test_a_fine_written_in_numerals_is_read_back(yuan):
    assert fen_in_words(f"责令三日内改正，处{in_numerals(yuan)}元罚款。") == yuan * 100


@given(st.integers(0, 10**15))
def test_an_amount_printed_in_yuan_or_wan_is_read_back(amount):
    yuan = Decimal(amount) / 100
    assert fen(f"{yuan:f}") == amount
    assert fen(f"{yuan:,.2f}") == amount
    assert fen(f"{Decimal(amount) / 1_000_000:f}", unit="wan") == amount


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("十", 10), ("拾万", 100_000), ("十五", 15), ("一百二十万", 1_200_000), ("二万八千", 28_000),
        ("一万零五十", 10_050),
        ("两千", 2000), ("三千零五", 3005), ("1.5万", 15_000), ("1万5千", 15_000), ("3万5000", 35_000),
        ("二〇〇〇", 2000),
        ("一亿零三", 100_000_003), ("一万亿", 10**12), ("12,345.6", Decimal("12345.6")), ("零", 0), ("壹佰零壹", 101),
    ],
)  # fmt: skip
def test_numerals_in_use_are_read(text, value):
    assert number(text) == value


@pytest.mark.parametrize(
    "text", ["三万五", "一百五", "万", "百", "五百三千", "一千五万五", "", "十百", "元", "1万2亿3亿", "五万万万"]
)
def test_numerals_that_leave_something_to_guess_are_refused(text):
    assert number(text) is None


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("0.2", "wan", 200_000),
        ("0.2万元", "yuan", 200_000),
        ("2000元", "wan", 200_000),
        ("2,000.50", "yuan", 200_050),
        ("１，０００．５", "yuan", 100_050),
        (" 2 000 ", "yuan", 200_000),
        ("￥5,000.00元", "yuan", 500_000),
        ("人民币贰仟元整", "wan", 200_000),
        ("1E3", "yuan", 100_000),
        ("0", "yuan", 0),
        ("0.30000000000000004", "wan", 300_000),
        ("0.005", "yuan", 1),
    ],
)
def test_an_amount_cell_becomes_fen(text, unit, expected):
    assert fen(text, unit=unit) == expected


@pytest.mark.parametrize("text", ["伍仟", "5千", "五百", "人民币伍仟整", "5千整"])
def test_a_numeral_without_a_unit_is_refused_in_a_column_of_wan_and_read_in_one_of_yuan(text):
    with pytest.raises(CellError, match="no unit, and its column is in 万元"):
        fen(text, unit="wan")
    assert fen(text, unit="yuan") == (50_000 if text == "五百" else 500_000)


@pytest.mark.parametrize(
    ("text", "expected"), [("伍仟元", 500_000), ("5千元", 500_000), ("五万", 5_000_000), ("零", 0), ("5", 5_000_000)]
)
def test_a_numeral_with_a_unit_is_read_in_a_column_of_wan(text, expected):
    assert fen(text, unit="wan") == expected


@pytest.mark.parametrize("text", ["", " ", "无", "-", "N/A", "／"])
def test_a_blank_amount_is_none_and_not_zero(text):
    assert fen(text) is None


@pytest.mark.parametrize(
    "text", ["-1", "−0.5", "NaN", "Infinity", "1e30", "10000000000000.01", "1,2,3", "五百多元", "abc", "(500)", "1.2.3"]
)
def test_what_cannot_be_an_amount_is_refused_with_a_remedy(text):
    with pytest.raises(CellError) as error:
        fen(text)
    assert error.value.remedy.endswith(".")


@pytest.mark.parametrize(
    ("text", "yuan"),
    [
        ("责令改正，处五千元罚款。", 5000),
        ("罚款17797.93元", Decimal("17797.93")),
        ("处以壹万伍千元罚款", 15_000),
        ("警告，并处拾万元罚款", 100_000),
        ("罚款人民币3万元", 30_000),
        ("处一万四千元罚款", 14_000),
        ("罚款1.5万元", 15_000),
        ("罚款 2,000 元。", 2000),
        ("二万八千元", 28_000),
        ("贰仟元整", 2000),
        ("人民币三十万元。", 300_000),
        ("罚款人民币（大写）伍仟元整（￥5000.00）", 5000),
        ("并处以罚款人民币壹拾叁元壹角伍分（13.15元）。", Decimal("13.15")),
        ("处一千元三角六分罚款。", Decimal("1000.36")),
        ("处以一万元一万元罚款。", 10_000),
        ("处十万罚款", 100_000),
        ("罚款3万。", 30_000),
        ("罚款0.5倍17797.93元。", Decimal("17797.93")),
        ("处少缴税款百分之五十的罚款，计2000.5元", Decimal("2000.5")),
        ("处货值金额0.25倍罚款九千元", 9000),
        ("处以5000元的罚款", 5000),
        ("给予罚款５０００元的行政处罚", 5000),
        ("处罚款二千元，责令停产", 2000),
        ("罚款0元", 0),
    ],
)
def test_a_fine_in_words_is_understood(text, yuan):
    assert fen_in_words(text) == yuan * 100


@pytest.mark.parametrize(
    ("text", "yuan"),
    [
        ("处4号设备十六万元罚款，处6号设备十五万元罚款", 310_000),
        ("处4号设备十六万元罚款，处6号设备十五万元罚款，合计共三十一万元罚款。", 310_000),
        ("罚款1000元；罚款2000元", 3000),
        ("处每台五千元，共计一万元罚款。", 10_000),
        ("每辆处5000元罚款，共计1万元罚款。", 10_000),
        ("两台机械分别处五千元，共计一万元罚款。", 10_000),
        ("三辆车分别处一千元、一千元和一千五百元，共计三千五百元罚款。", 3500),
        ("分别处三千元、五千元罚款", 8000),
        ("对甲处罚四万元，对乙处罚二万元，共计处罚六万元。", 60_000),
    ],
)
def test_several_fines_are_added_and_a_total_counts_once(text, yuan):
    assert fen_in_words(text) == yuan * 100


@pytest.mark.parametrize(
    "text",
    [
        "",
        "对你单位不予行政处罚。",
        "给予通报批评，失信记分5分。",
        "给予警告。",
        "没收违法所得123元。",
        "处五万元以下罚款",
        "并处壹万元以上叁万元以下罚款。",
        "处5000元至10000元罚款",
        "每台处五千元罚款",
        "处以货值金额0.35倍的罚款",
        "逾期不缴纳罚款的，每日按罚款数额的百分之三加处罚款。",
        "责令退还多收价款500元",
        "罚没款合计3000元",
        "处一万元五千元罚款",
        "不予罚款5000元",
        "限2020年12月31日前改正",
    ],
)
def test_where_no_sum_is_imposed_or_it_cannot_be_told_there_is_none(text):
    assert fen_in_words(text) is None


@pytest.mark.parametrize(
    ("text", "fine", "confiscated"),
    [
        ("没收违法所得123元，并处罚款3万元", 30_000, 123),
        ("没收违法所得一百八十元，处三十万元罚款。", 300_000, 180),
        ("处十二万元罚款，没收违法所得九百六十元。", 120_000, 960),
        ("没收违法所得五百元，并处七百元罚款，共计一千二百元。", 700, 500),
        ("没收违法所得（经审计，你单位违法所得为2155元）。", None, 2155),
        ("没收违法所得人民币五百元（500元），并处以罚款人民币七百元（700元）。", 700, 500),
        ("没收违法所得3000元罚款5000元", 5000, 3000),
        ("没收非法财物价值200元；没收违法所得100元", None, 300),
        ("罚没款合计6000元（其中没收违法所得1000元，罚款5000元）", 5000, 1000),
        ("罚款5000元。当事人已缴纳5000元罚款。", 5000, None),
    ],
)
def test_fine_and_confiscation_are_told_apart(text, fine, confiscated):
    assert fen_in_words(text) == (None if fine is None else fine * 100)
    assert confiscated_in_words(text) == (None if confiscated is None else confiscated * 100)


def test_an_absurd_fine_is_refused():
    with pytest.raises(CellError, match="ten trillion"):
        fen_in_words("罚款99999999亿元")


@given(st.text("0123456789.,元万千罚款处以共计（）一二三没收违法所得、每", max_size=60))
def test_no_sentence_makes_the_reader_fail_otherwise(text):
    try:
        value = fen_in_words(text)
    except CellError:
        return
    assert value is None or value >= 0


@pytest.mark.parametrize("filler", ["1234567890", "每", "共计", "一倍", "处", "(", "没收违法所得("])
def test_a_long_hostile_sentence_is_read_in_linear_time(filler):
    assert fen_in_words("罚款" + filler * 5_000 + "，不予处罚") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,000(万元人民币)", Capital(1_000_000_000, "CNY", 1_000_000_000)),
        ("10万人民币", Capital(10_000_000, "CNY", 10_000_000)),
        ("50万元人民币", Capital(50_000_000, "CNY", 50_000_000)),
        ("41.5万人民币元", Capital(41_500_000, "CNY", 41_500_000)),
        ("500(万)", Capital(500_000_000, "CNY", 500_000_000)),
        ("5（万元）", Capital(5_000_000, "CNY", 5_000_000)),
        ("100(万元(人民币))", Capital(100_000_000, "CNY", 100_000_000)),
        ("24,013.5000( 万人民币元)", Capital(24_013_500_000, "CNY", 24_013_500_000)),
        ("1亿元", Capital(10_000_000_000, "CNY", 10_000_000_000)),
        ("人民币伍拾万元整", Capital(50_000_000, "CNY", 50_000_000)),
        ("3(万美元)", Capital(None, "USD", 3_000_000)),
        ("USD 3万", Capital(None, "USD", 3_000_000)),
        ("1,260(万元港元)", Capital(None, "HKD", 1_260_000_000)),
        ("5,700(万日元)", Capital(None, "JPY", 57_000_000)),
        ("300(万法国法郎)", Capital(None, "FRF", 300_000_000)),
        ("14,000(万德国马克)", Capital(None, "DEM", 14_000_000_000)),
        ("N/A", Capital(None, None)),
        ("-", Capital(None, None)),
        ("( 万人民币元)", Capital(None, "CNY")),
        ("万元(人民币)", Capital(None, "CNY")),
        ("万法国法郎", Capital(None, "FRF")),
    ],
)
def test_registered_capital_is_read_as_registers_write_it(text, expected):
    assert capital(text) == expected


def test_a_bare_number_needs_the_unit_of_its_column():
    with pytest.raises(CellError, match="no unit"):
        capital("1000")
    assert capital("1000", unit="wan").fen == 1_000_000_000
    assert capital("1000", unit="yuan").fen == 100_000
    assert capital("1000元", unit="wan").fen == 100_000


@pytest.mark.parametrize("text", ["5万贝壳", "-5万元", "99999999999亿元", "abc", "1(万万元)"])
def test_capital_that_makes_no_sense_is_refused(text):
    with pytest.raises(CellError):
        capital(text)
