"""Grafana's own alerts: their files, and their SQL through a real endpoint with the reader's rights."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from pipeline.clickhouse.connection import connect
from pipeline.clickhouse.reader import Reader
from schemas.alerts import STATES
from tests.deploy.conftest import DEPLOY, environment
from tests.support.endpoint import migrated_endpoint
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.settings import Settings

LOADED = yaml.safe_load((DEPLOY / "grafana/provisioning/alerting/roi.yaml").read_text())
RULES: list[dict[str, Any]] = [rule for group in LOADED["groups"] for rule in group["rules"]]
LOG = "INSERT INTO roi.alert_log (kind, id, alert_id, campaign_id, state, body, version)"
LEASE = "INSERT INTO roi.alert_leases (epoch, owner, beat, body, at) VALUES (1, 'x', 1, '', now64(3) - 90)"


@pytest.fixture(scope="module")
@starts_process
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A database of these tests alone: what they write is no alert of anybody's."""
    with migrated_endpoint(tmp_path_factory.mktemp("grafana")) as settings:
        yield settings


@pytest.fixture(scope="module")
def writer(alone: Settings) -> Iterator[Any]:
    client = connect(alone, "writer")
    yield client
    client.close()


def sql_of(uid: str) -> str:
    (rule,) = [rule for rule in RULES if rule["uid"] == uid]
    return str(rule["data"][0]["model"]["rawSql"])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["uid"]))
def test_every_rule_asks_the_provisioned_data_source_and_judges_the_answer(rule: dict[str, Any]) -> None:
    asked, judged = rule["data"]
    assert asked["datasourceUid"] == asked["model"]["datasource"]["uid"] == "clickhouse"
    assert (judged["datasourceUid"], judged["model"]["type"]) == ("__expr__", "threshold")
    assert (judged["model"]["expression"], rule["condition"]) == (asked["refId"], judged["refId"])
    assert rule["labels"]["severity"] in {"critical", "warning"}
    # Grafana puts variables of its environment in the place of a dollar sign's word
    assert "$" not in json.dumps(rule)


def test_uids_are_of_one_rule_each() -> None:
    assert len({rule["uid"] for rule in RULES}) == len(RULES)


def test_what_fires_goes_to_a_contact_point_whose_address_grafana_is_given() -> None:
    (point,) = LOADED["contactPoints"]
    assert [policy["receiver"] for policy in LOADED["policies"]] == [point["name"]]
    (receiver,) = point["receivers"]
    variable = receiver["settings"]["url"].removeprefix("$")
    assert environment("grafana")[variable].startswith(f"${{{variable}:-http://")


def test_an_answer_is_one_number_a_row_beside_its_labels(alone: Settings) -> None:
    reader = Reader(alone)
    for rule in RULES:
        for row in reader.rows(rule["data"][0]["model"]["rawSql"]):
            assert sum(not isinstance(value, str) for value in row.values()) == 1


def test_rules_find_who_is_to_act_and_leave_the_rest_alone(alone: Settings, writer: Any) -> None:
    for state in STATES:
        body = {"campaign_name": f"Grafana {state}", "changed_at": "2026-03-01T00:00:00Z", "receiver": "grafana-floor"}
        row = f"'grafana-{state}', 'grafana-{state}', 'grafana-{state}'"
        writer.command(f"{LOG} VALUES ('alert', {row}, '{state}', '{json.dumps(body)}', 1)")
    for number, told in enumerate(("waiting", "sent", "dead", "dead")):
        body = {"receiver": "grafana-floor"}
        row = f"'grafana-n{number}', 'grafana-firing', 'grafana-firing'"
        writer.command(f"{LOG} VALUES ('notification', {row}, '{told}', '{json.dumps(body)}', 1)")
    reader = Reader(alone)
    unanswered = reader.rows(sql_of("roi-alert-unanswered"))
    assert [(row["campaign_id"], row["campaign_name"]) for row in unanswered] == [("grafana-firing", "Grafana firing")]
    assert unanswered[0]["minutes"] > 0
    assert reader.rows(sql_of("roi-alert-blocked"))[0]["campaigns"] == 1
    dead = [
        row["alerts"] for row in reader.rows(sql_of("roi-notifications-dead")) if row["receiver"] == "grafana-floor"
    ]
    assert dead == [2]


def test_the_age_of_the_last_sign_of_life_is_asked_for(alone: Settings, writer: Any) -> None:
    writer.command(LEASE)
    (row,) = Reader(alone).rows(sql_of("roi-evaluator-silent"))
    assert 90 <= row["seconds"] < 600
