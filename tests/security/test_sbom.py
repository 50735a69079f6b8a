"""Threat 22: what hotline is made of is locked by hash, and written down."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent


def written(path: Path) -> bytes:
    subprocess.run([sys.executable, str(ROOT / "deploy" / "sbom.py"), str(path)], check=True, cwd=path.parent)
    return path.read_bytes()


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return json.loads(written(tmp_path_factory.mktemp("sbom") / "hotline.cdx.json"))


def test_threat_22_the_document_is_cyclonedx(bill: Any) -> None:
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.5", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bill["serialNumber"])
    assert bill["metadata"]["component"]["name"] == "hotline-bridge"
    refs = [component["bom-ref"] for component in bill["components"]]
    assert len(refs) == len(set(refs))


def test_threat_22_every_locked_library_is_in_it_with_every_hash(bill: Any) -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pinned = {
        (name, version) for name, version in re.findall(r"^([a-z0-9-]+)==([^\s;\\]+)", lock, re.MULTILINE)
    }
    hashes = sorted(re.findall(r"--hash=sha256:([0-9a-f]{64})", lock))

    listed = [
        digest["content"]
        for component in bill["components"]
        for reference in component["externalReferences"]
        for digest in reference["hashes"]
    ]
    assert {(component["name"], component["version"]) for component in bill["components"]} == pinned
    assert sorted(listed) == hashes


def test_threat_22_every_library_has_its_licence_and_address(bill: Any) -> None:
    for component in bill["components"]:
        (licence,) = component["licenses"]
        assert licence.get("expression") or licence["license"]["name"]
        assert component["purl"] == f"pkg:pypi/{component['name']}@{component['version']}"


def test_the_same_lock_gives_the_same_document(tmp_path: Path) -> None:
    assert written(tmp_path / "one.json") == written(tmp_path / "two.json")


@pytest.mark.parametrize("path", ["Makefile", "nixpacks.toml", "deploy/Dockerfile", ".ci/run"])
def test_threat_22_every_way_to_install_asks_for_the_hashes(path: str) -> None:
    text = (ROOT / path).read_text().replace("\\\n", " ")
    installs = [line for line in text.splitlines() if re.search(r"pip\b.* install .*-r ", line)]

    assert installs and all("--require-hashes" in line for line in installs)
