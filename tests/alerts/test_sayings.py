from __future__ import annotations

import json
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from pipeline.alert_settings import AlertSettings
from pipeline.alerts.fault_words import fault_text
from pipeline.alerts.faults import DataFault
from pipeline.alerts.lifecycle import OVER, Conduct, step
from pipeline.alerts.log import Addressing, rows_of
from pipeline.alerts.record import Evidence, Moment, record_of
from pipeline.alerts.rule import AlertRule
from pipeline.alerts.sayings import LANGUAGES, Language, Saying, in_language, joined, kept, read_again
from pipeline.alerts.words import reasons, withheld_text
from schemas.topics import COSTS
from tests.alerts.building import AT_ONCE, look, verdict

TEXTS = st.lists(st.tuples(st.text(), st.text(), st.booleans()).map(lambda of: _text(*of)), max_size=4)


def _text(english: str, chinese: str, is_of_a_person: bool) -> str:  # noqa: FBT001 - drawn with the texts
    return english if is_of_a_person else Saying(english, {"en": english, "zh": chinese})


@given(TEXTS)
def test_what_is_kept_reads_the_same_when_it_is_read_again(texts: list[str]) -> None:
    through_json = json.loads(json.dumps([[str(text) for text in texts], kept(texts)]))
    again = read_again(*through_json)
    assert list(again) == texts
    for language in LANGUAGES:
        assert [in_language(text, language) for text in again] == [in_language(text, language) for text in texts]
        assert joined(again).read(language) == "; ".join(in_language(text, language) for text in texts)


def test_the_installation_s_language_is_what_messages_say_and_each_reader_has_his_own() -> None:
    languages: tuple[Literal["en", "zh"], ...] = LANGUAGES
    for language in languages:
        settings = AlertSettings(language=language)
        said = [*reasons(verdict("below"), AlertRule(), language), withheld_text(0.12, language)]
        said.append(fault_text(DataFault("silent_cost", COSTS), settings))
        for text in said:
            assert text == text.read(language)
            assert text.read("en") != text.read("zh")


def test_a_record_and_its_history_are_kept_in_both_languages() -> None:
    evidence = Evidence(reasons(verdict("below"), AlertRule(), "en"))
    record, change = step(None, look("below", rule=AT_ONCE, evidence=evidence), Moment(0, 0.0), Conduct())
    assert change is not None
    bodies = {row.kind: json.loads(row.body) for row in rows_of(change, Addressing("http://board"), None)}
    assert bodies["alert"]["reasons"] == bodies["alert"]["reasons_by_language"]["en"]
    assert bodies["alert"]["reasons_by_language"]["zh"][0].startswith("回报持续低于")
    assert bodies["change"]["note"] == bodies["change"]["note_by_language"]["en"]
    assert bodies["change"]["note_by_language"]["zh"] == "回报持续低于要求"
    assert "reasons_by_language" not in bodies["change"]["record"], "messages and their schema are what they were"
    again = record_of(record.body("http://board"))
    assert in_language(again.evidence.reasons[0], "zh") == in_language(evidence.reasons[0], "zh")


def test_a_record_of_a_version_without_languages_reads_the_same_in_all() -> None:
    assert read_again(["of before"], None) == ("of before",)
    for language in LANGUAGES:
        assert in_language("of before", language) == "of before"
    read: dict[Language, str] = {language: OVER.read(language) for language in LANGUAGES}
    assert read["en"] == OVER
    assert read["zh"] != OVER
