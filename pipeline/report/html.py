"""A report as one HTML file: no script, nothing loaded from anywhere, fit for mail and for printing."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.report.document import Figures, Picture, Table, Words

if TYPE_CHECKING:
    from pipeline.report.document import Block, Cell, Document

_STYLE: Final = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(document: Document) -> str:
    """Return the file's text."""
    language = "zh-CN" if document.language == "zh" else "en"
    facts = "".join(f"<li>{escape(fact)}</li>" for fact in document.facts)
    sections = "".join(
        f"<section><h2>{escape(one.heading)}</h2>"
        f"{f'<p class=about>{escape(one.description)}</p>' if one.description else ''}{_block(one.block)}</section>\n"
        for one in document.sections
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(document.title)}</title>\n<style>{_STYLE}</style></head>\n"
        f"<body><main><h1>{escape(document.title)}</h1><ul class=facts>{facts}</ul>\n{sections}"
        f"<footer>{escape(document.foot)}</footer></main></body></html>\n"
    )


def _block(block: Block) -> str:
    if isinstance(block, Words):
        return "".join(f"<p>{escape(text)}</p>" for text in block.paragraphs)
    if isinstance(block, Figures):
        return f"<dl class=figures>{''.join(_figure(*item) for item in block.items)}</dl>"
    if isinstance(block, Picture):
        return f'<figure role="img" aria-label="{escape(block.alternative)}">{block.svg}</figure>'
    return _table(block)


def _figure(label: str, cell: Cell, before: str) -> str:
    compared = f"<small>({escape(before)})</small>" if before else ""
    return f"<div><dt>{escape(label)}</dt><dd{_class(cell.colour)}>{escape(cell.text)} {compared}</dd></div>"


def _table(table: Table) -> str:
    head = "".join(
        f'<th scope="col"{_class("number" if number else "")}>{escape(heading)}</th>'
        for heading, number in zip(table.headings, table.is_number, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{_class(*(['number'] if number else []), cell.colour)}>{escape(cell.text)}</td>"
            for cell, number in zip(row, table.is_number, strict=True)
        )
        + "</tr>"
        for row in table.rows
    )
    more = f"<p>… +{table.left_out:,}</p>" if table.left_out else ""
    return f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{more}"


def _class(*names: str) -> str:
    kept = " ".join(name for name in names if name)
    return f' class="{kept}"' if kept else ""
