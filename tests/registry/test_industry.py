"""The industry of a registration, as registers write it."""

import pytest

from registry.cells import CellError
from registry.services.reading import industry as industry_of


@pytest.mark.parametrize(
    ("cell", "industry"),
    [("C1411", 1411), ("1411", 1411), ("Ｃ１４１１", 1411), ("141", 1410), ("F51", 5100), ("C", 0)],
)
def test_a_class_group_division_or_section_of_the_standard_is_read(cell, industry):
    assert industry_of(cell) == industry


@pytest.mark.parametrize("cell", ["食品", "Z9999", "14111", "1"])
def test_what_is_no_code_of_the_standard_is_refused_with_an_example(cell):
    with pytest.raises(CellError, match="1411 or C1411"):
        industry_of(cell)
