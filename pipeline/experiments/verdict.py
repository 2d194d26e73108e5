"""What an experiment says to do. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from pipeline.experiments.always_valid import ALPHA

if TYPE_CHECKING:
    from pipeline.experiments.always_valid import AlwaysValid


class Decision(StrEnum):
    """What is known of a variant (contract section 9)."""

    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no_difference"
    TOO_EARLY = "too_early"
    INVALID = "invalid"


def decide(found: AlwaysValid, adjusted_p: float, *, is_invalid: bool, is_finished: bool, relevant: float) -> Decision:
    """Return the decision.

    Args:
        found: the always-valid comparison of the customers whose windows are over. It alone decides: whoever looks
            again and again and stops at the first p-value below 0.05 of another test is wrong far more often than in
            5 %.
        adjusted_p: its p-value with all comparisons of the analysis in mind.
        is_invalid: the sample ratio is wrong, so that the arms differ by more than the variant.
        is_finished: nobody comes any more, so that waiting tells nothing.
        relevant: the smallest lift that matters; an interval within it says that there is none.
    """
    if is_invalid:
        return Decision.INVALID
    if not found.is_known:
        return Decision.TOO_EARLY
    if adjusted_p <= ALPHA:
        return Decision.BETTER if found.low + found.high > 0 else Decision.WORSE
    is_within = max(-found.low, found.high) <= relevant
    return Decision.NO_DIFFERENCE if is_within or is_finished else Decision.TOO_EARLY
