"""Campaign definitions in files: JSON (one, or a list), NDJSON or YAML, each with the line it starts on."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_YAML_SUFFIXES: Final = frozenset({".yaml", ".yml"})
_LARGEST: Final = 64 * 1024  # the contract's limit for any message
_MEND: Final = "correct the file; nothing was applied"
_NAME_ONE: Final = "name a JSON, NDJSON or YAML file in UTF-8 (iconv -t UTF-8 converts)"
_MARK: Final = "\ufeff"  # of byte order; a file that was put behind another begins with it in the midst of the text
_MARK_OF_A_LINE: Final = re.compile(f"^{_MARK}", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Located:
    """A definition as written, and where."""

    source: str
    line: int
    value: Any

    @property
    def place(self) -> str:
        """``file:line``."""
        return f"{self.source}:{self.line}"


def read_definitions(path: Path) -> list[Located]:
    """Return the definitions of a file, unchecked.

    Raises:
        UserError: the file cannot be read or is no JSON, NDJSON or YAML; the message has the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else f"cannot be read ({error.strerror})"
        raise UserError(f"{path} {why}", _NAME_ONE) from error
    if "\0" in text:  # of UTF-16 without a mark every second byte is one, which UTF-8 allows, and JSON and YAML do not
        raise UserError(f"{path} is not UTF-8 text", _NAME_ONE)
    parse = _yaml if path.suffix.lower() in _YAML_SUFFIXES else _json
    found = list(parse(str(path), text))
    if not found:
        raise UserError(f"{path} holds no campaign", "write one definition, or a list of them")
    return found


def _json(source: str, text: str) -> Iterator[Located]:
    """Walk JSON values one behind the other (NDJSON, or a single one); a list stands for its items."""
    decoder = json.JSONDecoder()
    index = _skip(text, 0)
    listed = text[index : index + 1] == "["
    index = _skip(text, index + 1 if listed else index)
    while index < len(text) and not (listed and text[index] == "]"):
        try:
            value, end = decoder.raw_decode(text, index)
        except json.JSONDecodeError as error:
            raise UserError(f"{source}:{error.lineno}: not JSON ({error.msg})", _MEND) from error
        except RecursionError as error:
            raise UserError(f"{source}: nested too deeply to be a definition", _MEND) from error
        except ValueError as error:
            raise UserError(f"{source}: a number in it has too many digits", _MEND) from error
        yield Located(source, text.count("\n", 0, index) + 1, value)
        index = _next(source, text, end) if listed else _skip(text, end)
    if listed and (index >= len(text) or text[index + 1 :].strip()):
        raise UserError(f"{source}:{text.count(chr(10)) + 1}: the list does not end with the file", _MEND)


def _skip(text: str, index: int) -> int:
    while index < len(text) and (text[index].isspace() or text[index] == _MARK):
        index += 1
    return index


def _next(source: str, text: str, end: int) -> int:
    """Step over the comma between items of a list."""
    index = _skip(text, end)
    if text[index : index + 1] == ",":
        return _skip(text, index + 1)
    if text[index : index + 1] != "]":
        raise UserError(f"{source}:{text.count(chr(10), 0, index) + 1}: a comma or ] is missing", _MEND)
    return index


def _yaml(source: str, text: str) -> Iterator[Located]:
    from pipeline.operations.yaml_values import NotYamlError, values_of

    try:
        for line, value in values_of(_MARK_OF_A_LINE.sub("", text)):
            yield Located(source, line, value)
    except NotYamlError as error:
        raise UserError(f"{source}:{error.line}: not YAML ({error})", _MEND) from error
    except RecursionError as error:
        raise UserError(f"{source}: nested too deeply to be a definition", _MEND) from error


def validated(definitions: list[Located]) -> dict[str, bytes]:
    """Return the definitions as the topic carries them, by campaign.

    Raises:
        UserError: one is not a campaign or comes twice; the message has file, line, field and rule.
    """
    from pydantic import ValidationError

    from schemas import Campaign

    found: dict[str, bytes] = {}
    places: dict[str, str] = {}
    for definition in definitions:
        payload = _payload(definition)
        if len(payload) > _LARGEST:
            raise UserError(f"{definition.place}: the definition is over {_LARGEST:,} bytes", _MEND)
        try:
            campaign = Campaign.model_validate_json(payload)
        except ValidationError as error:
            raise UserError(f"{definition.place}: {_first_fault(error)}", _MEND) from error
        if campaign.campaign_id in found:
            raise UserError(
                f"{definition.place}: campaign {campaign.campaign_id} stands also at {places[campaign.campaign_id]}",
                _MEND,
            )
        found[campaign.campaign_id] = payload  # as written: fields that this version ignores may serve another
        places[campaign.campaign_id] = definition.place
    return found


def _payload(definition: Located) -> bytes:
    """Return a definition as JSON.

    Raises:
        UserError: it holds what JSON in UTF-8 cannot carry.
    """
    try:
        return json.dumps(definition.value, default=_iso, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        cause = f"{half} in it is half of a character (a surrogate without its pair)"
        raise UserError(f"{definition.place}: {cause}", _MEND) from error
    except TypeError as error:
        raise UserError(f"{definition.place}: the name of a field in it is no text", _MEND) from error
    except RecursionError as error:
        raise UserError(f"{definition.place}: nested too deeply to be a definition", _MEND) from error
    except ValueError as error:
        cause = "it holds itself, or a number of too many digits"
        raise UserError(f"{definition.place}: {cause}", _MEND) from error


def _iso(value: object) -> str:
    """Write what YAML reads as a date or time the way JSON carries it."""
    return value.isoformat() if isinstance(value, date) else str(value)


def _first_fault(error: Any) -> str:
    faults = error.errors(include_url=False, include_input=False)
    field = ".".join(str(part) for part in faults[0]["loc"]) or "definition"
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{field}: {faults[0]['msg']}{more}"
