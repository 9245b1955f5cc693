"""Settings: one file, overridden key by key, frozen, and every mistake names the file and the key."""

import dataclasses
import tomllib

import pytest

from registry import config
from registry.errors import ConfigError

SETTINGS = config.load(environ={})
KEYS = config.keys()


def value_of(settings, key):
    section, name = key.split(".")
    return getattr(getattr(settings, "import_" if section == "import" else section), name)


def written(tmp_path, text):
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("key", KEYS)
def test_every_setting_stands_in_the_shipped_file_with_its_default(key):
    section, name = key.split(".")
    shipped = tomllib.loads((config.ROOT / "config.toml").read_text(encoding="utf-8"))
    assert shipped[section][name] == value_of(config.Settings(), key)


@pytest.mark.parametrize("key", KEYS)
def test_every_setting_has_a_comment_above_it_in_the_shipped_file(key):
    section, name = key.split(".")
    lines = (config.ROOT / "config.toml").read_text(encoding="utf-8").splitlines()
    at = lines.index(f"[{section}]")
    place = next(index for index in range(at, len(lines)) if lines[index].startswith(f"{name} ="))
    # Settings of one meaning may share a comment, but nothing may stand between them and it.
    above = next(index for index in range(place, at, -1) if lines[index].startswith("#"))
    assert all(lines[index].strip() for index in range(above, place))


@pytest.mark.parametrize("key", KEYS)
def test_every_setting_is_overridden_by_its_environment_variable(key):
    before = value_of(SETTINGS, key)
    number = 1 - before if key.split(".")[1] in config.SWITCHES else 7
    # A choice takes no other words.
    other = (
        number
        if isinstance(before, int)
        else {"publication.old_rows": "retime", "model.use": "off"}.get(key, "another")
    )
    settings = config.load(environ={f"XINHENG_{key.replace('.', '_').upper()}": str(other)})
    assert value_of(settings, key) == other


@pytest.mark.parametrize("key", KEYS)
def test_a_value_of_the_wrong_type_names_file_and_key(key, tmp_path):
    section, name = key.split(".")
    wrong = '"seven"' if isinstance(value_of(SETTINGS, key), int) else "7"
    file = written(tmp_path, f"[{section}]\n{name} = {wrong}\n")
    with pytest.raises(ConfigError, match=rf"\[{section}\] {name}: .*is not") as caught:
        config.load(file, environ={})
    assert str(file) in caught.value.detail


def test_true_is_not_a_number(tmp_path):
    with pytest.raises(ConfigError, match="port: True is not a whole number"):
        config.load(written(tmp_path, "[server]\nport = true\n"), environ={})


def test_an_unknown_key_is_named_with_the_keys_there_are(tmp_path):
    file = written(tmp_path, '[database]\nurll = "x"\n')
    with pytest.raises(ConfigError) as caught:
        config.load(file, environ={})
    assert caught.value.detail == f"{file}: [database] urll: unknown key. [database] has: url, timeout."


@pytest.mark.parametrize("text", ["[databse]\n", "database = 3\n", "url = 'x'\n"])
def test_an_unknown_section_is_named_with_the_sections_there_are(tmp_path, text):
    file = written(tmp_path, text)
    with pytest.raises(ConfigError, match=r"unknown section .*Sections are: database, server") as caught:
        config.load(file, environ={})
    assert str(file) in caught.value.detail


def test_a_variable_that_names_no_setting_is_refused_and_not_skipped():
    with pytest.raises(ConfigError, match="XINHENG_DATABASE_URLL names no setting"):
        config.load(environ={"XINHENG_DATABASE_URLL": "x"})


def test_a_variable_of_the_wrong_type_is_named():
    with pytest.raises(ConfigError, match="XINHENG_SERVER_PORT='http' is not a whole number"):
        config.load(environ={"XINHENG_SERVER_PORT": "http"})


@pytest.mark.parametrize("value", ["0", "-5"])
def test_a_number_that_makes_no_sense_is_refused(value):
    with pytest.raises(ConfigError, match=r"XINHENG_GRADING_RANGE_SIZE: .* is too small"):
        config.load(environ={"XINHENG_GRADING_RANGE_SIZE": value})


@pytest.mark.parametrize("value", ["-1", "65536"])
def test_a_port_is_a_port(value):
    with pytest.raises(ConfigError, match=r"XINHENG_SERVER_PORT: .* is not a port"):
        config.load(environ={"XINHENG_SERVER_PORT": value})


def test_variables_of_the_tests_and_of_others_are_left_alone():
    settings = config.load(environ={"XINHENG_TEST_KILLS": "20", "HOME": "/root"})
    assert settings == SETTINGS


def test_broken_toml_names_the_file_and_the_line(tmp_path):
    file = written(tmp_path, "[database]\nurl = \n")
    with pytest.raises(ConfigError, match=r"is not valid TOML: .*line 2") as caught:
        config.load(file, environ={})
    assert str(file) in caught.value.detail


def test_a_file_that_is_no_text_is_named(tmp_path):
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not valid TOML"):
        config.load(file, environ={})


def test_a_missing_file_says_how_to_name_another(tmp_path):
    with pytest.raises(ConfigError, match=r"There is no settings file .*XINHENG_CONFIG"):
        config.load(environ={"XINHENG_CONFIG": str(tmp_path / "gone.toml")})


def test_relative_paths_start_at_the_settings_file(tmp_path):
    settings = config.load(environ={"XINHENG_CONFIG": str(written(tmp_path, ""))})
    assert settings.path("var/x.db") == tmp_path / "var" / "x.db"


def test_settings_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        SETTINGS.server.port = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        SETTINGS.server = None


@pytest.mark.parametrize("name", config.SWITCHES)
def test_a_switch_is_off_or_on_and_nothing_else(name, tmp_path):
    with pytest.raises(ConfigError, match=r"neither 0 \(off\) nor 1 \(on\)"):
        config.load(written(tmp_path, f"[listings]\n{name} = 2\n"), environ={})


def test_what_becomes_of_old_rows_is_one_of_two_words():
    with pytest.raises(ConfigError, match='neither "keep" nor "retime"'):
        config.load(environ={"XINHENG_PUBLICATION_OLD_ROWS": "forget"})
