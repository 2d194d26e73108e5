"""Many comparisons at once: which of them may be called, when one in twenty of those called may be wrong. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

Key = TypeVar("Key")


def adjusted(p_values: Mapping[Key, float | None]) -> dict[Key, float | None]:
    """Return p-values by the procedure of Benjamini & Hochberg (1995), by tea-tasting; None stays None.

    Calling every comparison whose adjusted value is at most q keeps the expected share of wrong calls at q or below,
    for
    independent and positively dependent comparisons: variants against one control and metrics of one customer are such.
    """
    from tea_tasting import adjust_fdr
    from tea_tasting.experiment import ExperimentResult

    known = {key: p_value for key, p_value in p_values.items() if p_value is not None}
    if not known:
        return dict.fromkeys(p_values)
    results = ExperimentResult({str(place): {"pvalue": p_value} for place, p_value in enumerate(known.values())})
    found = adjust_fdr({"all": results}, alpha=0.05, arbitrary_dependence=False)["all"]
    values = dict(zip(known, (float(found[str(place)]["pvalue_adj"]) for place in range(len(known))), strict=True))
    return {key: values.get(key) for key in p_values}
