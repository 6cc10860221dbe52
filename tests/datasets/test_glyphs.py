"""Drawn glyphs: fonts as writers, the same images from the same fonts, and refusals that say what to install."""

from pathlib import Path

import numpy as np
import pytest

from ganaug.datasets import fonts as font_module
from ganaug.datasets import load
from ganaug.datasets.characters import GROUPS, HIRAGANA
from ganaug.datasets.fonts import JAPANESE, LATIN, find_fonts, installed
from ganaug.errors import UserError

HAVE_JAPANESE = all(file.lower() in installed() for hand in JAPANESE for file in hand.files)


def refusal(**options) -> str:
    with pytest.raises(UserError) as caught:
        load("glyphs", "nowhere", **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_rows_of_kana_are_nested_and_the_disjoint_ones_are_not():
    sizes = [10, 20, 30, 46]
    assert [len(GROUPS[f"hiragana-{n}"]) for n in sizes] == sizes
    assert all(HIRAGANA.startswith(GROUPS[f"hiragana-{n}"]) for n in sizes)
    assert not set(GROUPS["hiragana-20-disjoint"]) & set(GROUPS["hiragana-10"])
    assert len(set(GROUPS["kanji-10"])) == 10


def test_letters_are_drawn_with_fonts_held_out_whole():
    data = load("glyphs", "nowhere", characters="ABC", per_class=21, size=16)
    assert (data.name, data.classes, data.synthetic) == ("glyphs", ("A", "B", "C"), True)
    assert data.images.shape == (63, 1, 16, 16)
    assert np.bincount(data.labels).tolist() == [21] * 3
    n_test = sum(len(hand.files) for hand in LATIN if hand.test)
    n_fonts = sum(len(hand.files) for hand in LATIN)
    assert data.test is not None
    assert data.test.sum() == 3 * n_test * 21 // n_fonts
    assert data.images[:, 0, 0].mean() < 10  # ink white on black, with a margin
    assert data.images.max() > 200
    # a letter differs from itself in another font, and its images from one another
    assert len({image.tobytes() for image in data.images}) == 63


def test_the_same_fonts_give_the_same_images_whatever_else_is_asked_for():
    one = load("glyphs", "nowhere", characters="AB", per_class=14, size=16)
    two = load("glyphs", "elsewhere", characters="BA", per_class=14, size=16)
    np.testing.assert_array_equal(one.images[one.labels == 0], two.images[two.labels == 1])
    assert one.digest() == load("glyphs", "nowhere", characters="AB", per_class=14, size=16).digest()


def test_a_letter_stays_recognisable():
    from sklearn.linear_model import LogisticRegression

    data = load("glyphs", "nowhere", characters="ACEX", per_class=70, size=16)
    flat = data.images.reshape(len(data.images), -1) / 255
    model = LogisticRegression(max_iter=300).fit(flat[~data.test], data.labels[~data.test])
    assert model.score(flat[data.test], data.labels[data.test]) > 0.8


def test_fonts_are_named_by_path_file_or_family():
    by_path = str(installed()["dejavusans.ttf"])
    found = find_fonts("AB", [by_path, "STIXGeneral.ttf", "dejavu-serif"])
    assert [(hand.name, path.name, hand.test) for hand, path in found] == [
        ("DejaVuSans", "DejaVuSans.ttf", False),
        ("STIXGeneral", "STIXGeneral.ttf", False),
        ("dejavu-serif", "DejaVuSerif.ttf", True),
        ("dejavu-serif", "DejaVuSerif-Italic.ttf", True),
    ]
    single = load("glyphs", "nowhere", characters="AB", per_class=4, size=16, fonts=["STIXGeneral"])
    assert single.test is None


def test_what_is_missing_is_named_with_its_package(monkeypatch):
    monkeypatch.setattr(font_module, "installed", dict)
    assert refusal(characters="hiragana-10") == (
        "glyphs: no font of this machine is called kiloji.ttf, kiloji_b.ttf, aoyagi-soseki.ttf, AoyagiKouzanT.ttf, "
        "setofont.ttf, kouzan-mouhitsu.ttf; install fonts-aoyagi-kouzan-t fonts-aoyagi-soseki fonts-kiloji "
        "fonts-kouzan-mouhitsu fonts-seto (Debian, Ubuntu: apt-get install), or name others with dataset.fonts: paths, "
        "names of files, or families"
    )


def test_what_cannot_be_drawn_is_refused(tmp_path: Path):
    assert refusal(characters="AB", fonts=["nosuchfont"]) == (
        "glyphs: no font of this machine is called nosuchfont; install them, or name others with dataset.fonts: paths, "
        "names of files, or families"
    )
    stix = installed()["stixgeneral.ttf"]
    assert refusal(characters="あい", fonts=["STIXGeneral.ttf"]) == (
        f"{stix}: has no glyph for 'あ'; name another font with dataset.fonts"
    )
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    assert refusal(characters="AB", fonts=[str(broken)]).startswith(f"{broken}: cannot be read as a font (")
    assert refusal(characters="A") == (
        f"glyphs: characters must be at least 2 characters, or one of {', '.join(GROUPS)}; got 'A'"
    )
    assert refusal(characters="hiragana-11") == (
        "glyphs: characters holds 'a' twice, got 'hiragana-11'; known sets: hiragana-10, hiragana-20, hiragana-30, "
        "hiragana-46, hiragana-20-disjoint"
    )
    assert refusal(characters="A B") == "glyphs: characters must be visible, got ' '; leave it out"
    assert refusal(characters="AB", size=4) == "glyphs: size must lie in [8, 256], got 4"
    assert refusal(characters="AB", per_class=3) == "glyphs: per_class must be at least the number of fonts (7), got 3"


@pytest.mark.skipif(not HAVE_JAPANESE, reason="needs the handwriting fonts of Debian; see docs/studies/infogan.md")
def test_kana_and_kanji_are_drawn_by_held_out_hands():
    for characters in (GROUPS["hiragana-46"], GROUPS["kanji-10"]):
        data = load("glyphs", "nowhere", characters=characters, per_class=6, size=32)
        assert data.classes == tuple(characters)
        assert data.test is not None
        assert data.test.reshape(-1, 6).tolist() == [[False] * 4 + [True] * 2] * len(characters)
        assert (data.images.reshape(len(data.images), -1).max(1) > 60).all()
