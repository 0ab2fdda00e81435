"""The failures of the gem: the published run, the list of known failures and SPEC.md's appendix A say the same."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from redisipc_conformance.versions import version_holds

from ruby import rows

ROOT = Path(__file__).parents[2]
RESULTS = sorted((ROOT / "interop" / "results").glob("ruby-*.json"))
AREAS = {folder.name for folder in (ROOT / "conformance" / "scenarios").iterdir() if folder.is_dir()}
FAILED = {"known", "fail", "warning", "suite-error", "inconclusive"}
"""A SHOULD that does not hold is explained, too."""

MALFORMED = "/entries-valid"
"""The check that every scenario has without declaring it; it names no statement."""


def broken() -> dict[str, set[str]]:
    """The statements that each row of the appendix says the gem breaks."""
    return {row: ids(cell) for row, (_, cell) in rows.appendix().items()}


def ids(cell: str) -> set[str]:
    """``RIPC-ROUTE-9 to 11, RIPC-ODD-2, 3`` as single ids."""
    found: set[str] = set()
    area = ""
    for part in cell.split(","):
        match = re.fullmatch(r"\s*(?:(RIPC-[A-Z]+)-)?(\d+)(?: to (\d+))?\s*", part)
        assert match, f"the appendix names no ids in {part!r}"
        area = match.group(1) or area
        found |= {f"{area}-{n}" for n in range(int(match.group(2)), int(match.group(3) or match.group(2)) + 1)}
    return found


def rows_of(entry: dict[str, Any]) -> set[str]:
    return set(re.findall(r"GEM-\d+", entry.get("spec", "")))


def failures(path: Path) -> dict[str, tuple[set[str], str]]:
    """``scenario/check`` of each failure: its statements and its message. A scenario that fails outside its checks is one, too."""
    found = {}
    for result in rows.published(path)["results"]:
        failed = [check for check in result["checks"] if check["verdict"] in FAILED]
        for check in failed:
            found[f"{result['id']}/{check['name']}"] = (set(check["requirements"]), check["message"])
        if result["verdict"] in FAILED and not failed:
            found[result["id"]] = (set(), result["reason"])
    return found


def covers(entry: dict[str, Any], name: str) -> bool:
    return entry["id"] in (name, "/".join(name.split("/")[:2]))


def of_its_server(entry: dict[str, Any], path: Path) -> bool:
    """Whether an entry counts on the server of a published run."""
    return version_holds(entry.get("when", {}).get("redis", ""), rows.published(path)["server"]["version"])


each_result = pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)


def test_each_entry_names_rows_of_the_appendix() -> None:
    assert [entry["id"] for entry in rows.known() if not rows_of(entry) or rows_of(entry) - set(broken())] == []


def test_each_row_of_the_appendix_has_an_entry() -> None:
    assert set(broken()) == {row for entry in rows.known() for row in rows_of(entry)}


def test_only_what_is_of_another_server_need_not_fail_in_a_published_run() -> None:
    elsewhere = [entry["id"] for entry in rows.known() if not any(of_its_server(entry, path) for path in RESULTS)]
    assert all(rows_of(entry) == {"GEM-11"} for entry in rows.known() if entry["id"] in elsewhere)


def test_no_check_is_listed_twice() -> None:
    names = [entry["id"] for entry in rows.known()]
    whole = {name for name in names if name.count("/") == 1}
    assert sorted(names) == sorted(set(names))
    assert [name for name in names if name.count("/") == 2 and name.rsplit("/", 1)[0] in whole] == []


def test_there_is_a_published_result() -> None:
    assert RESULTS


@each_result
def test_the_published_run_is_of_all_areas_and_says_its_versions(path: Path) -> None:
    one = rows.published(path)
    assert (one["interrupted"], one["left_out"]) == (False, {})
    # The gem has no callers: it cannot ask without a group.
    assert AREAS - {"ask"} <= {result["area"] for result in one["results"]} <= AREAS
    assert [result["id"] for result in one["results"]] == sorted(one["scenarios"])
    assert one["testee"]["version"] == "1.0.2"
    assert re.fullmatch(r"ruby \d+\.\d+\.\d+", one["testee"]["language"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", one["server"]["version"])
    assert path.with_suffix(".html").exists()


@each_result
def test_the_published_run_tells_nothing_of_the_machine(path: Path) -> None:
    """Its commands hold names, files of this repository and options: nothing absolute."""
    one = rows.published(path)
    words = [*one["testee"]["command"], *one["command_line"], *" ".join(r["rerun"] for r in one["results"]).split()]
    assert [word for word in words if word.startswith(("/", "-I", "-r"))] == []


@each_result
def test_each_failure_of_the_published_run_is_known(path: Path) -> None:
    assert [name for name in failures(path) if not any(covers(entry, name) for entry in rows.known())] == []


@each_result
def test_each_entry_fails_in_the_published_run(path: Path) -> None:
    failed = failures(path)
    due = [entry for entry in rows.known() if of_its_server(entry, path)]
    assert [entry["id"] for entry in due if not any(covers(entry, name) for name in failed)] == []


@each_result
def test_what_fails_breaks_a_statement_that_its_row_names(path: Path) -> None:
    """Or the scenario stopped at the deviation.

    If a whole scenario is listed, one failing check is enough: the others may follow from it.
    """
    breaks = broken()
    failed = failures(path)
    odd = []
    for entry in rows.known():
        statements = set().union(*(breaks[row] for row in rows_of(entry)))
        hits = [each for name, each in failed.items() if covers(entry, name) and not name.endswith(MALFORMED)]
        if hits and not any(requirements & statements or stuck(message) for requirements, message in hits):
            odd.append(f"{entry['id']}: {[sorted(hit[0]) for hit in hits]} are not among {sorted(statements)}")
    assert odd == []


def test_the_readme_has_the_figures_of_the_published_run() -> None:
    assert rows.drawn() == rows.README.read_text(encoding="utf-8")


def servers() -> dict[str, list[int]]:
    """The table of servers in the README: scenarios, checks, and how many pass, are known, not applicable, or other."""
    found = {}
    for line in rows.README.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"\| ((?:Redis|Valkey) \S+) \|((?: [\d,]+ \|){6})$", line):
            found[match.group(1)] = [int(cell.replace(",", "")) for cell in match.group(2).strip("| ").split(" | ")]
    return found


def test_the_table_of_servers_has_all_five_and_adds_up() -> None:
    table = servers()
    assert len({name.rpartition(".")[0] for name in table}) == len(table) == 5
    assert [name for name, (_, checks, *verdicts) in table.items() if sum(verdicts) != checks] == []


@each_result
def test_the_table_of_servers_has_the_figures_of_the_published_run(path: Path) -> None:
    one = rows.published(path)
    of = Counter(check["verdict"] for result in one["results"] for check in result["checks"])
    named = [of["pass"], of["known"], of["not-applicable"]]
    expected = [len(one["results"]), sum(of.values()), *named, sum(of.values()) - sum(named)]
    assert servers()[f"{one['server']['brand']} {one['server']['version']}"] == expected


def stuck(message: str) -> bool:
    """Whether the check was not reached, or its object never came."""
    before = ("not reached", "this needs ", "the send was refused: the gem has ")
    never = ("was not written", "saw refused", "there are 0")
    said = message.partition("; the runner itself stood still")[0]
    return said.startswith(before) or said.endswith(never)
