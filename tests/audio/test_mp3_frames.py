import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audio import mpeg
from app.audio.mp3_frames import Frame, Gap, Mp3Frames, id3v2_length
from tests.audio.material import TAG_BYTES, cut, fixture

MP3 = fixture("speech_44100_128.mp3")[TAG_BYTES:12_000]
ID3 = b"ID3\x04\x00\x00\x00\x00\x02\x00" + b"\xff\xfb\x90\xc4" * 64  # whose body looks like frames
ID3V1 = b"TAG" + bytes(125)
APE = b"APETAGEX\xd0\x07\x00\x00" + (50).to_bytes(4, "little") + bytes(16) + bytes(50)


def whole(mp3: bytes) -> list[bytes]:
    """The frames of an undamaged stream, by their headers alone."""
    found, at = [], 0
    while (header := mpeg.parse(mp3[at : at + 4])) and at + header.length <= len(mp3):
        found.append(mp3[at : at + header.length])
        at += header.length
    return found


FRAMES = whole(MP3)
STREAM = b"".join(FRAMES)


def run(*pieces: bytes) -> tuple[list[Frame | Gap], Mp3Frames]:
    frames = Mp3Frames()
    found = [one for piece in pieces for one in frames.feed(piece)]
    return found + frames.finish(), frames


def played(found: list[Frame | Gap]) -> list[bytes]:
    return [one.mp3 for one in found if isinstance(one, Frame)]


def test_frames_of_a_clean_stream_all_come_out() -> None:
    found, frames = run(STREAM)

    assert set(map(len, FRAMES)) == {417, 418}
    assert played(found) == FRAMES
    assert not [one for one in found if isinstance(one, Gap)]
    assert (frames.tag_bytes, frames.skipped_bytes) == (0, 0)


@pytest.mark.parametrize("tag", [b"", ID3])
def test_the_opening_frame_comes_with_its_last_byte(tag: bytes) -> None:
    frames, first = Mp3Frames(), len(FRAMES[0])

    assert frames.feed(tag + STREAM[: first - 1]) == []
    assert [type(one) for one in frames.feed(STREAM[first - 1 : first])] == [Frame]


def test_a_later_frame_comes_when_the_next_header_proves_it() -> None:
    frames, two = Mp3Frames(), len(FRAMES[0]) + len(FRAMES[1])

    assert len(frames.feed(STREAM[:two])) == 1
    assert len(frames.feed(STREAM[two : two + 3])) == 0
    assert len(frames.feed(STREAM[two + 3 : two + 4])) == 1


@pytest.mark.parametrize("tag", [ID3, ID3V1, APE, ID3V1 + ID3, ID3 + ID3])
@pytest.mark.parametrize("where", [0, 3, len(FRAMES)])
def test_tags_are_stepped_over_at_the_head_inside_and_at_the_end(tag: bytes, where: int) -> None:
    found, frames = run(b"".join(FRAMES[:where]) + tag + b"".join(FRAMES[where:]))

    assert played(found) == FRAMES
    assert frames.tag_bytes == len(tag)
    assert frames.skipped_bytes == 0


def test_a_tag_of_megabytes_is_not_buffered() -> None:
    size = 5 << 20
    head = b"ID3\x03\x00\x00" + bytes((size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127))
    frames = Mp3Frames()

    for piece in [head, *[bytes(65_536)] * (size // 65_536)]:
        assert frames.feed(piece) == []
        assert len(frames._buffer) == 0
    assert len(frames.feed(FRAMES[0])) == 1


def test_the_footer_of_a_tag_counts_and_false_tags_do_not() -> None:
    assert id3v2_length(b"ID3\x04\x00\x10\x00\x00\x01\x00") == 10 + 128 + 10
    assert id3v2_length(b"ID3\x04\x00\x00\x00\x00\x00\x80") is None
    assert id3v2_length(b"ID3\x05\x00\x00\x00\x00\x00\x00") is None
    assert id3v2_length(b"ID3\x04\xff\x00\x00\x00\x00\x00") is None
    assert id3v2_length(b"ID3\x04\x00\x01\x00\x00\x00\x00") is None


def test_an_index_frame_is_dropped() -> None:
    vbr = fixture("speech_vbr_xing.mp3")
    found, frames = run(vbr)

    assert b"Xing" not in b"".join(played(found)[:1])
    assert len(played(found)) == 321
    assert frames.tag_bytes > 150
    assert frames.skipped_bytes == 0


def test_foreign_bytes_cost_the_frame_that_cannot_be_proved() -> None:
    junk = random.Random(1).randbytes(777)
    found, frames = run(b"".join(FRAMES[:5]) + junk + b"".join(FRAMES[5:]))

    assert played(found) == FRAMES[:4] + FRAMES[5:]
    assert [one.header.length for one in found if isinstance(one, Gap) and one.header] == [len(FRAMES[4])]
    assert frames.skipped_bytes == 777 + len(FRAMES[4])


def test_a_frame_that_lost_bytes_is_a_gap_and_the_next_one_is_found() -> None:
    found, frames = run(b"".join(FRAMES[:4]) + FRAMES[4][:-100] + b"".join(FRAMES[5:]))

    assert played(found) == FRAMES[:4] + FRAMES[5:]
    assert [type(one) for one in found].index(Gap) == 4
    assert frames.skipped_bytes == len(FRAMES[4]) - 100


def test_a_header_without_a_second_of_its_kind_is_no_beginning() -> None:
    other = bytes.fromhex("fffb94c4")  # 48 kHz
    for decoy in (FRAMES[1][:4], other + bytes(380) + FRAMES[1][:4]):
        found, frames = run(b"junk" + decoy + bytes(1_500) + STREAM)

        assert played(found) == FRAMES
        assert frames.skipped_bytes == 4 + len(decoy) + 1_500


def test_a_single_frame_behind_junk_counts_when_the_stream_ends_with_it() -> None:
    found, frames = run(b"junk", FRAMES[0])

    assert played(found) == [FRAMES[0]]
    assert frames.skipped_bytes == 4


def test_a_truncated_end_is_skipped() -> None:
    found, frames = run(STREAM[:-10])

    assert played(found) == FRAMES[:-1]
    assert frames.skipped_bytes == len(FRAMES[-1]) - 10


@pytest.mark.parametrize(
    "text", [b'{"error":"none"}' * 90, b"<html>" * 500, b"\xff" * 5_000, b"", b"I", b"TA", b"\xff\xfb"]
)
def test_what_is_no_mp3_gives_nothing(text: bytes) -> None:
    found, frames = run(text)

    assert played(found) == []
    assert frames.skipped_bytes == len(text)


def test_a_tag_that_claims_gigabytes_is_junk() -> None:
    lie = b"APETAGEX\xd0\x07\x00\x00\xff\xff\xff\x7f" + bytes(16)
    found, _ = run(b"".join(FRAMES[:3]) + lie + b"".join(FRAMES[3:]))

    assert played(found)[-3:] == FRAMES[-3:]


STREAMS = [
    STREAM,
    ID3 + STREAM + ID3V1,
    STREAM[:2_000] + ID3 + STREAM[2_000:],
    STREAM[:1_234] + bytes(range(256)) * 3 + STREAM[1_500:],
    STREAM[100:-100],
    b"junkI" + STREAM[418:3_000] + b"ID" + STREAM[3_000:] + b"\xff",
]


@given(st.sampled_from(STREAMS), st.sampled_from([1, 2, 5, 100, 700]), st.integers())
def test_any_split_gives_the_same_frames(stream: bytes, largest: int, seed: int) -> None:
    found, frames = run(*cut(stream, largest, seed))
    at_once, reference = run(stream)

    assert found == at_once
    assert (frames.tag_bytes, frames.skipped_bytes) == (reference.tag_bytes, reference.skipped_bytes)


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=50), st.sampled_from([*FRAMES[:3], ID3, ID3V1, APE, b"ID3", b"\xff\xfb"])
        )
    )
)
def test_every_byte_is_accounted_for(parts: list[bytes]) -> None:
    found, frames = run(*parts)

    assert sum(map(len, played(found))) + frames.tag_bytes + frames.skipped_bytes == sum(map(len, parts))
