from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from pipeline.metrics.operational_metrics import ALERT_PROMETHEUS_METRICS, PROMETHEUS_METRICS
from pipeline.settings import Settings
from tests.deploy.conftest import DEPLOY, REPOSITORY, SERVICES, environment, secrets_of
from tests.docs.page import anchors

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

PROMETHEUS = DEPLOY / "prometheus" / "prometheus.yml"
RULES = DEPLOY / "prometheus" / "rules" / "roi.yml"
RULE_TESTS = Path(__file__).parent / "rules_test.yml"
# what version 4.20.0 of the plugin reads; it takes others, such as `database`, silently and does nothing with them
CLICKHOUSE_KEYS = {
    "host",
    "port",
    "protocol",
    "secure",
    "username",
    "defaultDatabase",
    "defaultTable",
    "path",
    "tlsSkipVerify",
    "tlsAuth",
    "tlsAuthWithCACert",
    "dialTimeout",
    "queryTimeout",
    "validateSql",
    "enableRowLimit",
    "customSettings",
    "httpHeaders",
}
# bundled with Grafana, so no plugin to install
BUNDLED = {"prometheus"}


@pytest.fixture
def jobs() -> dict[str, Any]:
    return {job["job_name"]: job for job in yaml.safe_load(PROMETHEUS.read_text())["scrape_configs"]}


@pytest.fixture
def data_sources() -> dict[str, Any]:
    loaded = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/datasources.yaml").read_text())
    assert loaded["apiVersion"] == 1
    return {source["type"]: source for source in loaded["datasources"]}


def alert_rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def share_a_network(one: str, other: str) -> bool:
    return bool(set(SERVICES[one]["networks"]) & set(SERVICES[other]["networks"]))


@pytest.mark.process
@pytest.mark.parametrize(
    "command",
    [("check", "config", str(PROMETHEUS)), ("check", "rules", str(RULES)), ("test", "rules", str(RULE_TESTS))],
    ids=lambda command: " ".join(command[:2]),
)
def test_promtool_accepts_configuration_and_rules(command: tuple[str, ...]) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("PROMETHEUS RULES NOT CHECKED: there is no `promtool` (Debian: apt-get install prometheus)")
    checked = subprocess.run(["promtool", *command], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_rule_is_loaded_where_prometheus_is_given_it() -> None:
    assert yaml.safe_load(PROMETHEUS.read_text())["rule_files"] == ["rules/*.yml"]
    assert [path for path in PROMETHEUS.parent.rglob("*.yml") if path not in {PROMETHEUS, RULES}] == []
    assert "./deploy/prometheus:/etc/prometheus:ro" in SERVICES["prometheus"]["volumes"]


@pytest.mark.parametrize("rule", alert_rules(), ids=lambda rule: str(rule["alert"]))
def test_every_alert_says_what_it_means_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert anchor in anchors((REPOSITORY / page).read_text())
    tested = {
        case["alertname"]
        for test in yaml.safe_load(RULE_TESTS.read_text())["tests"]
        for case in test["alert_rule_test"]
        if case["exp_alerts"]
    }
    assert rule["alert"] in tested, "no unit test has it fire"


def test_every_metric_of_the_rules_is_exported() -> None:
    endings = ("_total", "_bucket", "_info", "")
    exported = {
        family.name + ending for family in (*PROMETHEUS_METRICS, *ALERT_PROMETHEUS_METRICS) for ending in endings
    }
    used = {name for rule in alert_rules() for name in re.findall(r"\b(?:roi|process)_\w+", rule["expr"])}
    assert used
    assert used <= exported


def test_the_worker_is_healthy_by_its_own_word() -> None:
    check = SERVICES["worker"]["healthcheck"]["test"]
    assert f"http://127.0.0.1:{environment('worker')['ROI_WORKER__METRICS_PORT']}/healthz" in check[-1]


def test_workers_are_found_by_name_at_their_metrics_port(jobs: dict[str, Any]) -> None:
    discovery = jobs["worker"]["dns_sd_configs"]
    assert [(entry["names"], entry["type"]) for entry in discovery] == [(["worker"], "A")]
    assert str(discovery[0]["port"]) == environment("worker")["ROI_WORKER__METRICS_PORT"]
    assert SERVICES["worker"]["expose"] == [str(discovery[0]["port"])]
    assert share_a_network("prometheus", "worker")


def test_clickhouse_is_scraped_where_it_answers(jobs: dict[str, Any], server: Element) -> None:
    port = server.findtext("prometheus/port")
    assert jobs["clickhouse"]["static_configs"] == [{"targets": [f"clickhouse:{port}"]}]
    assert jobs["clickhouse"].get("metrics_path", "/metrics") == server.findtext("prometheus/endpoint")
    assert share_a_network("prometheus", "clickhouse")


def test_grafana_reads_clickhouse_as_the_reader(data_sources: dict[str, Any]) -> None:
    source = data_sources["grafana-clickhouse-datasource"]
    options = source["jsonData"]
    assert set(options) <= CLICKHOUSE_KEYS
    assert source["uid"] == "clickhouse"
    assert options["username"] == Settings.model_fields["clickhouse_user"].default
    assert options["defaultDatabase"] == Settings.model_fields["clickhouse_database"].default
    # native asks for more than a ClickHouse-like endpoint serves: one kind of address for both
    assert (options["host"], options["port"], options["protocol"]) == ("clickhouse", 8123, "http")
    assert share_a_network("grafana", "clickhouse")


def test_grafana_finds_prometheus(data_sources: dict[str, Any]) -> None:
    assert data_sources["prometheus"]["url"] == "http://prometheus:9090"
    assert share_a_network("grafana", "prometheus")


def test_grafana_is_given_every_secret_that_it_provisions(data_sources: dict[str, Any]) -> None:
    for source in data_sources.values():
        assert source["editable"] is False
        for value in source.get("secureJsonData", {}).values():
            assert value.startswith("$__file{"), "Grafana would take it for the password itself"
            assert value.removeprefix("$__file{").removesuffix("}") in secrets_of("grafana")


def test_every_data_source_has_its_plugin(data_sources: dict[str, Any]) -> None:
    dockerfile = (DEPLOY / "grafana" / "Dockerfile").read_text()
    installed = dict(re.findall(r"plugins install (\S+) (\d+\.\d+\.\d+)", dockerfile))
    assert set(data_sources) == set(installed) | BUNDLED
    assert "--pluginsDir /opt/grafana-plugins" in dockerfile
    assert "GF_PATHS_PLUGINS=/opt/grafana-plugins" in dockerfile


def test_grafana_starts_without_the_internet() -> None:
    grafana = environment("grafana")
    assert grafana["GF_PLUGINS_PREINSTALL_DISABLED"] == "true"
    assert grafana["GF_PLUGINS_PREINSTALL_AUTO_UPDATE"] == "false"
    assert grafana["GF_ANALYTICS_CHECK_FOR_UPDATES"] == "false"


def test_the_tag_of_our_grafana_image_names_its_base() -> None:
    base = re.search(r"^FROM grafana/grafana:(\S+)", (DEPLOY / "grafana/Dockerfile").read_text(), re.MULTILINE)
    assert base is not None
    assert SERVICES["grafana"]["image"] == f"campaign-roi-grafana:{base[1].partition('@')[0]}"
