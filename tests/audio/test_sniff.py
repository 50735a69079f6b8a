import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.audio.sniff import Content, sniff
from tests.audio.material import TAG_BYTES, fixture

MP3 = fixture("speech_22050_32.mp3")
NAMED = [Content.PCM, Content.MULAW]
BODIES = [
    b'{"detail":{"status":"quota_exceeded","message":"This request exceeds your quota of 10000."}}',
    b'  {\n "error": "no such voice, or it is not yours, or it was removed some time ago"}',
    b'[{"loc":["body","text"],"msg":"field required","type":"value_error.missing"}, {"loc":[]}]',
    b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>",
    b"<?xml version='1.0' encoding='UTF-8'?><Error><Code>AccessDenied</Code></Error>  ",
    b"upstream connect error or disconnect/reset before headers. reset reason: overflow",
    '\ufeff{"detail": "Stimme nicht gefunden: äöü, und noch etwas mehr Text dahinter"}'.encode(),
]
SHORT_BODIES = [b'{"a":1}', b"{}", b"Internal Server Error", b"<html>"]


@pytest.mark.parametrize("named", NAMED)
@pytest.mark.parametrize("body", BODIES)
def test_bodies_are_text(body: bytes, named: Content) -> None:
    assert sniff(body, named, ended=False) is Content.TEXT


@pytest.mark.parametrize("body", SHORT_BODIES)
def test_a_short_body_is_text_when_it_has_ended(body: bytes) -> None:
    assert sniff(body, Content.PCM, ended=False) is None
    assert sniff(body, Content.PCM, ended=True) is Content.TEXT


@pytest.mark.parametrize("named", [*NAMED, Content.MP3])
def test_a_wav_file_is_known_by_its_whole_header(named: Content) -> None:
    assert sniff(b"RIFF\x00\x01\x02\x03WAVE", named, ended=False) is Content.WAV
    assert sniff(b"RIFF\x00\x01\x02\x03WAV", named, ended=False) is None
    assert sniff(b"RIFF\x00\x01\x02\x03WAVX", named, ended=False) is named
    assert sniff(b"RIFF\x00\x01\x02\x03WAV", named, ended=True) is named


def test_mp3_is_known_by_its_tag() -> None:
    assert sniff(MP3[:10], Content.MULAW, ended=False) is Content.MP3
    assert sniff(MP3[:9], Content.MULAW, ended=False) is None


def test_mp3_without_a_tag_is_known_by_three_frames() -> None:
    bare = MP3[TAG_BYTES:]

    assert sniff(bare[:200], Content.PCM, ended=False) is None
    assert sniff(bare[:400], Content.PCM, ended=False) is Content.MP3
    assert sniff(bare[:104], Content.PCM, ended=True) is Content.MP3  # a single frame, and nothing else


@pytest.mark.parametrize(
    "head",
    [
        bytes(100),
        b"\xff" * 100,
        b"\x55" * 100,  # printable, but no words
        b"{" * 100,
        b"ID3 is how some sounds begin\x00\xff",
        b"\xff\xfb\x90\xc4" + bytes(2_000),  # one header, and no second
        b"<" + bytes(99),
        b"RIFFRAFF" * 10,
    ],
)
@pytest.mark.parametrize("named", NAMED)
def test_samples_that_resemble_something_else_stay_samples(head: bytes, named: Content) -> None:
    assert sniff(head, named, ended=False) is named


@given(st.binary(max_size=300), st.sampled_from(Content), st.data())
@example(BODIES[0], Content.PCM, None)
@example(MP3[:300], Content.PCM, None)
def test_more_bytes_never_change_a_verdict(head: bytes, named: Content, data: st.DataObject | None) -> None:
    shorter = range(len(head)) if data is None else [data.draw(st.integers(0, len(head)))]
    verdict = sniff(head, named, ended=False)

    for length in shorter:
        assert sniff(head[:length], named, ended=False) in (None, verdict)


@given(st.binary(max_size=300), st.sampled_from(Content))
def test_the_end_always_brings_a_verdict(head: bytes, named: Content) -> None:
    assert sniff(head, named, ended=True) is not None
