"""`roi token`: makes a token of the HTTP API. Nothing is kept here; settings keep its hash."""

from __future__ import annotations

import json
import secrets
from typing import Annotated, Final, Literal

import typer

from pipeline.cli import options

_LONGEST: Final = 64
_RESERVED: Final = "owner"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="token", epilog=options.example("roi token lin --role decider"))(_token)


def _token(
    name: Annotated[
        str, typer.Argument(metavar="NAME", show_default=False, help="Whose it is; the audit trail shows it.")
    ],
    role: Annotated[
        Literal["viewer", "decider"], typer.Option("--role", help="viewer reads, decider also acts.")
    ] = "viewer",
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Make a token of the HTTP API: it is shown once, and the setting to add holds only its hash."""
    from pipeline.alert_settings import digest_of
    from pipeline.cli.terminal import printable

    if not name.strip() or len(name) > _LONGEST or printable(name) != name:
        raise typer.BadParameter(f"a name has 1 to {_LONGEST} characters that can be read", param_hint="NAME")
    if name == _RESERVED:
        raise typer.BadParameter(f"{name!r} is the name of an instance's own token", param_hint="NAME")
    is_known = name in options.settings_for(data).api.tokens
    token = f"roi_{secrets.token_urlsafe(32)}"
    digest = digest_of(token).hex()
    # a quoted key of TOML is written as JSON writes a string
    setting = f'api.tokens.{json.dumps(name, ensure_ascii=False)} = {{hash = "{digest}", role = "{role}"}}'
    if as_json:
        told = {"name": name, "role": role, "token": token, "hash": digest, "setting": setting}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    typer.echo(f"token    {token}  (shown this once)")
    typer.echo(f"hash     {digest}")
    what = "instead of the line that is there for this name" if is_known else "above its first [table]"
    typer.echo(f"roi.toml, {what}; then start the board anew:")
    typer.echo(setting)
