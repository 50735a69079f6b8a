"""hotline: a voice bridge between the telephone network and streaming speech.

The rooms, in the order a call passes them; a room imports only rooms above it:

- `audio`: formats, and the one streaming converter from a vendor's bytes to 20 ms mu-law frames.
- `telephony`: Twilio's words: messages, the Media Streams protocol, TwiML, signatures.
- `capacity`: how many at once: permits, and the lines of those who wait for them.
- `hearing`: caller audio to words: voice activity, endpointing, recognisers.
- `conversation`: what is said, and whose turn it is.
- `speech`: sentences to audio: cutting, providers, the chain of providers.
- `playout`: frames leave on time, marks come back.
- `calls`: one caller from webhook to hang-up, and how many at once.
- `observe`: readers of the event stream.
- `web`: the door: webhooks, sockets, health, logs.
- `simulator`: a phone without a phone company.
- `cli`: the operator's terminal.
"""
