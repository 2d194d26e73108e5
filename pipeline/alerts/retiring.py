"""Campaigns whose definition was retired (a null value on its topic): over, and told as they were judged last. Pure.

Without its definition a campaign's goal, limit, owner and receivers are gone. Judged by the defaults it would be held
against a promise that nobody made, and whoever answers for it would not hear of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.alerts import words
from pipeline.alerts.lifecycle import OVER

if TYPE_CHECKING:
    from pipeline.alerts.record import AlertRecord, Look
    from pipeline.alerts.sayings import Language


def as_retired(look: Look, record: AlertRecord | None, language: Language) -> Look:
    """Return a look at a retired campaign: over, with rule, verdict and people of the last look at its definition.

    Args:
        look: at the campaign as if nobody had ever defined it.
        record: its alert; None where it was not looked at before, and the defaults are all that is known.
        language: of the reason that is added.
    """
    if record is None:
        return replace(look, is_over=True)
    told = words.retired_text(language)
    before = (reason for reason in record.evidence.reasons if reason not in {told, OVER})
    return replace(
        look,
        verdict=record.verdict,
        rule=record.rule,
        campaign=record.campaign,
        evidence=replace(record.evidence, reasons=(told, *before)),
        is_over=True,
    )
