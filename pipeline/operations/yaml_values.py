"""Values of a YAML file, each with its line; whatever PyYAML raises for what somebody wrote is one kind of error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml
from yaml.reader import ReaderError

if TYPE_CHECKING:
    from collections.abc import Iterator

# what the conversions of dates, numbers, escapes and tagged texts raise (PyYAML lets them through as they are)
_NOT_CONVERTED: Final = (ValueError, TypeError, LookupError, AttributeError, OverflowError)
# with aliases spelt out: ten lines of them can stand for more than any memory holds
_MOST_VALUES: Final = 10_000_000


class NotYamlError(Exception):
    """A text is no YAML, or a value in it is none; the message has the cause, ``line`` where."""

    def __init__(self, line: int, cause: str) -> None:
        super().__init__(cause)
        self.line = line


class _Loader(yaml.SafeLoader):
    """Names the value that cannot be converted, or stands for too many, and where it is."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._values: dict[yaml.Node, int] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        node: Any = super().compose_node(parent, index)
        if node not in self._values:
            inner = node.value if isinstance(node, yaml.SequenceNode) else []
            if isinstance(node, yaml.MappingNode):
                inner = [one for pair in node.value for one in pair]
            # one that holds itself has no number yet, and is refused later
            self._values[node] = 1 + sum(self._values.get(one, 0) for one in inner)
            if self._values[node] > _MOST_VALUES:
                raise NotYamlError(node.start_mark.line + 1, f"its aliases stand for more than {_MOST_VALUES:,} values")
        return node

    def construct_object(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - PyYAML's own signature
        try:
            return super().construct_object(node, deep)
        except _NOT_CONVERTED:
            kind = str(node.tag).rpartition(":")[2]
            raise NotYamlError(node.start_mark.line + 1, f"what stands there is no {kind}") from None


def values_of(text: str) -> Iterator[tuple[int, Any]]:
    """Yield the values of a text's documents, those of a list one by one, each with the line it starts on.

    Raises:
        NotYamlError: the text is no YAML.
        RecursionError: it is nested too deeply.
    """
    try:
        loader = _Loader(text)
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise NotYamlError(line, f"the character U+{ord(text[error.position]):04X} may not stand in it") from error
    try:
        while loader.check_node():
            node: Any = loader.get_node()
            for item in node.value if isinstance(node, yaml.SequenceNode) else [node]:
                yield item.start_mark.line + 1, loader.construct_document(item)
    except yaml.MarkedYAMLError as error:
        raise NotYamlError(error.problem_mark.line + 1 if error.problem_mark else 1, str(error.problem)) from error
    except _NOT_CONVERTED:  # of the scanner, which has no value yet
        raise NotYamlError(loader.line + 1, "a character or a number there is larger than there are any") from None
    finally:
        loader.dispose()
