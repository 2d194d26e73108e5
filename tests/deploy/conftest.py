from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import pytest
import yaml
from pydantic import BaseModel

from pipeline.settings import Settings

REPOSITORY: Final = Path(__file__).parents[2]
DEPLOY: Final = REPOSITORY / "deploy"
VARIABLE: Final = re.compile(r"\$\{(\w+):\?[^}]+\}")
APPLICATION_IMAGE: Final = "campaign-roi:local"

Service = dict[str, Any]


def setting_variables(model: type[BaseModel] = Settings, prefix: str = "ROI_") -> set[str]:
    """Every environment variable that the settings model reads, without the files of secrets."""
    names = set()
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            names |= setting_variables(field.annotation, f"{prefix}{name.upper()}__")
        else:
            names.add(prefix + name.upper())
    return names


def load_compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
    return loaded


SERVICES: Final[dict[str, Service]] = load_compose()["services"]


def environment(service: str) -> dict[str, str]:
    return dict(SERVICES[service].get("environment", {}))


def secrets_of(service: str) -> dict[str, str]:
    """The service's secrets: where each is mounted, and its name."""
    mounted = {}
    for secret in SERVICES[service].get("secrets", []):
        named = {"source": secret} if isinstance(secret, str) else secret
        mounted[named.get("target", f"/run/secrets/{named['source']}")] = named["source"]
    return mounted


def is_one_shot(name: str) -> bool:
    """Whether others wait for the end of this service instead of its health."""
    waits = [service.get("depends_on", {}).get(name, {}) for service in SERVICES.values()]
    return {"condition": "service_completed_successfully"} in waits


@pytest.fixture
def compose() -> dict[str, Any]:
    return load_compose()


@pytest.fixture
def users() -> ET.Element:
    return ET.parse(DEPLOY / "clickhouse" / "users.d" / "roi.xml").getroot()


@pytest.fixture
def server() -> ET.Element:
    return ET.parse(DEPLOY / "clickhouse" / "config.d" / "roi.xml").getroot()


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment without any setting of this machine, and no roi.toml in reach."""
    for name in [name for name in os.environ if name.startswith("ROI_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return monkeypatch
