"""The rules that a backtest puts side by side: the plain one, the product's own, and what files say."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from pipeline.alert_settings import AlertSettings
from pipeline.alerts.rule import FIELDS, rule_of_plan
from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.rule import AlertRule

PLAIN: Final = "plain"
DEFAULT: Final = "default"
DECIDING: Final = (*FIELDS, "false_share_limit")
"""The settings that decide in a backtest."""
_MEND: Final = "write a line for each setting: min_return_ratio = 1.5"
_LARGEST: Final = 16 * 1024  # the parser keeps every beginning of a key of many parts: 200 kB of a.a.a… fill 40 GB
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class TriedRule:
    """A rule on trial.

    Attributes:
        name: of it.
        settings: what it requires of campaigns whose definitions say nothing else.
        is_plain: whether the ratio so far decides, not the product's test.
    """

    name: str
    settings: AlertSettings
    is_plain: bool = False

    def of(self, plan: CampaignPlan) -> AlertRule:
        """Return the rule of a campaign: what its definition says, and the settings for what it leaves open."""
        return rule_of_plan(self.settings, plan)


def rules_of_files(settings: AlertSettings, files: Sequence[Path]) -> list[TriedRule]:
    """Return the rules to be tried: `plain`, `default` and those of files, by the names of the files.

    Args:
        settings: the product's.
        files: TOML, with the settings of `DECIDING` at the top or in a table [alerts]; the rest is as in the settings.

    Raises:
        UserError: a file cannot be read, or says what cannot be; two have one name.
    """
    rules = [TriedRule(PLAIN, settings, is_plain=True), TriedRule(DEFAULT, settings)]
    for file in files:
        name = file.name.removesuffix(".toml")
        if not _NAME.fullmatch(name):
            raise UserError(f"{file} gives no name to a rule", "name the file in letters, digits, dots and dashes")
        if name in {rule.name for rule in rules}:
            raise UserError(f"there are two rules {name!r}", f"name {file} otherwise: a rule is called as its file is")
        rules.append(TriedRule(name, _settings_of(file, settings)))
    return rules


def _settings_of(file: Path, settings: AlertSettings) -> AlertSettings:
    given = _table(file)
    for key in given:
        if key not in DECIDING:
            raise UserError(f"{file}: {key} decides nothing in a backtest", f"these do: {', '.join(DECIDING)}")
    try:
        return AlertSettings.model_validate(settings.model_dump() | given)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise UserError(f"{file}: {key}: {first['msg']}", f"correct {key}") from error


def _table(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            text = stream.read(_LARGEST + 1)
        if len(text) > _LARGEST:
            raise UserError(f"{file} is over {_LARGEST:,} bytes", _MEND)
        found = tomllib.loads(text.decode())
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror})", "name a TOML file") from error
    except RecursionError as error:
        raise UserError(f"{file} is nested too deeply", _MEND) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{file} is no TOML ({error})", _MEND) from error
    except ValueError as error:  # of Python's own: the parser lets it through
        raise UserError(f"{file} has a number of too many digits", _MEND) from error
    inner = found.get("alerts")
    if isinstance(inner, dict) and len(found) == 1:
        return inner
    return found
