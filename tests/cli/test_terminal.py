"""What commands say to a person."""

import pytest

from app.cli.terminal import complain


def test_a_fault_and_its_details_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    complain("cannot start", "PORT is odd")

    assert capsys.readouterr() == ("", "hotline: cannot start\n  PORT is odd\n")
