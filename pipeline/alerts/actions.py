"""What people may do to an alert: acknowledge, decide, approve, note. Pure; each is applied or refused with a reason.

An action is a row of table alert_actions; its body by kind of action (JSON):

acknowledge  {"note": text?}
decide       {"decision": stop | optimise | continue, "reason": text}
approve      {}                                                              by another person than the one who decided
note         {"note": text}
silence      {"campaign_id": id} or {"owner": name}, {"until": RFC 3339, "reason": text}
unsilence    {"silence_id": id}
retry        {"notification_id": id}, or {} = all that are dead
test         {"receiver": name}, or {} = every receiver
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, get_args

from pipeline.alerts.lifecycle import Change, Conduct, entered, moved_on
from pipeline.alerts.record import AlertRecord, Moment, Proposal, name_of
from schemas.alerts import OPEN_STATES, Decision

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.alerts.record import Event
    from schemas.alerts import State

DECISIONS: Final[tuple[Decision, ...]] = get_args(Decision)


@dataclass(frozen=True, slots=True)
class Action:
    """What somebody asked for. ``by`` is the name of the token; ``alert_id`` is empty where no alert is meant."""

    action_id: str
    alert_id: str
    action: str
    by: str
    body: dict[str, Any]
    at_ms: int = 0

    @property
    def digest(self) -> str:
        """Tells whether another request is the same one."""
        return digest(self.action, self.alert_id, self.body)


def digest(action: str, alert_id: str, body: Mapping[str, Any]) -> str:
    """Return the same text for the same request, whatever the order of its body's keys."""
    return name_of("ask", action, alert_id, json.dumps(body, sort_keys=True, ensure_ascii=False))


@dataclass(frozen=True, slots=True)
class Refusal:
    """An action that changed nothing, and why, in words for whoever asked."""

    why: str


def act(record: AlertRecord, action: Action, now: Moment, conduct: Conduct) -> Change | Refusal:
    """Apply an action to an alert: return its new entry, whose record is the alert's from now on, or the refusal."""
    apply = _APPLY.get(action.action)
    if apply is None:
        return Refusal(f"there is no action {action.action!r} on alerts")
    if action.action != "note":
        if record.state == "blocked":
            return Refusal(
                "the alert is blocked: its campaign's data are at fault, and it goes on when they are mended"
            )
        if record.state not in OPEN_STATES:
            return Refusal(f"the alert is {record.state}: only one that has fired can be acted upon")
    return apply(record, action, now, conduct)


def _acknowledge(record: AlertRecord, action: Action, now: Moment, conduct: Conduct) -> Change | Refusal:
    del conduct
    if record.state != "firing":
        return Refusal(f"the alert is {record.state} already, by {record.decided_by or record.acknowledged_by}")
    changed = replace(record, acknowledged_by=action.by)
    return _move(changed, "acknowledged", action.by, now, _text(action, "note"))


def _decide(record: AlertRecord, action: Action, now: Moment, conduct: Conduct) -> Change | Refusal:
    decision, reason = action.body.get("decision"), _text(action, "reason").strip()
    if refusal := _undecidable(record, decision, reason):
        return Refusal(refusal)
    if decision != "stop":
        return _decided(record, decision, action.by, reason, now)  # type: ignore[arg-type] # one of DECISIONS
    if not conduct.four_eyes:
        return _stopped(record, action.by, reason, now, approved_by=None)
    if record.proposal is not None:
        return Refusal(f"{record.proposal.by} has proposed to stop already: another person approves it")
    proposed = replace(record, proposal=Proposal(action.by, reason, now.wall_ms))
    return _entry(proposed, "proposed", action.by, now, f"stop: {reason}")


def _undecidable(record: AlertRecord, decision: Any, reason: str) -> str:
    if decision not in DECISIONS:
        return f"a decision is one of {', '.join(DECISIONS)}"
    if not reason:
        return "a decision needs a reason"
    if record.stop_id is not None:
        return f"a request to stop is open ({record.stop_id}, by {record.decided_by}): it was passed on"
    if record.state == "decided" and record.decision == decision:
        return f"{record.decided_by} has decided to {decision} already: a note adds to it, another decision replaces it"
    return ""


def _approve(record: AlertRecord, action: Action, now: Moment, conduct: Conduct) -> Change | Refusal:
    del conduct
    if record.proposal is None:
        return Refusal("nobody has proposed to stop: there is nothing to approve")
    if record.proposal.by == action.by:
        return Refusal(f"{action.by} has proposed it: another person must approve")
    return _stopped(record, record.proposal.by, record.proposal.reason, now, approved_by=action.by)


def _note(record: AlertRecord, action: Action, now: Moment, conduct: Conduct) -> Change | Refusal:
    del conduct
    text = _text(action, "note").strip()
    return _entry(record, "note", action.by, now, text) if text else Refusal("a note needs a text")


def _decided(record: AlertRecord, decision: Decision, by: str, reason: str, now: Moment) -> Change:
    changed = replace(record, decision=decision, decided_by=by, decision_reason=reason, proposal=None)
    return _move(changed, "decided", by, now, f"{decision}: {reason}")


def _stopped(record: AlertRecord, by: str, reason: str, now: Moment, approved_by: str | None) -> Change:
    change = _decided(record, "stop", by, reason, now)
    stopped = replace(change.record, stop_id=name_of("stp", record.alert_id, change.number))
    event: Event = "decided" if approved_by is None else "approved"
    return replace(
        change, record=stopped, event=event, by=approved_by or by, stop_reason=reason, approved_by=approved_by
    )


def _entry(record: AlertRecord, event: Event, by: str, now: Moment, note: str) -> Change:
    """Enter an event that leaves the state as it is."""
    return Change(entered(record, now), event, record.state, by=by, note=note)


def _move(record: AlertRecord, state: State, by: str, now: Moment, note: str) -> Change:
    """Enter the event of moving to a state, which is named like it."""
    before = record.state
    moved = record if state == before else replace(record, state=state, previous_state=before)
    event: Event = "acknowledged" if state == "acknowledged" else "decided"
    return Change(moved_on(moved, now), event, before, by=by, note=note)


def _text(action: Action, name: str) -> str:
    text = action.body.get(name)
    return text if isinstance(text, str) else ""


_APPLY: Final[dict[str, Callable[[AlertRecord, Action, Moment, Conduct], Change | Refusal]]] = {
    "acknowledge": _acknowledge,
    "decide": _decide,
    "approve": _approve,
    "note": _note,
}
