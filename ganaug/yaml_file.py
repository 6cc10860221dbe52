"""YAML as people mean it: `1e-3` is a number, a key may stand once, and a bomb is refused before it goes off."""

import re
from pathlib import Path
from typing import Any

import yaml

from ganaug.errors import UserError

MAX_BYTES = 1_000_000
MAX_NODES = 20_000  # after aliases are written out
MAX_DEPTH = 50
_SURROGATE = re.compile("[\ud800-\udfff]")  # an escape can write one; nothing can be written with it again


_TEXT, _MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"


def _refuse(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


class _Loader(yaml.SafeLoader):
    """SafeLoader with YAML 1.2's floats, dates as text, without duplicate keys, and with an end to its patience."""

    nodes = depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.nodes, self.depth = self.nodes + 1, self.depth + 1
        if self.nodes > MAX_NODES:
            raise yaml.YAMLError(f"more than {MAX_NODES} values; write it smaller")
        if self.depth > MAX_DEPTH:
            raise yaml.YAMLError(f"nested more than {MAX_DEPTH} deep")
        node = super().compose_node(parent, index)
        self.depth -= 1
        if isinstance(node, yaml.ScalarNode) and _SURROGATE.search(node.value):
            raise _refuse("half of a character, which is no text", node)
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag == _MERGE:
                continue
            if key.tag != _TEXT:
                got = key.value if isinstance(key, yaml.ScalarNode) else f"a {key.id}"
                raise _refuse(f"a key must be text, got {got}", key)
            if key.value in seen:
                raise _refuse(f"key {key.value!r} stands twice", key)
            seen.add(key.value)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, OverflowError):  # PyYAML's own, e.g. of `!!int ""`
            raise _refuse(f"{_short(node.value)} is no {node.tag.rpartition(':')[2]}", node) from None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


_FLOAT = re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)$|^[-+]?([0-9]+\.[0-9]*|\.[0-9]+)$")


class _Dumper(yaml.SafeDumper):
    """Short lists on one line, no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(list, lambda d, v: d.represent_sequence("tag:yaml.org,2002:seq", v, flow_style=True))

for _yaml in (_Loader, _Dumper):  # the dumper too, so that it quotes the text "1e-3"
    _yaml.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    for _first in "-+.0123456789":
        _yaml.yaml_implicit_resolvers.setdefault(_first, []).insert(0, ("tag:yaml.org,2002:float", _FLOAT))


def _size(node: yaml.Node, known: dict[int, int], above: tuple[int, ...] = ()) -> int:
    """Nodes below and including this one, aliases written out."""
    if id(node) in above:
        raise yaml.YAMLError("an alias refers to itself")
    if id(node) not in known:
        children: list[yaml.Node] = []
        if isinstance(node, yaml.SequenceNode):
            children = node.value
        elif isinstance(node, yaml.MappingNode):
            children = [n for pair in node.value for n in pair]
        known[id(node)] = 1 + sum(_size(child, known, (*above, id(node))) for child in children)
    return known[id(node)]


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


def parse(text: str, name: str) -> dict[str, Any]:
    """A YAML mapping from text; `name` is what an error calls the file."""
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is not None and _size(node, {}) > MAX_NODES:
                raise UserError(f"{name}: more than {MAX_NODES} values once aliases are written out; write it smaller")
            value = loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise UserError(f"{name}{where}: not valid YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UserError(f"{name}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(value, dict):
        raise UserError(f"{name}: must be a mapping of keys to values, got {_kind(value)}")
    return value


def read(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"{path}: a study file may have {MAX_BYTES} bytes, this one has {path.stat().st_size}")
        return parse(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: is not UTF-8 text") from None


def parse_value(text: str, name: str) -> Any:
    """The value of `--set key=value`: a YAML scalar, list or mapping."""
    found = parse(f"value: {text}", name)
    if len(found) > 1:
        raise UserError(f"{name}: must be one value, got several keys")
    return found["value"]


def dump(value: dict[str, Any]) -> str:
    """YAML text with short lists on one line, keys in the order given."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
