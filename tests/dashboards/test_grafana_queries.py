"""Every query of every board, asked as Grafana asks it: its macros, its Go client, its frames.

The browser's part (variables, $__conditionalAll) is done here a second time, apart from our own module of macros;
the backend's part by the Go program beside it, which is made of the modules that the plugin is made of.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from dashboards.definitions.macros import TimeRange, expand
from dashboards.generate import HERE
from dashboards.generating.boards import panel_id
from dashboards.registry import PANELS
from pipeline.clickhouse.connection import connect
from pipeline.clickhouse.migrations import migrate
from tests.dashboards.trials import Copy, keep_backtests, seed_trial
from tests.embedded.clickhouse import drivers
from tests.figures.test_figures_against_oracle import play
from tests.oracle.generators import random_log
from tests.oracle.story import START_MS, Shape
from tests.support.endpoint import running_endpoint
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dashboards.definitions.panel import Panel
    from tests.support.endpoint import EndpointHandle

DAY_MS: Final = 86_400_000
TIMES: Final = TimeRange.between(START_MS - 30 * DAY_MS, START_MS + 200 * DAY_MS)
SHAPE: Final = Shape(customers=12, campaigns=3, span_days=60, weights=(4, 6, 8, 3))
ALL: Final[dict[str, list[str]]] = {
    "run": ["live"],
    "campaign": [],
    "tier": [],
    "owner": [],
    "outcome": ["converted"],
    "backtest": [""],
}
CHOSEN: Final = ALL | {"campaign": ["c0", "it's"], "tier": ["gold"], "owner": ["lin"]}


@dataclass(frozen=True)
class Asked:
    """A query of a board: a target, a variable or the annotations."""

    name: str
    sql: str
    form: int
    panel: int


def asked() -> list[Asked]:
    """Return all queries of the English boards; the Chinese ones ask the same."""
    found = []
    for path in sorted((HERE / "grafana").glob("*.json")):
        board = json.loads(path.read_text())
        for panel in board["panels"]:
            found += [
                Asked(f"{board['uid']} {panel['id']}", target["rawSql"], target["format"], panel["id"])
                for target in panel["targets"]
                if panel["datasource"]["uid"] == "clickhouse"
            ]
        for variable in board["templating"]["list"]:
            found.append(Asked(f"{board['uid']} {variable['name']}", variable["query"]["rawSql"], 1, 0))
        for annotation in board.get("annotations", {}).get("list", []):
            found.append(Asked(f"{board['uid']} annotations", annotation["target"]["rawSql"], 1, 0))
    return found


def sent(sql: str, values: Mapping[str, Sequence[str]]) -> str:
    """Return what the browser sends: CHDatasource.applyConditionalAll, then Grafana's format `singlequote`."""
    while "$__conditionalAll(" in sql:
        start = sql.index("$__conditionalAll(")
        inside = start + len("$__conditionalAll(")
        depth, end = 1, inside
        while depth:
            depth += {"(": 1, ")": -1}.get(sql[end], 0)
            end += 1
        condition, _, variable = sql[inside : end - 1].rpartition(",")
        sql = sql[:start] + (condition.strip() if values[variable.strip().strip("${}")] else "1=1") + sql[end:]

    def quoted(found: re.Match[str]) -> str:
        return ",".join("'" + value.replace("'", "\\'") + "'" for value in values[found[1]]) or "''"

    return re.sub(r"\$\{(\w+):singlequote\}", quoted, sql)


def bare(sql: str) -> str:
    """Return SQL without comments and layout."""
    return " ".join(re.sub(r"--[^\n]*", "", sql).split())


@pytest.fixture(scope="module")
@starts_process
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointHandle]:
    with running_endpoint(tmp_path_factory.mktemp("grafana-boards")) as endpoint:
        migrate(endpoint.settings)
        writer = connect(endpoint.settings, "writer")
        play(writer, "live", random_log(7, 400, shape=SHAPE), 7)
        _alert(writer)
        seed_trial(writer, [Copy("live", "c0")], TIMES.to_ms)
        keep_backtests(writer, "it's kept")
        writer.close()
        yield endpoint


def _alert(writer: Any) -> None:
    """Write an alert that fires and is acknowledged."""
    columns = "(kind, id, alert_id, campaign_id, state, at, body, version)"
    for number, (state, before) in enumerate((("firing", ""), ("acknowledged", "firing"))):
        at = (START_MS + (10 + number) * DAY_MS) / 1000
        body = json.dumps({"previous_state": before, "event": state, "by": "lin", "note": "it's low"})
        row = f"'change', 'change-{number}', 'a-1', 'c0', '{state}', fromUnixTimestamp64Milli({round(at * 1000)})"
        writer.command(f"INSERT INTO roi.alert_log {columns} VALUES ({row}, {{body:String}}, 1)", {"body": body})
    body = json.dumps(
        {
            "campaign_name": "it's",
            "opened_at": "2026-03-11T00:00:00Z",
            "changed_at": "2026-03-12T00:00:00Z",
            "money_at_risk_minor": 12345,
        }
    )
    writer.command(
        "INSERT INTO roi.alert_log (kind, id, alert_id, campaign_id, state, body, version) "
        "VALUES ('alert', 'a-1', 'a-1', 'c0', 'acknowledged', {body:String}, 1)",
        {"body": body},
    )


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    drivers.need("Grafana's own modules", "go")
    built = tmp_path_factory.mktemp("go") / "grafanaqueries"
    drivers.build("Grafana's own modules", ["go", "build", "-o", str(built), "."], Path(__file__).parent / "go")
    return built


def answers(
    binary: Path, endpoint: EndpointHandle, values: Mapping[str, Sequence[str]]
) -> list[tuple[Asked, dict[str, Any]]]:
    """Return each query's expanded SQL, error and fields."""
    wanted = asked()
    queries = [
        {
            "name": one.name,
            "sql": sent(one.sql, values),
            "format": one.form,
            "from": TIMES.from_ms,
            "to": TIMES.to_ms,
            "interval": TIMES.step_seconds,
        }
        for one in wanted
    ]
    child = dict(os.environ) | {
        "ENDPOINT_ADDRESS": endpoint.url.removeprefix("http://"),
        "READER": endpoint.reader[0],
        "READER_PASSWORD": endpoint.reader[1],
    }
    done = subprocess.run(
        [str(binary)], input=json.dumps(queries), env=child, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    return list(zip(wanted, json.loads(done.stdout), strict=True))


def faults(one: Asked, answer: Mapping[str, Any], panel: Panel | None) -> list[str]:
    """Return what a panel could not take of an answer."""
    fields = answer["fields"]
    if answer["error"]:
        # Grafana's way of saying that a chart over time has no row
        return [] if one.form == 0 and "no results" in answer["error"].lower() else [answer["error"]]
    if not fields:  # no row: the engine in this process then names no columns either
        return []
    found = []
    if one.form == 0:
        instants = fields[0]["values"]
        if answer["series"] != "wide" or fields[0]["type"] != "time.Time" or instants != sorted(set(instants)):
            found.append("no time that rises in a wide frame")
        found += [
            f"{field['name']} is {field['type']}"
            for field in fields[1:]
            if field["type"].lstrip("*") not in {"int64", "uint64", "uint32", "uint16", "int32", "float64"}
        ]
    names = list(dict.fromkeys(field["name"] for field in fields))
    if one.form == 0:  # making lines of rows sorts them by name
        names = [names[0], *sorted(names[1:])]
    if panel is not None and names != (expected := _names(panel)):
        found.append(f"columns are {names}, not {expected}")
    return found


def _names(panel: Panel) -> list[str]:
    """Return the fields that Grafana gets of a panel: in a chart over time strings become labels of its lines."""
    left_out: set[str] = {"figures": {"previous", "hidden", "label", "counted"}, "regions": {"end"}}.get(
        panel.chart, set()
    )
    if panel.chart == "time":
        words = {column.name for column in panel.columns if column.unit in {"text", "state"}}
        time, *lines = [column.name for column in panel.columns if column.name not in words]
        return [time, *sorted(lines)]
    return [column.name for column in panel.columns if column.role not in left_out]


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("values", [ALL, CHOSEN], ids=["all", "chosen"])
def test_every_query_is_answered_in_the_shape_that_its_panel_takes(
    binary: Path, seeded: EndpointHandle, values: dict[str, list[str]]
) -> None:
    definitions = {panel_id(panel.id): panel for panel in PANELS.values()}
    found = answers(binary, seeded, values)
    # what Grafana's modules and what our own module make of macros and variables is the same SQL
    differ = [one.name for one, answer in found if bare(answer["sql"]) != bare(expand(one.sql, TIMES, values))]
    assert differ == []
    wrong = {one.name: faults(one, answer, definitions.get(one.panel)) for one, answer in found}
    assert {name: said for name, said in wrong.items() if said} == {}
    told = sum(bool(answer["fields"] and answer["fields"][0]["values"]) for _, answer in found)
    assert told > len(found) * (2 / 3 if values is ALL else 1 / 4), "too little is answered to say anything"


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_money_is_shown_in_major_units_and_rows_stand_in_the_panels_own_order(
    binary: Path, seeded: EndpointHandle
) -> None:
    definitions = {panel_id(panel.id): panel for panel in PANELS.values()}
    compared = 0
    reader = connect(seeded.settings, "reader")
    reader.database = seeded.settings.clickhouse_database
    for one, answer in answers(binary, seeded, ALL):
        panel = definitions.get(one.panel)
        if panel is None or panel.chart not in {"table", "bars", "funnel", "line"} or not answer["fields"]:
            continue
        own = reader.query(expand(panel.sql, TIMES, ALL)).result_rows
        for column, field, cells in zip(panel.columns, answer["fields"], zip(*own, strict=True), strict=True):
            if column.unit == "minor":
                assert field["values"] == [None if cell is None else cell / 100 for cell in cells], one.name
            elif column.unit in {"text", "state", "count"}:
                assert field["values"] == list(cells), one.name
            compared += len(cells)
    reader.close()
    assert compared > 100
