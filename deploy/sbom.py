"""Writes what hotline is made of as CycloneDX 1.5 JSON, from the lock file and the list of licences alone.

    python deploy/sbom.py hotline.cdx.json

The same inputs give the same bytes: no time, no machine, no network. What wheels bundle (FFmpeg, espeak-ng,
a language model) is named in the licence's text, as docs/licences.md has it; who needs whom is not told.

Source: https://cyclonedx.org/docs/1.5/json/
"""

import json
import re
import sys
import tomllib
import uuid
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PINNED = re.compile(r"^([a-z0-9-]+)==(\S+)(?: *; *(.+?))?(?: \\)?$")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
LISTED = re.compile(r"^\| ([a-z0-9-]+) \| ([^|]+) \|", re.MULTILINE)
KNOWN = r"(?:0BSD|Apache-2\.0|BSD-[23]-Clause|CC0-1\.0|MIT|MPL-2\.0|PSF-2\.0|Zlib)"
SPDX = re.compile(f"{KNOWN}(?: (?:AND|OR) {KNOWN})*")


def bill(root: Path = ROOT) -> dict[str, Any]:
    """The document."""
    lock = (root / "requirements.lock").read_text()
    licences = dict(LISTED.findall((root / "docs" / "licences.md").read_text()))
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    ours = f"pkg:pypi/{project['name']}@{project['version']}"
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, ours + lock)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": ours,
                "name": project["name"],
                "version": project["version"],
                "purl": ours,
                "licenses": [{"expression": project["license"]}],
            }
        },
        "components": [_component(block, licences) for block in re.split(r"\n(?=[a-z])", lock)],
    }


def _component(block: str, licences: dict[str, str]) -> dict[str, Any]:
    pinned = PINNED.match(block.splitlines()[0])
    if pinned is None:
        raise SystemExit(f"requirements.lock: not a pinned library: {block.splitlines()[0]!r}")
    name, version, condition = pinned.groups()
    purl = f"pkg:pypi/{name}@{version}"
    hashes = [{"alg": "SHA-256", "content": digest} for digest in HASH.findall(block)]
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "licenses": [_licence(licences[name].strip())],
        # Of every file that may be installed, one a platform: the library as such has no one hash.
        "externalReferences": [
            {"type": "distribution", "url": f"https://pypi.org/project/{name}/{version}/", "hashes": hashes}
        ],
    }
    if condition:
        component["scope"] = "optional"
        component["properties"] = [{"name": "hotline:installed-where", "value": condition}]
    return component


def _licence(text: str) -> dict[str, Any]:
    return {"expression": text} if SPDX.fullmatch(text) else {"license": {"name": text}}


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(bill(), indent=1) + "\n")
