"""The measure of matching by name: what is found rightly, wrongly, or not, is counted as what it is."""

from registry import privacy
from registry.services import imports, matching_quality
from tests.conftest import TODAY
from tests.factories import credit_code, registered
from tests.registry.tables import HEADINGS_2021, penalty_row, table

NAME, OTHER = "信衡示例有限公司", "信衡别家有限公司"


def measured(settings, tmp_path, *rows, division="9901", hide=1.0):
    path = table(
        tmp_path, HEADINGS_2021, [penalty_row(**{"document_no": f"信{at}号", **row}) for at, row in enumerate(rows)]
    )
    opened = imports.open_source(path)
    key = privacy.key(settings)
    return matching_quality.of_file(opened, division=division, hide=hide, seed=1, today=TODAY, key=key)


def test_rows_are_counted_as_found_rightly_wrongly_or_not_at_all(settings, tmp_path):
    code, second, stranger = credit_code(), credit_code(), credit_code()
    registered(code, name=NAME)
    registered(second, name=OTHER)
    found = measured(
        settings, tmp_path, {"code": code, "name": NAME}, {"code": code, "name": "信衡示例公司"}, {"code": stranger, "name": OTHER},
        {"code": second, "name": "张三"}, {"code": "", "name": NAME},
    )  # fmt: skip
    assert (found.rows, found.hidden, found.here, found.right, found.wrong) == (4, 4, 3, 1, 1)
    assert (found.precision, round(found.recall, 3)) == (0.5, 0.333)
    assert found.to_dict()["missed"] == {"may be a person's name": 1, "nobody has this name in the area": 1}


def test_without_an_area_or_with_nothing_hidden_nothing_is_found(settings, tmp_path):
    code = credit_code()
    registered(code, name=NAME)
    assert measured(settings, tmp_path, {"code": code, "name": NAME}, division="").to_dict()["missed"] == {"no area": 1}
    none = measured(settings, tmp_path, {"code": code, "name": NAME}, hide=0.0)
    assert (none.rows, none.hidden, none.precision, none.recall) == (1, 0, 1.0, 0.0)


def test_planted_noise_finds_names_that_are_only_written_differently(on_sqlite):
    for number in range(60):
        registered(name=f"信衡市{chr(0x4E00 + number * 7)}{chr(0x5200 + number * 5)}(北方)食品有限公司")
    found = matching_quality.of_noise(size=60, seed=3)
    assert (found.rows, found.hidden, found.wrong) == (60, 60, 0)
    assert 0 < found.right < found.hidden
    assert matching_quality.of_noise(size=60, seed=3).to_dict() == found.to_dict()
