"""The plain rule and its money by brute force, over the lines of an export: every step anew, every sum over every line.

The limit is on return per cost so far; a breach fires when every step has found it for as long as it must hold, and it
resolves when the ratio has been above the margin for as long. What a step finds first may have held before it. A
campaign has settled when its window since its last cost, or credited touch, has passed by the export's last instant.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fractions import Fraction

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@dataclass(frozen=True)
class Cost:
    """A line of the costs."""

    campaign: str
    at: int
    minor: int


@dataclass(frozen=True)
class Credit:
    """A line of the credits."""

    campaign: str
    touched: int
    converted: int
    minor: int


@dataclass(frozen=True)
class Rule:
    """What is required."""

    limit: Fraction
    margin: Fraction
    least_cost: int
    hold_ms: int


@dataclass
class Export:
    """All lines, and the campaigns' windows."""

    costs: list[Cost]
    credits: list[Credit]
    window_ms: int

    def instants(self) -> list[int]:
        """Return every instant at which anything happened."""
        return [line.at for line in self.costs] + [line.converted for line in self.credits]

    def spent(self, campaign: str, until: int) -> int:
        """Return the cost up to an instant."""
        return sum(line.minor for line in self.costs if line.campaign == campaign and line.at <= until)

    def returned(self, campaign: str, until: int) -> int:
        """Return the net return up to an instant."""
        return sum(line.minor for line in self.credits if line.campaign == campaign and line.converted <= until)


def outcome(export: Export, campaign: str, at: int, rule: Rule) -> str:
    """Return below, above or neither."""
    cost = export.spent(campaign, at)
    if cost < rule.least_cost or cost <= 0:
        return "neither"
    ratio = export.returned(campaign, at) / cost
    if ratio < float(rule.limit):
        return "below"
    return "above" if ratio >= float(rule.limit + rule.margin) else "neither"


def held_since(export: Export, campaign: str, at: int, rule: Rule) -> int:
    """Return from when on what a step finds first has held, hour by hour and at the begin of the hold."""
    found, since = outcome(export, campaign, at, rule), at
    back = [*range(at - HOUR_MS, at - rule.hold_ms, -HOUR_MS), at - rule.hold_ms]
    for instant in back if rule.hold_ms else ():
        if outcome(export, campaign, instant, rule) != found:
            break
        since = instant
    return since


def episodes(export: Export, campaign: str, steps: list[int], rule: Rule) -> list[tuple[int, int | None]]:
    """Return when the rule fires and resolves."""
    found: list[tuple[int, int | None]] = []
    is_open, before, since = False, "", 0
    for at in steps:
        now = outcome(export, campaign, at, rule)
        if now != before:
            since = held_since(export, campaign, at, rule)
        before = now
        if now == ("above" if is_open else "below") and at - since >= rule.hold_ms:
            found = [*found[:-1], (found[-1][0], at)] if is_open else [*found, (at, None)]
            is_open = not is_open
    return found


def settled_ratio(export: Export, campaign: str) -> float | None:
    """Return the ratio in the end; None where not all has come, or nothing was spent."""
    end = max(export.instants())
    touched = [line.at for line in export.costs if line.campaign == campaign and line.minor > 0]
    touched += [line.touched for line in export.credits if line.campaign == campaign]
    cost = export.spent(campaign, end)
    if not touched or max(touched) + export.window_ms > end or cost <= 0:
        return None
    return export.returned(campaign, end) / cost


def money(export: Export, campaigns: list[str], steps: list[int], rule: Rule) -> dict[str, Any]:
    """Return the rule in money."""
    sums = dict.fromkeys(("spend_avoided", "return_given_up", "return_forgone", "spend_not_made"), 0)
    hours: list[float] = []
    right = wrong = bad = 0
    for campaign in campaigns:
        ratio = settled_ratio(export, campaign)
        if ratio is None:
            continue
        is_bad = ratio < float(rule.limit)
        bad += is_bad
        fired = episodes(export, campaign, steps, rule)
        if not fired:
            continue
        at = fired[0][0]
        cost = sum(line.minor for line in export.costs if line.campaign == campaign and line.at > at)
        gain = sum(line.minor for line in export.credits if line.campaign == campaign and line.touched > at)
        sums["spend_avoided" if is_bad else "spend_not_made"] += cost
        sums["return_given_up" if is_bad else "return_forgone"] += gain
        right += is_bad
        wrong += not is_bad
        if is_bad:
            hours.append((at - min(line.at for line in export.costs if line.campaign == campaign)) / HOUR_MS)
    return {f"{name}_minor": amount for name, amount in sums.items()} | {
        "precision": right / (right + wrong) if right + wrong else None,
        "recall": right / bad if bad else None,
        "median_hours_to_fire": median(hours) if hours else None,
        "fired": right + wrong,
    }
