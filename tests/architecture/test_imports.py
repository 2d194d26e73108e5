from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import pytest

from tests.architecture.sources import circles, folder, imports, modules

if TYPE_CHECKING:
    from collections.abc import Iterator

BUSINESS: Final = (
    "agents",
    "pipeline.alerts",
    "pipeline.clickhouse",
    "pipeline.evaluator",
    "pipeline.forecast",
    "pipeline.ingest",
    "pipeline.ledger",
    "pipeline.metrics",
    "pipeline.operations",
    "pipeline.simulation",
    "pipeline.state",
    "pipeline.transport",
    "pipeline.worker",
    "schemas",
)


def within(module: str, package: str) -> bool:
    return f"{module}.".startswith(f"{package}.")


def arrows_from(*packages: str, run_time_only: bool = False) -> Iterator[tuple[str, str]]:
    for module in modules():
        if any(within(module, package) for package in packages):
            yield from ((module, one.module) for one in imports(module) if one.at_run_time or not run_time_only)


def module_arrows(*, run_time_only: bool) -> dict[str, set[str]]:
    return {
        module: {one.module for one in imports(module) if one.at_run_time or not run_time_only} for module in modules()
    }


def folder_arrows() -> dict[str, set[str]]:
    arrows: dict[str, set[str]] = {folder(module): set() for module in modules()}
    for module in modules():
        arrows[folder(module)] |= {folder(one.module) for one in imports(module)} - {folder(module)}
    return arrows


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(module_arrows(run_time_only=True)) == []


def test_no_modules_need_each_others_types_in_a_circle() -> None:
    assert circles(module_arrows(run_time_only=False)) == []


def test_no_folders_import_each_other_in_a_circle() -> None:
    assert circles(folder_arrows()) == []


def test_a_circle_would_be_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"]]


def test_the_state_core_imports_nothing_but_itself_and_the_columns_it_takes() -> None:
    assert not [
        (module, other)
        for module, other in arrows_from("pipeline.state")
        if not within(other, "pipeline.state") and other != "schemas.columns"
    ]


def test_the_schemas_know_nothing_of_the_pipeline_but_its_error() -> None:
    outside = {other for _, other in arrows_from("schemas") if not within(other, "schemas")}
    assert outside <= {"pipeline.errors"}


def test_nobody_imports_commands_but_the_entrance_and_the_tools() -> None:
    importers = {
        module
        for module, other in arrows_from("pipeline", "schemas", "agents", "bench", "examples", "tools")
        if within(other, "pipeline.cli") and not within(module, "pipeline.cli")
    }
    assert not {module for module in importers if module != "pipeline.__main__" and not within(module, "tools")}


@pytest.mark.parametrize("package", BUSINESS)
def test_no_business_package_knows_the_embedded_servers(package: str) -> None:
    assert not [arrow for arrow in arrows_from(package) if within(arrow[1], "pipeline.embedded")]


def test_nothing_of_the_application_imports_tests_tools_bench_or_examples() -> None:
    """Their names stand for nothing in an image, which holds the application only."""
    outside = ("bench", "examples", "tools")
    assert not [arrow for arrow in arrows_from("pipeline", "schemas", "agents") if arrow[1].startswith(outside)]


def test_every_package_under_a_rule_is_there() -> None:
    sizes: dict[str, int] = defaultdict(int)
    for module in modules():
        for package in (*BUSINESS, "pipeline.cli", "pipeline.embedded", "pipeline.api"):
            sizes[package] += within(module, package)
    assert len(modules()) > 150
    assert not [package for package, size in sizes.items() if size < 1]
