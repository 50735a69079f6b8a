"""Settings: every fault at once, old names, the address, and the docs' table."""

from pathlib import Path

import pytest

from app.cli.config import markdown
from app.errors import ConfigError
from app.settings import SECTIONS, Settings

ROOT = Path(__file__).parents[2]


def test_a_developers_machine_needs_no_setting() -> None:
    settings = Settings.load({})

    assert (settings.server.address, settings.server.port) == ("127.0.0.1", 8000)
    assert settings.server.public_url == "http://localhost:8000"
    assert settings.voices == ("local",)
    assert not settings.vendors.has_key("elevenlabs")


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.load({"PORT": "abc", "MAX_CALLS": "0", "LOG_LEVEL": "loud", "SPEECH_PROVIDERS": "siren"})

    told = "\n".join(caught.value.faults)
    assert len(caught.value.faults) == 4
    assert all(name in told for name in ("PORT: 'abc'", "MAX_CALLS: '0'", "LOG_LEVEL: 'loud'", "siren"))


def test_a_faults_line_never_repeats_a_secret() -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.load({"SPEECH_PROVIDERS": "elevenlabs"})

    assert caught.value.faults == ("ELEVENLABS_API_KEY is missing (SPEECH_PROVIDERS names elevenlabs)",)


def test_an_empty_value_counts_as_not_set() -> None:
    assert Settings.load({"PORT": "", "GREETING": "  "}) == Settings.load({})


@pytest.mark.parametrize("name", ["MAX_CALLS", "MAX_CONNECTIONS", "MAX_BOTS"])
def test_old_names_of_the_cap_are_read_too(name: str) -> None:
    assert Settings.load({name: "7"}).calls.max_calls == 7


def test_a_platform_that_gives_the_port_is_listened_to_from_outside() -> None:
    settings = Settings.load({"PORT": "9000", "RAILWAY_PUBLIC_DOMAIN": "voice.example.com"})

    assert settings.server.address == "0.0.0.0"
    assert settings.server.public_url == "https://voice.example.com"
    assert settings.server.socket_url("/media-stream") == "wss://voice.example.com/media-stream"


@pytest.mark.parametrize(
    ("environ", "trusted"),
    [({}, True), ({"PORT": "9000"}, True), ({"HOST": "127.0.0.1"}, True), ({"HOST": "0.0.0.0"}, False)],
)
def test_only_an_explicitly_public_host_stops_trusting_this_machine(
    environ: dict[str, str], trusted: bool
) -> None:
    assert Settings.load(environ).server.trusts_this_machine is trusted


def test_tokens_in_rotation_are_several_and_all_are_secrets() -> None:
    settings = Settings.load({"TWILIO_AUTH_TOKEN": "new, older-token ", "ADMIN_TOKEN": "a"})

    assert [token.get_secret_value() for token in settings.calls.twilio_auth_tokens] == ["new", "older-token"]
    assert settings.secrets == ("older-token", "new", "a")
    assert "older-token" not in repr(settings)


def test_voices_follow_the_keys_unless_they_are_chosen() -> None:
    assert Settings.load({"ELEVENLABS_API_KEY": "k"}).voices == ("elevenlabs", "local")
    assert Settings.load({"ELEVENLABS_API_KEY": "k", "SPEECH_PROVIDERS": "local"}).voices == ("local",)


@pytest.mark.parametrize("name", ["mp3_44100_128", "mp3_22050_32", "pcm_16000", "ulaw_8000"])
def test_playable_formats_are_taken(name: str) -> None:
    assert Settings.load({"ELEVENLABS_OUTPUT_FORMAT": name}).speech.elevenlabs_output_format == name


@pytest.mark.parametrize("name", ["opus_48000_32", "mp3", "wav_44100"])
def test_formats_a_phone_cannot_be_given_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="ELEVENLABS_OUTPUT_FORMAT"):
        Settings.load({"ELEVENLABS_OUTPUT_FORMAT": name})


@pytest.mark.parametrize(
    "url", ["voice.example.com", "https://", "ftp://a.example", "https://a.example/?x=1"]
)
def test_an_address_twilio_cannot_use_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="PUBLIC_URL"):
        Settings.load({"PUBLIC_URL": url})


def test_every_variable_says_what_it_means() -> None:
    rows = [row for section in SECTIONS for row in section.variables()]

    assert all(meaning for _, _, meaning in rows)
    assert len({names for names, _, _ in rows}) == len(rows)


def test_the_docs_table_is_the_one_made_from_the_code() -> None:
    assert markdown() in (ROOT / "docs" / "settings.md").read_text()


def test_a_value_that_is_no_utf_8_is_a_fault_of_its_variable_and_no_matter_elsewhere() -> None:
    with pytest.raises(ConfigError, match=r"^GREETING: its value is no UTF-8$"):
        Settings.load({"GREETING": "Hello \udcff", "SOMEBODY_ELSES": "\udcff"})

    assert Settings.load({"SOMEBODY_ELSES": "\udcff"}).server.port == 8000
