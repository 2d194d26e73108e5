"""Secrets from files, as Docker and Kubernetes hand them over: ``ROI_…_FILE`` names the file that holds ``ROI_…``."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final, get_args

from pydantic import BaseModel, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic.fields import FieldInfo

SUFFIX: Final = "_FILE"
_MOST_BYTES: Final = 65_536


class SecretFileSource(PydanticBaseSettingsSource):
    """Values of secret fields whose variable with ``_FILE`` behind it is set and not empty.

    It stands before the environment, so that an empty variable (which compose files leave behind) does not win.

    Raises:
        UserError: a file cannot be read or holds nothing, or a variable and its ``_FILE`` are both given.
    """

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls)
        # names of settings are read in any case, as by the environment's own source
        self._environment = {name.upper(): value for name, value in os.environ.items()}
        self._maps = {path for path in secret_fields(settings_cls) if _is_map(settings_cls, path)}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Do nothing: the hook is for sources that look at one field after another."""
        del field
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the values found, nested as the settings are."""
        found: dict[str, Any] = {}
        prefix = str(self.settings_cls.model_config.get("env_prefix", ""))
        for path in secret_fields(self.settings_cls):
            value: Any = _secret(prefix + "__".join(path).upper(), self._environment)
            if value is not None:
                if path in self._maps:
                    value = _object(prefix + "__".join(path).upper(), value)
                group = found
                for part in path[:-1]:
                    group = group.setdefault(part, {})
                group[path[-1]] = value
        return found


def secret_fields(model: type[BaseModel]) -> Iterator[tuple[str, ...]]:
    """Yield the path of each secret field of a model and of its groups."""
    for name, field in model.model_fields.items():
        if field.annotation is SecretStr or _holds_secrets(field):
            yield (name,)
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            for path in secret_fields(field.annotation):
                yield (name, *path)


def _holds_secrets(field: FieldInfo) -> bool:
    """Tell whether a field is a map of groups with secrets in them: such a file holds JSON."""
    values = get_args(field.annotation)[1:]
    return any(
        isinstance(value, type) and issubclass(value, BaseModel) and any(True for _ in _own_secrets(value))
        for value in values
    )


def _own_secrets(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if SecretStr in (field.annotation, *get_args(field.annotation)):
            yield name


def _is_map(model: type[BaseModel], path: tuple[str, ...]) -> bool:
    return len(path) == 1 and _holds_secrets(model.model_fields[path[0]])


def _object(variable: str, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        # not what the parser says: it would quote the secret
        raise UserError(f"{variable}{SUFFIX}: the file holds no JSON object", "write one: {} for none")
    return found


def _secret(variable: str, environment: Mapping[str, str]) -> str | None:
    path = environment.get(variable + SUFFIX)
    if not path:
        return None
    if environment.get(variable):
        raise UserError(f"{variable} and {variable}{SUFFIX} are both set", "keep one of them")
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a path such as /dev/fd/63 stays as it is written
            content = file.read(_MOST_BYTES + 1)
        text = content.decode()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8 text"
        raise UserError(
            f"{variable}{SUFFIX}: {path} cannot be read ({reason})", "name a readable file that holds nothing else"
        ) from error
    # editors and `echo` end the line; nothing else is taken away
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret or len(content) > _MOST_BYTES:
        wrong = "is empty" if not secret else f"is over {_MOST_BYTES} bytes"
        raise UserError(f"{variable}{SUFFIX}: {path} {wrong}", "put the secret into it, and nothing else")
    return secret
