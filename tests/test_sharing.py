"""What calls share is of this process, or of a fleet."""

from pathlib import Path

import pytest

from app.calls.admission import Admission
from app.calls.desk import LocalDesk
from app.calls.drain import Drain
from app.calls.record_files import RecordFiles
from app.calls.record_store import RecordStore
from app.calls.shared_desk import SharedDesk
from app.calls.token_store import SharedTokens
from app.calls.tokens import LocalTokens
from app.capacity.local import LocalPermits
from app.capacity.redis import RedisPermits
from app.errors import ConfigError
from app.observe.money import Money
from app.settings import Settings
from app.sharing import desk_of, share, strain_of
from tests.web.conftest import make_parts

TWO_VOICES = {"SPEECH_PROVIDERS": "elevenlabs,local", "ELEVENLABS_API_KEY": "k"}


def settings(tmp_path: Path, **given: str) -> Settings:
    return Settings.load({"DATA_DIR": str(tmp_path), **TWO_VOICES, **given})


def test_without_a_store_all_is_this_processs_own(tmp_path: Path) -> None:
    chosen, admission = settings(tmp_path), Admission(2)
    shared = share(chosen, admission)
    desk = desk_of(chosen, admission, shared, strain_of(chosen), make_parts().means, Drain(), Money().gate)

    assert {name: type(each) for name, each in shared.permits.items()} == {"elevenlabs": LocalPermits}
    assert isinstance(shared.records, RecordFiles) and isinstance(shared.tokens, LocalTokens)
    assert isinstance(desk, LocalDesk)
    assert (shared.fleet, shared.events) == (None, None)


async def test_with_a_store_all_is_the_fleets(tmp_path: Path) -> None:
    chosen, admission = settings(tmp_path, REDIS_URL="redis://127.0.0.1:1"), Admission(2)
    shared = share(chosen, admission)
    desk = desk_of(chosen, admission, shared, strain_of(chosen), make_parts().means, Drain(), Money().gate)

    assert {name: type(each) for name, each in shared.permits.items()} == {"elevenlabs": RedisPermits}
    assert isinstance(shared.records, RecordStore) and isinstance(shared.tokens, SharedTokens)
    assert isinstance(desk, SharedDesk)
    assert shared.fleet is not None and shared.events is not None
    assert shared.opened[0] is shared.store  # before all that ask it


async def test_an_address_that_no_client_understands_stops_the_start_and_hides_the_password(
    tmp_path: Path,
) -> None:
    with pytest.raises(ConfigError) as raised:
        share(settings(tmp_path, REDIS_URL="redis://u:canary@h:port"), Admission(1))

    assert "canary" not in str(raised.value)


@pytest.mark.parametrize(("when_full", "has_line"), [("queue", True), ("say", False)])
def test_there_is_a_line_where_the_operator_wants_one(tmp_path: Path, when_full: str, has_line: bool) -> None:
    chosen, admission = settings(tmp_path, WHEN_FULL=when_full), Admission(2)
    shared = share(chosen, admission)

    desk = desk_of(chosen, admission, shared, strain_of(chosen), make_parts().means, Drain(), Money().gate)

    assert (desk.reception.line is not None) is has_line
