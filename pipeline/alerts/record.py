"""One alert as it is remembered: its state, what was last found, and how it came there. Frozen; pure.

Its JSON is the body of kind ``alert`` in table alert_log: the keys of `schemas.alerts.AlertData`, which views and
messages show, and behind them what only the lifecycle needs.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote

import msgspec

from pipeline.alerts.rule import FIELDS, AlertRule
from pipeline.alerts.sayings import kept as kept_texts
from pipeline.alerts.sayings import read_again
from pipeline.alerts.verdict import Band, Verdict
from schemas.alerts import AlertData, Decision, State
from schemas.instants import instant_text, parse_instant, to_epoch_milliseconds

if TYPE_CHECKING:
    from collections.abc import Mapping

Event = Literal[
    "opened", "judged", "blocked", "unblocked", "over", "acknowledged", "proposed", "decided", "approved", "note"
]
_ID_DIGITS: Final = 20


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, by two clocks: the wall's for what people read, this process's own for how long something has lasted."""

    wall_ms: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Campaign:
    """What alerts need of a campaign's definition; without one, its id and nothing else.

    ``receivers``: names, None = those of the settings.
    """

    campaign_id: str
    name: str = ""
    owner: str | None = None
    ends_ms: int | None = None
    receivers: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a reader is shown beside the verdict; `reasons` in words."""

    reasons: tuple[str, ...] = ()
    money_at_risk_minor: int | None = None
    advice: Mapping[str, Any] | None = None
    decisions_by_model: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one campaign: everything that `lifecycle.step` judges by.

    Attributes:
        verdict: of the rule.
        rule: that the campaign was held against.
        held_since_ms: the instant (event time) from which on every look, hour by hour, had this outcome.
        faults: why the campaign's data is at fault, in words; nothing = it is not.
        doubts: what may be at fault, seen for too short a time to say so, in words.
        young: why blocks that an earlier process has found stand, though nothing is at fault: the detectors have not
            watched for as long as they look back; '' = they have.
        is_over: nothing is left to stop.
        withheld: why a breach must not fire now although it holds (the share of false stops); '' = it may.
        campaign: its definition.
        evidence: beside the verdict.
        is_evident: whether all of that has been found; what is still looked for may come a look later.
    """

    verdict: Verdict
    rule: AlertRule
    held_since_ms: int
    campaign: Campaign
    faults: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    young: str = ""
    is_over: bool = False
    withheld: str = ""
    evidence: Evidence = Evidence()
    is_evident: bool = True


@dataclass(frozen=True, slots=True)
class Proposal:
    """A decision to stop that waits for a second person."""

    by: str
    reason: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """An alert of a campaign, from the first look on to its resolution.

    Attributes:
        number: of this alert among the campaign's, from 1.
        changes: how many entries its history has; numbers their ids.
        opened_ms: wall clock of the start of the present episode.
        changed_ms: wall clock of the newest change of the state or the decision; notes and proposals leave it.
        entered_ms: wall clock of the newest entry, later than that of the one before.
        state_before: that it goes back to, while it is blocked.
        below_since_ms: event time from which on it has been below; None = it is not.
        above_since_ms: likewise, matured above the margin.
        stop_id: the open request to stop.
        told: how often receivers were reminded of it.
        told_ms: wall clock of when receivers were told last, None = not since it fired.
        smallest_p_value: of all looks at the campaign, earlier alerts' too, since its rule had the ratio below.
        smallest_p_value_ratio: the required ratio of those looks; a resolved alert's rule may have another one.
        seen_since: this process's clock when it saw the breach first; not remembered across processes.
        told_since: this process's clock when receivers were told last; likewise.
        blocked_since: this process's clock when it found the data at fault; likewise.
    """

    alert_id: str
    campaign_id: str
    number: int
    state: State
    previous_state: State | None
    opened_ms: int
    changed_ms: int
    entered_ms: int
    changes: int
    verdict: Verdict
    rule: AlertRule
    campaign: Campaign
    evidence: Evidence
    smallest_p_value_ratio: float
    state_before: State | None = None
    below_since_ms: int | None = None
    above_since_ms: int | None = None
    acknowledged_by: str | None = None
    decision: Decision | None = None
    decided_by: str | None = None
    decision_reason: str | None = None
    proposal: Proposal | None = None
    stop_id: str | None = None
    told: int = 0
    told_ms: int | None = None
    smallest_p_value: float = 1.0
    seen_since: float | None = None
    told_since: float | None = None
    blocked_since: float | None = None

    @property
    def as_of_ms(self) -> int:
        """Nothing later was looked at."""
        return self.verdict.as_of_ms

    @property
    def money_at_risk_minor(self) -> int | None:
        """None also while it is too early to judge the campaign: what a guess would put at risk is no figure."""
        return None if self.state == "immature" else self.evidence.money_at_risk_minor

    def data(self, board_url: str) -> dict[str, Any]:
        """Return the record as messages show it: the keys of `schemas.alerts.AlertData`."""
        verdict = self.verdict
        return {
            "alert_id": self.alert_id,
            "campaign_id": self.campaign_id,
            "campaign_name": self.campaign.name or self.campaign_id,
            "owner": self.campaign.owner,
            "state": self.state,
            "previous_state": self.previous_state,
            "opened_at": instant_text(self.opened_ms),
            "changed_at": instant_text(self.changed_ms),
            "as_of": instant_text(verdict.as_of_ms),
            "rule": self.rule.as_dict(),
            "return_ratio": _number(verdict.return_ratio),
            "forecast_ratio": _forecast(verdict.forecast),
            "upper_bound": _number(verdict.upper_bound),
            "matured_share": _share(verdict.matured_share),
            "converters": verdict.converters,
            "converters_needed": _number(verdict.converters_needed),
            "cost_minor": verdict.cost_minor,
            "return_minor": verdict.return_minor,
            "money_at_risk_minor": self.money_at_risk_minor,
            "reasons": [str(reason) for reason in self.evidence.reasons],
            "advice": None if self.evidence.advice is None else dict(self.evidence.advice),
            "decisions_by_model": dict(self.evidence.decisions_by_model),
            "links": {
                "board": f"{board_url.rstrip('/')}/?campaign={quote(self.campaign_id)}&alert={quote(self.alert_id)}",
                "explain": f"roi explain {self.campaign_id}",
            },
            "decision": self.decision,
            "decided_by": self.decided_by,
        }

    def body(self, board_url: str) -> str:
        """Return the record as JSON, to be read again by `record_of`."""
        proposal, verdict = self.proposal, self.verdict
        kept = {
            "number": self.number,
            "reasons_by_language": kept_texts(self.evidence.reasons),
            "changes": self.changes,
            "entered_at": instant_text(self.entered_ms),
            "state_before": self.state_before,
            "below_since": _text_or_none(self.below_since_ms),
            "above_since": _text_or_none(self.above_since_ms),
            "outcome": verdict.outcome,
            "converters_expected": _number(verdict.converters_expected),
            "signed_root": _number(verdict.signed_root),
            "boundary": _number(verdict.boundary),
            "p_value": _number(verdict.p_value),
            "smallest_p_value": self.smallest_p_value,
            "smallest_p_value_ratio": self.smallest_p_value_ratio,
            "ends_at": _text_or_none(self.campaign.ends_ms),
            "receivers": self.campaign.receivers,
            "acknowledged_by": self.acknowledged_by,
            "decision_reason": self.decision_reason,
            "proposal": proposal and {"by": proposal.by, "reason": proposal.reason, "at": instant_text(proposal.at_ms)},
            "stop_id": self.stop_id,
            "told": self.told,
            "told_at": _text_or_none(self.told_ms),
        }
        return msgspec.json.encode(self.data(board_url) | kept).decode()


def record_of(body: str) -> AlertRecord:
    """Return the record that `AlertRecord.body` wrote."""
    found: dict[str, Any] = msgspec.json.decode(body)
    forecast, proposal = found["forecast_ratio"], found["proposal"]
    receivers = found["receivers"]
    p_value = 1.0 if found["p_value"] is None else found["p_value"]
    verdict = Verdict(
        campaign_id=found["campaign_id"],
        as_of_ms=_ms(found["as_of"]),
        outcome=found["outcome"],
        forecast=forecast and Band(**forecast),
        signed_root=found["signed_root"] or 0.0,
        boundary=math.inf if found["boundary"] is None else found["boundary"],
        p_value=p_value,
        **{name: found[name] for name in _VERDICT},
    )
    return AlertRecord(
        verdict=verdict,
        rule=AlertRule(**{name: found["rule"][name] for name in FIELDS}),
        campaign=Campaign(
            campaign_id=found["campaign_id"],
            name=found["campaign_name"],
            owner=found["owner"],
            ends_ms=_ms_or_none(found["ends_at"]),
            receivers=None if receivers is None else tuple(receivers),
        ),
        evidence=Evidence(
            reasons=read_again(found["reasons"], found.get("reasons_by_language")),
            money_at_risk_minor=found["money_at_risk_minor"],
            advice=found["advice"],
            decisions_by_model=found["decisions_by_model"],
        ),
        opened_ms=_ms(found["opened_at"]),
        changed_ms=_ms(found["changed_at"]),
        entered_ms=_ms(found.get("entered_at", found["changed_at"])),  # older versions kept one instant for both
        below_since_ms=_ms_or_none(found["below_since"]),
        above_since_ms=_ms_or_none(found["above_since"]),
        proposal=proposal and Proposal(proposal["by"], proposal["reason"], _ms(proposal["at"])),
        told_ms=_ms_or_none(found["told_at"]),
        smallest_p_value=found.get("smallest_p_value", p_value),  # older versions kept the newest look's alone
        smallest_p_value_ratio=found.get("smallest_p_value_ratio", found["rule"]["min_return_ratio"]),  # as they held
        **{name: found[name] for name in _PLAIN},
    )


_VERDICT: Final = (
    "return_ratio",
    "upper_bound",
    "matured_share",
    "converters",
    "converters_needed",
    "converters_expected",
    "cost_minor",
    "return_minor",
)
_PLAIN: Final = (
    "alert_id",
    "campaign_id",
    "number",
    "state",
    "previous_state",
    "changes",
    "state_before",
    "acknowledged_by",
    "decision",
    "decided_by",
    "decision_reason",
    "stop_id",
    "told",
)


def alert_data(record: AlertRecord, board_url: str) -> AlertData:
    """Return the data of a message."""
    return AlertData.model_validate(record.data(board_url))


def name_of(prefix: str, *parts: object) -> str:
    """Return the id that these parts have, always the same one: ``alr_`` and 20 hex digits."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()
    return f"{prefix}_{digest[:_ID_DIGITS]}"


def _text_or_none(ms: int | None) -> str | None:
    return None if ms is None else instant_text(ms)


def _ms(text: str) -> int:
    return to_epoch_milliseconds(parse_instant(text))


def _ms_or_none(text: str | None) -> int | None:
    return None if text is None else _ms(text)


def _number(value: float | None) -> float | None:
    """Return a number that JSON can hold: infinity says as little as none."""
    return None if value is None or not math.isfinite(value) else value


def _share(value: float | None) -> float | None:
    known = _number(value)
    return None if known is None else min(1.0, max(0.0, known))


def _forecast(band: Band | None) -> dict[str, float] | None:
    if band is None or not all(math.isfinite(value) for value in (band.low, band.value, band.high)):
        return None
    return {"low": band.low, "value": band.value, "high": band.high}
