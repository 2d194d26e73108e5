from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from dataclasses import astuple, replace
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from pipeline.alert_settings import ApiSettings, TokenSettings
from pipeline.embedded.directory import InstanceDirectory, write_env_file
from pipeline.embedded.instance import Ports, run_embedded
from pipeline.embedded.supervisor import Supervisor
from pipeline.errors import UserError
from pipeline.settings import Settings, load_settings, read_env_file
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.process

HOLDER = """
import pathlib, sys, time
from pipeline.embedded.directory import InstanceDirectory
with InstanceDirectory(pathlib.Path(sys.argv[1])).locked():
    pathlib.Path(sys.argv[2]).touch()
    time.sleep(600)
"""


def settings(**values: Any) -> Settings:
    fresh = Settings()
    return Settings.model_construct(**({name: getattr(fresh, name) for name in Settings.model_fields} | values))


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_second_instance_on_one_directory_is_refused_with_the_owners_process_id(tmp_path: Path) -> None:
    directory = InstanceDirectory(tmp_path / "data")
    with (
        directory.locked(),
        pytest.raises(UserError, match=f"in use by process {os.getpid()}"),
        InstanceDirectory(tmp_path / "data").locked(),
    ):
        pass


def test_lock_and_address_file_end_with_their_owner_even_if_that_is_killed(tmp_path: Path) -> None:
    held = tmp_path / "held"
    owner = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path / "data"), str(held)])
    try:
        wait_until(held.exists, 20)
        with pytest.raises(UserError, match=f"process {owner.pid}"), InstanceDirectory(tmp_path / "data").locked():
            pass
        (tmp_path / "data" / "roi.env").touch()
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        wait_until(lambda: not (tmp_path / "data" / "roi.env").exists(), 20)
        with InstanceDirectory(tmp_path / "data").locked():
            pass
    finally:
        owner.kill()


def test_everything_in_the_directory_is_closed_to_others(tmp_path: Path) -> None:
    directory = InstanceDirectory(tmp_path / "data")
    with directory.locked():
        directory.load_secrets(settings())
        directory.publish(settings())
        closed = [directory.root, directory.clickhouse, directory.logs, directory.scratch]
        assert [mode(path) for path in closed] == [0o700] * 4
        assert mode(directory.public_env) == mode(directory.private_env) == 0o600


def test_locking_clears_what_a_killed_predecessor_left(tmp_path: Path) -> None:
    directory = InstanceDirectory(tmp_path / "data")
    with directory.locked():
        directory.publish(settings())
        (directory.scratch / "rows").write_text("customer rows")
    with directory.locked():
        assert not directory.public_env.exists()
        assert list(directory.scratch.iterdir()) == []


@pytest.mark.parametrize("before", [(), ("outer",), ("outer", "outer/data", "outer/data/logs")])
def test_a_start_that_is_refused_takes_back_what_it_made_and_nothing_else(
    tmp_path: Path, before: tuple[str, ...]
) -> None:
    for name in before:
        (tmp_path / name).mkdir()
        (tmp_path / name / "kept").touch()
    kept = sorted(tmp_path.rglob("*"))
    directory = InstanceDirectory(tmp_path / "outer" / "data")
    ports = Ports(0, 0, 0)
    elsewhere = settings(clickhouse_password=SecretStr("two\nlines"), kafka_bootstrap_servers="127.0.0.1:9")
    with pytest.raises(UserError, match=r"^ROI_CLICKHOUSE_PASSWORD holds a line break, "):
        asyncio.run(run_embedded(directory, elsewhere, ports, 0, Supervisor(directory.logs, print)))
    assert sorted(tmp_path.rglob("*")) == kept


def test_a_start_that_is_refused_takes_nothing_from_an_instance_that_runs(tmp_path: Path) -> None:
    directory = InstanceDirectory(tmp_path / "data")
    with directory.locked():
        directory.load_secrets(settings())
        there = sorted(tmp_path.rglob("*"))
        with pytest.raises(UserError, match="in use"), InstanceDirectory(tmp_path / "data").locked(lambda: False):
            pass
        assert sorted(tmp_path.rglob("*")) == there


def test_secrets_are_generated_once_and_kept(tmp_path: Path) -> None:
    directory = InstanceDirectory(tmp_path / "data")
    with directory.locked():
        first = directory.load_secrets(settings())
    with directory.locked():
        assert directory.load_secrets(settings()) == first
    assert len(set(astuple(first))) == 5
    assert min(map(len, astuple(first))) >= 32


def test_two_directories_have_different_secrets(tmp_path: Path) -> None:
    found = []
    for name in ("a", "b"):
        with InstanceDirectory(tmp_path / name).locked():
            found.append(InstanceDirectory(tmp_path / name).load_secrets(settings()))
    assert found[0].pseudonym_key != found[1].pseudonym_key


def test_configured_key_is_kept_and_a_different_one_refused_later(tmp_path: Path) -> None:
    directory = InstanceDirectory(tmp_path / "data")
    with directory.locked():
        configured = directory.load_secrets(settings(pseudonym_key=SecretStr("ours")))
        assert configured.pseudonym_key == "ours"
        assert directory.load_secrets(settings()).pseudonym_key == "ours"
        with pytest.raises(UserError, match="is not the key"):
            directory.load_secrets(settings(pseudonym_key=SecretStr("another")))


def test_published_instance_is_what_commands_load(tmp_path: Path) -> None:
    directory = InstanceDirectory(tmp_path / "data")
    with directory.locked():
        found = directory.load_secrets(settings())
        directory.keep({"ROI_KAFKA_INCARNATION": "life"})
        directory.publish(
            settings(
                kafka_bootstrap_servers="127.0.0.1:1",
                board_url="http://127.0.0.1:3",
                clickhouse_password=SecretStr(found.reader_password),
            )
        )
        loaded = load_settings(directory.root)
    assert loaded.kafka_bootstrap_servers == "127.0.0.1:1"
    assert loaded.kafka_incarnation == "life"
    assert loaded.pseudonym_key.get_secret_value() == found.pseudonym_key
    assert loaded.clickhouse_writer_password.get_secret_value() == found.writer_password


def test_an_instance_made_before_there_were_actions_gets_what_they_need(tmp_path: Path) -> None:
    directory = InstanceDirectory(tmp_path / "data")
    with directory.locked():
        old = directory.load_secrets(settings())
        kept = read_env_file(directory.private_env)
        write_env_file(
            directory.private_env, {name: kept[name] for name in kept if "ACTOR" not in name and "TOKEN" not in name}
        )
        new = directory.load_secrets(settings())
        assert new.api_token not in {"", old.api_token}
        assert directory.load_secrets(settings()) == new
    assert replace(new, api_token=old.api_token, actor_password=old.actor_password) == old


def test_the_owners_token_is_told_only_while_people_have_none_of_their_own(tmp_path: Path) -> None:
    directory = InstanceDirectory(tmp_path / "data")
    people = ApiSettings(tokens={"lin": TokenSettings(hash="0" * 64)})
    with directory.locked():
        found = directory.load_secrets(settings())
        token = SecretStr(found.api_token)
        directory.publish(settings(api_token=token))
        assert load_settings(directory.root).api_token == token
        directory.publish(settings(api_token=token, api=people))
        assert load_settings(directory.root).api_token.get_secret_value() == ""
        assert found.api_token not in directory.public_env.read_text()


def test_public_file_holds_no_secret_but_the_readers_and_the_owners_token(tmp_path: Path) -> None:
    directory = InstanceDirectory(tmp_path / "data")
    with directory.locked():
        found = directory.load_secrets(settings())
        published = settings(clickhouse_password=SecretStr(found.reader_password), api_token=SecretStr(found.api_token))
        directory.publish(published)
        text = directory.public_env.read_text()
    assert set(read_env_file(directory.public_env)) == {
        "ROI_KAFKA_BOOTSTRAP_SERVERS",
        "ROI_CLICKHOUSE_URL",
        "ROI_CLICKHOUSE_USER",
        "ROI_CLICKHOUSE_PASSWORD",
        "ROI_BOARD_URL",
        "ROI_API_TOKEN",
    }
    assert found.actor_password not in text
    assert found.writer_password not in text
    assert found.pseudonym_key not in text


def test_readers_of_an_env_file_never_see_half_of_it(tmp_path: Path) -> None:
    path = tmp_path / "roi.env"
    versions = [{f"KEY_{number}": str(number) * 500 for number in range(size)} for size in (5, 50)]
    write_env_file(path, versions[0])
    done = threading.Event()

    def rewrite() -> None:
        for turn in range(50):
            write_env_file(path, versions[turn % 2])
        done.set()

    writer = threading.Thread(target=rewrite)
    writer.start()
    while not done.is_set():
        assert read_env_file(path) in versions
    writer.join()
    assert [entry.name for entry in tmp_path.iterdir()] == ["roi.env"]


def test_value_with_a_line_break_is_refused_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "roi.env"
    write_env_file(path, {"KEY": "old"})
    with pytest.raises(UserError, match=r"^KEY holds a line break, which roi.env cannot keep; "):
        write_env_file(path, {"KEY": "new\nROI_CLICKHOUSE_URL=http://elsewhere"})
    assert read_env_file(path) == {"KEY": "old"}


def test_directory_that_cannot_be_made_is_the_users_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be used"), InstanceDirectory(tmp_path / "file" / "data").locked():
        pass
