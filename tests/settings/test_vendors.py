"""Accounts."""

from app.settings.vendors import VendorSettings


def test_what_needs_no_key_always_has_one() -> None:
    vendors = VendorSettings.read({"DEEPGRAM_API_KEY": "k"})

    assert vendors.has_key("local")
    assert vendors.has_key("deepgram")
    assert not vendors.has_key("elevenlabs")
