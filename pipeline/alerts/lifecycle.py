"""The state machine of alerts (contract section 6): what a look, or a person, makes of an alert. Pure.

```
 immature ◄──► watching ──► pending ──► firing ──► acknowledged ──► decided ──► resolved
     ▲                         │          └──────────────┴──────────────┴──────────┘
     └─────────────────────────┘ at once when no longer below
```

A campaign has one record at a time, from its first look on; when a resolved one is below again, a new one begins.
Any state but ``resolved`` may be ``blocked`` by a fault of the data, and is returned to when that is mended. While a
fault is only suspected, nothing fires, resolves by the return or is returned to, and no breach counts as seen. Open
states (firing, acknowledged, decided) resolve when the return has been matured above the margin for as long as a
breach must hold, or when the campaign is over. What fires waits some seconds for its evidence, which its messages
carry. One look makes one change of state at most.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pipeline.alerts.record import AlertRecord, Evidence, Look, name_of
from pipeline.alerts.sayings import always_english, joined
from schemas.alerts import OPEN_STATES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.alerts.record import Event, Moment
    from pipeline.alerts.rule import AlertRule
    from pipeline.alerts.verdict import Outcome, Verdict
    from schemas.alerts import State

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
_QUIET: Final = frozenset({"immature", "watching"})
OVER: Final = always_english("over: the campaign has ended, nothing is left to stop", "活动已结束，无需再停止")
_MENDED: Final = always_english("the data are no longer at fault", "数据已恢复正常")
_ABOVE: Final = always_english("the matured return is above what is required", "成熟后的回报高于要求")
_BELOW: Final = always_english("the return stays below what is required", "回报持续低于要求")


@dataclass(frozen=True, slots=True)
class Conduct:
    """What the lifecycle needs of the settings.

    Attributes:
        installation: makes ids of two installations differ, whom the same receiver may hear.
        board_url: for links.
        wall_hold_seconds: how long a breach must have been seen by this process's clock.
        evidence_seconds: how long beyond that it waits for evidence that is still looked for.
        four_eyes: whether a second person approves a decision to stop.
    """

    installation: str = ""
    board_url: str = "http://127.0.0.1:8080"
    wall_hold_seconds: float = 5.0
    evidence_seconds: float = 1.0
    four_eyes: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of an alert's history.

    Attributes:
        record: the alert after it.
        event: what happened.
        previous_state: the state before; equal to the record's where the state stays (a note, a proposal).
        by: the name of the token that acted; None = the evaluator.
        note: in that person's words, or why.
        stop_reason: of a request to stop that this change makes; None = it makes none.
        approved_by: of that request.
    """

    record: AlertRecord
    event: Event
    previous_state: State | None
    by: str | None = None
    note: str = ""
    stop_reason: str | None = None
    approved_by: str | None = None

    @property
    def is_message(self) -> bool:
        """Whether it is told on roi.alerts.v1: the state is another one, or there is another decision."""
        return self.previous_state != self.record.state or self.event in {"decided", "approved"}

    @property
    def number(self) -> int:
        """Its number in the alert's history, from 1."""
        return self.record.changes


def step(record: AlertRecord | None, look: Look, now: Moment, conduct: Conduct) -> tuple[AlertRecord, Change | None]:
    """Return the campaign's alert after a look at it, and the change of state if there is one.

    Args:
        record: the campaign's current alert; None before its first look.
        look: what was found.
        now: when, by both clocks; jumps of the wall clock decide nothing.
        conduct: of the installation.
    """
    if record is None:
        return _begin(look, None, now, conduct)
    if record.state == "resolved":
        if look.verdict.outcome == "below" and not (look.is_over or look.faults or look.doubts):
            return _begin(look, record, now, conduct)
        return _with_p_value(record, look), None  # beside that it keeps what it was resolved with, the rule too
    if _is_nothing_new(record, look):
        return record, None
    seen = _seen(record, look, now)
    state, event, why = _next(seen, look, now, conduct)
    if state == seen.state:
        return seen, None
    return _moved(seen, state, event, why, now)


def _begin(look: Look, before: AlertRecord | None, now: Moment, conduct: Conduct) -> tuple[AlertRecord, Change]:
    campaign, number = look.campaign, 1 if before is None else before.number + 1
    blank = AlertRecord(
        alert_id=name_of("alr", campaign.campaign_id, number, conduct.installation),
        campaign_id=campaign.campaign_id,
        number=number,
        state="immature",
        previous_state=None,
        opened_ms=now.wall_ms,
        changed_ms=0,
        entered_ms=0,
        changes=0,
        verdict=look.verdict,
        rule=look.rule,
        campaign=campaign,
        evidence=look.evidence,
        smallest_p_value=earlier_p_value(before, look.rule),
        smallest_p_value_ratio=look.rule.min_return_ratio,
    )
    seen = _seen(blank, look, now)
    state, _, why = _next(seen, look, now, conduct)
    moved, change = _moved(seen, state, "opened", why, now)
    moved = replace(moved, previous_state=None)
    return moved, replace(change, record=moved, previous_state=None)


def _seen(record: AlertRecord, look: Look, now: Moment) -> AlertRecord:
    """Lay a look over the record: evidence, and since when it has been so."""
    at_fault = () if look.is_over else look.faults or _kept_blocked(record, look)
    evidence = look.evidence
    if at_fault:  # the data's fault stands before what they say
        evidence = replace(evidence, reasons=(*at_fault, *evidence.reasons))
    elif look.verdict.outcome == "below":
        held_back = (*look.doubts, look.withheld) if look.withheld else look.doubts
        if look.is_over and record.state not in OPEN_STATES:  # else it would read as if it were about to fire
            held_back = (OVER,)
        evidence = replace(evidence, reasons=(*held_back, *evidence.reasons)) if held_back else evidence
    # what was found in half-read histories is not remembered: the look back goes over it again
    outcome = None if at_fault or (look.doubts and not look.is_over) else look.verdict.outcome
    below = outcome == "below"
    return replace(
        _with_p_value(record, look),
        verdict=look.verdict,
        rule=look.rule,
        campaign=look.campaign,
        evidence=evidence,
        below_since_ms=look.held_since_ms if below else None,
        above_since_ms=look.held_since_ms if outcome == "above" else None,
        seen_since=(record.seen_since if record.seen_since is not None else now.seconds) if below else None,
    )


def earlier_p_value(record: AlertRecord | None, rule: AlertRule) -> float:
    """Return the smallest p-value of a campaign's earlier looks that asked for this rule's ratio; 1 without any."""
    if record is None or record.smallest_p_value_ratio != rule.min_return_ratio:
        return 1.0
    return record.smallest_p_value


def _with_p_value(record: AlertRecord, look: Look) -> AlertRecord:
    """Let a look count; not at half-read histories, which may look worse than any whole one, and that would stay."""
    smallest, ratio = earlier_p_value(record, look.rule), look.rule.min_return_ratio
    if not (look.faults or look.doubts or _kept_blocked(record, look)):
        smallest = min(smallest, look.verdict.p_value)
    if (smallest, ratio) == (record.smallest_p_value, record.smallest_p_value_ratio):
        return record
    return replace(record, smallest_p_value=smallest, smallest_p_value_ratio=ratio)


def _is_nothing_new(record: AlertRecord, look: Look) -> bool:
    """Tell, quickly, that a look at a campaign that nobody has to act upon found what the one before found."""
    return (
        record.verdict is look.verdict
        and record.evidence is look.evidence
        and record.campaign is look.campaign
        and record.rule is look.rule
        and record.smallest_p_value <= look.verdict.p_value
        and look.verdict.outcome != "below"
        and not look.faults
        and record.state in _QUIET
    )


def _next(record: AlertRecord, look: Look, now: Moment, conduct: Conduct) -> tuple[State, Event, str]:
    """Return the state that follows, with the event that leads there and why."""
    if look.faults and not look.is_over:
        return "blocked", "blocked", joined(look.faults)
    if record.state == "blocked":
        if _kept_blocked(record, look):
            return "blocked", "judged", ""
        return record.state_before or "watching", "unblocked", _MENDED
    if record.state in OPEN_STATES:
        return _next_of_open(record, look)
    return _next_of_unopened(look, fires=not look.withheld and _has_held(record, look, now, conduct))


def _kept_blocked(record: AlertRecord, look: Look) -> tuple[str, ...]:
    """Return why a blocked alert stays so although nothing is known to be at fault now; nothing = it does not."""
    if record.state != "blocked" or look.is_over:
        return ()
    if look.young and record.blocked_since is None:
        return (*look.doubts, look.young)
    return look.doubts


def _next_of_open(record: AlertRecord, look: Look) -> tuple[State, Event, str]:
    if look.is_over:
        return "resolved", "over", OVER
    if record.above_since_ms is not None and _held_ms(record, record.above_since_ms) >= _hold_ms(record.rule):
        return "resolved", "judged", _ABOVE
    return record.state, "judged", ""


def _next_of_unopened(look: Look, *, fires: bool) -> tuple[State, Event, str]:
    if look.is_over:
        return "watching", "over", OVER
    if look.verdict.outcome == "below":
        return ("firing" if fires else "pending"), "judged", _BELOW
    return ("immature" if look.verdict.outcome == "immature" else "watching"), "judged", ""


def _has_held(record: AlertRecord, look: Look, now: Moment, conduct: Conduct) -> bool:
    """Tell whether a breach has held in event time, and has been seen for long enough by this process."""
    if record.below_since_ms is None or record.seen_since is None:
        return False
    hold_ms, seen_seconds = _hold_ms(record.rule), now.seconds - record.seen_since
    must_see = conduct.wall_hold_seconds if hold_ms else 0.0
    if not look.is_evident and seen_seconds < must_see + conduct.evidence_seconds:
        return False
    return seen_seconds >= must_see and _held_ms(record, record.below_since_ms) >= hold_ms


def _hold_ms(rule: AlertRule) -> int:
    return round(rule.hold_minutes * MINUTE_MS)


def _held_ms(record: AlertRecord, since_ms: int) -> int:
    return record.as_of_ms - since_ms


def _moved(record: AlertRecord, state: State, event: Event, why: str, now: Moment) -> tuple[AlertRecord, Change]:
    """Move to a state, with all that ends or begins with it."""
    before = record.state
    changed = moved_on(replace(record, state=state, previous_state=before), now)
    if state == "blocked":
        changed = replace(changed, state_before=before, blocked_since=now.seconds)
    elif before == "blocked":
        changed = replace(changed, state_before=None, blocked_since=None)
    elif state == "pending" or (state == "firing" and before != "pending"):
        changed = replace(changed, opened_ms=changed.changed_ms)
    elif state == "resolved":
        reasons = (why, *record.evidence.reasons)
        evidence: Evidence = replace(record.evidence, reasons=reasons)
        changed = replace(changed, proposal=None, stop_id=None, evidence=evidence)
    return changed, Change(changed, event, before, note=why)


def entered(record: AlertRecord, now: Moment) -> AlertRecord:
    """Return the record with one more entry in its history, later than the one before whatever the wall clock says."""
    return replace(record, changes=record.changes + 1, entered_ms=max(now.wall_ms, record.entered_ms + 1))


def moved_on(record: AlertRecord, now: Moment) -> AlertRecord:
    """Return the record with one more entry, that of another state or another decision."""
    moved = entered(record, now)
    return replace(moved, changed_ms=moved.entered_ms)


def instants_to_look_back(record: AlertRecord | None, verdict: Verdict, rule: AlertRule) -> list[int]:
    """Return the instants, newest first, as of which the verdict is needed too, to tell since when it has held.

    Every hour back to the beginning of the hold, the beginning included; of these, those since the last look, where
    that found the same.
    """
    if not _matters(record, verdict):
        return []
    hold_ms, known = _hold_ms(rule), _since(record, verdict)
    end = verdict.as_of_ms - hold_ms
    if known is not None and record is not None:
        end = max(end, record.as_of_ms + 1)
    instants = list(range(verdict.as_of_ms - HOUR_MS, end - 1, -HOUR_MS))
    if known is None and hold_ms and verdict.as_of_ms - hold_ms not in instants:
        instants.append(verdict.as_of_ms - hold_ms)
    return instants


def held_since(record: AlertRecord | None, verdict: Verdict, back: Sequence[tuple[int, Outcome]]) -> int:
    """Return the instant from which on every look had this verdict's outcome.

    Args:
        record: the campaign's alert before this look.
        verdict: of this look.
        back: the outcomes as of `instants_to_look_back`, newest first.
    """
    since = verdict.as_of_ms
    for instant, outcome in back:
        if outcome != verdict.outcome:
            return since
        since = instant
    known = _since(record, verdict)
    return since if known is None else min(known, since)


def _matters(record: AlertRecord | None, verdict: Verdict) -> bool:
    """Tell whether anything depends on how long it has been so."""
    is_open = record is not None and (record.state in OPEN_STATES or record.state_before in OPEN_STATES)
    return verdict.outcome == ("above" if is_open else "below")


def _since(record: AlertRecord | None, verdict: Verdict) -> int | None:
    if record is None or record.as_of_ms > verdict.as_of_ms:
        return None
    since: Mapping[Outcome, int | None] = {"below": record.below_since_ms, "above": record.above_since_ms}
    return since.get(verdict.outcome)
