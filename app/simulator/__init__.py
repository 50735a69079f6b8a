"""A phone without a phone company: Twilio's side of the wire, callers, load."""
