"""`python -m tools.settings_table --write|--check`: the table of settings in README.md."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr

from pipeline.settings import Settings
from tools.readme import keep_section, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo


def render() -> str:
    """Return a row for each environment variable, groups after the settings that stand alone."""
    return table(("Variable", "Default", "Meaning"), _rows(Settings, "ROI_"))


def _rows(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        variable = f"{prefix}{name.upper()}"
        if isinstance(field.default, BaseModel):
            yield from _rows(type(field.default), f"{variable}__")
        else:
            yield f"`{variable}`", _written(field.get_default(call_default_factory=True)), _meaning(field)


def _written(default: Any) -> str:
    """Return a default the way the environment would give it."""
    plain = default.get_secret_value() if isinstance(default, SecretStr) else default
    if plain is None or plain == "":
        return "none"
    if isinstance(plain, datetime):
        return f"`{plain:%Y-%m-%dT%H:%M:%SZ}`"
    return f"`{plain if isinstance(plain, str) else json.dumps(plain)}`"


def _meaning(field: FieldInfo) -> str:
    if get_origin(field.annotation) is not Literal:
        return str(field.description)
    return f"{field.description}: {', '.join(f'`{choice}`' for choice in get_args(field.annotation))}"


if __name__ == "__main__":
    sys.exit(keep_section("tools.settings_table", "settings", render))
