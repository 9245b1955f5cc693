"""kill -9 of a sealer at random moments: the next run finishes the seal, and the check finds nothing."""

import pytest

from registry.models import Leaf, SealRoot
from registry.sealing import rootfile
from registry.services import ledger, seal, verify
from tests.chaos.killing import KILLS, Process, environment, moments
from tests.conftest import NOW
from tests.factories import record, registered
from tests.registry.sealing import roots_path, sealed

pytestmark = pytest.mark.chaos

SEAL = """
from registry import config, database
from registry.services import seal
seal.CHUNK = 5
settings = config.load()
database.connect(settings)
print("ready")
with database.session():
    seal.seal(settings, now=lambda: %d, progress=lambda done, total: print(done))
"""


def test_a_sealer_that_is_killed_leaves_a_seal_that_goes_on(settings, tmp_path):
    random = moments("seal")
    seal.make_log(settings, now=NOW)
    entity = registered()
    for kill in range(KILLS):
        for number in range(120):
            record(entity, fine_fen=1000 + number, now=NOW + kill)
        process = Process(SEAL % (NOW + kill), environ=environment(settings, tmp_path))
        process.wait_until_ready()
        process.kill_after(random.randrange(26), random.random() / 50)
        report = verify.verify(settings)
        assert [one for one in report.findings if one.what != "roots_file"] == []
    done = sealed(settings, NOW + KILLS)
    assert done.size == ledger.head() == Leaf.select().count()
    assert verify.verify(settings).fine
    exported = [line.root.size for line in rootfile.lines(roots_path(settings)) if line.root]
    assert exported == [root.size for root in SealRoot.select().order_by(SealRoot.size)]
