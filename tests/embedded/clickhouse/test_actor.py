from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipeline.embedded.clickhouse.access import Role, User
from tests.embedded.clickhouse.client import Client
from tests.embedded.clickhouse.test_access import refusal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.endpoint import EndpointHandle

_ACTOR = User.of("actor", Role.ACTOR, "a")
HANDED_IN = "INSERT INTO roi.alert_actions (action_id, action) FORMAT JSONEachRow"


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO roi.alert_actions VALUES ('a')",
        "INSERT INTO roi.alert_actions (action_id) VALUES (file('/etc/passwd'))",
        "INSERT INTO roi.alert_actions (action_id) SELECT 'a'",
        "INSERT INTO roi.alert_actions (action_id) SELECT a FROM input('a String') FORMAT JSONEachRow",
        "INSERT INTO roi.alert_actions (action_id) FORMAT CSV",
        "INSERT INTO roi.alert_actions (action_id) FORMAT Template",
        "INSERT INTO roi.alert_actions (action_id) SETTINGS readonly = 0 FORMAT JSONEachRow",
        "INSERT INTO roi.alert_actions (action_id) SETTINGS format_schema = 'x' FORMAT JSONEachRow",
        "INSERT INTO roi.alert_actions FORMAT JSONEachRow",
        "INSERT INTO alert_actions (action_id) FORMAT JSONEachRow",
        "INSERT INTO roi.alert_actions () FORMAT JSONEachRow",
        "INSERT INTO roi.alert_actions (action_id,) FORMAT JSONEachRow",
        "INSERT INTO roi.alert_actions (action_id action) FORMAT JSONEachRow",
        "INSERT INTO roi.alert_actions (* EXCEPT(at)) FORMAT JSONEachRow",
        "INSERT INTO roi.alert_log (id) FORMAT JSONEachRow",
        "INSERT INTO roi.claims (owner) FORMAT JSONEachRow",
        "INSERT INTO other.alert_actions (action_id) FORMAT JSONEachRow",
        "INSERT INTO TABLE roi.alert_log (id) FORMAT JSONEachRow",
        "INSERT INTO FUNCTION file('x', 'TSV', 'a Int8') (a) FORMAT JSONEachRow",
        "INSERT INTO FUNCTION remote('h', roi.alert_actions) (action_id) FORMAT JSONEachRow",
        "INSERT INTO {t:Identifier} (action_id) FORMAT JSONEachRow",
        "INSERT INTO roi.{t:Identifier} (action_id) FORMAT JSONEachRow",
        "INSERT INTO roi.alert_actions (action_id) FROM INFILE '/etc/passwd' FORMAT JSONEachRow",
        "WITH 1 AS x INSERT INTO roi.alert_actions (action_id) SELECT x",
        "INSERT INTO roi.alert_actions (action_id) SELECT 1 PARALLEL WITH INSERT INTO roi.claims SELECT 1",
        "DELETE FROM roi.alert_actions WHERE 1",
        "ALTER TABLE roi.alert_actions DELETE WHERE 1",
        "UPDATE roi.alert_actions SET by = 'x' WHERE 1",
        "TRUNCATE TABLE roi.alert_actions",
        "DROP TABLE roi.alert_actions",
        "RENAME TABLE roi.alert_actions TO roi.gone",
        "OPTIMIZE TABLE roi.alert_actions",
        "CREATE TABLE roi.t (a Int8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE t (a Int8)",
        "SYSTEM FLUSH LOGS",
        "KILL MUTATION WHERE 1",
        "SELECT * FROM system.users",
        "SELECT file('/etc/passwd')",
        "SELECT * FROM system.detached_parts",
        "SET readonly = 0",
    ],
)
def test_actors_hand_rows_in_to_one_table_and_may_else_only_read(sql: str) -> None:
    assert refusal(sql, _ACTOR, t="roi.alert_log") in {62, 164, 497}


@pytest.mark.parametrize("sql", [HANDED_IN, HANDED_IN.lower().replace("jsoneachrow", "JSONEachRow"), "SELECT 1"])
def test_actors_may_do_their_work(sql: str) -> None:
    assert refusal(sql, _ACTOR) == 0


@pytest.fixture
def actor(endpoint: EndpointHandle, writer: Client) -> Client:
    writer.query(
        "CREATE TABLE IF NOT EXISTS roi.alert_actions (action_id String, action String, at DateTime DEFAULT now())"
        " ENGINE = MergeTree ORDER BY action_id"
    )
    return Client(endpoint.url, endpoint.actor)


def test_what_actors_hand_in_is_data_and_never_evaluated(actor: Client, reader: Client, tmp_path: Path) -> None:
    secret = tmp_path / "secret.tsv"
    secret.write_text("top-secret-row")
    expression = f"file('{secret}')"
    row = json.dumps({"action_id": "one", "action": expression})
    assert actor.send(HANDED_IN, body=row.encode()).status == 200
    assert (
        reader.query("SELECT action FROM roi.alert_actions WHERE action_id = 'one'")
        == expression.replace("'", "\\'") + "\n"
    )
    assert actor.query("SELECT count() > 0 FROM roi.alert_actions") == "1\n"
    bare = f'{{"action_id": "two", "action": {expression}}}'
    assert actor.send(HANDED_IN, body=bare.encode()).status >= 400
    assert actor.send(HANDED_IN, body=row.encode(), input_format_allow_errors_num="9", format_schema="x").status >= 400


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO roi.alert_actions (action_id) SELECT '1'",
        "TRUNCATE TABLE roi.alert_actions",
        "CREATE TABLE roi.mine (a Int8) ENGINE = Memory",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    ],
)
def test_actors_are_refused_the_rest_by_the_running_endpoint(actor: Client, sql: str) -> None:
    assert actor.send(sql).status >= 400
