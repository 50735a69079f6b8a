"""Where a caller stands in a script, written down and read."""

import json

from app.conversation.script_standing import Way, read, written

STEPS = {"main": 1, "news": 2}
WAY = Way("news", "main", {"main", "news"}, 1, ("main",))


def test_a_way_survives_json() -> None:
    state = json.loads(json.dumps(written(WAY, {"name": "Ada"})))

    assert read(state, STEPS) == (WAY, {"name": "Ada"})


def test_what_belongs_to_another_script_is_not_read() -> None:
    assert read(written(Way("shop", "main"), {}), STEPS) is None
    assert read(written(Way("news", "shop"), {}), STEPS) is None
    assert read({"step": 7}, STEPS) is None
    assert read({}, STEPS) is None
