"""One town and one city for all tests of the sample; making them twice would only be slower."""

from datetime import date

import pytest

from registry.sample import Sample, generate

TODAY = date(2026, 11, 21)


@pytest.fixture(scope="session")
def town() -> Sample:
    return generate("town", today=TODAY)


@pytest.fixture(scope="session")
def city() -> Sample:
    return generate("city", today=TODAY)
