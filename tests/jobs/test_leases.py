"""One holder at a time, and nobody's death keeps a job from running."""

import pytest

from registry import owner
from registry.database import execute
from registry.services import leases
from tests.conftest import NOW
from tests.jobs.helpers import process

pytestmark = pytest.mark.usefixtures("settings")
LENGTH = 60_000


def test_a_lease_that_is_held_is_not_given_again_even_inside_one_process():
    assert leases.acquire("job", now=NOW, length=LENGTH) is not None
    assert leases.acquire("job", now=NOW + LENGTH - 1, length=LENGTH) is None
    assert leases.acquire("other", now=NOW, length=LENGTH) is not None


def test_a_lease_that_lapsed_is_taken_over_and_its_old_holder_learns_of_it():
    first = leases.acquire("job", now=NOW, length=LENGTH)
    second = leases.acquire("job", now=NOW + LENGTH, length=LENGTH)
    assert first is not None
    assert second is not None
    assert leases.renew(first, now=NOW + LENGTH + 1, length=LENGTH) is None
    leases.release(first)
    assert leases.holder("job", now=NOW + LENGTH + 1) == owner.me()


def test_a_lease_that_is_renewed_does_not_lapse():
    lease = leases.acquire("job", now=NOW, length=LENGTH)
    assert lease is not None
    renewed = leases.renew(lease, now=NOW + LENGTH - 1, length=LENGTH)
    assert renewed is not None
    assert leases.acquire("job", now=NOW + LENGTH, length=LENGTH) is None
    assert leases.renew(lease, now=NOW + LENGTH, length=LENGTH) is None, "an old copy of a lease proves nothing"


def test_a_lease_that_was_given_back_is_free():
    lease = leases.acquire("job", now=NOW, length=LENGTH)
    assert lease is not None
    leases.release(lease)
    leases.release(lease)
    assert leases.holder("job", now=NOW) is None
    assert leases.acquire("job", now=NOW, length=LENGTH) is not None


def test_the_lease_of_a_process_that_was_killed_is_taken_over_at_once(settings):
    child = process(
        settings,
        "import sys, time\nfrom registry.services import leases\n"
        f"with database.session(): leases.acquire('job', now={NOW}, length={LENGTH})\n"
        "print('held', flush=True); time.sleep(60)",
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    assert leases.acquire("job", now=NOW + 1, length=LENGTH) is None
    child.kill()
    child.wait()
    assert leases.acquire("job", now=NOW + 2, length=LENGTH) is not None


def test_the_lease_of_another_machine_holds_until_it_lapses():
    assert leases.acquire("job", now=NOW, length=LENGTH) is not None
    execute("UPDATE job_lease SET owner = 'elsewhere:1:1'")
    assert leases.acquire("job", now=NOW + LENGTH - 1, length=LENGTH) is None
    assert leases.acquire("job", now=NOW + LENGTH, length=LENGTH) is not None
