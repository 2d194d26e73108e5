"""The campaigns page as HTML; pure, everything that comes from data is escaped."""

from __future__ import annotations

from html import escape
from string import Template
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REFRESH_SECONDS: Final = 2

_PAGE: Final = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="$refresh">
<meta name="viewport" content="width=device-width">
<title>Campaign ROI</title>
<style nonce="$nonce">
body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem; color: #1f2328; background: #fff }
table { border-collapse: collapse }
th, td { padding: .3rem .8rem; border-bottom: 1px solid #d0d7de; text-align: right; font-variant-numeric: tabular-nums }
th:first-child, td:first-child { text-align: left }
.below { color: #b42318; font-weight: 600 }
.note { color: #57606a }
@media (prefers-color-scheme: dark) {
  body { color: #e6edf3; background: #0d1117 } th, td { border-color: #30363d }
  .below { color: #ff8a80 } .note { color: #8b949e }
}
</style>
</head>
<body>
<h1>Campaigns</h1>
$content
<p class="note">Return is compared with cost as both stand now; conversions still to come are not in it.
Refreshed every $refresh s · <a href="api/campaigns">JSON</a> · <a href="healthz">health</a></p>
</body>
</html>
""")
_HEADINGS: Final = (
    "Campaign",
    "Reached",
    "Converters",
    "Conversion rate",
    "Cost",
    "Return",
    "Return ÷ cost",
    "Updated",
)


def render_page(rows: Sequence[Mapping[str, Any]], problem: str | None, nonce: str) -> str:
    """Return the page.

    Args:
        rows: campaigns, as `campaigns` gives them; a ratio below ``min_return_ratio`` is marked.
        problem: what to say instead of the rows when ClickHouse cannot be asked.
        nonce: allows the page's own style under its content security policy.
    """
    if problem is not None:
        content = f"<p>{escape(problem)}</p>"
    elif not rows:
        content = "<p>No campaign has an event yet.</p>"
    else:
        heading = "".join(f'<th scope="col">{escape(name)}</th>' for name in _HEADINGS)
        body = "\n".join(_row(row) for row in rows)
        content = f"<table><thead><tr>{heading}</tr></thead><tbody>\n{body}\n</tbody></table>"
    return _PAGE.substitute(content=content, nonce=nonce, refresh=REFRESH_SECONDS)


def _row(row: Mapping[str, Any]) -> str:
    ratio = row["return_ratio"]
    below = ' class="below"' if ratio is not None and ratio < row["min_return_ratio"] else ""
    rate = row["conversion_rate"]
    cells = (
        f"{row['reached']:,}",
        f"{row['converters']:,}",
        "-" if rate is None else f"{rate:.2%}",
        _money(row["cost_minor"]),
        _money(row["return_minor"]),
    )
    plain = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return (
        f"<tr><td>{escape(str(row['campaign_id']))}</td>{plain}"
        f"<td{below}>{'-' if ratio is None else f'{ratio:.2f}'}</td><td>{escape(str(row['updated_at']))}</td></tr>"
    )


def _money(minor: int) -> str:
    return f"{minor / 100:,.2f}"
