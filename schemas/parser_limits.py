"""JSON beyond what the parsers take, brought within it: any nesting, numbers of any length.

Fields that no schema names are ignored, so nothing in them may make an event unreadable. pydantic's parser stops at 200
levels and at integers of 4,300 digits, msgspec's where Python's stack ends. Here is no recursion, and one pass.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

from msgspec import DecodeError
from pydantic_core import from_json

if TYPE_CHECKING:
    from msgspec.json import Decoder

_Item = TypeVar("_Item")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"  # some producers write one; RFC 8259 lets who reads JSON leave it out
_LEVELS: Final = 100  # deeper than any field of a schema, below what every parser takes
_LIMITS: Final = ("recursion limit exceeded", "number out of range")  # in the words of pydantic's parser
_DIGITS: Final = 400  # an integer of so many is more than any field may hold, and than a double can
_LONGEST_EXPONENT: Final = 9  # digits; one beyond it decides alone whether a number is 0 or infinite
_TOKENS: Final = re.compile(
    # a text may lack its end: there the search must not begin anew at each of its quotes
    rb'"[^"\\]*(?:\\.[^"\\]*)*"?'
    rb"|[\[{]|[\]}]"
    rb"|(?P<whole>[0-9]+)(?P<decimals>\.[0-9]+)?(?:[eE](?P<exponent>[+-]?[0-9]+))?",
    re.DOTALL,
)


def readable_json(text: str | bytes | bytearray) -> bytes:
    """Return JSON that every parser takes: as it is, where it is within their limits, but for a byte order mark.

    Raises:
        ValueError: it is not JSON.
    """
    given = (text.encode() if isinstance(text, str) else bytes(text)).removeprefix(_BYTE_ORDER_MARK)
    try:
        from_json(given, allow_inf_nan=False)
    except ValueError as error:
        if not any(limit in str(error) for limit in _LIMITS):
            raise
    else:
        return given
    shortened = within_limits(given)
    from_json(shortened, allow_inf_nan=False)
    return shortened


def within_limits(text: bytes) -> bytes:
    """Return JSON that the schemas read as they would read this text, and that every parser takes.

    What lies deeper than any field is checked and left out. An integer that is too large for every field is cut off and
    still too large; a number with a fraction or an exponent keeps its value. What is not JSON stays so.

    Raises:
        ValueError: what lies so deep is not JSON.
    """
    around: list[list[bytes]] = []  # of each container that is being cut out, the parts of what it stands in
    parts: list[bytes] = []
    done = depth = 0
    for token in _TOKENS.finditer(text):
        begin, end = token.span()
        if text[begin] in b"[{":
            depth += 1
            if depth % _LEVELS == 0:
                parts.append(text[done:begin])
                around.append(parts)
                parts, done = [], begin
        elif text[begin] in b"]}":
            if around and depth % _LEVELS == 0:
                from_json(b"".join((*parts, text[done:end])), allow_inf_nan=False)
                parts, done = around.pop(), end
                parts.append(b"[]")  # a container like what stood there: what is wrong around it is still wrong
            depth -= 1
        elif token["whole"] and len(token["whole"]) > _DIGITS:
            parts += text[done:begin], _shortened(token)
            done = end
    if around:
        raise ValueError("EOF while parsing a value")
    return b"".join((*parts, text[done:]))


def _shortened(number: re.Match[bytes]) -> bytes:
    whole, decimals, exponent = number["whole"], number["decimals"], number["exponent"] or b"0"
    if whole.startswith(b"0") or (decimals is None and number["exponent"] is None):
        return whole[:_DIGITS]  # of leading zeros there are still too many
    if len(exponent.lstrip(b"+-0")) <= _LONGEST_EXPONENT:
        exponent = b"%d" % (int(exponent) + len(whole) - 1)
    return b"%b.%b%be%b" % (whole[:1], whole[1:], (decimals or b"")[1:], exponent)


def decode_at_any_depth(decoder: Decoder[_Item], text: bytes) -> _Item:
    """Decode JSON with msgspec, which follows what it skips as far as Python's stack goes.

    Raises:
        MsgspecError: it is not JSON, or not what the decoder reads.
    """
    try:
        return decoder.decode(text)
    except RecursionError:
        pass
    try:
        shallow = within_limits(text)
    except ValueError as error:
        raise DecodeError("JSON is malformed") from error
    return decoder.decode(shallow)
