"""Texts that are known in every language: what is kept of them lets each reader choose. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")


class Saying(str):
    """A text as the installation writes it, which knows itself in every language.

    It is a `str`, for messages, logs and commands have one language, and what judges alerts does not care. A plain
    `str` among sayings reads the same in every language: what a person has written. msgspec encodes ``str(saying)``.
    """

    __slots__ = ("_languages",)
    _languages: Mapping[Language, str]

    def __new__(cls, text: str, languages: Mapping[Language, str]) -> Self:
        """Return the text; ``languages``: what it is in each."""
        made = super().__new__(cls, text)
        made._languages = languages
        return made

    @classmethod
    def made(cls, write: Callable[[Language], str], language: Language) -> Self:
        """Return what ``write`` writes, in the installation's language and the others."""
        languages = {one: write(one) for one in LANGUAGES}
        return cls(languages[language], languages)

    def read(self, language: Language) -> str:
        """Return the text in a language."""
        return self._languages[language]


def in_language(text: str, language: Language) -> str:
    """Return a text as a reader of the language reads it."""
    return text.read(language) if isinstance(text, Saying) else text


def always_english(english: str, chinese: str) -> Saying:
    """Return a text that messages and commands have in English whatever the installation's language."""
    return Saying(english, {"en": english, "zh": chinese})


def joined(texts: Sequence[str]) -> Saying:
    """Return texts as one, with semicolons between."""
    languages = {one: "; ".join(in_language(text, one) for text in texts) for one in LANGUAGES}
    return Saying("; ".join(texts), languages)


def kept(texts: Iterable[str]) -> dict[Language, list[str]]:
    """Return texts in each language, as records keep them beside the texts themselves."""
    listed = tuple(texts)
    return {one: [in_language(text, one) for text in listed] for one in LANGUAGES}


def read_again(texts: Sequence[str], languages: Mapping[Language, Sequence[str]] | None) -> tuple[str, ...]:
    """Return texts as they were before `kept`; without languages, of a record that has none yet, as they are."""
    if languages is None:
        return tuple(texts)
    return tuple(Saying(text, {one: languages[one][place] for one in LANGUAGES}) for place, text in enumerate(texts))
