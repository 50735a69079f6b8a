"""Where the server listens and who is trusted."""

from app.settings.server import ServerSettings


def test_the_socket_is_dialled_as_the_public_address_is() -> None:
    assert ServerSettings.read({"PUBLIC_URL": "https://a.example/"}).socket_url("/m") == "wss://a.example/m"
    assert ServerSettings.read({"PUBLIC_URL": "http://localhost:1"}).socket_url("/m") == "ws://localhost:1/m"


def test_host_wins_over_what_a_platforms_port_means() -> None:
    assert ServerSettings.read({"PORT": "80", "HOST": "10.0.0.1"}).address == "10.0.0.1"
    assert ServerSettings.read({"PORT": "80"}).address == "0.0.0.0"
    assert ServerSettings.read({}).address == "127.0.0.1"
