"""YAML as people mean it: `1e-3` is a number, a key may stand once, and a bomb is refused before it goes off."""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from ganaug.errors import UserError

MAX_BYTES = 1_000_000
MAX_NODES = 100_000  # after aliases are written out
MAX_DEPTH = 50


class _Loader(yaml.SafeLoader):
    """SafeLoader with YAML 1.2's floats and without duplicate keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)  # type: ignore[no-untyped-call]
            if not isinstance(key, str):
                raise yaml.MarkedYAMLError(problem=f"a key must be text, got {key!r}", problem_mark=key_node.start_mark)
            if key in seen and key != "<<":
                raise yaml.MarkedYAMLError(problem=f"key {key!r} stands twice", problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


_FLOAT = re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)$|^[-+]?([0-9]+\.[0-9]*|\.[0-9]+)$")
_Loader.yaml_implicit_resolvers = {k: list(v) for k, v in yaml.SafeLoader.yaml_implicit_resolvers.items()}
for _first in "-+.0123456789":
    _Loader.yaml_implicit_resolvers.setdefault(_first, []).insert(0, ("tag:yaml.org,2002:float", _FLOAT))


def _size(node: yaml.Node, known: dict[int, int], above: tuple[int, ...] = ()) -> int:
    """Nodes below and including this one, aliases written out."""
    if id(node) in above:
        raise yaml.YAMLError("an alias refers to itself")
    if len(above) > MAX_DEPTH:
        raise yaml.YAMLError(f"nested more than {MAX_DEPTH} deep")
    if id(node) not in known:
        children: list[yaml.Node] = []
        if isinstance(node, yaml.SequenceNode):
            children = node.value
        elif isinstance(node, yaml.MappingNode):
            children = [n for pair in node.value for n in pair]
        known[id(node)] = 1 + sum(_size(child, known, (*above, id(node))) for child in children)
    return known[id(node)]


def parse(text: str, name: str) -> dict[str, Any]:
    """A YAML mapping from text; `name` is what an error calls the file."""
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()  # type: ignore[no-untyped-call]
            if node is not None and _size(node, {}) > MAX_NODES:
                raise UserError(f"{name}: more than {MAX_NODES} values once aliases are written out; write it smaller")
            value = loader.construct_document(node) if node is not None else None  # type: ignore[no-untyped-call]
        finally:
            loader.dispose()  # type: ignore[no-untyped-call]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise UserError(f"{name}{where}: not valid YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UserError(f"{name}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(value, dict):
        raise UserError(f"{name}: must be a mapping of keys to values, got {type(value).__name__}")
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
    return parse(f"value: {text}", name)["value"]


def dump(value: dict[str, Any]) -> str:
    """YAML text with short lists on one line, keys in the order given."""

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    Dumper.add_representer(list, lambda d, v: d.represent_sequence("tag:yaml.org,2002:seq", v, flow_style=True))
    return yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=110)
