"""Settings laid over those of the installation, for one run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pipeline.errors import UserError, WrongUsageError
from pipeline.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipeline.settings import Settings

# what decides numbers (pipeline/policies.py), but for the key of pseudonyms: another one would tear customers apart
KEYS: Final = (
    "attribution.model",
    "attribution.models",
    "attribution.half_life_days",
    "attribution.window_days",
    "attribution.margins_bps",
    "time.zone",
    "time.earliest",
    "time.lateness_days",
    "time.reversal_days",
    "time.engaged_seconds",
    "reporting_currency",
    "default_goal_kinds",
)

_HALF_LIFE: Final = "attribution.half_life_days"
_DECAYING: Final = "time_decay"
Overrides = dict[str, Any]


def parse_overrides(assignments: Sequence[str], model: str | None = None, models: Sequence[str] = ()) -> Overrides:
    """Return settings by their dotted names.

    Args:
        assignments: KEY=VALUE each; a value that is JSON is taken as such, any other as text.
        model: the one attribution model of the run.
        models: its models, the first decides.

    Raises:
        WrongUsageError: a key is not one that decides numbers, an assignment has no value, a key has two values, or
            models are given twice.
    """
    found = _assigned(assignments)
    if "attribution.model" in found and found.get("attribution.models"):
        raise WrongUsageError(
            "--set attribution.model and --set attribution.models both say what credits", "give one of them"
        )
    for key in ("attribution.model", "attribution.models"):
        if key in found and (model is not None or models):  # one of the two would not count, without a word
            option = "--models" if models else "--model"
            raise WrongUsageError(
                f"{option} and --set {key} both say what credits", f"give {option} or --set, not both"
            )
    if model is not None:
        found["attribution.model"] = model
    if models:
        found["attribution.models"] = list(models)
    elif "attribution.model" in found:
        found.setdefault("attribution.models", [])  # else the installation's list would decide
    return found


def _assigned(assignments: Sequence[str]) -> Overrides:
    found: Overrides = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        key = key.strip()
        if not equals:
            raise WrongUsageError(
                f"--set {assignment} has no value", "write KEY=VALUE, such as attribution.window_days=3"
            )
        if key not in KEYS:
            raise WrongUsageError(f"--set {key}: there is no setting of that name that decides numbers", _known())
        value = _value(text)
        if key in found and found[key] != value:  # likewise, the last would count
            raise WrongUsageError(f"--set {key} is given twice, with different values", "give one of them")
        found[key] = value
    return found


def settings_with(overrides: Mapping[str, Any], data: Path | None = None) -> Settings:
    """Return the installation's settings with some of them laid over.

    Raises:
        WrongUsageError: a value is not acceptable.
    """
    nested: dict[str, Any] = {}
    for key, value in overrides.items():
        group, _, name = key.rpartition(".")
        place = nested.setdefault(group, {}) if group else nested
        place[name] = value
    try:
        return load_settings(data, **nested)
    except UserError as error:
        for key in overrides:
            if f"ROI_{key.replace('.', '__').upper()}" in error.cause:  # not of the environment, which is named else
                raise WrongUsageError(
                    error.cause, f"correct what is given for {key} (--set, --model or --models)"
                ) from error
        raise


def expect_effect(overrides: Mapping[str, Any], settings: Settings) -> None:
    """Refuse a setting that would change nothing of a run under ``settings``, which have the overrides in them.

    Raises:
        WrongUsageError: a half-life is given, and no model decays with time.
    """
    models = settings.attribution.all_models
    if _HALF_LIFE in overrides and _DECAYING not in models:
        raise WrongUsageError(
            f"--set {_HALF_LIFE} changes nothing: only {_DECAYING} has one, and the run counts {', '.join(models)}",
            f"add --model {_DECAYING}, or leave it out",
        )


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text.strip()


def _known() -> str:
    return f"name one of {', '.join(KEYS)}"
