"""Text that may be anybody's, fit to stand in one line of a terminal."""

import unicodedata

_CONTROLS = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # Unicode's categories of control, format and surrogate, and of separators


def plain(text: str, lines: bool = False) -> str:
    """`text` with every control character written out, e.g. `\\x1b`; `lines`: but for the ends of lines."""
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) in _CONTROLS and not (lines and c == "\n") else c
        for c in text
    )
