"""Rules side by side: in money, and how soon each found the campaigns that ended below their limit."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from pipeline.backtest.results import Found, RuleResult

_COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
"""Source: Okabe and Ito, Color Universal Design, 2008."""
_BARS: Final = (
    ("spend avoided", "spend_avoided_minor"),
    ("return forgone", "return_forgone_minor"),
    ("gain at the limit", "gain_at_limit_minor"),
)


def draw(found: Found) -> bytes:
    """Return a PNG of 1,600 × 640 pixels; the same for the same backtest."""
    with mpl.rc_context(_settings()):
        figure = Figure(figsize=(10, 4), layout="constrained")
        money, time = figure.subplots(1, 2)
        _money(money, found.rules)
        _detection(time, found.rules)
        for axes in (money, time):
            for side in ("top", "right"):
                axes.spines[side].set_visible(False)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=160, metadata={"Software": None})
        return buffer.getvalue()


def _settings() -> Any:
    return {"font.size": 9, "axes.unicode_minus": True, "text.parse_math": False}  # a name with $ is no formula


def _money(axes: Axes, rules: Sequence[RuleResult]) -> None:
    width = 0.8 / len(rules)
    places = np.arange(len(_BARS))
    for number, rule in enumerate(rules):
        heights = [getattr(rule.money, name) / 100 for _, name in _BARS]
        at = places + (number - (len(rules) - 1) / 2) * width
        axes.bar(at, heights, width, color=_COLOURS[number % len(_COLOURS)], label=rule.rule.name)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_xticks(places, [label for label, _ in _BARS])
    axes.set_ylabel("money")
    axes.set_title("What stopping at the firing would have meant")
    axes.ticklabel_format(axis="y", style="plain")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.legend(frameon=False)


def _detection(axes: Axes, rules: Sequence[RuleResult]) -> None:
    """Draw the share of campaigns fired on over their age: solid of those below their limit, dashed of the others."""
    for number, rule in enumerate(rules):
        colour = _COLOURS[number % len(_COLOURS)]
        for is_bad, style in ((True, "-"), (False, "--")):
            mine = [one for one in rule.campaigns if one.fate.is_bad is is_bad]
            hours = sorted(one.fate.hours for one in mine if one.fate.hours is not None)
            if not mine:
                continue
            days = np.array([0.0, *(hour / 24 for hour in hours)])
            shares = 100 * np.arange(len(days)) / len(mine)
            axes.step(days, shares, style, where="post", color=colour, label=rule.rule.name if is_bad else None)
    axes.set_ylim(0, 100)
    axes.set_xlim(left=0)
    axes.set_xlabel("days since the first touch or cost")
    axes.set_ylabel("fired on (%)")
    axes.set_title("Solid: ended below the limit; dashed: at or above it")
    axes.grid(axis="y", alpha=0.3)
