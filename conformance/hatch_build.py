"""Puts scenarios, vectors, frozen sets and schemas into the wheel, from a checkout as well as from an sdist."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

DATA = ("scenarios", "vectors", "requirements")


class DataFiles(BuildHookInterface):
    """In a checkout the schemas lie beside this folder, since the ports share them; an sdist has them inside."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        inside = root / "schemas"
        schemas = inside if inside.is_dir() else root.parent / "schemas"
        if self.target_name == "sdist":
            build_data["force_include"][str(schemas)] = "schemas"
        elif version != "editable":
            data = {name: root / name for name in DATA if (root / name).is_dir()} | {"schemas": schemas}
            for name, folder in data.items():
                build_data["force_include"][str(folder)] = f"redisipc_conformance/data/{name}"
