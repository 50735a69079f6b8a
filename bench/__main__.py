"""Runs every bench, or those named: `python -m bench conversion`. A bench is a module here with a `main`."""

import importlib
import pkgutil
import sys
from collections.abc import Callable
from types import ModuleType

import bench
from bench import machine


def _benches() -> dict[str, Callable[[], None]]:
    names = [found.name for found in pkgutil.iter_modules(bench.__path__) if not found.name.startswith("_")]
    modules: dict[str, ModuleType] = {name: importlib.import_module(f"bench.{name}") for name in names}
    return {name: module.main for name, module in modules.items() if hasattr(module, "main")}


def main(names: list[str]) -> int:
    benches = _benches()
    if unknown := [name for name in names if name not in benches]:
        print(f"no such bench: {', '.join(unknown)} (there are {', '.join(benches)})", file=sys.stderr)
        return 2
    print(machine.describe())
    for name in names or benches:
        print(f"\n== {name}")
        benches[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
