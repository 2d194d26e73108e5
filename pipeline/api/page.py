"""The campaigns page as HTML; pure, everything that comes from data is escaped."""

from __future__ import annotations

from html import escape
from string import Template
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

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
_NOTHING: Final = "<p>No campaign has an event yet.</p>"
_HEADINGS: Final = (
    "Campaign",
    "Reached",
    "Converters",
    "Conversion rate",
    "Cost",
    "Return",
    "Return ÷ cost",
    "Alert",
    "Updated",
)


def render_page(
    rows: Sequence[Mapping[str, Any]],
    problem: str | None,
    nonce: str,
    *,
    campaign: str = "",
    alert: Mapping[str, Any] | None = None,
) -> str:
    """Return the page.

    Args:
        rows: campaigns, as `campaigns` gives them; a ratio below ``min_return_ratio`` is marked.
        problem: what to say instead of the rows when ClickHouse cannot be asked.
        nonce: allows the page's own style under its content security policy.
        campaign: the one that is looked at; '' = all.
        alert: its alert as `pipeline.alerts.views.AlertViews.alert` gives it.
    """
    if problem is not None:
        content = f"<p>{escape(problem)}</p>"
    elif not rows:
        content = f"<p>No campaign {escape(campaign)} has an event yet.</p>" if campaign else _NOTHING
    else:
        heading = "".join(f'<th scope="col">{escape(name)}</th>' for name in _HEADINGS)
        body = "\n".join(_row(row) for row in rows)
        content = f"<table><thead><tr>{heading}</tr></thead><tbody>\n{body}\n</tbody></table>"
    if alert is not None:
        content += _alert(alert)
    if campaign:
        content += '<p><a href="./">all campaigns</a></p>'
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
        f'<tr><td><a href="?campaign={quote(str(row["campaign_id"]), safe="")}">'
        f"{escape(str(row['campaign_id']))}</a></td>{plain}"
        f"<td{below}>{'-' if ratio is None else f'{ratio:.2f}'}</td>"
        f"<td>{escape(str(row['alert_state'] or '-'))}</td><td>{escape(str(row['updated_at']))}</td></tr>"
    )


def _alert(alert: Mapping[str, Any]) -> str:
    bound, risk = alert["upper_bound"], alert["money_at_risk_minor"]
    figures = [
        "" if bound is None else f"return ÷ cost at most {bound:.2f}",
        "" if risk is None else f"at risk {_money(risk)}",
        f"{alert['decision']} by {alert['decided_by']}" if alert["decision"] else "",
    ]
    reasons = "".join(f"<li>{escape(str(reason))}</li>" for reason in alert["record"].get("reasons", ()))
    history = "".join(f"<li>{escape(_entry(entry))}</li>" for entry in reversed(alert["history"]))
    return (
        f"<h2>Alert: {escape(alert['state'])}</h2><p>{escape('; '.join(filter(None, figures)))}</p><ul>{reasons}</ul>"
        f'<h2>History</h2><ul>{history}</ul><p class="note">roi alerts show {escape(alert["alert_id"])}</p>'
    )


def _money(minor: int) -> str:
    return f"{minor / 100:,.2f}"


def _entry(entry: Mapping[str, Any]) -> str:
    note = f": {entry['note']}" if entry["note"] else ""
    return f"{entry['changed_at']} {entry['state']}, by {entry['by'] or 'the evaluator'}{note}"
