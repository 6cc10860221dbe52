"""YAML as people mean it, and what is refused before it does harm."""

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganaug import yaml_file
from ganaug.errors import UserError

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30)
)


def refusal(text: str) -> str:
    """The one line a text is refused with, in well under the time a person notices."""
    began = time.monotonic()
    with pytest.raises(UserError) as told:
        yaml_file.parse(text, "study.yaml")
    assert time.monotonic() - began < 20  # not a benchmark: a bomb would take hours
    assert "\n" not in str(told.value)
    return str(told.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("1_000", 1000),
        ("1e-3", 0.001),
        ("1.0e3", 1000.0),
        ("1e3", 1000.0),
        ("-2E+4", -20000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("'1e-3'", "1e-3"),
        ("v1e3", "v1e3"),
        ("1e", "1e"),
        ("none", "none"),
        ("null", None),
        ("true", True),
        ("2026-11-21", "2026-11-21"),
        ("[3, 1e1]", [3, 10.0]),
    ],
)
def test_values_are_what_people_mean(text: str, value: Any) -> None:
    found = yaml_file.parse(f"key: {text}", "study.yaml")["key"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: 2\na: 3\n", "study.yaml, line 3: not valid YAML: key 'a' stands twice"),
        ("a:\n  b: 1\n  'b': 2\n", "study.yaml, line 3: not valid YAML: key 'b' stands twice"),
        ("x: [{a: 1, a: 1}]\n", "study.yaml, line 1: not valid YAML: key 'a' stands twice"),
        ("1: 2\n", "study.yaml, line 1: not valid YAML: a key must be text, got 1"),
        ("no: 2\n", "study.yaml, line 1: not valid YAML: a key must be text, got no"),
        ("? [a]\n: b\n", "study.yaml, line 1: not valid YAML: a key must be text, got a sequence"),
        ("a: *b\n", "study.yaml, line 1: not valid YAML: found undefined alias 'b'"),
        ("a: 1\n---\na: 2\n", "study.yaml, line 2: not valid YAML: but found another document"),
        ('a: 1\nb: !!int ""\n', "study.yaml, line 2: not valid YAML: '' is no int"),
        ("a: !!bool maybe\n", "study.yaml, line 1: not valid YAML: 'maybe' is no bool"),
        ('a: 1\nb: "x\\ud800"\n', "study.yaml, line 2: not valid YAML: half of a character, which is no text"),
        ("a: &a [*a]\n", "study.yaml: not valid YAML: an alias refers to itself"),
        ("a: &a {b: {c: *a}}\n", "study.yaml: not valid YAML: an alias refers to itself"),
        ("- a\n", "study.yaml: must be a mapping of keys to values, got a list"),
        ("", "study.yaml: must be a mapping of keys to values, got nothing"),
        ("text", "study.yaml: must be a mapping of keys to values, got a str"),
    ],
)
def test_refusals_name_file_line_and_rule(text: str, told: str) -> None:
    assert refusal(text) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LAUGHS, "more than 20000 values once aliases are written out; write it smaller"),
        ("a: [" + "x, " * 30_000 + "]", "more than 20000 values; write it smaller"),
        ("a: " + "[" * 100_000, "nested more than 50 deep"),
        ("a: " + "[{b: " * 100_000, "nested more than 50 deep"),
        ("- " * 100_000, "nested more than 50 deep"),
        ("? " * 100_000, "nested more than 50 deep"),
        ("a: " + "[" * 60 + "]" * 60, "nested more than 50 deep"),
        ("a: " + "9" * 100_000, "is no int"),
        ("a: !!python/object/apply:os.system [true]\n", "could not determine a constructor"),
        ("a: \0", "special characters are not allowed"),
    ],
    ids=["laughs", "long", "lists", "mappings", "blocks", "keys", "closed", "digits", "python", "nul"],
)
def test_bombs_do_not_go_off(text: str, told: str) -> None:
    assert told in refusal(text)


def test_merge_keys_fill_in_and_do_not_count_as_twice() -> None:
    text = "q: {r: &b {<<: {x: 0, y: 0}, x: 1}}\nc: {<<: *b, y: 2}\n"
    assert yaml_file.parse(text, "f") == {"q": {"r": {"x": 1, "y": 0}}, "c": {"x": 1, "y": 2}}


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    big, latin = tmp_path / "big.yaml", tmp_path / "latin.yaml"
    big.write_text("a: " + "x" * 1_000_000)
    latin.write_bytes("question: möglich\n".encode("latin-1"))
    for path, told in (
        (big, f"{big}: a study file may have 1000000 bytes, this one has 1000003"),
        (latin, f"{latin}: is not UTF-8 text"),
        (tmp_path, f"{tmp_path}: cannot be read: Is a directory"),
        (tmp_path / "none.yaml", f"{tmp_path / 'none.yaml'}: cannot be read: No such file or directory"),
    ):
        with pytest.raises(UserError) as error:
            yaml_file.read(path)
        assert str(error.value) == told


def test_a_set_value_is_one_value() -> None:
    assert yaml_file.parse_value("[3, 1e1]", "--set n_real") == [3, 10.0]
    with pytest.raises(UserError, match=r"^--set seed: must be one value, got several keys$"):
        yaml_file.parse_value("3\nname: other", "--set seed")


_pieces = st.sampled_from(
    [*"[]{}:,-?&*!|>'\"%@`#\n \t", "a", "b", "&a ", "*a", "<<: ", ": ", "- ", "? ", "!!", "!!int ", "!!float ",
     "!!timestamp ", "!!binary ", "!!set ", "!!omap ", "!!pairs ", "!!null ", "!!merge ", "=", "1e3", "0x", "0b", "1:2",
     "2026-13-45", "~", ".inf", ".nan", "---\n", "...\n", "%YAML 1.2\n", "\\x", "\ufeff", "\x85", "\u2028"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.text() | st.lists(_pieces, max_size=25).map("".join))
def test_any_text_is_a_mapping_or_one_line_of_refusal(text: str) -> None:
    try:
        found: Any = yaml_file.parse(text, "study.yaml")
    except UserError as error:
        found = str(error).splitlines()
    assert isinstance(found, dict) or len(found) == 1


# YAML folds the line breaks of other alphabets (NEL, LS, PS) into blanks
_text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x85\u2028\u2029"), max_size=20
) | st.sampled_from(
    ["1e-3", "1e5", ".5", "12", "0x1f", "1_000", "null", "no", "2026-11-21", "", "=", "<<", "- a", "a: b", "1:30", "#"]
)
_scalar = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _text
_value = st.recursive(
    _scalar,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_text, inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(_text, _value, max_size=5))
def test_what_is_dumped_is_parsed_back(value: dict[str, Any]) -> None:
    assert yaml_file.parse(yaml_file.dump(value), "study.yaml") == value
