"""Who is drawn: simple random sampling without replacement within each stratum."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence

from rules.draw.commitments import Candidates, checked, commitments
from rules.draw.errors import DrawError


def choose(
    algorithm: str,
    key: bytes,
    candidates: Candidates,
    sizes: Mapping[str, int],
    *,
    committed: Sequence[bytes] | None = None,
) -> list[int]:
    """Draw ``sizes[stratum]`` of the candidates of each stratum.

    Every candidate gets the ticket HMAC(key, its commitment); the smallest tickets of a stratum are drawn, of equal ones the smaller
    commitment. Tickets are as good as random to whoever does not know the key, so every set of that size within a stratum is
    equally probable: with n of N a candidate is drawn with probability n/N, two of them with n(n−1)/(N(N−1)). The order in which
    candidates are given changes nothing.

    Parameters
    ----------
    key : of ``commitments.key``
    sizes : how many to draw from each stratum that has a candidate; at least 1, so that nobody is without a chance
    committed : the candidates' commitments in their order, where the caller has them already

    Returns
    -------
    list of int
        Places of the drawn in ``candidates``, ascending.

    Raises
    ------
    DrawError
        If a stratum has no size, a size is below 1 or above the candidates there are, or a size belongs to no stratum.
    """
    name = checked(algorithm)
    known = commitments(name, candidates) if committed is None else committed
    counted(candidates, sizes)
    digest = hmac.digest
    tickets: dict[str, list[tuple[bytes, bytes, int]]] = {stratum: [] for stratum in sizes}
    for place, (stratum, commitment) in enumerate(zip(candidates.strata, known, strict=True)):
        tickets[stratum].append((digest(key, commitment, name), commitment, place))
    chosen: list[int] = []
    for stratum, within in tickets.items():
        chosen += [place for _, _, place in sorted(within)[: sizes[stratum]]]
    return sorted(chosen)


def counted(candidates: Candidates, sizes: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Candidates there are and to be drawn, by stratum in order of its name: inclusion probability is the second over the first.

    Raises
    ------
    DrawError
        As ``choose`` says.
    """
    there_are: dict[str, int] = {}
    for stratum in candidates.strata:
        there_are[stratum] = there_are.get(stratum, 0) + 1
    for stratum in sorted(set(there_are) | set(sizes)):
        size, number = sizes.get(stratum, 0), there_are.get(stratum, 0)
        if not 1 <= size <= number:
            raise DrawError(
                f"Stratum {stratum!r} has {number} candidate(s) and {size} are to be drawn. Draw at least 1 (nobody on the list may be "
                "without a chance) and at most all of them, and name only strata that have candidates."
            )
    return {stratum: (there_are[stratum], sizes[stratum]) for stratum in sorted(sizes)}
