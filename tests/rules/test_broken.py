"""One broken scheme for each kind of mistake (broken.toml), each with its whole message; no kind of mistake goes without one."""

import ast
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

import rules
from rules import cases, conditions, content, errors
from rules.content import files_of
from rules.errors import Mistake, Refused, SchemeError
from rules.reader import Table
from rules.scheme import from_content, load, load_book, load_files
from tests.rules.frames import SCHEME, TOY

HERE = Path(__file__).parent
RULES = Path(rules.__file__).parent
BROKEN = {one["name"]: one for one in tomllib.loads((HERE / "broken.toml").read_text(encoding="utf-8"))["broken"]}
NAMES = {"wrong": Table, "Mistake": Mistake, "Refused": Refused}


def mistakes(book: Path, broken: dict) -> list[str]:
    """Copy the two toy schemes into ``book``, break them, and return what reading them and their cases says."""
    for name in ("toy", "toy_outer"):
        shutil.copytree(HERE / name, book / name)
    path = book / broken["file"]
    path.parent.mkdir(exist_ok=True)
    unit, number = broken.get("times", ("", 0))
    new = broken["new"].replace("…", unit * number, 1) if number else broken["new"]
    if "old" in broken:
        text = path.read_text(encoding="utf-8")
        assert broken["old"] in text, f"the toy scheme no longer holds {broken['old']!r}"
        new = text.replace(broken["old"], new, 1)
    path.write_text(new, encoding=broken.get("encoding", "utf-8"))
    with pytest.raises(SchemeError) as error:
        read(book)
    return str(error.value).splitlines()


def read(book: Path) -> None:
    for scheme in load_book(book).values():
        cases.read(book / scheme.id.replace("-", "_"), scheme)


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_each_kind_of_mistake_names_file_key_and_remedy(tmp_path, name):
    assert BROKEN[name]["says"] in mistakes(tmp_path, BROKEN[name])


# What no file of a book can show: a folder that is none, a stored content that was damaged, a condition without a file.
BESIDE = {
    "folder without a scheme": (
        lambda: load(TOY / "rules"),
        "rules/scheme.toml: (file): there is no such file. A scheme is a folder with a scheme.toml.",
    ),
    "stored content that is cut off": (
        lambda: from_content(SCHEME.content[:-1]),
        "(stored content): (JSON): cannot be read: Expecting ',' delimiter: line 1 column "
        f"{len(SCHEME.content)} (char {len(SCHEME.content) - 1}). Take the content as it was stored.",
    ),
    "stored content of another sort": (
        lambda: from_content("[]"),
        "(stored content): (JSON): is not one object. Take the content as it was stored.",
    ),
    "condition of nothing": (
        lambda: conditions.parse(" ", indicators=["x"]),
        "the condition is empty. Write one, for example x >= 1.",
    ),
}


@pytest.mark.parametrize(
    "stored",
    ["", "null", "{}", '{"scheme":1}', '{"order":[[{}],["b"]],"group":{"a":{}}}', '{"order":[[["x"]],5],"group":{"a":{}}}',
     '{"scheme":{"subjects":[{}],"cuts":[{"classes":[5]}],"only":5,"visits":5}}', '{"rule":{"a":{"parameter":{"x":5}}}}',
     '{"matrix":{"a":{"values":[{"rows":[["a"]]}]}}}', "[" * 100_000],
)  # fmt: skip
def test_a_damaged_stored_content_is_a_mistake_and_never_a_crash(stored):
    with pytest.raises(SchemeError, match=r"\(stored content\): "):
        from_content(stored)


ONCE = (
    "title that is one text", "basis that is one text", "value for a subject that is misspelt", "two values from one day",
    "Chinese quotes",
)  # fmt: skip


@pytest.mark.parametrize("name", ONCE)
def test_one_slip_is_said_once(tmp_path, name):
    assert [line for line in mistakes(tmp_path, BROKEN[name]) if line.startswith("toy/")] == [BROKEN[name]["says"]]


def test_a_folder_that_holds_schemes_is_told_once_which_they_are():
    with pytest.raises(SchemeError) as error:
        load(RULES / "book")
    assert str(error.value) == (
        "book/scheme.toml: (file): there is no such file. A scheme is a folder with a scheme.toml: name one of "
        f"{', '.join(sorted(path.parent.name for path in (RULES / 'book').glob('*/scheme.toml')))}."
    )


def test_a_file_that_begins_with_a_byte_order_mark_is_read_as_if_it_had_none():
    plain = files_of(TOY)
    marked = {path: b"\xef\xbb\xbf" + raw for path, raw in plain.items()}
    assert load_files(marked, "toy").hash == SCHEME.hash
    assert load_files({path: raw.decode() for path, raw in marked.items()}, "toy").hash == SCHEME.hash
    assert cases.read_files(marked, "toy", SCHEME) == cases.read_files(plain, "toy", SCHEME)


def test_chinese_signs_inside_texts_and_comments_are_not_blamed():
    said = content.toml("x.toml", 'a = "“，”" # “，”\nb = = "，"', found := [])
    assert said.data == {}
    assert str(found[0]).startswith("x.toml: (TOML): cannot be read: Invalid value (at line 2")


@pytest.mark.parametrize("name", sorted(BESIDE))
def test_what_no_file_can_show_is_said_in_the_same_way(name):
    ask, says = BESIDE[name]
    with pytest.raises((SchemeError, Refused)) as error:
        ask()
    assert says in str(error.value).splitlines()


def sites() -> dict[tuple[str, int], str]:
    """Every place in the package that can name a mistake: file and line, and the call as it is written."""
    found = {}
    for path in sorted(RULES.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
                if name in NAMES:
                    found[path.name, node.lineno] = ast.unparse(node)
    return found


@pytest.fixture
def reached(monkeypatch) -> set[tuple[str, int]]:
    """Places that did name a mistake while the test ran."""
    seen: set[tuple[str, int]] = set()

    def watched(plain):
        def watching(*args, **more):
            caller = sys._getframe(1)
            seen.add((Path(caller.f_code.co_filename).name, caller.f_lineno))
            return plain(*args, **more)

        return watching

    monkeypatch.setattr(Table, "wrong", watched(Table.wrong))
    for class_ in (errors.Mistake, errors.Refused):
        monkeypatch.setattr(class_, "__init__", watched(class_.__init__))
    return seen


def test_no_kind_of_mistake_goes_without_a_broken_scheme(tmp_path, reached):
    for number, broken in enumerate(BROKEN.values()):
        mistakes(tmp_path / str(number), broken)
    for ask, _ in BESIDE.values():
        with pytest.raises((SchemeError, Refused)):
            ask()
    known = sites()
    assert len(known) > 90
    missing = {f"{file}:{line} {known[file, line]}" for file, line in known.keys() - reached}
    assert missing == set(), "add a broken scheme to broken.toml for each"


def test_a_broken_scheme_names_no_more_than_what_is_broken(tmp_path):
    assert mistakes(tmp_path, BROKEN["key of another measure"]) == [
        BROKEN["key of another measure"]["says"],
        *(
            f"toy_outer/indicators/all.toml: indicator.{id_}.scheme: names 'toy', which has mistakes of its own. Mend "
            "that scheme first."
            for id_ in ("risk", "risk_score")
        ),
    ]
