"""Counts a log in random pieces, to be looked at in between."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from schemas import topics
from tests.alerts.facts_support import POLICY
from tests.support.core_player import CorePlayer

if TYPE_CHECKING:
    from pipeline.state.policy import Policy
    from tests.oracle.log import Log


class Stepper:
    """Feeds a log in random order and batches, and writes a block when told."""

    def __init__(self, client: Any, run: str, log: Log, seed: int, policy: Policy = POLICY) -> None:
        self.player = CorePlayer(client, "roi", run, policy, log)
        self.random = Random(seed)
        self._log = log

    def step(self, batches: int) -> bool:
        """Feed some batches, write them; return whether there is more."""
        places = [place for place in self._log if place[0] in topics.LANE_OF_TOPIC]
        for _ in range(batches):
            left = [place for place in places if self.player.next_offset(*place) < len(self._log[place])]
            if not left:
                break
            place = self.random.choice(left)
            start = self.player.next_offset(*place)
            self.player.feed(list(self._log[place][start : start + self.random.randint(1, 20)]))
        self.player.commit()
        return any(self.player.next_offset(*place) < len(self._log[place]) for place in places)
