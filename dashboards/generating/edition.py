"""For whom boards are generated: a language and a currency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from dashboards.definitions.panel import Board, Text

_SYMBOLS: Final = {"CNY": "¥", "EUR": "€", "GBP": "£", "HKD": "HK$", "JPY": "JP¥", "USD": "$"}

Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Edition:
    """A language and a currency, and the boards that there are.

    Attributes:
        language: of all texts.
        currency: ISO 4217 code of the reporting currency.
        boards: to which panels may lead.
    """

    language: Language = "en"
    currency: str = "CNY"
    boards: tuple[Board, ...] = ()

    def say(self, text: Text) -> str:
        """Return a text in the edition's language."""
        return text.en if self.language == "en" else text.zh

    def uid(self, board: str) -> str:
        """Return the uid of a board; it never changes, for links and alert rules lead there."""
        return f"roi-{board}" if self.language == "en" else f"roi-{board}-{self.language}"

    @property
    def tag(self) -> str:
        """The tag of the edition's boards: by it they link to each other."""
        return f"roi-{self.language}"

    @property
    def symbol(self) -> str:
        """What is written before money."""
        return _SYMBOLS.get(self.currency, f"{self.currency} ")
