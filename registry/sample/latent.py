"""The planted risk: an unobserved type for every entity, and what it does. docs/sample.md explains the process.

Parameters come from latent.toml (or latent_b.toml). Every draw whose chance depends on the type is drawn independently
given the type and what can be observed, so the posterior of the type, and with it the best possible score, is exact.
"""

import hashlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from registry.sample.shape import KINDS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

HERE = Path(__file__).parent
LATENT = HERE / "latent.toml"
LATENT_B = HERE / "latent_b.toml"


# What the further kinds have by type.
FURTHER = {
    "licence": ("rate", "standing"), "product_sampling": ("failed", "severity"), "registration_change": ("rate", "item"),
    "certification": ("rate", "standing"), "standard_declared": ("rate", "short"), "recall": ("rate", "manner"),
    "award": ("rate",), "satisfaction_survey": ("score",), "outside_list": ("rate", "list", "closed", "good", "tax"),
    "accident": ("rate", "responsibility"), "relation": ("joined", "troubled", "ties"),
}  # fmt: skip


class BadLatent(ValueError):
    """A parameter file of the sample that cannot be used; says which key and what is expected there."""


@dataclass(frozen=True, slots=True)
class Latent:
    """One set of parameters. `table` is the file; `sha256` is the digest of its bytes."""

    types: tuple[str, ...]
    groups: tuple[str, ...]
    table: Mapping[str, Any]
    sha256: str

    def by_type(self, *keys: str) -> Floats:
        """The value at ``keys`` as one number (or one row) per type: shape (types, …)."""
        return np.asarray(self._at(keys), dtype=np.float64)

    def by_kind(self, *keys: str) -> Floats:
        """The table at ``keys`` in the order of KINDS: shape (kinds, …)."""
        table = self._at(keys)
        return np.asarray([table[kind] for kind in KINDS], dtype=np.float64)

    def by_group(self, key: str) -> Floats:
        """``key`` of every group of industries, in the order of `groups`: shape (groups, …)."""
        return np.asarray([self._at(("group", group, key)) for group in self.groups], dtype=np.float64)

    def number(self, *keys: str) -> float:
        """The single number at ``keys``."""
        return float(self._at(keys))

    def rows(self, *keys: str) -> list[Any]:
        """The list at ``keys`` as it stands in the file."""
        return list(self._at(keys))

    def _at(self, keys: tuple[str, ...]) -> Any:
        found: Any = self.table
        for depth, key in enumerate(keys, 1):
            if not isinstance(found, dict) or key not in found:
                raise BadLatent(f"The parameter {'.'.join(keys[:depth])} is missing. Copy it from latent.toml.")
            found = found[key]
        return found


@cache
def load_latent(path: Path = LATENT) -> Latent:
    """Read a parameter file.

    Raises
    ------
    BadLatent
        If a list by type has another length than `types`, or a value is missing.
    """
    body = path.read_bytes()
    raw = tomllib.loads(body.decode("utf-8"))
    latent = Latent(tuple(raw["types"]), tuple(raw["group"]), raw, hashlib.sha256(body).hexdigest())
    lists = [("prior", "age", "amount"), ("prior", "size", "amount"), ("penalty", "rate"), ("penalty", "severity")]
    lists += [("revoked", "rate"), ("listing", "rate"), ("listing", "ground"), ("listing", "closed")]
    lists += [("violation", key) for key in ("base", "risk", "age", "size")] + [("item", "rate"), ("item", "upheld")]
    lists += [("prior", "kind", kind) for kind in KINDS] + [("group", group, "prior") for group in latent.groups]
    lists += [("report", outcome, kind) for outcome in ("late", "missing") for kind in KINDS]
    lists += [(part, key) for part, keys in FURTHER.items() for key in keys]
    for keys in lists:
        if len(latent.by_type(*keys)) != len(latent.types):
            raise BadLatent(f"{path.name}: {'.'.join(keys)} must have one value for each of {', '.join(latent.types)}.")
    return latent


@dataclass(frozen=True, slots=True)
class Traits:
    """What can be observed of every entity before any record: arrays of one length, one place per entity."""

    kind: Ints  # place in KINDS
    group: Ints  # place in Latent.groups
    age: Floats  # years since establishment
    size: Floats  # log10 of registered capital in yuan; NaN where unknown


def _hump(latent: Latent, traits: Traits) -> Floats:
    centre, width = latent.number("prior", "age", "centre"), latent.number("prior", "age", "width")
    return np.exp(-np.square((traits.age - centre) / width))


def _above(latent: Latent, traits: Traits) -> Floats:
    """log10 of capital above the centre, held within reach; 0 where capital is unknown: nothing is known from it."""
    reach = latent.number("prior", "size", "reach")
    return np.nan_to_num(np.clip(traits.size - latent.number("prior", "size", "centre"), -reach, reach), nan=0.0)


def log_prior(latent: Latent, traits: Traits) -> Floats:
    """Log of the chance of every type given the traits: shape (entities, types), rows sum to 1 after exp."""
    logits = latent.by_kind("prior", "kind")[traits.kind] + latent.by_group("prior")[traits.group]
    logits += np.outer(_hump(latent, traits), latent.by_type("prior", "age", "amount"))
    logits += np.outer(np.square(_above(latent, traits)), latent.by_type("prior", "size", "amount"))
    for rule in latent.rows("prior", "together"):
        applies = np.isin(traits.group, [latent.groups.index(group) for group in rule["groups"]])
        if "age_below" in rule:
            applies &= traits.age < rule["age_below"]
        if "size_at_least" in rule:
            applies &= np.nan_to_num(traits.size, nan=0.0) >= rule["size_at_least"]
        logits += np.outer(applies, np.asarray(rule["amount"], dtype=np.float64))
    return _normalised(logits)


def violation(latent: Latent, traits: Traits) -> Floats:
    """Chance that a routine check finds a violation, if the entity were of each type: shape (entities, types)."""
    logits = latent.by_type("violation", "base") + np.outer(
        latent.by_group("risk")[traits.group], latent.by_type("violation", "risk")
    )
    logits += np.outer(_hump(latent, traits), latent.by_type("violation", "age"))
    logits += np.outer(_above(latent, traits), latent.by_type("violation", "size"))
    return np.asarray(1.0 / (1.0 + np.exp(-logits)), dtype=np.float64)


def draw_types(rng: np.random.Generator, prior: Floats) -> Ints:
    """One type per row of log-chances, as its place in `Latent.types`."""
    edges = np.cumsum(np.exp(prior), axis=1)[:, :-1]
    return np.asarray((rng.random(len(prior))[:, None] >= edges).sum(axis=1), dtype=np.int64)


def best_score(prior: Floats, evidence: Floats, chance: Floats) -> Floats:
    """P(the next check finds a violation | everything observed): the score no observer of the records can beat.

    Parameters
    ----------
    prior, evidence, chance : arrays of shape (entities, types)
        Log-prior, summed log-likelihood of all records, and chance of a violation for each type.
    """
    return np.asarray((np.exp(_normalised(prior + evidence)) * chance).sum(axis=1), dtype=np.float64)


def _normalised(logits: Floats) -> Floats:
    top = logits.max(axis=1, keepdims=True)
    return np.asarray(logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True)), dtype=np.float64)


# A part of the generator asks for its own stream by name, so that adding a part changes no other.
Streams = Callable[[str], np.random.Generator]
