from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import UserError
from pipeline.operations.definitions import read_definitions, validated

if TYPE_CHECKING:
    from pathlib import Path


def campaign(campaign_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "campaign_id": campaign_id,
        "name": campaign_id,
        "starts_at": "2026-01-01T00:00:00Z",
        "goal": {"kinds": ["deposit"]},
    } | fields


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


NDJSON = "\n" + json.dumps(campaign("a")) + "\n\n" + json.dumps(campaign("b")) + "\n"
LISTED = "[\n  " + json.dumps(campaign("a"), indent=2) + ",\n  " + json.dumps(campaign("b")) + "\n]\n"
YAML = """# spring
- campaign_id: a
  name: a
  starts_at: 2026-01-01T00:00:00Z
  goal: {kinds: [deposit]}

- campaign_id: b
  name: b
  starts_at: "2026-01-01T00:00:00Z"
  goal:
    kinds:
      - deposit
"""


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("c.ndjson", NDJSON, [2, 4]),
        ("c.json", LISTED, [2, 12]),
        ("c.json", json.dumps(campaign("a")), [1]),
        ("c.yaml", YAML, [2, 7]),
        ("c.yml", "---\n".join(["", *(json.dumps(campaign(n)) + "\n" for n in "ab")]), [2, 4]),
    ],
)
def test_each_form_gives_definitions_with_the_line_they_start_on(
    tmp_path: Path, name: str, text: str, lines: list[int]
) -> None:
    found = read_definitions(write(tmp_path / name, text))
    assert [definition.line for definition in found] == lines
    assert list(validated(found)) == ["a", "b"][: len(lines)]


def test_yaml_times_reach_the_topic_as_json_carries_them(tmp_path: Path) -> None:
    payload = validated(read_definitions(write(tmp_path / "c.yaml", YAML)))["a"]
    assert json.loads(payload)["starts_at"] == "2026-01-01T00:00:00+00:00"


def test_fields_of_other_versions_are_passed_on(tmp_path: Path) -> None:
    path = write(tmp_path / "c.json", json.dumps(campaign("a", hold_minutes=30, later="kept")))
    assert json.loads(validated(read_definitions(path))["a"]) == campaign("a", hold_minutes=30, later="kept")


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("c.json", '[\n{"a": 1},\n{"b": }\n]', r"c.json:3: not JSON"),
        ("c.json", '[\n{"a": 1}\n{"b": 2}\n]', r"c.json:3: a comma or \] is missing"),
        ("c.json", '[{"a": 1},\n', r"c.json:2: the list does not end with the file"),
        ("c.json", '[{"a": 1}] x', r"c.json:1: the list does not end with the file"),
        ("c.json", "[]", "c.json holds no campaign"),
        ("c.json", "", "c.json holds no campaign"),
        ("c.yaml", "- a: 1\n- b: [", r"c.yaml:2: not YAML"),
        ("c.yaml", "- a: 1\n- {b: 1, b\n", r"c.yaml:\d: not YAML"),
    ],
)
def test_unreadable_file_is_named_with_the_line(tmp_path: Path, name: str, text: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        read_definitions(write(tmp_path / name, text))


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ({"goal": {"kinds": []}}, r":2: goal.kinds: "),
        ({"goal": {"kinds": ["gift"]}, "name": 5}, r":2: name: .* \(and \d more\)"),
        ({"budget_minor": -1}, r":2: budget_minor: "),
        ({"campaign_id": "not a token"}, r":2: campaign_id: "),
    ],
)
def test_bad_definition_is_named_with_line_field_and_rule(tmp_path: Path, bad: dict[str, Any], complaint: str) -> None:
    text = json.dumps(campaign("a")) + "\n" + json.dumps(campaign("b") | bad)
    with pytest.raises(UserError, match=complaint) as caught:
        validated(read_definitions(write(tmp_path / "c.ndjson", text)))
    assert "nothing was applied" in caught.value.remedy


def test_campaign_given_twice_is_refused_with_both_places(tmp_path: Path) -> None:
    one = write(tmp_path / "one.json", json.dumps(campaign("a")))
    two = write(tmp_path / "two.json", json.dumps(campaign("a")))
    with pytest.raises(UserError, match=r"two.json:1: campaign a stands also at .*one.json:1"):
        validated([*read_definitions(one), *read_definitions(two)])


def test_definition_longer_than_a_message_may_be_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "c.json", json.dumps(campaign("a", name="x" * 70_000)))
    with pytest.raises(UserError, match="over 65,536 bytes"):
        validated(read_definitions(path))


def test_absent_and_binary_files_are_the_users_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_definitions(tmp_path / "nosuch.json")
    for content in (b"\xff\xfe", json.dumps(campaign("a")).encode("utf-16-le"), YAML.encode("utf-16-be")):
        (tmp_path / "binary.json").write_bytes(content)
        with pytest.raises(UserError, match="is not UTF-8 text"):
            read_definitions(tmp_path / "binary.json")


def test_a_number_of_too_many_digits_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "long.json"
    path.write_text('{"budget_minor": ' + "7" * 5_000 + "}")
    with pytest.raises(UserError, match="too many digits"):
        read_definitions(path)


def test_a_file_nested_too_deeply_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text("[" * 100_000)
    with pytest.raises(UserError, match="nested too deeply"):
        read_definitions(path)


@pytest.mark.parametrize("name", ["c.json", "c.yaml"])
@pytest.mark.parametrize("field", ["name", "later", "\ud800"])
def test_half_of_a_character_is_named_with_its_place(tmp_path: Path, name: str, field: str) -> None:
    path = write(tmp_path / name, "\n" + json.dumps(campaign("a") | {field: "\ud800"}))
    with pytest.raises(UserError, match=r"c.(json|yaml):2: \\ud800 in it is half of a character"):
        validated(read_definitions(path))


# each line ten of the one before
_LAUGHS = "later: [" + ", ".join([f"&l{n} [{', '.join([f'*l{n - 1}' if n else '1'] * 10)}]" for n in range(12)]) + "]"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("ends_at: 2026-13-45T00:00:00Z", "5: not YAML .*no timestamp"),
        ("ends_at: 0000-01-01", "5: not YAML .*no timestamp"),
        ("ends_at: 2026-01-01T00:00:00+99:99", "5: not YAML .*no timestamp"),
        ("ends_at: !!timestamp soon", "5: not YAML .*no timestamp"),
        ("budget_minor: !!int many", "5: not YAML .*no int"),
        ("budget_minor: " + "9" * 5_000, "5: not YAML .*no int"),
        ("budget_minor: 0x" + "f" * 5_000, "1: .*too many digits"),
        ("later: !!bool perhaps", "5: not YAML .*no bool"),
        ("owner: a\x1b[31m", r"5: not YAML .*U\+001B"),
        ("later: 1" + ":59" * 200 + ".5", "5: not YAML .*no float"),
        ("later: !!int", "5: not YAML .*no int"),
        ("later: !!float ''", "5: not YAML .*no float"),
        ('later: "\\U00110000"', "5: not YAML .*larger than there are any"),
        ('later: "\\UFFFFFFFF"', "5: not YAML .*larger than there are any"),
        ("...\n%YAML " + "9" * 5_000 + ".1\n---\nlater: 1", "6: not YAML .*larger than there are any"),
        ("later: &it [*it]", "1: it holds itself"),
        (_LAUGHS, "5: not YAML .*aliases stand for more than"),
        ("2026-01-01: later", "1: the name of a field in it is no text"),
        ("later: " + "[" * 3_000 + "]" * 3_000, "nested too deeply"),
    ],
)
def test_what_yaml_allows_and_no_definition_can_be_is_one_line(tmp_path: Path, line: str, complaint: str) -> None:
    text = "campaign_id: a\nname: a\nstarts_at: 2026-01-01T00:00:00Z\ngoal: {kinds: [deposit]}\n" + line + "\n"
    with pytest.raises(UserError, match=complaint):
        validated(read_definitions(write(tmp_path / "c.yaml", text)))


@pytest.mark.parametrize("name", ["c.ndjson", "c.yaml"])
@pytest.mark.parametrize("between", ["\n", "\r\n", "", "\n\n"])
def test_files_put_one_behind_the_other_keep_their_marks(tmp_path: Path, name: str, between: str) -> None:
    one, other = (json.dumps(campaign(campaign_id)) for campaign_id in "ab")
    if name == "c.yaml":
        between, other = between or "\n", f"---\n{other}"
    (tmp_path / name).write_bytes(f"\ufeff{one}{between}\ufeff{other}".encode())
    assert list(validated(read_definitions(tmp_path / name))) == ["a", "b"]
