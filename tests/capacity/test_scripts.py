"""Scripts and their names."""

import hashlib
from pathlib import Path

from app.capacity.scripts import Script


def test_files_become_one_script_that_has_the_last_ones_name(tmp_path: Path) -> None:
    (tmp_path / "common.lua").write_text("local a = 1")
    (tmp_path / "ask.lua").write_text("return a")

    script = Script.read(tmp_path / "common.lua", tmp_path / "ask.lua")

    assert (script.name, script.source) == ("ask", "local a = 1\nreturn a")
    assert script.sha == hashlib.sha1(b"local a = 1\nreturn a").hexdigest()
