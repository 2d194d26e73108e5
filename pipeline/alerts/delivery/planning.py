"""What one receiver is told now, and when to look again. Pure: waiting notices and clocks in, a plan out.

Of one alert the notices keep their order: what failed is tried again before what came after it. Other alerts do not
wait for it. Every instant is wall clock in epoch milliseconds; no wait is longer than it can be meant, so that a clock
that was set back delays little.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from pipeline.alerts.delivery.quiet import QuietHours, milliseconds_to_next_minute
from pipeline.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.alerts.delivery.outcomes import Outcome
    from pipeline.alerts.log import Notification

RETRIES: Final = Backoff(first_seconds=5.0, longest_seconds=3600.0)
PAUSES: Final = Backoff(first_seconds=2.0, longest_seconds=60.0)
"""Of a receiver after failures in a row, whichever notices they were: the rest need not be tried one by one."""
_LONGEST_RETRY_MS: Final = 3_600_000
_HOUR: Final = 3600.0
Standing = Literal["told", "silenced", "answered"]
"""Of an alert: ``told``: receivers hear of it. ``silenced``: of its recovery only. ``answered``: no reminder is due."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How one receiver wants to be told.

    Attributes:
        group_seconds: notices within so long become one message; 0 where they are not grouped.
        min_interval_seconds: shortest time between two messages.
        quiet: hours in which nothing is sent; None = there are none.
        attempts: after so many a notice is given up.
        most_at_once: what is sent before the next look at what waits; a grouped message names no more.
    """

    group_seconds: float = 0.0
    min_interval_seconds: float = 0.0
    quiet: QuietHours | None = None
    attempts: int = 1
    most_at_once: int = 5000


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do about one receiver.

    Attributes:
        suppressed: what it is not told any more, as it is to be written.
        now: what to send now, as one message or one after the other, oldest first.
        wait_seconds: when to look again, if nothing happens before; None = when something happens.
    """

    suppressed: tuple[Notification, ...] = ()
    now: tuple[Notification, ...] = ()
    wait_seconds: float | None = None


def plan(
    waiting: Sequence[Notification],
    policy: Policy,
    *,
    now_ms: int,
    last_sent_ms: int | None,
    standing: Callable[[Notification], Standing],
) -> Plan:
    """Plan for the notices that wait for one receiver.

    Args:
        waiting: in any order.
        policy: the receiver's.
        now_ms: now.
        last_sent_ms: when it got its newest message; None = it got none.
        standing: how a notice's alert stands now.
    """
    ordered = sorted(waiting, key=lambda notice: notice.order)
    suppressed = _suppressed(ordered, standing)
    gone = {notice.notification_id for notice in suppressed}
    kept = [notice for notice in ordered if notice.notification_id not in gone]
    tests = [notice for notice in kept if is_test(notice)]
    if tests:  # somebody waits before the screen
        return Plan(suppressed, (tests[0],), 0.0)
    if not kept:
        return Plan(suppressed)
    closed_ms = _closed_ms(policy, now_ms, last_sent_ms)
    heads = _heads(kept)
    due_ms = min(_due_ms(head, policy, now_ms) for head in heads.values())
    wait_ms = max(due_ms - now_ms, closed_ms)
    if wait_ms > 0:
        return Plan(suppressed, wait_seconds=wait_ms / 1000)
    free = {
        alert_id for alert_id, head in heads.items() if not head.attempts or _due_ms(head, policy, now_ms) <= now_ms
    }
    chosen = [notice for notice in kept if notice.alert_id in free]
    # what has failed most often goes last, so that what a receiver takes ill does not keep the others from being sent
    chosen.sort(key=lambda notice: (heads[notice.alert_id].attempts, notice.order))
    return Plan(suppressed, tuple(chosen[: policy.most_at_once]), 0.0)


def is_test(notice: Notification) -> bool:
    """Tell whether it is the notice of `roi alerts test`: sent at once, and once."""
    return notice.message_type == "test"


def is_untimely(
    letter: Sequence[Notification], policy: Policy, *, now_ms: int, standing: Callable[[Notification], Standing]
) -> bool:
    """Tell whether quiet hours or a silence have begun since a letter was planned: it is to be planned again.

    What is planned at once may take minutes: requests to a slow receiver follow each other, and ClickHouse may be away
    before any of them.
    """
    if any(is_test(notice) for notice in letter):
        return False
    if policy.quiet is not None and policy.quiet.holds_at(now_ms):
        return True
    return any(_is_silenced(notice, standing(notice)) for notice in letter)


def _suppressed(
    ordered: Sequence[Notification], standing: Callable[[Notification], Standing]
) -> tuple[Notification, ...]:
    """Return what is not to be told any more; what an attempt may have told already is settled by trying again."""
    newest = {notice.alert_id: notice for notice in ordered}
    found = []
    for notice in ordered:
        if is_test(notice):
            continue
        stands = standing(notice)
        why = ""
        if _is_silenced(notice, stands):
            why = "silenced"
        elif notice.is_reminder and notice.attempts == 0:
            if newest[notice.alert_id] is not notice:
                why = "a later notice says more"
            elif stands == "answered":
                why = "somebody has answered meanwhile"
        if why:
            found.append(replace(notice, state="suppressed", last_error=why))
    return tuple(found)


def _is_silenced(notice: Notification, stands: Standing) -> bool:
    return stands == "silenced" and notice.message_type != "alert.resolved"


def _heads(ordered: Sequence[Notification]) -> dict[str, Notification]:
    """Return the oldest notice of each alert."""
    heads: dict[str, Notification] = {}
    for notice in ordered:
        heads.setdefault(notice.alert_id, notice)
    return heads


def _due_ms(notice: Notification, policy: Policy, now_ms: int) -> int:
    if notice.attempts:
        due_ms, longest_ms = notice.next_attempt_ms, _LONGEST_RETRY_MS
    else:
        longest_ms = round(policy.group_seconds * 1000)
        due_ms = notice.created_ms + longest_ms
    return due_ms if due_ms - now_ms <= longest_ms else now_ms


def _closed_ms(policy: Policy, now_ms: int, last_sent_ms: int | None) -> int:
    """Return for how long the receiver wants nothing, as far as is known now."""
    quiet_ms = milliseconds_to_next_minute(now_ms) if policy.quiet is not None and policy.quiet.holds_at(now_ms) else 0
    interval_ms = round(policy.min_interval_seconds * 1000)
    if last_sent_ms is None or last_sent_ms > now_ms:
        return quiet_ms
    return max(quiet_ms, last_sent_ms + interval_ms - now_ms)


def attempts_within(hours: float) -> int:
    """Return how many attempts it takes until so much time has passed since the first."""
    seconds, attempts = 0.0, 1
    while seconds < hours * _HOUR:
        seconds += RETRIES.delay(attempts)
        attempts += 1
    return attempts


def settled(notice: Notification, outcome: Outcome, policy: Policy, *, now_ms: int, chance: float) -> Notification:
    """Return a notice as it is after an attempt.

    Args:
        notice: as it waited.
        outcome: of the attempt.
        policy: the receiver's.
        now_ms: when it ended.
        chance: 0 to 1, by which waits of many receivers differ: a fifth more or less.
    """
    attempts = notice.attempts + 1
    if outcome.result == "sent":
        return replace(notice, state="sent", attempts=attempts, next_attempt_ms=0, sent_ms=now_ms, last_error="")
    if outcome.result == "refused" or attempts >= policy.attempts or is_test(notice):
        return replace(notice, state="dead", attempts=attempts, next_attempt_ms=0, last_error=outcome.error)
    wait = max(RETRIES.delay(attempts) * (0.8 + 0.4 * chance), outcome.retry_after_seconds or 0.0)
    due_ms = now_ms + min(round(wait * 1000), _LONGEST_RETRY_MS)
    return replace(notice, attempts=attempts, next_attempt_ms=due_ms, last_error=outcome.error)
