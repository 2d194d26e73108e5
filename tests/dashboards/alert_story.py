"""Alerts as they come about, for boards: made by the lifecycle itself, written as the evaluator writes them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pipeline.alerts.actions import Action, Refusal, act
from pipeline.alerts.lifecycle import Conduct, step
from pipeline.alerts.log import Addressing, Notification, rows_of
from pipeline.alerts.record import Campaign, Evidence, Moment
from pipeline.alerts.silences import Silence, silence_of
from pipeline.alerts.store import ClickHouseAlertStore, encode
from pipeline.alerts.verdict import Band
from schemas.instants import instant_text
from tests.alerts.building import HOUR, T0, look

if TYPE_CHECKING:
    from random import Random

    from pipeline.alerts.lifecycle import Change
    from pipeline.alerts.log import LogRow
    from pipeline.alerts.record import AlertRecord

HOSTILE: Final = "<img src=x onerror=alert(1)>'); DROP TABLE roi.ledger -- \\ \u202etxt \U0001f600"
LONG: Final = "长" * 200
NAMES: Final = ("Spring savings", HOSTILE, LONG, "", "夏季理财")
OWNERS: Final = ("retail", HOSTILE, None, "wealth")
LATER_MS: Final = 2_500  # the wall clock is so far behind the events
_ADDRESSING: Final = Addressing("http://127.0.0.1:8080", ("floor", "mail"), frozenset({"floor", "mail"}))
_CONDUCT: Final = Conduct(wall_hold_seconds=0.0)


class Story:
    """What happened; `changes`, `records`, `notifications` and `silences` are what boards must show.

    Attributes:
        records: the newest alert of each campaign, as it was last written.
        resolved: alerts of campaigns that have a newer one.
        definitions: of the campaigns.
    """

    def __init__(self, random: Random, campaigns: int = 10) -> None:
        self._random = random
        self._number = 0
        self._seen: dict[str, AlertRecord] = {}
        self.rows: list[LogRow] = []
        self.changes: list[Change] = []
        self.records: dict[str, AlertRecord] = {}
        self.resolved: list[AlertRecord] = []
        self.notifications: dict[str, Notification] = {}
        self.silences: dict[str, Silence] = {}
        self.definitions = {
            f"c{number}": Campaign(f"c{number}", NAMES[number % len(NAMES)], OWNERS[number % len(OWNERS)])
            for number in range(campaigns)
        }

    def every(self) -> list[AlertRecord]:
        """Return the alerts there are, also those of campaigns that have a newer one."""
        return [*self.records.values(), *self.resolved]

    def chosen(self, campaign_id: str, *, campaign: Any = (), owner: Any = ()) -> bool:
        """Tell whether a board's choice takes a campaign in."""
        definition = self.definitions[campaign_id]
        return (not campaign or campaign_id in campaign) and (not owner or (definition.owner or "") in owner)

    def name_of(self, campaign_id: str) -> str:
        """Return what boards call a campaign."""
        return self.definitions[campaign_id].name or campaign_id

    def look(self, campaign_id: str, as_of_ms: int, outcome: Any, **values: Any) -> None:
        """Look at a campaign once."""
        found = look(outcome, as_of_ms, campaign_id=campaign_id, campaign=self.definitions[campaign_id], **values)
        verdict = replace(
            found.verdict,
            return_ratio=self._random.choice((None, self._random.uniform(0, 4))),
            upper_bound=self._random.choice((None, 1.75)),
            forecast=Band(1.0, 1.5, 2.0),
        )
        risk = self._random.choice((None, 0, self._random.randrange(10**15)))
        evidence = Evidence(("the return stays below", HOSTILE), risk)
        now = Moment(as_of_ms + LATER_MS, as_of_ms / 1000)
        record, change = step(
            self._seen.get(campaign_id), replace(found, verdict=verdict, evidence=evidence), now, _CONDUCT
        )
        self._seen[campaign_id] = record
        if change is not None:
            self._keep(change)

    def act(self, campaign_id: str, wall_ms: int, kind: str, by: str = "lin", **body: Any) -> bool:
        """Have somebody act upon a campaign's alert; tell whether that was possible."""
        self._number += 1
        record = self._seen[campaign_id]
        action = Action(f"act-{self._number}", record.alert_id, kind, by, body)
        change = act(record, action, Moment(wall_ms, wall_ms / 1000), _CONDUCT)
        if isinstance(change, Refusal):
            return False
        self._seen[campaign_id] = change.record
        self._keep(change)
        return True

    def silence(self, wall_ms: int, until_ms: int, *, ended_at: int | None = None, **of: str) -> None:
        """Silence a campaign or an owner, and perhaps end that again."""
        self._number += 1
        action = Action(
            f"act-{self._number}", "", "silence", "wu", {"until": instant_text(until_ms), "reason": HOSTILE, **of}
        )
        made = silence_of(action, wall_ms)
        assert isinstance(made, Silence)
        kept = made if ended_at is None else made.ended("wu")
        self.silences[kept.silence_id] = kept
        self.rows.append(kept.row(ended_at))

    def deliver(self, share_dead: float = 0.2) -> None:
        """Have the receivers told of what waits, some of it in vain."""
        for key, one in self.notifications.items():
            if one.state == "waiting" and self._random.random() < 0.8:
                is_dead = self._random.random() < share_dead
                self.notifications[key] = told = replace(
                    one,
                    state="dead" if is_dead else "sent",
                    attempts=self._random.randint(1, 5),
                    sent_ms=None if is_dead else one.created_ms + 900,
                    last_error=f"{one.receiver} answered 500 {HOSTILE}" if is_dead else "",
                )
                self.rows.append(told.row(told.created_ms + 1_000))

    def write(self, client: Any) -> None:
        """Make all of it durable, with the definitions of the campaigns."""
        store = ClickHouseAlertStore(client, "roi", "story")
        epoch = store.claim()
        newest = {(row.kind, row.id): row for row in self.rows}
        store.write(encode(list(newest.values()), epoch, 1))
        definitions = [
            [name, json.dumps({"name": one.name, "owner": one.owner} | self.plan(name), ensure_ascii=False), 1]
            for name, one in self.definitions.items()
        ]
        client.insert("roi.campaign_log", definitions, ["campaign_id", "definition", "version"])

    def plan(self, campaign_id: str) -> dict[str, Any]:
        """Return budget and end of a campaign's definition."""
        number = int(campaign_id[1:])
        return {"budget_minor": 4_000_000} | ({"ends_at": instant_text(T0 + 210 * HOUR)} if number % 3 == 0 else {})

    def _keep(self, change: Change) -> None:
        before = self.records.get(change.record.campaign_id)
        if before is not None and before.alert_id != change.record.alert_id:
            self.resolved.append(before)
        self.records[change.record.campaign_id] = change.record
        self.changes.append(change)
        made = rows_of(change, _ADDRESSING, "sil_1" if self._random.random() < 0.1 else None)
        self.rows += made
        for row in made:
            if row.kind == "notification":
                self.notifications[row.id] = Notification.of(row)


def told(random: Random) -> Story:
    """Return ten campaigns watched for ten days, with what people did about them."""
    story = Story(random)
    mood = dict.fromkeys(story.definitions, "undecided")
    for hour in range(0, 240, 3):
        now = T0 + hour * HOUR
        for number, name in enumerate(story.definitions):
            if random.random() < 0.25:
                mood[name] = random.choice(("below", "below", "below", "above", "immature", "undecided"))
            faults = (f"lag of bank.touches.v1 {HOSTILE}",) if random.random() < 0.04 else ()
            story.look(
                name, now + number, mood[name], held_hours=random.choice((0, 5)), faults=faults,
                is_over=random.random() < 0.002,
            )  # fmt: skip
            if random.random() < 0.3:
                story.act(name, now + 60_000 + number, "acknowledge", note=HOSTILE)
            if random.random() < 0.1:
                decision = random.choice(("stop", "optimise", "continue"))
                story.act(name, now + 90_000 + number, "decide", decision=decision, reason=f"it costs {HOSTILE}")
            if random.random() < 0.1:
                story.act(name, now + 95_000 + number, "note", note="seen")
    story.silence(T0 + HOUR, T0 + 400 * HOUR, campaign_id="c1")
    story.silence(T0 + 2 * HOUR, T0 + 300 * HOUR, owner=HOSTILE)
    story.silence(T0 + 3 * HOUR, T0 + 9 * HOUR, ended_at=T0 + 9 * HOUR, campaign_id="c2")
    story.deliver()
    return story


def text(instant_ms: int) -> str:
    """Return an instant as boards have it."""
    return datetime.fromtimestamp(instant_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def by_risk(record: AlertRecord) -> tuple[Any, ...]:
    """Order by money at risk, most first, unknown last."""
    risk = record.evidence.money_at_risk_minor
    return (risk is None, -(risk or 0), -record.changed_ms, record.alert_id)
