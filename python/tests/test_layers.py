"""Imports go one way: protocol, runtime, channel, faces. And the core knows neither Redis nor time."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "redisipc"
LAYERS = ["protocol", "runtime", "channel", "cli", "testing"]
BELOW_ALL = {"calls", "errors", "schemes", "version"}
CORE_MAY_NOT = {"redis", "threading", "asyncio", "socket", "time", "select", "selectors", "ssl", "os", "concurrent"}
FILES = sorted(SOURCE.rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Absolute names of all modules that a file imports, whatever the form."""
    package = ["redisipc", *path.relative_to(SOURCE).parts[:-1]]
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            found.add(".".join([*base, node.module] if node.module else base))
    return found


def names_as_text(path: Path) -> set[str]:
    """Modules of ours that a file names in a string, by which it could import them unseen."""
    texts = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
    return {text for text in texts if isinstance(text, str) and re.fullmatch(r"redisipc(\.[a-z_]+)+", text)}


def layer(path: Path) -> str:
    parts = path.relative_to(SOURCE).parts
    return parts[0] if len(parts) > 1 else parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_one_way(path: Path) -> None:
    own = layer(path)
    if own not in LAYERS:
        return
    for name in imports(path) | names_as_text(path):
        parts = name.split(".")
        if parts[0] != "redisipc":
            continue
        assert len(parts) > 1, f"{path} imports the face"
        assert parts[1] in BELOW_ALL or LAYERS.index(parts[1]) <= LAYERS.index(own), f"{path} imports {name}"


@pytest.mark.parametrize("path", sorted((SOURCE / "protocol").glob("*.py")), ids=lambda path: path.name)
def test_the_core_knows_neither_redis_nor_time(path: Path) -> None:
    assert {name.split(".")[0] for name in imports(path)} & CORE_MAY_NOT == set()


@pytest.mark.parametrize("twin", ["threads", "asyncio"])
def test_the_twins_do_not_know_each_other(twin: str) -> None:
    other = {"threads": "asyncio", "asyncio": "threads"}[twin]
    for path in [*(SOURCE / "runtime" / twin).glob("*.py"), SOURCE / "channel" / f"{twin}.py"]:
        assert not [name for name in imports(path) if name.startswith(f"redisipc.runtime.{other}")]


def test_the_threads_face_does_not_import_the_asyncio_twin() -> None:
    assert not [name for name in imports(SOURCE / "__init__.py") if ".asyncio" in name]


@pytest.mark.parametrize("name", ["errors.py", "lazy.py", "schemes.py", "version.py"])
def test_what_lies_below_all_imports_nothing_of_ours(name: str) -> None:
    assert not [found for found in imports(SOURCE / name) if found.startswith("redisipc")]


@pytest.mark.parametrize("name", ["__init__.py", "asyncio.py"])
def test_the_faces_only_list(name: str) -> None:
    *rest, later = ast.parse((SOURCE / name).read_text()).body
    for node in rest:
        assert isinstance(node, (ast.Import, ast.ImportFrom, ast.Assign, ast.Expr)), f"line {node.lineno}"
    assert isinstance(later, ast.If)
    assert isinstance(later.test, ast.Name)
    assert later.test.id == "TYPE_CHECKING"


@pytest.mark.parametrize("name", ["__init__.py", "asyncio.py"])
def test_a_type_checker_sees_what_a_face_loads_later(name: str) -> None:
    later = ast.parse((SOURCE / name).read_text()).body[-1]
    assert isinstance(later, ast.If)
    seen = {alias.name: node.module for node in later.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    tables = [ast.literal_eval(node) for node in ast.walk(later) if isinstance(node, ast.Dict)]
    assert tables == [seen]


def test_the_twins_have_equal_file_names() -> None:
    twins = [{path.name for path in (SOURCE / "runtime" / twin).glob("*.py")} for twin in ("threads", "asyncio")]
    alone = {"lead.py", "poller.py", "starter.py", "worker_pool.py"}
    assert twins[0] - twins[1] == alone, "only threads need threads and wait for sockets themselves"
    alone = {"lost_steps.py", "user_tasks.py"}
    assert twins[1] - twins[0] == alone, "signal handlers interrupt event loops only, and only tasks can be cancelled"


def test_conformance_and_interop_import_no_library_of_ours() -> None:
    root = SOURCE.parents[2]
    for part in ("conformance", "interop"):
        for path in (root / part).rglob("*.py"):
            names = [
                node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)
            ]
            for node in names:
                modules = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
                assert not [m for m in modules if m.split(".")[0] == "redisipc"], path


# what belongs to one class alone

FOREIGN = {
    ("connection", "_sock"),
    ("connection", "_wrap_socket_with_ssl"),
    ("connection", "_reader"),
    ("connection", "_writer"),
    ("asyncio", "_get_running_loop"),
}
"""Of redis-py and of Python: what they have no public name for."""
TUPLES = {"_replace", "_fields", "_asdict"}
"""Public in spite of their names."""


def reaches(tree: ast.AST) -> list[str]:
    """Where code touches what begins with an underscore and belongs neither to its own class nor to itself."""
    found = []
    for top in ast.iter_child_nodes(tree):
        own = {
            name
            for node in ast.walk(top)
            for name in (
                [node.name]
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                else [node.attr]
                if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("self", "cls")
                else []
            )
        }
        for node in ast.walk(top):
            if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
                holder = ast.unparse(node.value)
                if holder in ("self", "cls", "super()", "type(self)") or node.attr in own | TUPLES:
                    continue
                if (holder, node.attr) not in FOREIGN:
                    found.append(f"line {node.lineno}: {ast.unparse(node)}")
    return found


BENEATH_PYTHON = {SOURCE / "testing" / "virtual.py"}
"""A clock for an event loop has to know the timers and threads that Python keeps to itself."""


@pytest.mark.parametrize(
    "path", [path for path in FILES if path not in BENEATH_PYTHON], ids=lambda path: str(path.relative_to(SOURCE))
)
def test_nothing_touches_the_private_members_of_another_class(path: Path) -> None:
    assert reaches(ast.parse(path.read_text())) == []


def test_a_reach_is_found() -> None:
    text = "class A:\n def f(self, other, job):\n  self._x = other._x\n  job._y = 1"
    assert reaches(ast.parse(text)) == ["line 4: job._y"]


def writers(field: str) -> set[str]:
    """The files of the core that set this field of the state that all its parts share, the state's own file aside."""
    setting = re.compile(rf"\bshared\.{field}(?: = [\w. =]+)? (?:[-+|]?=) ")
    texts = {path.name: path.read_text() for path in (SOURCE / "protocol").glob("*.py")}
    return {name for name, text in texts.items() if setting.search(text)} - {"endpoint_state.py"}


def test_what_the_parts_of_an_endpoint_share_is_set_in_one_place() -> None:
    """A field is set by methods of the state, or by one file beside it: a reader need not search for who changes it."""
    init = (SOURCE / "protocol" / "endpoint_state.py").read_text().partition("def __init__")[2].partition("    def ")[0]
    fields = re.findall(r"^        self\.(\w+)(?:: [^=]+)? = ", init, re.MULTILINE)
    assert len(fields) > 20
    assert writers("listening") == {"endpoint.py"}
    assert {field: sorted(writers(field)) for field in fields if len(writers(field)) > 1} == {}
