"""Settings with some parts given, whatever the environment says of those."""

from __future__ import annotations

from typing import Any, Final

from pydantic import SecretStr

from pipeline.settings import Settings

KEY: Final = SecretStr("never to be shown")


def settings(**given: Any) -> Settings:
    """Return the default settings with `KEY` and what is given."""
    return Settings.model_construct(**(Settings(pseudonym_key=KEY).__dict__ | given))
