"""Grafana is given the boards, and what refers to a panel finds it."""

from __future__ import annotations

import json
from typing import Any, Final

import yaml

from tests.deploy.conftest import DEPLOY, REPOSITORY, SERVICES, environment

PROVISIONING: Final = DEPLOY / "grafana/provisioning"
PROVIDERS: Final[list[dict[str, Any]]] = yaml.safe_load((PROVISIONING / "dashboards/roi.yaml").read_text())["providers"]
BOARDS: Final = {
    path: json.loads(path.read_text()) for path in sorted((REPOSITORY / "dashboards").glob("grafana*/*.json"))
}


def mounts() -> dict[str, str]:
    """The folders inside the container, and those of the repository behind them."""
    found = {}
    for volume in SERVICES["grafana"]["volumes"]:
        outside, inside, *mode = volume.split(":")
        if outside.startswith("./"):
            assert mode == ["ro"], volume
            found[inside] = outside.removeprefix("./")
    return found


def test_each_provider_reads_a_folder_that_is_mounted_and_holds_boards() -> None:
    folders = set()
    for provider in PROVIDERS:
        folder = REPOSITORY / mounts()[provider["options"]["path"]]
        assert list(folder.glob("*.json")), folder
        assert not provider["allowUiUpdates"]
        folders.add(folder)
    assert folders == {path.parent for path in BOARDS}
    assert len({provider["folderUid"] for provider in PROVIDERS}) == len(PROVIDERS)


def test_every_board_has_a_uid_of_its_own_and_asks_provisioned_data_sources() -> None:
    uids = [board["uid"] for board in BOARDS.values()]
    assert len(set(uids)) == len(uids)
    loaded = yaml.safe_load((PROVISIONING / "datasources/datasources.yaml").read_text())["datasources"]
    known = {(source["uid"], source["type"]) for source in loaded}
    for board in BOARDS.values():
        for panel in board["panels"]:
            assert (panel["datasource"]["uid"], panel["datasource"]["type"]) in known


def test_every_alert_rule_that_names_a_panel_finds_it() -> None:
    panels = {(board["uid"], panel["id"]) for board in BOARDS.values() for panel in board["panels"]}
    groups = yaml.safe_load((PROVISIONING / "alerting/roi.yaml").read_text())["groups"]
    linked = [rule for group in groups for rule in group["rules"] if "dashboardUid" in rule]
    assert linked
    for rule in linked:
        assert (rule["dashboardUid"], rule["panelId"]) in panels, rule["uid"]


def test_grafana_starts_without_internet_and_without_a_known_password() -> None:
    given = environment("grafana")
    assert given["GF_PLUGINS_PREINSTALL_DISABLED"] == "true"
    assert given["GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES"] == "false"
    assert not any(name.endswith(("PASSWORD", "SECRET_KEY")) for name in given)
