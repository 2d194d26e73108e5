from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.clickhouse import migrations, sql
from pipeline.clickhouse.migrations import migrate, scripts
from pipeline.clickhouse.superseded import for_new_database, superseded
from pipeline.errors import UserError

if TYPE_CHECKING:
    from pipeline.settings import Settings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own folder of migrations, with two in it."""
    monkeypatch.setattr(sql, "MIGRATIONS", tmp_path)
    tmp_path.joinpath("0001_first.sql").write_text(
        "-- a comment; with a semicolon\nCREATE TABLE IF NOT EXISTS {database}.one (a UInt8) ENGINE = Memory;\n"
        "CREATE TABLE IF NOT EXISTS {database}.two (a UInt8) ENGINE = Memory;\n"
    )
    tmp_path.joinpath("0002_second.sql").write_text(
        "CREATE OR REPLACE VIEW {database}.both AS SELECT a FROM {database}.one;"
    )
    return tmp_path


@pytest.fixture
def settings(spare: Settings, spare_client: Any) -> Settings:
    """Settings of a ClickHouse without a database."""
    spare_client.command("DROP DATABASE IF EXISTS roi")
    return spare


def test_migrations_run_in_order_and_once(folder: Path, settings: Settings, spare_client: Any) -> None:
    assert migrate(settings) == ["0001_first.sql", "0002_second.sql"]
    assert migrate(settings) == []
    folder.joinpath("0003_third.sql").write_text("INSERT INTO {database}.one VALUES (1)")
    assert migrate(settings) == ["0003_third.sql"]
    assert migrate(settings) == []
    assert spare_client.query("SELECT a FROM roi.both").result_rows == [(1,)]


def test_a_database_that_is_not_the_writers_is_told_with_the_remedy(settings: Settings) -> None:
    with pytest.raises(UserError, match="does not let roi_writer write to database another; grant both users"):
        migrate(settings.model_copy(update={"clickhouse_database": "another"}))


def test_a_migration_that_failed_half_way_is_run_again(folder: Path, settings: Settings) -> None:
    migrate(settings)
    third = folder / "0003_third.sql"
    third.write_text("CREATE TABLE IF NOT EXISTS {database}.three (a UInt8) ENGINE = Memory;\nSELECT nonsense;\n")
    with pytest.raises(Exception, match="nonsense"):
        migrate(settings)
    third.write_text("CREATE TABLE IF NOT EXISTS {database}.three (a UInt8) ENGINE = Memory;\n")
    assert migrate(settings) == ["0003_third.sql"]


def test_an_applied_migration_may_not_change(folder: Path, settings: Settings) -> None:
    migrate(settings)
    folder.joinpath("0001_first.sql").write_text("SELECT 1")
    with pytest.raises(UserError) as refused:
        migrate(settings)
    assert "0001_first.sql" in refused.value.cause
    assert "new migration" in refused.value.remedy


@pytest.mark.parametrize("name", ["0004_gap.sql", "0002_again.sql", "third.sql", "003_short.sql", "0003_Upper.sql"])
def test_names_are_numbers_without_gaps_and_lower_case(folder: Path, name: str) -> None:
    folder.joinpath(name).write_text("SELECT 1")
    with pytest.raises(ValueError, match=r"must be named 000\d_name\.sql"):
        scripts()


def test_the_real_migrations_are_numbered_and_name_no_database(settings: Settings) -> None:
    files = scripts()
    assert [int(file.name[:4]) for file in files] == list(range(1, len(files) + 1))
    for file in files:
        text = file.read_text()
        assert " roi." not in text, f"{file.name} would write into another database than the configured one"
    assert len(migrate(settings)) == len(files)
    assert migrate(settings) == []


def test_a_new_database_is_what_all_statements_make_of_it(
    settings: Settings, spare_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left out as superseded changes no object; whoever goes on with an older database gets the same."""
    migrate(settings)
    short = _objects(spare_client)
    spare_client.command("DROP DATABASE roi")
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "for_new_database", lambda statements: statements)
        migrate(settings)
    assert _objects(spare_client) == short
    assert len(short) > 50


def test_a_new_database_that_was_broken_off_is_made_whole(
    settings: Settings, spare_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the broken attempt had made is there already; a view may be of a later form than what is run again."""
    needed = for_new_database([statement for file in scripts() for statement in sql.statements(file.read_text())])
    for ran in (1, len(needed) // 2, len(needed)):
        spare_client.command("DROP DATABASE IF EXISTS roi")
        with monkeypatch.context() as patch:
            patch.setattr(migrations, "for_new_database", lambda _, ran=ran: [*needed[:ran], "SELECT nonsense"])
            with pytest.raises(Exception, match="nonsense"):
                migrate(settings)
        assert spare_client.query("SELECT name FROM roi.migrations").result_rows == []
        assert migrate(settings) == [file.name for file in scripts()]
        continued = _objects(spare_client)
    spare_client.command("DROP DATABASE roi")
    migrate(settings)
    assert _objects(spare_client) == continued


def test_a_later_release_goes_on_where_one_was_broken_off(
    folder: Path, settings: Settings, spare_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its views replace those of the release before, which it would not have made at all."""
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "_record", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            migrate(settings)
    folder.joinpath("0003_third.sql").write_text(
        "CREATE OR REPLACE VIEW {database}.both AS SELECT a + 1 AS a FROM {database}.two;"
    )
    assert migrate(settings) == ["0001_first.sql", "0002_second.sql", "0003_third.sql"]
    spare_client.command("INSERT INTO roi.two VALUES (1)")
    assert spare_client.query("SELECT a FROM roi.both").result_rows == [(2,)]


def test_definitions_that_are_written_at_the_end_are_those_that_are_written_one_by_one(
    settings: Settings, spare_client: Any, tmp_path: Path
) -> None:
    migrate(settings)
    one_by_one = _objects(spare_client)
    spare_client.command("DROP DATABASE roi")
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "table.sql").write_text("ATTACH TABLE")
    (tmp_path / "store" / "data.bin").write_text("rows")
    (tmp_path / "store" / "exchanged.sql").write_text("ATTACH TABLE")
    synced: list[str] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        (tmp_path / "store" / "exchanged.sql").unlink(missing_ok=True)  # a view's table that is gone again
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", noted)
        assert migrate(settings, tmp_path) == [file.name for file in scripts()]
    assert _objects(spare_client) == one_by_one
    assert sorted(synced) == sorted(map(str, (tmp_path, tmp_path / "store", tmp_path / "store" / "table.sql")))


def _objects(client: Any) -> dict[str, tuple[str, str]]:
    """Return engine and definition of everything in the database."""
    query = (
        "SELECT name, engine, create_table_query FROM system.tables "
        "WHERE database = 'roi' AND NOT match(name, '^[.](tmp[.])?inner')"
    )
    return {name: (engine, made) for name, engine, made in client.query(query).result_rows}


def test_a_view_that_is_made_anew_later_is_left_out_unless_something_uses_it() -> None:
    view = "CREATE OR REPLACE VIEW {database}."
    assert superseded([f"-- why\n{view}a AS SELECT 1", f"{view}a AS SELECT 2"]) == {0}
    assert (
        superseded([f"{view}a AS SELECT 1", f"{view}b AS SELECT * FROM {{database}}.a", f"{view}a AS SELECT 2"])
        == set()
    )
    assert superseded(
        [
            f"{view}a AS SELECT 1",
            f"{view}b AS SELECT * FROM {{database}}.a",
            f"{view}a AS SELECT 2",
            f"{view}b AS SELECT 3",
        ]
    ) == {0, 1}
    assert superseded([f"{view}a AS SELECT 1", "SELECT * FROM merge('^a$')", f"{view}a AS SELECT 2"]) == set()
    assert superseded([f"{view}a AS SELECT 1", "SELECT * FROM merge('roi', '^a$')", f"{view}a AS SELECT 2"]) == set()
    assert superseded([f"{view}a AS SELECT 1", "SELECT * FROM merge('roi', '^b$')", f"{view}a AS SELECT 2"]) == {0}
    assert superseded([f"{view}a AS SELECT 1", "DROP VIEW {database}.a"]) == set()
    assert superseded(["CREATE TABLE {database}.a (b UInt8)", f"{view}a AS SELECT 2"]) == set()


def test_what_is_dropped_later_is_left_out_with_what_alters_it_unless_something_uses_it() -> None:
    table, drop = "CREATE TABLE IF NOT EXISTS {database}.a (b UInt8)", "DROP TABLE IF EXISTS {database}.a"
    alter, read = "ALTER TABLE {database}.a ADD COLUMN c UInt8", "SELECT * FROM {database}.a"
    refreshed = "CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.a AS SELECT 1"
    assert superseded([table, alter, f"-- why\n{drop}", table]) == {0, 1}
    assert superseded([refreshed, alter, drop, refreshed]) == {0, 1}
    assert superseded([table, alter, read, drop]) == set()
    assert superseded([table, read, alter, drop]) == {2}
    assert superseded([drop, table, alter]) == set()


def test_statements_end_at_semicolons_at_the_end_of_a_line() -> None:
    script = "-- only a comment;\n\nSELECT ';' AS a;\n-- one more\nSELECT 2\n;\n\n-- the end\n"
    assert [statement.splitlines()[-1] for statement in sql.statements(script)] == ["SELECT ';' AS a", "SELECT 2"]


def test_a_view_that_is_made_for_the_first_time_replaces_none() -> None:
    view = "CREATE OR REPLACE VIEW {database}."
    uses = "CREATE TABLE {database}.c AS {database}.a"
    assert for_new_database([f"-- why\n{view}a AS SELECT 1", uses, f"{view}a AS SELECT 2"]) == [
        "-- why\nCREATE VIEW {database}.a AS SELECT 1",
        uses,
        f"{view}a AS SELECT 2",
    ]
