"""Texts for chat and mail, short enough for a phone: what, how sure, how much money, what to do, link. Pure.

At most 500 characters with their title, hence at most 2,000 bytes of UTF-8: WeCom takes 2,048.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from pipeline.alerts.delivery.phrases import PHRASES
from pipeline.alerts.lifecycle import OVER
from pipeline.alerts.words import advice_text, ratio_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.alerts.sayings import Language

MOST_CHARACTERS: Final = 500
_LONGEST_NAME: Final = 60
_LONGEST_LINK: Final = 200
_LONGEST_REASON: Final = 90
_MOST_REASONS: Final = 2
_MOST_LINES: Final = 40
_NO_MARKUP: Final = str.maketrans("<>", "()")  # <at user_id="all"> and <!channel> of a name would call everybody
_WHOLE_UNITS: Final = 10_000  # minor units from which on parts of a unit tell nothing
Kind = Literal["info", "success", "warning", "failure"]
Content = tuple["Mapping[str, Any]", bool]
"""A message (the shape of Standard Webhooks), and whether it repeats what was told."""


@dataclass(frozen=True, slots=True)
class Wording:
    """How texts are written: the language, and the currency of all money."""

    language: Language = "en"
    currency: str = "CNY"

    def say(self, key: str, **values: object) -> str:
        """Return a phrase in the language."""
        return PHRASES[key][0 if self.language == "en" else 1].format(**values)

    def money(self, minor: int) -> str:
        """Return an amount of minor units."""
        places = 0 if abs(minor) >= _WHOLE_UNITS else 2
        return f"{minor / 100:,.{places}f} {self.currency}"


@dataclass(frozen=True, slots=True)
class Text:
    """A text to send; ``kind`` colours it where that can be."""

    title: str
    body: str
    kind: Kind


def text_of(contents: Sequence[Content], wording: Wording) -> Text:
    """Return the text of a message about these, one or more."""
    alerts = [content for content in contents if content[0]["type"].startswith("alert.")]
    if not alerts:
        message = contents[-1][0]
        return _test(message, wording) if message["type"] == "test" else _stop(message["data"], wording)
    if len(alerts) == 1:
        message, is_reminder = alerts[0]
        return _single(message, wording, again=is_reminder)
    return _grouped([message["data"] for message, _ in alerts], wording)


def _test(message: Mapping[str, Any], wording: Wording) -> Text:
    by = clipped(str(message["data"].get("by", "")), _LONGEST_NAME)
    return Text(wording.say("test_title"), wording.say("test", by=by), "info")


def _stop(data: Mapping[str, Any], wording: Wording) -> Text:
    """Return the words of a request to stop, which waited for a system and goes to people now."""
    title = wording.say("stop_title", name=clipped(data["campaign_id"], _LONGEST_NAME))
    by = clipped(data["decided_by"], _LONGEST_NAME)
    reason = clipped(data["reason"], _LONGEST_REASON)
    return Text(title, wording.say("stop_request", by=by, reason=reason), "warning")


def _single(message: Mapping[str, Any], wording: Wording, *, again: bool) -> Text:
    data = message["data"]
    what = _what(data)
    title = wording.say(f"{what}_title_again" if again and what == "firing" else f"{what}_title", **_named(data))
    lines = [*_first_lines(what, data, wording, again=again), _ratio_line(data, wording)]
    if what in {"firing", "unblocked", "decided"}:
        lines += [_sure_line(data, wording), _money_line(data, wording)]
    if what in {"firing", "unblocked"}:
        lines.append(wording.say("do", what=_to_do(data, wording)))
        beyond = data["reasons"][1 : 1 + _MOST_REASONS]  # the first is the verdict, which has been said
        lines += [wording.say("know", what=clipped(reason, _LONGEST_REASON)) for reason in beyond]
    kinds: dict[str, Kind] = {"firing": "failure", "resolved": "success", "blocked": "warning", "unblocked": "failure"}
    return _fitted(title, [line for line in lines if line], _link(data["links"]["board"]), kinds.get(what, "info"))


def _first_lines(what: str, data: Mapping[str, Any], wording: Wording, *, again: bool) -> list[str]:
    """Return what has happened, beyond what the title says."""
    if what == "blocked":
        return [wording.say("fault", why=_reason(data, 0)), wording.say("do_data")]
    if what == "decided":
        by = clipped(data["decided_by"] or "?", _LONGEST_NAME)
        return [wording.say("decided", by=by, decision=_decision(data, wording))]
    if what in {"over", "unblocked"}:
        return [wording.say("over" if what == "over" else "mended")]
    return [wording.say("again")] if again else []


def _grouped(alerts: Sequence[Mapping[str, Any]], wording: Wording) -> Text:
    """Return one text about several alerts: the worst by money at risk first, the rest counted."""
    ranked = sorted(alerts, key=lambda data: (_rank(data), -(data["money_at_risk_minor"] or 0), data["campaign_id"]))
    firing = [data for data in ranked if data["state"] == "firing"]
    required = {data["rule"]["min_return_ratio"] for data in firing}
    limit = ratio_text(required.pop()) if len(required) == 1 else wording.say("limit")
    title = (
        wording.say("group_title", count=len(firing), limit=limit)
        if len(firing) == len(ranked)
        else wording.say("mixed_title", count=len(ranked), below=len(firing))
    )
    link = _link(ranked[0]["links"]["board"].partition("?")[0])
    lines = [wording.say(f"{_what(data)}_line", **_line(data, wording)) for data in ranked[:_MOST_LINES]]
    shown = len(lines)
    while True:
        left = ranked[shown:]
        rest = [wording.say("rest", count=len(left), money=_at_risk(left, wording))] if left else []
        if shown == 1 or len(title) + len("\n".join((*lines[:shown], *rest, link))) + 2 <= MOST_CHARACTERS:
            return _fitted(title, [*lines[:shown], *rest], link, "failure" if firing else "info")
        shown -= 1


def _what(data: Mapping[str, Any]) -> str:
    if data["state"] == "blocked":
        return "blocked"
    if data["state"] == "resolved":
        return "over" if OVER in data["reasons"] else "resolved"
    if data["previous_state"] == "blocked":
        return "unblocked"
    return "decided" if data["state"] == "decided" else "firing"


def _rank(data: Mapping[str, Any]) -> int:
    """What asks somebody to act comes first."""
    return ("firing", "unblocked", "blocked", "decided", "resolved", "over").index(_what(data))


def _named(data: Mapping[str, Any]) -> dict[str, str]:
    required = data["rule"]["min_return_ratio"]
    return {"name": clipped(data["campaign_name"], _LONGEST_NAME), "required": ratio_text(required)}


def _line(data: Mapping[str, Any], wording: Wording) -> dict[str, str]:
    risk = data["money_at_risk_minor"]
    ratio = data["return_ratio"]
    return _named(data) | {
        "ratio": wording.say("none") if ratio is None else ratio_text(ratio, data["rule"]["min_return_ratio"]),
        "risk": "" if not risk else wording.say("line_risk", money=wording.money(risk)),
        "decision": _decision(data, wording),
    }


def _ratio_line(data: Mapping[str, Any], wording: Wording) -> str:
    ratio = data["return_ratio"]
    if ratio is None:
        return ""
    required = data["rule"]["min_return_ratio"]
    return wording.say("ratio", ratio=ratio_text(ratio, required), required=ratio_text(required))


def _sure_line(data: Mapping[str, Any], wording: Wording) -> str:
    confidence = f"{100 * data['rule']['confidence']:.4g} %"
    upper, matured = data["upper_bound"], data["matured_share"]
    required = data["rule"]["min_return_ratio"]
    bound = (
        wording.say("nobody")
        if upper is None
        else wording.say("bound", upper=ratio_text(upper, required), confidence=confidence)
    )
    share = "" if matured is None else wording.say("matured", share=f"{100 * matured:.0f} %")
    return wording.say("sure", bound=bound, share=share, converters=f"{data['converters']:,}")


def _money_line(data: Mapping[str, Any], wording: Wording) -> str:
    spent = wording.money(data["cost_minor"])
    risk = data["money_at_risk_minor"]
    return (
        wording.say("spent", spent=spent)
        if risk is None
        else wording.say("money", risk=wording.money(risk), spent=spent)
    )


def _to_do(data: Mapping[str, Any], wording: Wording) -> str:
    advice = data["advice"]
    if advice is not None:
        without = advice_text(
            clipped(advice["label"], _LONGEST_NAME), advice["segment"], advice["ratio_without"], wording.language
        )
        return wording.say("optimise", without=without)
    if not all(data["decisions_by_model"].values()):
        return wording.say("look")
    return wording.say("stop")


def _decision(data: Mapping[str, Any], wording: Wording) -> str:
    decision = data.get("decision")
    return wording.say(f"decision_{decision}") if decision in {"stop", "optimise", "continue"} else ""


def _reason(data: Mapping[str, Any], number: int) -> str:
    reasons = data["reasons"]
    return clipped(reasons[number], _LONGEST_REASON) if number < len(reasons) else ""


def _at_risk(alerts: Sequence[Mapping[str, Any]], wording: Wording) -> str:
    at_risk = sum(data["money_at_risk_minor"] or 0 for data in alerts if data["state"] == "firing")
    return wording.say("line_risk", money=wording.money(at_risk)) if at_risk else ""


def _link(url: str) -> str:
    return url if len(url) <= _LONGEST_LINK else url.partition("?")[0][:_LONGEST_LINK]


def clipped(text: str, length: int) -> str:
    """Return a text as one line of at most so many characters, without what cannot be printed or calls people."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text).translate(_NO_MARKUP).split())
    return line if len(line) <= length else f"{line[: length - 1].rstrip()}…"


def _fitted(title: str, lines: Sequence[str], link: str, kind: Kind) -> Text:
    """Return the text with as many lines as it can hold; the link is always there."""
    room = MOST_CHARACTERS - len(title) - 2 - len(link)  # two: a line's end may be two characters
    kept = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return Text(title, "\n".join((*kept, link)), kind)
