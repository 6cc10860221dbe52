"""A page that is one file: styles, scripts and pictures inside it, and a policy that lets nothing else in.

The Content-Security-Policy allows the page's own style and scripts by their sha256 and pictures as data URIs; a script
that somebody smuggled into a class name would not run even if it were not escaped, and no request ever leaves.
"""

import base64
import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

_KINDS = {".png": "image/png", ".svg": "image/svg+xml", ".webp": "image/webp"}
# what may end a script element, or a line of JavaScript, inside JSON
_UNSAFE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def source(name: str) -> str:
    """The text of a file in `templates/`."""
    return (files("analysis") / "templates" / name).read_text(encoding="utf-8")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(source),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["json"] = json_block
    return environment


def _policy(kind: str, texts: list[str]) -> str:
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
    return f"{kind} " + (" ".join(f"'sha256-{digest}'" for digest in hashes) or "'none'")


def json_block(value: Any) -> Markup:
    """`value` as compact JSON that can stand inside a `<script type="application/json">` whatever its strings hold."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).translate(_UNSAFE)
    return Markup(text)


def data_uri(data: bytes, suffix: str = ".png") -> str:
    """A picture's bytes as an address that holds them."""
    return f"data:{_KINDS[suffix]};base64,{base64.b64encode(data).decode()}"


def render(template: str, scripts: tuple[str, ...], **values: Any) -> str:
    """The page of `template` with the one style sheet and the named scripts of `templates/` inside it."""
    style, own = source("page.css"), [source(name) for name in scripts]
    policy = "; ".join(
        [
            "default-src 'none'",
            "img-src data:",
            _policy("style-src", [style]),
            _policy("script-src", own),
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    return (
        _environment()
        .get_template(template)
        .render(policy=Markup(policy), style=Markup(style), scripts=[Markup(text) for text in own], **values)
    )
