"""Every panel says in two languages what it shows and how it is counted, and is made of what boards can draw."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from dashboards.definitions import words
from dashboards.definitions.panel import WIDTH
from dashboards.definitions.variables import VARIABLES
from dashboards.definitions.words import WORDS
from dashboards.registry import BOARDS, PANELS

if TYPE_CHECKING:
    from dashboards.definitions.panel import Board, Panel, Text

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_COLOURS = {"red", "amber", "green", "grey", "blue"}
_BESIDE = {"low", "high", "limit", "previous"}
_TO_COME = {"operations", "bank"} - {board.id for board in BOARDS}
EVERY_PANEL = pytest.mark.parametrize("panel", PANELS.values(), ids=lambda one: one.id)
EVERY_BOARD = pytest.mark.parametrize("board", BOARDS, ids=lambda one: one.id)


def written(text: Text) -> bool:
    """Return whether a text is there in English and in Chinese."""
    return bool(text.en.strip()) and not _CHINESE.search(text.en) and bool(_CHINESE.search(text.zh))


def test_a_word_has_one_meaning() -> None:
    assert len(WORDS) == len(words.ROWS), "of two rows for one word, one is never shown"


def test_ids_are_unique_and_begin_with_their_boards() -> None:
    assert [name for name, count in Counter(board.id for board in BOARDS).items() if count > 1] == []
    ids = [panel.id for board in BOARDS for panel in board.panels]
    assert [name for name, count in Counter(ids).items() if count > 1] == []
    assert all(panel.id.startswith(f"{board.id}-") for board in BOARDS for panel in board.panels)


@EVERY_BOARD
def test_a_board_is_described_and_offers_known_choices(board: Board) -> None:
    assert written(board.title)
    assert written(board.description)
    assert set(board.variables) <= set(VARIABLES)


@EVERY_BOARD
def test_every_row_of_a_board_is_filled(board: Board) -> None:
    left = 0
    for panel in board.panels:
        left = left or WIDTH
        assert panel.width <= left, f"{panel.id} begins a row, and the one before ends short of the edge"
        left -= panel.width
    assert left == 0


@EVERY_PANEL
def test_a_text_of_a_language_stands_beside_the_same_in_the_others(panel: Panel) -> None:
    told = [(column.name, column.language) for column in panel.columns if column.language]
    names = {name.removesuffix(f"_{language}") for name, language in told}
    assert sorted(told) == sorted((f"{name}_{language}", language) for name in names for language in ("en", "zh"))


@EVERY_PANEL
def test_a_panel_is_described_in_both_languages(panel: Panel) -> None:
    assert written(panel.title)
    assert written(panel.description)
    assert panel.empty is None or written(panel.empty)
    assert len(panel.description.en) > 40, "a description says how the number comes about"
    assert 1 <= panel.width <= WIDTH


@EVERY_PANEL
def test_every_column_has_labels_and_colours_that_exist(panel: Panel) -> None:
    names = [column.name for column in panel.columns]
    assert len(set(names)) == len(names)
    for place, column in enumerate(panel.columns):
        assert column.label.en
        assert _CHINESE.search(column.label.zh) or column.label.zh == column.label.en, column.name
        edges = [edge for edge, _ in column.steps]
        assert edges[:1] in ([], [None])
        assert edges[1:] == sorted(edge for edge in edges if edge is not None)
        assert {colour for _, colour in column.steps} <= _COLOURS
        if column.role in _BESIDE:
            assert place > 0, "it stands beside the value before it"


@EVERY_PANEL
def test_a_drill_leads_to_a_board_and_takes_columns_that_exist(panel: Panel) -> None:
    names = {column.name for column in panel.columns}
    assert not panel.explains or panel.explains in names
    if panel.drill is not None and panel.drill.board not in _TO_COME:
        board = next(board for board in BOARDS if board.id == panel.drill.board)
        for variable, column in panel.drill.takes:
            assert variable in VARIABLES
            assert column in names
            assert variable in board.variables or variable == "campaign"


def test_every_word_has_both_texts_and_a_colour() -> None:
    assert {name for name, word in WORDS.items() if not word.text.en or not _CHINESE.search(word.text.zh)} == set()
    assert {word.colour for word in WORDS.values()} <= _COLOURS
