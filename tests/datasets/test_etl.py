"""The ETL reader, on files packed in the publisher's layouts."""

from pathlib import Path

import numpy as np
import pytest
from etl_files import (
    b_type,
    c_type,
    g8_type,
    g9_type,
    jis_x_0201,
    jis_x_0208,
    katakana,
    m_type,
    picture,
    put,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganaug.datasets import load, missing, summary
from ganaug.datasets.characters import HIRAGANA
from ganaug.datasets.etl import SETS
from ganaug.datasets.etl_records import B8, B9, G8, G9, C, M, hiragana, kana, kanji, read_records
from ganaug.datasets.etl_shift import check_type
from ganaug.errors import UserError

RNG = np.random.default_rng(0)
COPY = "put the publisher's file there again"


def refusal(call, *arguments, **options) -> str:
    with pytest.raises(UserError) as caught:
        call(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("layout", "pack"),
    [
        (M, lambda image: m_type(image, jis_x_0201("ア"))),
        (C, lambda image: c_type(image, jis_x_0201("ア"), "K")),
        (G8, lambda image: g8_type(image, jis_x_0208("亜"))),
        (G9, lambda image: g9_type(image, jis_x_0208("亜"))),
        (B8, lambda image: b_type(image, jis_x_0208("亜"))),
        (B9, lambda image: b_type(image, jis_x_0208("亜"), tail=64)),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_images_and_characters_come_back_to_the_bit(layout, pack, tmp_path):
    levels = 2**layout.bits
    pictures = [picture(RNG, layout.height, layout.width, levels) for _ in range(3)]
    data = b"".join(map(pack, pictures))
    assert len(data) == 3 * layout.size
    if layout.dummy:
        data = bytes(layout.size) + data
    found = read_records(put(tmp_path, "file", data), layout)
    assert found.characters.tolist() == [{"M": "ア", "C": "ア"}.get(layout.kind, "亜")] * 3
    images = found.images(np.array([2, 0]))
    np.testing.assert_array_equal(images, np.stack([pictures[2], pictures[0]]) * (255 // (levels - 1)))


def test_the_left_pixel_is_the_high_half_of_a_byte(tmp_path):
    record = bytearray(m_type(np.zeros((63, 64)), jis_x_0201("A")))
    record[32], record[33] = 0xF1, 0x20
    image = read_records(put(tmp_path, "file", bytes(record)), M).images(np.array([0]))[0]
    assert image[0, :4].tolist() == [255, 17, 34, 0]


def test_codes_of_every_kana_and_some_that_are_none():
    assert "".join(kana(jis_x_0201(katakana(c))) for c in HIRAGANA) == "".join(map(katakana, HIRAGANA))
    assert "".join(hiragana(kana(jis_x_0201(katakana(c)))) for c in HIRAGANA) == HIRAGANA
    assert (kana(0xA8), kana(0xAA)) == ("ヰ", "ヱ")  # the database's own use of two small kana
    assert (hiragana(kana(0xDE)), hiragana(kana(0xDF))) == ("゛", "゜")
    assert (kana(0x41), kana(0x5C), hiragana("A")) == ("A", "¥", None)
    assert [kana(code) for code in (0x00, 0x20, 0x7F, 0x80, 0xA0, 0xE0, 0xFF)] == [None] * 7
    assert (kanji(0x3021), kanji(0x2422)) == ("亜", "あ")
    assert [kanji(code) for code in (0x0000, 0x1B28, 0x0A0A, 0x2921, 0xFFFF)] == [None] * 5


def test_hiragana_and_katakana_of_a_c_type_are_told_apart(tmp_path):
    image, code = np.zeros((76, 72)), jis_x_0201("カ")
    data = c_type(image, code, "H", 5) + c_type(image, code, "K", 5) + c_type(image, jis_x_0201("7"), "N", 6)
    found = read_records(put(tmp_path, "file", data), C)
    assert found.characters.tolist() == ["か", "カ", "7"]
    assert [w == found.writers[0] for w in found.writers] == [True, True, False]


def test_etl1_and_etl6_may_state_no_code_etl7_may_not(tmp_path):
    path = put(tmp_path, "file", m_type(np.zeros((63, 64)), 0) + m_type(np.zeros((63, 64)), jis_x_0201("ア")))
    assert read_records(path, M).characters.tolist() == ["", "ア"]
    assert refusal(read_records, path, M, only_hiragana=True) == (
        f"{path}: the code at offset 6 must be a hiragana of JIS X 0201, got 0x00: damaged, or a file of another set; "
        f"{COPY}"
    )


def test_damage_is_told_with_its_offset(tmp_path):
    image = np.zeros((63, 64))
    whole = m_type(image, jis_x_0201("ア"))
    cut = put(tmp_path, "cut", whole + whole[:-1])
    assert refusal(read_records, cut, M) == (
        f"{cut}: must be a multiple of 2052 bytes, the length of a M-type record, got 4103: the last record, at offset "
        f"2052, ends after 2051 bytes; {COPY}"
    )
    odd = put(tmp_path, "odd", whole + m_type(image, 0xFF))
    assert refusal(read_records, odd, M).startswith(
        f"{odd}: the code at offset 2058 must be a character of JIS X 0201, got 0xff: damaged"
    )
    other = put(tmp_path, "other", bytes(512) + b_type(image, jis_x_0208("亜")) + b_type(image, 0x2921))
    assert refusal(read_records, other, B8).startswith(
        f"{other}: the code at offset 1026 must be a character of JIS X 0208, got 0x2921: damaged"
    )
    assert (
        refusal(read_records, put(tmp_path, "none", b""), M) == f"{tmp_path}/none: holds no images, got 0 bytes; {COPY}"
    )
    dummy = put(tmp_path, "dummy", bytes(512))
    assert refusal(read_records, dummy, B8) == f"{dummy}: holds no images, got 512 bytes; {COPY}"
    (tmp_path / "folder").mkdir()
    assert refusal(read_records, tmp_path / "folder", M).startswith(f"{tmp_path}/folder: cannot be read: ")


def inked(margin: int) -> np.ndarray:
    """A picture with ink in the middle and `margin` blank columns at each side."""
    image = np.zeros((127, 128), np.int64)
    image[30:100, margin : 128 - margin] = RNG.integers(0, 16, (70, 128 - 2 * margin))
    return image


@pytest.mark.parametrize("margin", [0, 20], ids=["ink-at-the-edge", "blank-margins"])
def test_8g_read_as_9g_is_seen_and_the_other_way_round(margin, tmp_path):
    code = jis_x_0208("亜")
    pictures = [inked(margin) if margin else RNG.integers(1, 16, (127, 128)) for _ in range(5)]
    eight = put(tmp_path, "eight", b"".join(g8_type(p, code) for p in pictures))
    nine = put(tmp_path, "nine", b"".join(g9_type(p, code) for p in pictures))
    check_type(eight, read_records(eight, G8))
    check_type(nine, read_records(nine, G9))
    wrong = read_records(eight, G9)
    np.testing.assert_array_equal(wrong.images(np.array([0]))[0, :, :120], np.array(pictures[0])[:, 8:] * 17)
    assert refusal(check_type, eight, wrong) == (
        f"{eight}: holds records of ETL8G, whose images begin at offset 60 of each; read as ETL9G they would be "
        "8 pixels off; put the file where ETL8G belongs and ask for set: etl8g"
    )
    assert "holds records of ETL9G, whose images begin at offset 64" in refusal(
        check_type, nine, read_records(nine, G8)
    )


def test_the_number_of_records_of_a_whole_file_decides(tmp_path):
    blank = np.zeros((127, 128), np.int64)  # says nothing by itself
    path = put(tmp_path, "blank", g8_type(blank, jis_x_0208("亜")) * 956)
    check_type(path, read_records(path, G8))
    assert "holds records of ETL8G" in refusal(check_type, path, read_records(path, G9))
    some = put(tmp_path, "some", g8_type(blank, jis_x_0208("亜")) * 3)
    check_type(some, read_records(some, G9))  # nothing to tell it by, and nothing to see in it


def etl7(folder: Path, n_writers: int = 10) -> None:
    """The four files of ETL7 with あ, い and a sound mark, each writer on one sheet per file."""
    for place, name in enumerate(SETS["etl7"].files):
        records = [
            m_type(
                picture(np.random.default_rng([place, writer, code]), 63, 64, 16), code, 100 * place + writer, writer
            )
            for code in (*(jis_x_0201(katakana(c)) for c in "あい"), 0xDE)
            for writer in range(20, 20 + n_writers)
        ]
        put(folder / "ETL7", name, b"".join(records))


def test_a_set_is_loaded_with_its_writers_held_out_whole(tmp_path):
    etl7(tmp_path)
    data = load("etl", tmp_path, set="etl7", characters="いあ", size=64)
    assert (data.name, data.classes, data.synthetic) == ("etl-etl7", ("い", "あ"), False)
    assert data.images.shape == (80, 1, 64, 64)
    assert np.bincount(data.labels).tolist() == [40, 40]
    first = picture(np.random.default_rng([0, 20, jis_x_0201("ア")]), 63, 64, 16)
    np.testing.assert_array_equal(data.images[0, 0], np.vstack([first * 17, np.zeros((1, 64))]))
    assert data.labels[0] == 1
    # two of ten writers, with all of their images: two characters in four files
    assert data.test is not None
    assert data.test.sum() == 16
    by_writer = data.test.reshape(4, 2, 10)
    assert (by_writer == by_writer[:1, :1]).all()
    again = load("etl", tmp_path, set="etl7", characters="いあ", size=64)
    assert again.digest() == data.digest()


def test_per_class_and_size_are_what_is_asked_for(tmp_path):
    etl7(tmp_path, n_writers=4)
    data = load("etl", tmp_path, set="etl7", characters="あい", per_class=5, size=16)
    assert data.images.shape == (10, 1, 16, 16)
    assert np.bincount(data.labels).tolist() == [5, 5]
    assert data.test is None  # four writers are too few to hold one out
    ask = {"set": "etl7", "characters": "あい"}
    assert refusal(load, "etl", tmp_path, **ask, per_class=17) == (
        "etl: per_class: etl7 holds 16 images of 'あ', got 17"
    )
    assert refusal(load, "etl", tmp_path, set="etl7", characters="あえ") == (
        "etl: characters: etl7 holds no 'え'; leave it out, or name another set"
    )
    assert refusal(load, "etl", tmp_path, **ask, size=4) == "etl: size must lie in [8, 128], got 4"
    assert refusal(load, "etl", tmp_path, set="etl2", characters="あい") == (
        "etl: set must be one of etl1, etl3, etl4, etl5, etl6, etl7, etl8b, etl8g, etl9b, etl9g, got 'etl2'"
    )
    assert refusal(load, "etl", tmp_path, set="etl7", characters="あ").startswith(
        "etl: characters must be at least 2 characters, or one of hiragana-10, "
    )
    assert refusal(load, "etl", tmp_path, set="etl7", characters="ああ") == (
        "etl: characters holds 'あ' twice, got 'ああ'; write it once"
    )


def test_absent_files_are_named_with_their_place(tmp_path):
    etl7(tmp_path, n_writers=2)
    (tmp_path / "ETL7/ETL7SC_2").unlink()
    assert missing("etl", tmp_path, set="etl7") == [tmp_path / "ETL7/ETL7SC_2"]
    assert refusal(load, "etl", tmp_path, set="etl7", characters="あい") == (
        "etl etl7 needs 1 more of its 4 files: get them from the publisher of the ETL Character Database, whose terms "
        f"forbid passing them on, and put ETL7SC_2 into {tmp_path}/ETL7"
    )
    assert not summary("etl", tmp_path, set="etl7").present
    assert len(missing("etl", tmp_path, set="etl9g")) == 50


def test_a_file_of_the_other_g_type_is_refused_by_the_loader(tmp_path):
    image = inked(20)
    for name in SETS["etl9g"].files:
        put(tmp_path / "ETL9G", name, g8_type(image, jis_x_0208("亜")))
    assert "ETL9G_01: holds records of ETL8G" in refusal(load, "etl", tmp_path, set="etl9g", characters="亜哀")


LAYOUTS = {layout.kind: layout for layout in (M, C, G8, G9, B8, B9)}
WHOLE = {
    "M": m_type(inked(0)[:63, :64], jis_x_0201("ア")) * 2,
    "C": c_type(inked(0)[:76, :72], jis_x_0201("ア"), "H") * 2,
    "8G": g8_type(inked(20), jis_x_0208("亜")) * 2,
    "9G": g9_type(inked(20), jis_x_0208("亜")) * 2,
    "8B": bytes(512) + b_type(inked(0)[:63, :64] > 7, jis_x_0208("亜")),
    "9B": bytes(576) + b_type(inked(0)[:63, :64] > 7, jis_x_0208("亜"), tail=64),
}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(sorted(LAYOUTS)),
    source=st.sampled_from(sorted(WHOLE)),
    cut=st.one_of(st.none(), st.integers(0, 20_000)),
    damage=st.lists(st.tuples(st.integers(0, 9000), st.integers(0, 255)), max_size=6),
    noise=st.one_of(st.none(), st.integers(0, 2**32 - 1)),
    only_hiragana=st.booleans(),
)
def test_any_bytes_are_read_or_refused(kind, source, cut, damage, noise, only_hiragana, tmp_path):
    data = bytearray(WHOLE[source])
    if noise is not None:
        data = bytearray(np.random.default_rng(noise).bytes(len(WHOLE[kind])))
    for at, value in damage:
        data[at % len(data)] = value
    path = put(tmp_path, "file", bytes(data[:cut]))
    layout, told = LAYOUTS[kind], str(path)
    try:
        found = read_records(path, layout, only_hiragana)
        images = found.images(np.arange(len(found.raw)))
        check_type(path, found)
    except UserError as error:
        told = str(error)
    else:
        assert images.shape == (len(found.raw), layout.height, layout.width)
    assert told.startswith(str(path))
    assert "\n" not in told
