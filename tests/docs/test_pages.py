from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import typer

from pipeline.cli import build_app
from pipeline.settings import Settings, load_settings
from tests.deploy.conftest import setting_variables
from tests.docs.page import ROOT, anchors, blocks, links
from tools.readme import with_section

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "examples/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
README = PAGES[0].read_text(encoding="utf-8")
CONTRIBUTING = PAGES[1].read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    inside = [link for link in links(text) if "://" not in link]
    absent = [link for link in inside if not (page.parent / link.partition("#")[0]).exists()]
    fragments = [link[1:] for link in inside if link.startswith("#")]
    assert not absent
    assert set(fragments) <= anchors(text)


def test_the_readme_names_every_package_and_no_folder_that_is_not_there() -> None:
    table = README.partition("## Folders")[2].partition("## Limits")[0]
    named = [word for word in table.split("`")[1::2] if word.endswith("/")]
    assert len(named) > 10
    assert not [folder for folder in named if not (ROOT / folder).is_dir()]
    packages = {f"pipeline/{found.parent.name}/" for found in (ROOT / "pipeline").glob("*/__init__.py")}
    assert packages <= set(named)


def test_every_file_named_to_contributors_is_there() -> None:
    prose = "".join(CONTRIBUTING.split("```")[::2])
    named = [word for word in prose.split("`")[1::2] if re.fullmatch(r"[\w.]+(/[\w.-]+)+/?", word)]
    own = [name for name in named if "NAME" not in name and "NNNN" not in name and "*" not in name]
    assert len(own) > 25
    assert not [name for name in own if not (ROOT / name).exists()]


def test_every_command_told_to_contributors_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)\b", CONTRIBUTING)) <= targets
    commands = [command for block in blocks(CONTRIBUTING) if block.language == "sh" for command in block.commands]
    tools = [module for command in commands for module in re.findall(r"-m (tools\.\w+)", command)]
    tested = [path for command in commands for path in re.findall(r"tests/[\w./]+", command)]
    assert len(tools) >= 3
    assert len(tested) >= 5
    assert not [module for module in tools if not (ROOT / f"{module.replace('.', '/')}.py").is_file()]
    assert not [path for path in tested if not (ROOT / path).exists()]


@pytest.mark.process
@pytest.mark.parametrize("module", ["tools.settings_table", "tools.command_table"])
def test_generated_tables_are_up_to_date(module: str) -> None:
    check = [sys.executable, "-m", module, "--check"]
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_settings_table_has_every_variable_once() -> None:
    table = README.partition("<!-- settings: begin")[2].partition("<!-- settings: end")[0]
    variables = [line.split("`")[1] for line in table.splitlines() if line.startswith("| `")]
    assert sorted(variables) == sorted(setting_variables())


def test_the_example_of_real_servers_is_accepted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (example,) = [block.text for block in blocks(README) if block.language == "ini"]
    given = dict(line.split("=", 1) for line in example.splitlines())
    monkeypatch.chdir(tmp_path)
    for name in setting_variables():
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert set(given) <= setting_variables()
    assert load_settings().kafka_sasl_mechanism == Settings.model_fields["kafka_sasl_mechanism"].default


def test_nothing_said_to_be_missing_is_there() -> None:
    lines = [line for line in README.splitlines() if line.startswith("- Not built yet: ")]
    named = {command.removeprefix("roi ") for line in lines for command in line.split("`")[1::2]}
    there = typer.main.get_command(build_app()).commands  # type: ignore[attr-defined] # a group
    assert not named & set(there)


def test_a_section_is_replaced_and_nothing_else() -> None:
    page = "a\n<!-- x: begin, by hand -->\nold\n<!-- x: end -->\nb\n"
    assert with_section(page, "x", r"\1 new") == "a\n<!-- x: begin, by hand -->\n\n\\1 new\n<!-- x: end -->\nb\n"


@pytest.mark.parametrize("page", ["nothing", "<!-- x: begin -->\n<!-- x: end -->\n" * 2])
def test_a_section_must_be_there_once(page: str) -> None:
    with pytest.raises(ValueError, match="must be 1"):
        with_section(page, "x", "new")
