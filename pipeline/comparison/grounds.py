"""Why two runs differ: settings, range, source and definitions, each where one run has another than the other."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pipeline.clickhouse import sql
from pipeline.errors import UserError
from pipeline.policies import recorded_settings
from schemas.instants import instant_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.clickhouse.reader import Reader

_SHOWN_RUNS: Final = 20
_GOALS: Final = "default_goal_kinds"  # which runs of older releases do not record
Kind = str


@dataclass(frozen=True, slots=True)
class Ground:
    """One thing that two runs count with otherwise.

    Attributes:
        kind: ``setting``, ``range``, ``source`` or ``definition``.
        campaign_id: of a definition; else None, which is every campaign.
        name: the setting, or the field of the definition.
        left, right: what each run has; None is nothing.
    """

    kind: Kind
    name: str
    left: Any
    right: Any
    campaign_id: str | None = None

    def row(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "kind": self.kind,
            "campaign_id": self.campaign_id,
            "name": self.name,
            "left": self.left,
            "right": self.right,
        }


def grounds(reader: Reader, database: str, left: str, right: str) -> list[Ground]:
    """Return everything that two runs count with otherwise: settings first, then the campaigns' definitions.

    Raises:
        UserError: one of the runs is not there.
    """
    facts = check_runs(reader, database, left, right)
    if left == right:
        return []
    differing = reader.rows(sql.query("differing_definitions", database), {"left": left, "right": right})
    return [
        *settings_that_differ(facts[left], facts[right]),
        *_orders_that_differ(facts[left], facts[right]),
        *(
            ground
            for row in differing
            for ground in _fields_that_differ(row["campaign_id"], row["left_definition"], row["right_definition"])
        ),
    ]


def check_runs(reader: Reader, database: str, *runs: str) -> dict[str, dict[str, Any]]:
    """Return what the runs count with, by run, if all of them are there.

    Raises:
        UserError: one is not; the message names those that are.
    """
    facts = {row["run"]: row for row in reader.rows(sql.query("run_facts", database))}
    for run in runs:
        if run not in facts:
            raise UserError(f"there is no run {run!r}", f"name one of {_listed(sorted(facts))}")
    return facts


def _listed(runs: list[str]) -> str:
    more = len(runs) - _SHOWN_RUNS
    shown = ", ".join(runs[:_SHOWN_RUNS]) or "none: roi replay makes one"
    return f"{shown} and {more} more (roi runs list)" if more > 0 else shown


def settings_that_differ(left: Mapping[str, Any], right: Mapping[str, Any]) -> Iterator[Ground]:
    """Yield the settings that two runs were begun under otherwise, of what `check_runs` tells of each."""
    lefts, rights = recorded_settings(left["settings"]), recorded_settings(right["settings"])
    are_goals_recorded = _GOALS in lefts and _GOALS in rights
    for name in dict.fromkeys((*lefts, *rights)):
        if lefts.get(name) != rights.get(name) and (name != _GOALS or are_goals_recorded):
            yield Ground("setting", name, lefts.get(name), rights.get(name))
    if not are_goals_recorded and left["rules"] and right["rules"] and left["rules"] != right["rules"]:
        goals = [(_plan(row).get("overrides") or {}).get(_GOALS) for row in (left, right)]
        if goals[0] != goals[1]:
            yield Ground("setting", _GOALS, *goals)


def _orders_that_differ(left: Mapping[str, Any], right: Mapping[str, Any]) -> Iterator[Ground]:
    lefts, rights = _plan(left), _plan(right)
    for name, option in (("begin_ms", "from"), ("end_ms", "to")):
        bounds = [None if plan.get(name) is None else instant_text(plan[name]) for plan in (lefts, rights)]
        if bounds[0] != bounds[1]:
            yield Ground("range", option, *bounds)
    for name, option in (("campaigns", "campaigns"), ("customers", "customers"), ("inputs", "input")):
        values = [plan.get(name) or None for plan in (lefts, rights)]
        if values[0] != values[1]:
            yield Ground("source", option, *values)


def _plan(row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row["plan"] or "{}")
    return found


def _fields_that_differ(campaign_id: str, left: str, right: str) -> Iterator[Ground]:
    """Yield the fields of a definition that two runs have otherwise; what only one of them defines is one field."""
    if not left or not right:
        yield Ground("definition", "definition", "given" if left else None, "given" if right else None, campaign_id)
        return
    lefts, rights = _fields(left), _fields(right)
    for name in dict.fromkeys((*lefts, *rights)):
        if lefts.get(name) != rights.get(name):
            yield Ground("definition", name, lefts.get(name), rights.get(name), campaign_id)


def _fields(definition: str) -> dict[str, Any]:
    """Return a definition's fields, defaults filled in, those of its goal by dotted names."""
    from schemas import Campaign  # costs the start of a command that needs no definition

    fields = Campaign.model_validate_json(definition).model_dump(mode="json")
    goal = fields.pop("goal")
    return fields | {f"goal.{name}": value for name, value in goal.items()}
