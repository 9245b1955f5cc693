"""What codes and severities are called where a scheme is printed in words."""

import re

from registry.kinds import DERIVED, KINDS
from registry.kinds.registration import STATUSES
from registry.numbers import terms

TERMS = terms()
BESIDES = {one.name: one for one in DERIVED.values()}


def test_a_code_is_called_what_the_list_of_its_kind_calls_it():
    assert TERMS["registration_change"]["code"][3].as_dict() == {"zh": "法定代表人", "en": "legal representative"}
    assert TERMS["spot_check"]["code"][9].zh == "公示信息隐瞒真实情况、弄虚作假"
    assert TERMS["abnormal_listing"]["code"][4].zh == "通过登记的住所或者经营场所无法联系"
    # A year, a score and an industry are numbers, not codes of a list.
    assert [name for name in KINDS if "code" not in TERMS.get(name, {})] == [
        "registration", "annual_report", "satisfaction_survey",
    ]  # fmt: skip


def test_every_severity_that_a_kind_projects_has_a_name_and_no_other():
    for name, found in TERMS.items():
        said = (KINDS.get(name) or BESIDES[name]).projects.severity
        numbers = {int(one) for one in re.findall(r"(?:^|[ ,:])(\d)(?= )", said)}
        assert set(found.get("severity", {})) == (numbers if " " in said else set()), name


def test_registration_states_are_called_as_everywhere_else():
    assert {number: (one.zh, one.en) for number, one in TERMS["registration"]["severity"].items()} == {
        number: (label.zh, label.en) for number, label in STATUSES.items()
    }
