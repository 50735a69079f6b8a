from app.audio.report import Report


def test_frames_and_media_time_follow_from_the_bytes() -> None:
    report = Report("ulaw_8000", bytes_out=480)

    assert (report.frames_out, report.audio_ms) == (3, 60)
