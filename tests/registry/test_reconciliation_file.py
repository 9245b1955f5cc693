"""What is printed of a table that is held against the ledger: every difference, and nobody's number."""

import pytest

from registry.cells.checks import resident_check
from registry.services import reconciliation_file
from registry.services.reconciliation import Compared
from tests.factories import credit_code

REAL17 = "11010119900101123"
RESIDENTS = [
    REAL17 + resident_check(REAL17), REAL17, f"{REAL17[:6]} {REAL17[6:14]} {REAL17[14:]}{resident_check(REAL17)}",
    "110101900101123", f"1101{chr(0xFF10)}1{REAL17[6:]}{resident_check(REAL17)}",
]  # fmt: skip


@pytest.mark.parametrize("number", RESIDENTS)
@pytest.mark.parametrize("name", ["unknown", "waiting", "withdrawn", "extra"])
def test_a_resident_id_is_masked_however_it_is_written_and_its_row_stays(name, number):
    code = credit_code()
    lists = {one: [] for one in ("unknown", "waiting", "withdrawn", "extra")}
    lists[name] = [("信1号", number), ("信2号", code), (f"信3号 {RESIDENTS[0]}", code)]
    found = reconciliation_file.masked(Compared(same=4, **lists))
    assert found.same == 4
    assert getattr(found, name) == [("信1号", "(个人证件号)"), ("信2号", code), ("信3号 (个人证件号)", code)]
