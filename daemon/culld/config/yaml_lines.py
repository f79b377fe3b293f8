"""Reads a YAML text into plain values, with the line of each key; refuses aliases, foreign tags and deep nesting."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from culld.config.messages import Key, Problem

# Deeper than any key of the schema; without a bound, a line of ten thousand brackets would exhaust the stack.
_MAX_DEPTH: Final = 16

_PLAIN: Final = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float"))
# YAML reads 2026-01-02 as a date; here it can only be the name of a folder.
_TEXT: Final = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "timestamp"))


@dataclass(slots=True)
class YamlDocument:
    """The plain values of a YAML text, the line of each key (counted from 1), and the problems of the text."""

    data: Any = None
    lines: dict[Key, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, key: Key) -> int:
        """Return the line of a key, or of the nearest section around it that the text has."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)


def read(text: str) -> YamlDocument:
    """Read one YAML document; its mistakes are put into `problems`, and nothing is raised."""
    tree = YamlDocument()
    try:
        _read_document(tree, _Loader(text))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        tree.problems.append(Problem(line, (), "a control character stands here; the file must be plain text"))
    except yaml.MarkedYAMLError as error:
        tree.problems.append(_syntax(error))
    except _RefusedError as error:
        tree.problems.append(error.problem)
    return tree


def _read_document(tree: YamlDocument, loader: _Loader) -> None:
    node = loader.get_single_node()
    if node is None:
        tree.problems.append(Problem(1, (), "the file is empty; it needs at least `watch` and `quarantine`"))
        return
    tree.lines[()] = node.start_mark.line + 1
    tree.data = _Reader(loader, tree).value(node, ())


def _syntax(error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    what = error.problem or "not YAML"
    if "'\\t'" in what:
        what = "a tab stands here; YAML is indented with spaces only"
    return Problem(mark.line + 1 if mark else 1, (), what)


class _RefusedError(Exception):
    """YAML that no configuration needs, such as an alias."""

    def __init__(self, text: str, event: yaml.Event) -> None:
        super().__init__(text)
        self.problem = Problem(event.start_mark.line + 1 if event.start_mark else 1, (), text)


class _Loader(yaml.SafeLoader):
    """Composes nodes, but refuses aliases (a few lines of them can unfold to gigabytes) and deep nesting."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave it out
        if isinstance(event, yaml.AliasEvent):
            problem = f"the alias *{event.anchor} is not allowed; write the value out"
            raise _RefusedError(problem, event)
        if self._depth >= _MAX_DEPTH:
            raise _RefusedError("nested too deeply for any key", event)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


@dataclass(frozen=True, slots=True)
class _Reader:
    """Turns nodes into plain values, and records their lines and problems in `tree`."""

    loader: _Loader
    tree: YamlDocument

    def value(self, node: yaml.Node, key: Key) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, key)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(item, (*key, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, key)

    def _item(self, node: yaml.Node, key: Key) -> Any:
        self.tree.lines[key] = node.start_mark.line + 1
        return self.value(node, key)

    def _mapping(self, node: yaml.MappingNode, key: Key) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in node.value:
            line = name.start_mark.line + 1
            if not isinstance(name, yaml.ScalarNode):
                self.tree.problems.append(Problem(line, key, "a key must be a word"))
                continue
            below = (*key, name.value)
            if name.value in found:
                text = f"given twice, first on line {self.tree.lines[below]}; keep one of them"
                self.tree.problems.append(Problem(line, below, text))
                continue
            self.tree.lines[below] = line
            found[name.value] = self.value(value, below)
        return found

    def _scalar(self, node: yaml.Node, key: Key) -> Any:
        if node.tag in _TEXT:
            return node.value
        try:
            if node.tag in _PLAIN:
                return self.loader.construct_object(node)
        except ValueError:
            pass  # an explicit tag that does not fit, such as `!!int x`: a problem as any other unfit tag
        except KeyError:
            pass  # the same for `!!bool x`
        self.tree.problems.append(Problem(node.start_mark.line + 1, key, f"the tag {node.tag} is not allowed here"))
        return None
