"""Sets of characters by name, for data sets that hold more than a study asks for.

The rows of the kana table are nested: 10 ⊂ 20 ⊂ 30 ⊂ 46, so that two studies that differ in their number of classes
differ in nothing else.
"""

from ganaug.errors import UserError

HIRAGANA = "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわをん"

GROUPS = {
    "hiragana-10": HIRAGANA[:10],  # the rows あ and か
    "hiragana-20": HIRAGANA[:20],  # and さ and た
    "hiragana-30": HIRAGANA[:30],  # and な and は
    "hiragana-46": HIRAGANA,
    "hiragana-20-disjoint": HIRAGANA[10:30],  # さ た な は: none of the first ten
    "latin-upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "digits": "0123456789",
    "kanji-10": "日月火水木金土山川人",  # of the first school year; any others can be written out
}


def parse_characters(name: str, text: str) -> tuple[str, ...]:
    """The characters that a set's name or the characters themselves stand for, in that order.

    name: the data set's, for the UserError where one comes twice, or where there are fewer than two.
    """
    found = tuple(GROUPS.get(text, text))
    if len(found) < 2:
        raise UserError(
            f"{name}: characters must be at least 2 characters, or one of {', '.join(GROUPS)}; got {text!r}"
        )
    if twice := [c for c in found if found.count(c) > 1]:
        close = [group for group in GROUPS if group[:5] == text[:5]]
        hint = f"; known sets: {', '.join(close)}" if close else "; write it once"
        raise UserError(f"{name}: characters holds {twice[0]!r} twice, got {text!r}{hint}")
    if blank := [c for c in found if c.isspace() or not c.isprintable()]:
        raise UserError(f"{name}: characters must be visible, got {blank[0]!r}; leave it out")
    return found
