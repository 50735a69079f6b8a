"""A phone without a phone company: Twilio's side of the wire, and callers who speak and listen.

async with Exchange() as exchange:
    report = await simulate_call(CallPlan(url="http://localhost:8000/voice"), exchange)
"""
