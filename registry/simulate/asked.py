"""What a simulation is asked, and within which bounds. Light: `xinheng simulate --help` reads no more than this."""

from dataclasses import dataclass
from datetime import date

from registry.errors import RegistryError

# Names of the policies; registry/simulate/policies.py has what they do.
NAMES = ("random", "ratio", "class", "class+model", "greedy")
PARAMETERS = ("latent", "latent_b")
FIRST, MONTHS, ENTITIES, SEED = date(2026, 1, 1), 24, 20_000, 1
MOST_ENTITIES, MOST_MONTHS, FEWEST_ENTITIES = 500_000, 60, 500
MOST_SEED = 2**63 - 1
# Visits of a month are at most one in so many entities.
LEAST_PER_VISIT = 10


class SimulationRefused(RegistryError):
    """A simulation that cannot be run as asked."""

    code = "simulation_refused"
    status = 422


@dataclass(frozen=True, slots=True)
class Asked:
    """What is simulated. ``visits`` is how many a month; None: what the frequency table asks for of the classes of the first day."""

    policies: tuple[str, ...] = NAMES
    months: int = MONTHS
    entities: int = ENTITIES
    seed: int = SEED
    parameters: str = PARAMETERS[0]
    first: date = FIRST
    visits: int | None = None

    def check(self) -> None:
        """Raises SimulationRefused, saying what to give, for what is out of range or unknown."""
        for name in self.policies:
            if name not in NAMES:
                raise SimulationRefused(f"There is no policy {name!r}. Give one of {', '.join(NAMES)}.")
        if self.parameters not in PARAMETERS:
            raise SimulationRefused(
                f"There are no parameters {self.parameters!r}. Give one of {', '.join(PARAMETERS)} (registry/sample/*.toml)."
            )
        visits = 1 if self.visits is None else self.visits
        for what, value, low, high in (
            ("months", self.months, 1, MOST_MONTHS),
            ("entities", self.entities, FEWEST_ENTITIES, MOST_ENTITIES),
            ("visits a month", visits, 1, self.entities // LEAST_PER_VISIT),
            ("as a seed", self.seed, 0, MOST_SEED),
        ):
            if not low <= value <= high:
                raise SimulationRefused(f"{value:,} {what} cannot be simulated. Give {low:,} to {high:,}.")
        if self.first.day != 1:
            raise SimulationRefused(f"{self.first} is no first day of a month. Give one, for example {FIRST}.")
