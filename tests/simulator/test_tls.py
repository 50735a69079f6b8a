"""Whom the simulator believes."""

import ssl

from app.simulator.tls import trust


async def test_certificates_and_names_are_checked_and_the_context_is_made_once() -> None:
    context = await trust()

    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert await trust() is context
