"""Whether the evaluator judges by the settings that the run was counted under, as a worker must count by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from pipeline.ledger.ledger import other_settings

if TYPE_CHECKING:
    from pipeline.state.policy import Policy


class RunPort(Protocol):
    """The ledger of a run."""

    def fetch(self, name: str, **parameters: Any) -> list[list[Any]]:
        """Return the rows of a query of sql/queries."""


class RunRules:
    """Asks until it is known; an evaluator may be there before the worker that begins the run.

    Args:
        port: the ledger.
        run: its name.
        policy: today's.
        description: of it, for the error message.
    """

    def __init__(self, port: RunPort, run: str, policy: Policy, description: str) -> None:
        self._port = port
        self._run = run
        self._rules = policy.rules()
        self._description = description
        self._is_known = False

    def check(self) -> None:
        """Return if nothing is known to be otherwise.

        Raises:
            UserError: the run was begun under other settings.
            LedgerUnavailableError: ClickHouse does not answer.
        """
        if self._is_known:
            return
        for _, then, rules in self._port.fetch("load_run"):
            if rules and rules != self._rules:
                raise other_settings(self._run, then, self._description)
            self._is_known = bool(rules)
