"""What an instance hands to its parts and to its owner's commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr

from pipeline.embedded.directory import InstanceDirectory
from pipeline.embedded.instance import _board_part, _private_values
from pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SIGNED_IN = Settings(
    kafka_group="other",
    kafka_security_protocol="SASL_PLAINTEXT",
    kafka_sasl_mechanism="PLAIN",
    kafka_sasl_username="roi",
    kafka_sasl_password=SecretStr("told to nobody"),
    kafka_ssl_cafile="authority.pem",
    kafka_incarnation="one",
)


def test_commands_of_the_owner_speak_to_kafka_as_the_instance_does(tmp_path: Path) -> None:
    directory = InstanceDirectory(tmp_path / "data")
    with directory.locked():
        directory.load_secrets(SIGNED_IN)
        directory.keep(_private_values(SIGNED_IN))
        directory.publish(SIGNED_IN)
        found = load_settings(directory.root)
        assert "told to nobody" not in directory.public_env.read_text()
    kafka = {name for name in Settings.model_fields if name.startswith(("kafka_group", "kafka_s", "kafka_i"))}
    assert {name: getattr(found, name) for name in kafka} == {name: getattr(SIGNED_IN, name) for name in kafka}


def test_the_board_may_sign_in_to_kafka_which_it_asks_for_the_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROI_KAFKA_SASL_PASSWORD", "told to nobody")
    monkeypatch.setenv("ROI_PSEUDONYM_KEY", "for workers alone")
    given = dict(_board_part(SIGNED_IN, 1).environment)
    assert given["ROI_KAFKA_SASL_PASSWORD"] == "told to nobody"
    assert "ROI_PSEUDONYM_KEY" not in given
