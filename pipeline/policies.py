"""What the core counts by, compiled from settings and campaign definitions: the core itself knows neither."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pipeline.state.calendar import DAY_MS, MINUTE_MS, whole_milliseconds
from pipeline.state.campaign_registry import CampaignRules
from pipeline.state.policy import Policy
from schemas.common import DEFAULT_EARLIEST_MS
from schemas.instants import format_instant, parse_instant, to_epoch_milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.settings import Settings
    from schemas import Campaign

# what a run's record calls settings (`describe_policy`), and their names
_NAMES: Final[Mapping[str, str]] = {
    "models": "attribution.models",
    "half_life_days": "attribution.half_life_days",
    "window_days": "attribution.window_days",
    "margins_bps": "attribution.margins_bps",
    "zone": "time.zone",
    "lateness_days": "time.lateness_days",
    "reversal_days": "time.reversal_days",
    "engaged_seconds": "time.engaged_seconds",
    "currency": "reporting_currency",
    "earliest": "time.earliest",
    "default_goal_kinds": "default_goal_kinds",
}
_NEXT_SETTING: Final = re.compile(r" (?=[a-z_]+=)")


def policy_of(settings: Settings) -> Policy:
    """Return the live run's policy."""
    time, attribution = settings.time, settings.attribution
    kinds = settings.default_goal_kinds
    earliest_ms = to_epoch_milliseconds(time.earliest)
    return Policy(
        models=attribution.all_models,
        half_life_ms=attribution.half_life_days * DAY_MS,
        window_ms=whole_milliseconds(attribution.window_days),
        margins_bps=MappingProxyType({str(kind): bps for kind, bps in attribution.margins_bps.items()}),
        default_kinds=None if kinds is None else frozenset(kinds),
        lateness_ms=whole_milliseconds(time.lateness_days),
        future_ms=round(time.future_minutes * MINUTE_MS),
        reversal_ms=whole_milliseconds(time.reversal_days),
        engaged_seconds=time.engaged_seconds,
        zone=time.zone,
        currency=settings.reporting_currency,
        earliest_ms=None if earliest_ms == DEFAULT_EARLIEST_MS else earliest_ms,
        pseudonym_key=settings.pseudonym_key.get_secret_value().encode(),
        core=settings.worker.core,
    )


def describe_policy(settings: Settings) -> str:
    """Return the settings that decide numbers, for the run's record and its error message."""
    attribution, times, goals = settings.attribution, settings.time, settings.default_goal_kinds
    return (
        f"models={','.join(attribution.all_models)} half_life_days={attribution.half_life_days} "
        f"window_days={attribution.window_days} margins_bps={dict(attribution.margins_bps)} zone={times.zone} "
        f"lateness_days={times.lateness_days} reversal_days={times.reversal_days} "
        f"engaged_seconds={times.engaged_seconds} currency={settings.reporting_currency} "
        f"earliest={format_instant(times.earliest)} "
        f"default_goal_kinds={'any' if goals is None else ','.join(sorted(goals))}"
    )


def recorded_settings(text: str) -> dict[str, str]:
    """Return what `describe_policy` wrote, by the settings' names; records of older releases lack some."""
    pairs = (part.partition("=") for part in _NEXT_SETTING.split(text) if part)
    return {_NAMES.get(name, name): value for name, _, value in pairs}


def as_given(name: str, text: str) -> Any:
    """Return a recorded setting as JSON that `--set` of a replay takes; what cannot be read stays text."""
    try:
        return _GIVEN[name](text) if name in _GIVEN else text
    except (ValueError, SyntaxError):
        return text


def as_recorded(policy: Policy, text: str) -> Policy:
    """Return a policy that counts as the record of a run says, as `describe_policy` wrote it.

    Records of older releases lack some settings, which stay as they are: compare `Policy.rules` with the run's.
    """
    found = recorded_settings(text)
    read = {field: reader(found[name]) for name, (field, reader) in _RECORDED.items() if name in found}
    return replace(policy, **read)


def _days_ms(text: str) -> int:
    return whole_milliseconds(float(text))


def _earliest_ms(text: str) -> int | None:
    earliest_ms = to_epoch_milliseconds(parse_instant(text))
    return None if earliest_ms == DEFAULT_EARLIEST_MS else earliest_ms


# the fields of a policy, and how each is read from its run's record
_RECORDED: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    "attribution.models": ("models", lambda text: tuple(text.split(","))),
    "attribution.half_life_days": ("half_life_ms", lambda text: float(text) * DAY_MS),
    "attribution.window_days": ("window_ms", _days_ms),
    "attribution.margins_bps": ("margins_bps", lambda text: MappingProxyType(ast.literal_eval(text))),
    "time.zone": ("zone", str),
    "time.lateness_days": ("lateness_ms", _days_ms),
    "time.reversal_days": ("reversal_ms", _days_ms),
    "time.engaged_seconds": ("engaged_seconds", float),
    "reporting_currency": ("currency", str),
    "time.earliest": ("earliest_ms", _earliest_ms),
    "default_goal_kinds": (
        "default_kinds",
        lambda text: None if text == "any" else frozenset(filter(None, text.split(","))),
    ),
}


# the settings whose JSON is no text, and how each is read from its run's record
_GIVEN: Final[Mapping[str, Callable[[str], Any]]] = {
    "attribution.models": lambda text: text.split(","),
    "attribution.half_life_days": float,
    "attribution.window_days": float,
    "attribution.margins_bps": ast.literal_eval,
    "time.lateness_days": float,
    "time.reversal_days": float,
    "time.engaged_seconds": float,
    "default_goal_kinds": lambda text: None if text == "any" else [kind for kind in text.split(",") if kind],
}


def rules_of(campaign: Campaign | None, policy: Policy) -> CampaignRules | None:
    """Return a definition's rules; None where there is no definition and the defaults apply."""
    if campaign is None:
        return None
    goal = campaign.goal
    return CampaignRules(
        window_ms=whole_milliseconds(campaign.attribution_window_days),
        kinds=frozenset(goal.kinds),
        products=None if goal.products is None else frozenset(goal.products),
        min_amount_minor=goal.min_amount_minor,
        margins_bps={**policy.margins_bps, **{str(kind): bps for kind, bps in (campaign.margins_bps or {}).items()}},
        control_variant=campaign.control_variant,
    )
