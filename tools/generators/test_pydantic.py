"""Pydantic models, made by datamodel-code-generator: they compile, accept each valid example, and refuse what lacks a member."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
from datamodel_code_generator import DataModelType, Formatter, InputFileType, PythonVersion, generate
from lacking import lacking
from pydantic import BaseModel, ValidationError

from schemas import SchemaFile, schema_files

FILES = schema_files()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, type[BaseModel]]:
    """The class of each schema, by the schema's name. Its name is the schema's title."""
    folder = tmp_path_factory.mktemp("models")
    return {name: model(file, folder) for name, file in FILES.items()}


def model(file: SchemaFile, folder: Path) -> type[BaseModel]:
    title = file.content["title"]
    path = folder / f"generated_{title}.py"
    generate(
        file.path,
        input_file_type=InputFileType.JsonSchema,
        output=path,
        output_model_type=DataModelType.PydanticV2BaseModel,
        target_python_version=PythonVersion.PY_310,
        class_name=title,
        formatters=[Formatter.BUILTIN],
    )
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    found: type[BaseModel] = getattr(module, title)
    return found


@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
def test_a_model_accepts_each_valid_example_and_refuses_each_that_lacks_a_member(
    file: SchemaFile, models: dict[str, type[BaseModel]]
) -> None:
    for example in file.examples:
        if example.valid:
            models[file.name].model_validate(example.value)
    cases = list(lacking(file))
    assert cases
    accepted = [f"{each.example} without {each.member}" for each in cases if accepts(models[file.name], each.value)]
    assert accepted == []


def accepts(model: type[BaseModel], value: Any) -> bool:
    try:
        model.model_validate(value)
    except ValidationError:
        return False
    return True


def test_a_model_refuses_a_blank_group(models: dict[str, type[BaseModel]]) -> None:
    entry = FILES["1.0/entry"].content["examples"][0]
    for blank in "\t\r \u0085\u00a0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000":
        assert not accepts(models["1.0/entry"], {**entry, "source_group": blank})
    assert accepts(models["1.0/entry"], {**entry, "source_group": "\\"})
