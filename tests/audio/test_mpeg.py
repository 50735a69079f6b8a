import pytest

from app.audio import mpeg
from tests.audio.material import TAG_BYTES, fixture, lame, tone

MONO_44100 = bytes.fromhex("fffb90c4")


def test_a_header_of_44100_hz_mono_is_read() -> None:
    header = mpeg.parse(MONO_44100)

    assert header == mpeg.Header(
        version=3, rate=44_100, channels=1, samples=1_152, length=417, side_start=4, side_bytes=17
    )


def test_padding_and_a_checksum_lengthen_the_frame_and_its_head() -> None:
    padded, checked = mpeg.parse(bytes.fromhex("fffb92c4")), mpeg.parse(bytes.fromhex("fffa90c4"))

    assert padded and padded.length == 418
    assert checked and checked.side_start == 6


@pytest.mark.parametrize("rate", [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_lengths_and_rates_are_those_of_an_encoder(rate: int, channels: int) -> None:
    mp3 = lame(tone(300, rate, 0.8).repeat(channels), rate, 32, channels)

    at, lengths = 0, 0
    while at < len(mp3):
        header = mpeg.parse(mp3[at : at + 4])
        assert header and (header.rate, header.channels) == (rate, channels)
        at += header.length
        lengths += 1
    assert at == len(mp3)
    assert lengths > 5


@pytest.mark.parametrize(
    "head",
    [
        "fffb00c4",  # free format: no length
        "fffbf0c4",  # reserved bit rate
        "fffb9cc4",  # reserved sample rate
        "fffb90c6",  # reserved emphasis
        "ffeb90c4",  # reserved version
        "fffd90c4",  # layer II
        "ffff90c4",  # layer I
        "fefb90c4",  # no sync
        "fffb90",  # too short
    ],
)
def test_what_cannot_be_a_frame_is_refused(head: str) -> None:
    assert mpeg.parse(bytes.fromhex(head)) is None


@pytest.mark.parametrize("name", ["speech_44100_128.mp3", "speech_22050_32.mp3", "speech_44100_stereo.mp3"])
def test_no_frame_of_an_encoder_reaches_back_further_than_the_one_before_left(name: str) -> None:
    mp3 = fixture(name)
    at, left = mp3.index(b"\xff"), 0

    while at < len(mp3):
        header = mpeg.parse(mp3[at : at + 4])
        assert header
        bits = mpeg.bits(mp3[at : at + header.length], header)
        assert 0 <= bits.back <= left
        left = bits.left
        at += header.length


def test_only_index_frames_are_taken_for_such() -> None:
    vbr, cbr = fixture("speech_vbr_xing.mp3"), fixture("speech_44100_128.mp3")
    at = vbr.index(b"\xff\xfb")
    index, plain = mpeg.parse(vbr[at : at + 4]), mpeg.parse(cbr[TAG_BYTES : TAG_BYTES + 4])

    assert index and mpeg.is_index(vbr[at : at + index.length], index)
    assert plain and not mpeg.is_index(cbr[TAG_BYTES : TAG_BYTES + plain.length], plain)
    assert mpeg.is_index(MONO_44100 + bytes(32) + b"VBRI" + bytes(377), plain)


def test_two_rates_are_not_akin() -> None:
    one, other = mpeg.parse(MONO_44100), mpeg.parse(bytes.fromhex("fffb94c4"))

    assert one and other
    assert one.akin(one._replace(length=1))
    assert not one.akin(other)
