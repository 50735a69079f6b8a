"""Twilio's words: messages, the Media Streams protocol, TwiML, signatures."""
