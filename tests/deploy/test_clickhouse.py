from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pipeline.clickhouse.answers import OPTIONS
from pipeline.embedded.clickhouse.allowlists import ACTOR_TABLE
from pipeline.settings import Settings
from tests.deploy.conftest import REPOSITORY, SERVICES, secrets_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

DEFAULTS = {name: field.default for name, field in Settings.model_fields.items()}
READER, WRITER, ACTOR, DATABASE = (
    DEFAULTS[f"clickhouse_{name}"] for name in ("user", "writer_user", "actor_user", "database")
)
USERS = (READER, WRITER, ACTOR)
STATEMENT = re.compile(r"^(?:CREATE|DROP|ALTER|TRUNCATE|OPTIMIZE|INSERT|SELECT|KILL|RENAME)\b[^(]*", re.MULTILINE)
# first words of a statement and what it needs on the database; one's own queries can be killed without any right
STATEMENTS: dict[str, set[str]] = {
    "CREATE TABLE": {"CREATE TABLE"},
    "CREATE VIEW": {"CREATE VIEW"},
    "CREATE OR REPLACE VIEW": {"CREATE VIEW", "DROP VIEW"},
    "CREATE MATERIALIZED VIEW": {"CREATE VIEW", "CREATE TABLE", "SELECT", "INSERT"},
    "DROP TABLE": {"DROP TABLE"},
    "DROP VIEW": {"DROP VIEW"},
    "ALTER": {"ALTER"},
    "TRUNCATE": {"TRUNCATE"},
    "OPTIMIZE": {"OPTIMIZE"},
    "INSERT": {"INSERT", "SELECT"},
    "SELECT": {"SELECT"},
    "KILL QUERY": set(),
}
# system tables that need no right: they hold nobody's data, or only the rows one may see
ALWAYS_READABLE = {"one", "tables", "columns", "databases", "settings", "functions"}


def grants(users: Element, user: str) -> list[str]:
    return [query.text or "" for query in users.findall(f"users/{user}/grants/query")]


def test_only_the_users_of_the_settings_exist(users: Element) -> None:
    defined = {user.tag for user in users.findall("users/*") if user.get("remove") is None}
    removed = {user.tag for user in users.findall("users/*") if user.get("remove") is not None}
    assert defined == set(USERS)
    assert removed == {"default"}


@pytest.mark.parametrize("user", USERS)
def test_passwords_come_as_a_file_beside_the_users(users: Element, user: str) -> None:
    element = users.find(f"users/{user}")
    assert element is not None
    assert [child.tag for child in element if child.tag.startswith("password")] == []
    # in the same folder ClickHouse joins it with roi.xml, and it sorts behind it
    assert secrets_of("clickhouse") == {"/etc/clickhouse-server/users.d/roi_passwords.xml": "clickhouse_users"}
    mounted = [volume.split(":")[1] for volume in SERVICES["clickhouse"]["volumes"]]
    assert "/etc/clickhouse-server/users.d/roi.xml" in mounted


def test_rights_do_not_leave_the_database(users: Element) -> None:
    for user in USERS:
        for grant in grants(users, user):
            privileges, _, target = grant.removeprefix("GRANT ").partition(" ON ")
            harmless = (privileges, target) == ("CREATE TEMPORARY TABLE", "*.*")
            assert harmless or target.startswith((f"{DATABASE}.", "system.")), grant
            assert "GRANT OPTION" not in grant
            assert "ALL" not in privileges.split(", ")


def test_the_reader_may_only_read(users: Element) -> None:
    assert grants(users, READER) == [f"GRANT SELECT ON {DATABASE}.*"]
    profile = users.find(f"profiles/{users.findtext(f'users/{READER}/profile')}")
    assert profile is not None
    assert profile.findtext("readonly") == "1"


def test_the_actor_may_only_hand_in(users: Element) -> None:
    assert grants(users, ACTOR) == [f"GRANT INSERT ON {DATABASE}.{ACTOR_TABLE}"]


def test_the_writer_sees_what_it_may_have_to_kill(users: Element) -> None:
    assert "GRANT SELECT ON system.processes" in grants(users, WRITER)


def test_the_reader_may_set_what_its_clients_send(users: Element) -> None:
    changeable = {
        setting.tag
        for setting in users.findall("profiles/roi_reader/constraints/*")
        if setting.find("changeable_in_readonly") is not None
    }
    # by Grafana's client, its ad-hoc filters and its query editor; the rest by the board and the commands
    sent = {
        "max_execution_time",
        "additional_table_filters",
        "limit",
        "max_result_rows",
        "result_overflow_mode",
        *OPTIONS,
    }
    for source in (REPOSITORY / "pipeline" / "cli").rglob("*.py"):
        sent |= set(re.findall(r'"((?:output_format|max|limit)_\w+)"', source.read_text()))
    assert sent <= changeable


def test_changeable_settings_are_switched_on_in_the_server(server: Element) -> None:
    switch = server.findtext("access_control_improvements/settings_constraints_replace_previous")
    assert switch == "true"


def test_the_writer_has_a_right_for_every_statement(users: Element) -> None:
    granted = set(grants(users, WRITER)[0].removeprefix("GRANT ").partition(" ON ")[0].split(", "))
    for script in (REPOSITORY / "sql").rglob("*.sql"):
        text = re.sub(r"--.*", "", script.read_text())
        for words in STATEMENT.findall(text):
            needed = next((rights for form, rights in STATEMENTS.items() if re.match(form, words)), None)
            assert needed is not None, f"{script.name}: nobody has thought about the rights of {words[:60]!r}"
            assert needed <= granted, f"{script.name}: {words[:60]!r}"


def test_system_tables_are_read_by_right(users: Element) -> None:
    readable = ALWAYS_READABLE | {grant.rpartition(".")[2] for grant in grants(users, WRITER) if "system." in grant}
    for source in [*(REPOSITORY / "sql").rglob("*.sql"), *(REPOSITORY / "pipeline" / "clickhouse").rglob("*.py")]:
        assert set(re.findall(r"\bsystem\.(\w+)", source.read_text())) <= readable, source.name


@pytest.mark.process
def test_every_grant_is_understood_by_clickhouse(users: Element) -> None:
    statements = [f"{grant} TO somebody" for user in USERS for grant in grants(users, user)]
    # in a process of its own: an engine stays for the rest of the process that loads it
    query = "SELECT formatQuerySingleLine(arrayJoin(" + repr(statements) + "))"
    program = "import chdb, sys; print(chdb.query(sys.argv[1], 'TSVRaw'), end='')"
    formatted = subprocess.run([sys.executable, "-c", program, query], check=True, capture_output=True, text=True)
    assert formatted.stdout.splitlines() == statements
