"""Every step that a service writes into the ledger has words, and every word belongs to a step that is written."""

import ast
import importlib
import typing
from functools import cache
from pathlib import Path

from registry.services import life, step_words
from registry.services.visibility import ENTERPRISE, PUBLIC, REGULATOR

FOLDER = Path(step_words.__file__).parent
TREES = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.py")}


@cache
def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


@cache
def calls_within(function):
    return [node for node in ast.walk(function) if isinstance(node, ast.Call)]


def parameters(function):
    return [one.arg for one in (*function.args.posonlyargs, *function.args.args)]


def argument(call, place, name):
    """What a call gives to a parameter, by its place or by its name."""
    if len(call.args) > place:
        return call.args[place]
    return next((one.value for one in call.keywords if one.arg == name), None)


def texts(node):
    return {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def values(node, module, function):
    """Every text that an expression may be: its own, or those of the name that it reads."""
    if isinstance(node, ast.JoinedStr):
        found = {""}
        for part in node.values:
            more = texts(part) if isinstance(part, ast.Constant) else values(part.value, module, function)
            found = {one + other for one in found for other in more}
        return found
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in parameters(function):
        return instances(module, function, node)
    if not isinstance(node, ast.Name):
        return texts(node)
    given = [
        one.value for one in ast.walk(function)
        if isinstance(one, ast.Assign) and any(isinstance(target, ast.Name) and target.id == node.id for target in one.targets)
    ]  # fmt: skip
    if given:
        return set().union(*(texts(one) for one in given))
    if node.id in parameters(function):
        return callers(module, function, node.id)
    constant = getattr(importlib.import_module(f"registry.services.{module}"), node.id)
    return {constant}


def instances(module, function, node):
    """What an attribute of a parameter may be: that of every object of its class that stands in some service."""
    note = next(one.annotation for one in function.args.args if one.arg == node.value.id)
    kind = getattr(importlib.import_module(f"registry.services.{module}"), note.id)
    held = (value for other in TREES for value in vars(importlib.import_module(f"registry.services.{other}")).values())
    return {getattr(value, node.attr) for value in held if isinstance(value, kind)}


def callers(module, function, name):
    """Every text that is given to a parameter of a function, wherever in the services it is called."""
    note = next(one.annotation for one in function.args.args if one.arg == name)
    alias = getattr(importlib.import_module(f"registry.services.{module}"), getattr(note, "id", ""), None)
    found = set(typing.get_args(alias)) if typing.get_origin(alias) is typing.Literal else set()
    place = parameters(function).index(name)
    for other, tree in TREES.items():
        for caller in functions(tree):
            for call in calls_within(caller):
                own = isinstance(call.func, ast.Name) and call.func.id == function.name and other == module
                theirs = (
                    isinstance(call.func, ast.Attribute)
                    and call.func.attr == function.name
                    and isinstance(call.func.value, ast.Name)
                    and call.func.value.id == module
                )
                given = argument(call, place, name) if own or theirs else None
                if given is not None:
                    found |= values(given, other, caller)
    return found


def of_the_ledger():
    """The name of every step that the ledger appends by itself."""
    found = set()
    for function in functions(TREES["ledger"]):
        calls = calls_within(function)
        if any(ast.unparse(one.func) == "self._append" and texts(one.args[0]) == {"step"} for one in calls):
            made = [one.args[0] for one in calls if ast.unparse(one.func) == "Statement"]
            found |= set().union(*(values(one, "ledger", function) for one in made))
    return found


def written():
    """The name of every step that the services give to `Pen.step`, and of those that the ledger appends by itself."""
    found = of_the_ledger()
    for module, tree in TREES.items():
        for function in functions(tree):
            for call in calls_within(function):
                if isinstance(call.func, ast.Attribute) and ast.unparse(call.func) == "pen.step":
                    names = values(argument(call, 0, "name"), module, function)
                    assert names, f"{module}.{function.name}: no name of a step was found in {ast.unparse(call)}"
                    found |= names
    return found


def test_every_step_that_is_written_has_words_and_no_words_are_of_steps_that_nobody_writes():
    assert {*step_words.OWN, *step_words.INTERNAL} == written()


def test_no_step_has_words_twice_and_those_of_a_life_are_the_same_everywhere():
    assert not set(step_words.OWN) & set(step_words.INTERNAL)
    for name, words in life.STEPS.items():
        assert step_words.said_of_step(name, REGULATOR) == words


def test_a_party_and_the_public_read_of_no_step_that_is_internal():
    for reader in (PUBLIC, ENTERPRISE):
        assert {name for name in step_words.INTERNAL if step_words.said_of_step(name, reader)} == set()


def test_a_step_of_an_earlier_version_is_shown_by_its_name_to_regulators_only():
    assert step_words.said_of_step("listing_approved", REGULATOR).en == "Listing approved"
    assert step_words.said_of_step("listing_approved", ENTERPRISE) is None
