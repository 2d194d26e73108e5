"""Did the variants get their planned shares of customers? If not, something else tells them apart. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, log
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FIXED_LEVEL: Final = 0.001
SEQUENTIAL_LEVEL: Final = 0.01
CONCENTRATION: Final = 100.0
"""Of the mixture: shares that differ from the planned ones by about a twentieth are found first."""


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """The check as of one look.

    Attributes:
        counts: customers by variant.
        planned: the share each was to have; they sum to 1.
        p_value: chi-square test (Pearson 1900); valid at one look.
        sequential_p: may be looked at any day.
    """

    counts: Mapping[str, int]
    planned: Mapping[str, float]
    p_value: float | None
    sequential_p: float

    @property
    def is_wrong(self) -> bool:
        """Whether the shares cannot be chance; 0.001 is the usual level, since nobody looks once."""
        by_chance = self.p_value is None or self.p_value >= FIXED_LEVEL
        return not by_chance or self.sequential_p < SEQUENTIAL_LEVEL


def planned_shares(variants: Iterable[str], weights: Mapping[str, float] | None) -> dict[str, float]:
    """Return the planned share of each variant, equal where the definition says nothing.

    Args:
        variants: those that were assigned; one that the definition does not name was planned for nobody.
        weights: of the definition; only their proportions count.
    """
    names = sorted({*variants, *(weights or {})})
    given = {name: float(weights.get(name, 0.0)) if weights else 1.0 for name in names}
    total = sum(given.values())
    return {name: share / total for name, share in given.items()}


def sample_ratio(counts: Mapping[str, int], planned: Mapping[str, float]) -> SampleRatio:
    """Return the check of counts against planned shares."""
    names = sorted(planned)
    observed = [counts.get(name, 0) for name in names]
    shares = [planned[name] for name in names]
    return SampleRatio(dict(counts), dict(planned), _chi_square(observed, shares), _sequential(observed, shares))


def _chi_square(counts: Sequence[int], shares: Sequence[float]) -> float | None:
    from scipy import stats

    total, possible = sum(counts), [share for share in shares if share > 0]
    if any(count for count, share in zip(counts, shares, strict=True) if share == 0):
        return 0.0
    if not total or len(possible) < 2:
        return None
    pairs = [(count, total * share) for count, share in zip(counts, shares, strict=True) if share > 0]
    statistic = sum((count - expected) ** 2 / expected for count, expected in pairs)
    return float(stats.chi2.sf(statistic, len(pairs) - 1))


def _sequential(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Return 1 / e, where e is the counts' chance under a Dirichlet mixture around the plan over that by the plan.

    Lindon & Malek 2022, "Anytime-valid inference for multinomial count data" (NeurIPS 35). No limit theorem is
    needed: the promise is exact. Here of the newest counts, which is never smaller than the least over all looks.
    """
    total = sum(counts)
    log_e = lgamma(CONCENTRATION) - lgamma(CONCENTRATION + total)
    for count, share in zip(counts, shares, strict=True):
        if share > 0:
            prior = CONCENTRATION * share
            log_e += lgamma(prior + count) - lgamma(prior) - count * log(share)
        elif count:
            return 0.0
    return min(1.0, exp(-log_e)) if log_e > 0 else 1.0
