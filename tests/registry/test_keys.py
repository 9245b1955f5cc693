"""Keys of the API, the privacy key, and who owns a piece of work."""

import os
import socket
import stat
import subprocess
import sys

import pytest

from registry import config, owner, privacy
from registry.errors import ConfigError, NotAllowed
from registry.models import ApiKey, Audit
from registry.services import keys
from registry.services.keys import BadKey, DuplicateName
from tests.conftest import NOW

MAKE = """
import sys
from registry import config, privacy
settings = config.load()
sys.stdin.readline()
privacy.make_key(settings)
print(privacy.key(settings).hex(), flush=True)
"""


def made(name="税务", **given):
    return keys.create(
        name,
        **{
            "organ": "信衡市税务局",
            "scopes": ["records:write"],
            "divisions": ["9901"],
            "actor": "admin",
            "now": NOW,
            **given,
        },
    )


def test_a_key_is_shown_once_and_kept_by_its_hash_only(settings):
    secret = made()
    assert secret.startswith("xh_")
    assert len(secret) > 40
    row = ApiKey.get()
    assert secret not in (row.digest, row.name)
    assert secret not in str([vars(one)["__data__"] for one in Audit.select()])


def test_the_holder_of_a_key_is_who_it_was_made_for(settings):
    caller = keys.caller(made(scopes=["records:write", "entities:read", "entities:read"]))
    assert (caller.name, caller.organ, caller.scopes, caller.divisions) == (
        "税务",
        "信衡市税务局",
        {"records:write", "entities:read"},
        ("9901",),
    )
    assert (caller.actor, caller.may("entities:read"), caller.may("grades:read")) == ("key:税务", True, False)
    assert (caller.sees("990102"), caller.sees("990203"), caller.sees("")) == (True, False, False)


def test_a_key_without_divisions_is_for_everywhere(settings):
    assert keys.caller(made(divisions=[])).sees("110000")


@pytest.mark.parametrize("secret", ["", "xh_", "xh_wrong", "税务"])
def test_an_unknown_key_is_refused(settings, secret):
    made()
    with pytest.raises(BadKey, match="not valid"):
        keys.caller(secret)


def test_a_revoked_key_stops_at_once_and_is_refused_in_the_same_words(settings):
    secret = made()
    keys.revoke("税务", actor="admin", now=NOW + 1)
    with pytest.raises(BadKey) as revoked:
        keys.caller(secret)
    with pytest.raises(BadKey) as unknown:
        keys.caller("xh_x")
    assert revoked.value.detail == unknown.value.detail
    keys.revoke("税务", actor="admin", now=NOW + 2)
    assert [(one.verb, one.at) for one in Audit.select().order_by(Audit.id)] == [
        ("key.created", NOW),
        ("key.revoked", NOW + 1),
    ]


def test_revoking_a_key_that_is_not_there_says_how_to_list_them(settings):
    with pytest.raises(BadKey, match="xinheng key list"):
        keys.revoke("没有", actor="admin", now=NOW)


def test_two_keys_cannot_have_one_name(settings):
    made()
    with pytest.raises(DuplicateName, match="There is a key '税务' already"):
        made()
    assert len(keys.every()) == 1


def test_an_unknown_scope_is_refused_with_the_scopes_there_are(settings):
    with pytest.raises(NotAllowed, match=r"no scope 'root'\. Scopes are: entities:read"):
        made(scopes=["root"])


@pytest.mark.parametrize("name", ["", "长" * 61])
def test_a_name_that_would_not_fit_as_the_source_of_a_record_is_refused(settings, name):
    with pytest.raises(NotAllowed, match="1 to 60 characters"):
        made(name=name)


def test_the_privacy_key_is_readable_by_its_owner_only_and_never_replaced(tmp_path):
    settings = config.load(environ={"XINHENG_PRIVACY_KEY_FILE": str(tmp_path / "new" / "privacy.key")})
    privacy.make_key(settings)
    path = tmp_path / "new" / "privacy.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    privacy.make_key(settings)
    assert path.read_bytes() == before
    assert len(privacy.key(settings)) == 32
    assert [one.name for one in path.parent.iterdir()] == ["privacy.key"]


def test_two_starters_at_once_read_one_whole_key(tmp_path):
    environment = {"XINHENG_PRIVACY_KEY_FILE": str(tmp_path / "privacy.key"), "PATH": "/usr/bin:/bin"}
    starters = [
        subprocess.Popen([sys.executable, "-c", MAKE], env=environment, cwd=config.ROOT, text=True,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(4)
    ]  # fmt: skip
    for one in starters:
        one.stdin.write("go\n")
        one.stdin.flush()
    said = {one.communicate(timeout=60)[0].strip() for one in starters}
    assert len(said) == 1
    assert len(said.pop()) == 64


@pytest.mark.parametrize(
    ("content", "said"), [(None, "cannot be read"), ("zz" * 32, "cannot be read"), ("ab" * 8, "is damaged")]
)
def test_a_privacy_key_that_is_missing_or_damaged_is_named_with_the_remedy(tmp_path, content, said):
    path = tmp_path / "privacy.key"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=said) as caught:
        privacy.key(config.load(environ={"XINHENG_PRIVACY_KEY_FILE": str(path)}))
    assert "backed-up key back" in caught.value.detail
    assert content is None or content not in caught.value.detail


def test_this_process_is_not_gone_and_one_that_ended_is():
    assert not owner.is_gone(owner.me())
    script = "from registry import owner; print(owner.me())"
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=config.ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert owner.is_gone(ended)


def test_a_process_whose_number_was_given_again_is_gone():
    machine, number, started = owner.me().rsplit(":", 2)
    assert (machine, number) == (socket.gethostname()[:60], str(os.getpid()))
    assert owner.is_gone(f"{machine}:{number}:{int(started) - 1}")


def test_of_a_process_of_another_machine_nothing_is_sure():
    assert not owner.is_gone("another-machine:1:1")
