"""``run``: what it runs, what it prints, which exit code it ends with."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cli.conftest import Run
from cli.fakes import Fake, FakeServer
from redisipc_conformance.results import Verdict
from redisipc_conformance.testee.errors import TesteeUnusable
from redisipc_conformance.verdict.frozen import FrozenSet


def only(*ids: str, verdict: Verdict = Verdict.FAIL):
    return lambda check: verdict if check in ids else Verdict.PASS


def report(path: str = "r.json") -> dict:
    return json.loads(Path(path).read_text())


def test_a_conformant_run_is_0_and_says_so_last(run: Run, fake: Fake):
    ran = run("run", "--seed", "5")
    assert ran.code == 0
    assert ran.err == ""
    assert [line.split() for line in ran.out.strip().splitlines()[-4:]] == [
        ["base", "conformant"],
        ["group", "conformant"],
        ["channel", "conformant"],
        ["resilient", "not", "decided", "(nothing", "of", "it", "was", "checked)"],
    ]
    assert "seed 5" in ran.out
    assert "at redis://fake:6379/0" in ran.out
    assert "note: Redis: not container, no Docker engine answers" in ran.out
    assert fake.settings.command == ("port", "--x")
    assert FakeServer.open == 0


def test_the_check_before_a_run_has_as_much_time_as_the_run(run: Run, fake: Fake):
    run("run", "--time-scale", "5")
    run("run", "--no-timeouts")
    assert fake.scales[0] == 5
    assert fake.scales[1] >= 1000


def test_a_failure_is_1_with_the_command_that_runs_it_again(run: Run, fake: Fake):
    fake.verdicts = only("entry/a/two")
    ran = run("run", "--seed", "5", "--redis", "local", "--time-scale", "2")
    assert ran.code == 1
    assert "FAIL  entry/a/two" in ran.out
    assert "again: redisipc-conformance run entry/a --seed 5 --redis local --time-scale 2 -- port --x" in ran.out
    assert "NOT conformant (1 check fails)" in ran.out


def test_a_should_fails_only_with_strict(run: Run, fake: Fake):
    fake.verdicts = only("entry/a/two", verdict=Verdict.WARNING)
    assert run("run").code == 0
    assert run("run", "--strict").code == 1


def test_selection_reaches_the_engine(run: Run, fake: Fake):
    run("run", "entry/a", "reclaim/*")
    run("run", "-k", "ripc-entry-2 and not restart")
    run("run", "--profile", "group,channel")
    run("run", "-k", "restart")
    assert fake.ran == [
        ["entry/a", "reclaim/c"],
        ["channel/d", "entry/a", "reclaim/c"],
        ["channel/d", "reclaim/c"],
        ["entry/b"],
    ]


def test_the_further_questions_are_asked_by_a_thorough_run_and_where_they_are_named(
    run: Run, fake: Fake, tmp_path: Path
):
    file = tmp_path / "scenarios/entry/a.yaml"
    file.write_text(file.read_text().replace("id: entry/a\n", "id: entry/a\nthorough: true\n"))
    fake.profiles = ("base",)
    default = run("run", "--report", "json=r.json,html=r.html,markdown=r.md,junit=r.xml,badge=b.json")
    assert "base      conformant" in default.out
    assert ", without --thorough" in default.out
    assert [report()["runs"][0]["thorough"], report()["runs"][0]["selection"]] == [False, "everything"]
    for name in ("r.html", "r.md", "r.xml"):
        assert "everything, without --thorough" in Path(name).read_text()
    assert json.loads(Path("b.json").read_text())["message"].endswith(", not thorough")
    thorough = run("run", "--thorough", "--report", "json=r.json,badge=b.json")
    assert "--thorough" not in thorough.out
    assert report()["runs"][0]["thorough"] is True
    assert json.loads(Path("b.json").read_text())["color"] == "brightgreen"
    run("run", "entry/*")
    run("run", "-k", "thorough")
    run("run", "--profile", "base")
    assert fake.ran == [["entry/b"], ["entry/a", "entry/b"], ["entry/a", "entry/b"], ["entry/a"], ["entry/b"]]
    assert "[thorough]" in run("list").out


def test_a_part_is_never_called_conformant(run: Run):
    assert "base      not decided (only a part was run)" in run("run", "-k", "entry").out
    # A whole profile is whole.
    assert "group     conformant" in run("run", "--profile", "group").out


def test_x_stops_at_the_first_failure(run: Run, fake: Fake):
    fake.verdicts = only("channel/d/one", "entry/b/one")
    assert run("run", "-x").code == 1
    assert fake.ran == [["channel/d"]]


def test_lf_runs_what_failed_and_then_the_rest_of_it(run: Run, fake: Fake):
    assert "nothing failed last time" in run("run", "--lf").out
    fake.verdicts = only("entry/a/one", "entry/b/one")
    run("run")
    fake.verdicts = only("entry/b/one")
    run("run", "--lf")
    run("run", "--lf")
    assert fake.ran[2:] == [["entry/a", "entry/b"], ["entry/b"]]
    assert not list(Path().iterdir()), "nothing is left in the working directory"


def test_lf_of_another_command_is_another(run: Run, fake: Fake):
    fake.verdicts = only("entry/a/one")
    run("run")
    run("run", "--lf", "--", "another")
    assert len(fake.ran[1]) == 4


def test_every_image_is_a_run_and_all_are_one_report(run: Run, fake: Fake):
    fake.versions = ["6.2.14", "8.0.2"]
    fake.verdicts = only("entry/a/one")
    ran = run("run", "--redis-image", "redis:6.2", "--redis-image", "redis:8", "--report", "json=r.json,html=r.html")
    assert ran.code == 1
    assert fake.asked == [("container", "redis:6.2"), ("container", "redis:8")]
    assert [each["server"]["version"] for each in report()["runs"]] == ["6.2.14", "8.0.2"]
    assert "--redis-image redis:8 --" in report()["runs"][1]["results"][1]["rerun"]
    assert Path("r.html").read_text().count('<article class="run">') == 2


def test_kinds_of_redis_can_be_mixed_with_images(run: Run, fake: Fake):
    run("run", "--redis", "container", "--redis", "embedded", "--redis-image", "valkey/valkey:8")
    assert fake.asked == [("container", "valkey/valkey:8"), ("embedded", None)]


def test_without_redis_it_is_7_and_the_reports_say_why(run: Run, fake: Fake):
    fake.no_server = "auto: none can be had"
    ran = run("run", "--report", "junit=r.xml,json=r.json")
    assert ran.code == 7
    assert report()["problems"] == ["No Redis (auto): auto: none can be had"]
    assert "none can be had" in Path("r.xml").read_text()


def test_one_server_that_cannot_be_had_does_not_keep_the_others_from_running(run: Run, fake: Fake):
    fake.no_server = "redis:5 has no such image"
    ran = run("run", "--redis-image", "redis:5", "--redis-image", "redis:8", "--report", "json=r.json")
    assert ran.code == 7
    assert len(report()["runs"]) == 1


@pytest.mark.parametrize("how", ["check", "engine"])
def test_a_testee_that_cannot_be_used_is_6_at_once(run: Run, fake: Fake, how: str):
    if how == "check":
        fake.shim_is_wrong = "hello was not answered within 10 s"
    else:
        fake.breaks = TesteeUnusable("hello was not answered within 10 s")
    ran = run("run", "--redis", "local", "--redis", "embedded")
    assert ran.code == 6
    assert "hello was not answered within 10 s" in ran.out
    assert "redisipc-conformance check-testee -- port --x" in ran.out
    assert len(fake.asked) == 1
    assert FakeServer.open == 0


def test_a_conversation_that_fails_is_a_warning_and_the_checks_decide(run: Run, fake: Fake):
    fake.no_conversation = "no notification received came within 5 s"
    ran = run("run", "--redis", "local", "--redis", "embedded", "--report", "json=r.json")
    assert ran.code == 0
    assert ran.out.count("Warning: before the run two endpoints of the testee did not converse: no notification") == 1
    assert [len([note for note in each["notes"] if "did not converse" in note]) for each in report()["runs"]] == [1, 0]


@pytest.mark.parametrize(("load", "scales"), [(0.1, [1.0]), (1e6, [1.0, 4.0])])
def test_a_testee_that_says_no_hello_is_checked_again_on_a_busy_machine_only(
    run: Run, fake: Fake, monkeypatch: pytest.MonkeyPatch, load: float, scales: list[float]
):
    monkeypatch.setattr(os, "getloadavg", lambda: (load, load, load))
    fake.shim_is_wrong = "hello was not answered within 10 s"
    assert run("run").code == 6
    assert fake.scales == scales


def test_a_testee_that_the_check_finds_wrong_is_checked_again_with_more_time(run: Run, fake: Fake):
    fake.no_conversation = "connect was not answered within 4 s"
    run("run")
    assert fake.scales == [1.0, 4.0]


@pytest.mark.parametrize(
    "sentence",
    [
        "connect was refused with -32000 'TODO'",
        "it ended with exit status 2 while send was outstanding; its stderr is empty",
        "answer to send: at $.outcome is 'done'; expected one of fulfilled, rejected",
    ],
)
def test_a_conversation_that_the_shim_broke_is_6(run: Run, fake: Fake, sentence: str):
    fake.no_conversation = sentence
    ran = run("run")
    assert ran.code == 6
    assert sentence in ran.out


def test_a_broken_suite_is_3_and_leaves_no_server(run: Run, fake: Fake):
    fake.breaks = ZeroDivisionError("in the engine")
    ran = run("run")
    assert ran.code == 3
    assert "ZeroDivisionError: in the engine" in ran.err
    assert FakeServer.open == 0


def test_a_suite_that_broke_in_the_middle_calls_no_profile_conformant(run: Run, fake: Fake):
    fake.breaks_later = ZeroDivisionError("in the engine")
    ran = run("run")
    assert ran.code == 3
    assert "not decided (interrupted)" in ran.out
    assert "conformant" not in ran.out.replace("NOT conformant", "")


def test_a_suite_error_in_a_scenario_is_3(run: Run, fake: Fake):
    fake.verdicts = only("entry/a/one", verdict=Verdict.SUITE_ERROR)
    assert run("run").code == 3


def test_nothing_checked_is_5(run: Run, fake: Fake):
    assert run("run", "-k", "nosuchword").code == 5
    fake.profiles = ("resilient",)
    assert run("run").code == 5


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["run", "--"], "which implementation?"),
        (["run", "entry/none"], "no scenario is called entry/none"),
        (["run", "--profile", "all"], "no profile is called all"),
        (["run", "-k", "("], "-k"),
        (["run", "--report", "pdf=x"], "--report takes"),
        (["run", "--known-failures", "none.yaml"], "cannot be read"),
        (["run", "--write-known-failures"], "needs --known-failures"),
        (["run", "--jobs", "0"], "1 or more"),
        (["run", "--frobnicate"], "unrecognized"),
        (["frobnicate"], "invalid choice"),
    ],
)
def test_what_cannot_be_understood_is_4(run: Run, fake: Fake, arguments: list[str], problem: str):
    ran = run(*arguments)
    assert ran.code == 4
    assert problem in ran.err
    assert fake.ran == []


def test_a_scenario_file_that_is_wrong_is_3_with_its_line(run: Run, tmp_path: Path):
    file = tmp_path / "scenarios/entry/a.yaml"
    file.write_text(file.read_text().replace("check: [one, two]", "check: [one, twoo]"))
    ran = run("run")
    assert ran.code == 3
    assert "a.yaml:" in ran.err


def test_what_is_not_claimed_is_listed_and_changes_nothing(run: Run, fake: Fake):
    fake.profiles = ("base",)
    ran = run("run", "--report", "json=r.json")
    assert ran.code == 0
    assert "base      conformant" in ran.out
    assert "group     not claimed" in ran.out
    assert report()["runs"][0]["counts"] == {"pass": 4, "not-applicable": 4}
    assert report()["runs"][0]["left_out"] == {}
    assert len(report()["runs"][0]["results"]) == 4


def test_what_cannot_run_here_leaves_the_profile_undecided(run: Run, fake: Fake):
    fake.left_out = {"entry/b": "it needs a Redis of its own"}
    ran = run("run", "--report", "json=r.json")
    assert ran.code == 0
    assert "base      not decided (1 scenario could not run here)" in ran.out
    assert "it needs a Redis of its own: entry/b" in ran.out
    assert report()["runs"][0]["left_out"] == {"entry/b": "it needs a Redis of its own"}
    assert run("run", "--strict").code == 1


def test_other_profiles_are_decided_where_one_has_a_hole(run: Run, fake: Fake):
    fake.left_out = {"entry/b": "it needs a Redis of its own"}
    assert "group     conformant" in run("run").out


KNOWN = "known_failures:\n  - {id: entry/a/two, reason: not done yet}\n"


def test_a_known_failure_of_a_must_keeps_the_exit_code_and_not_the_verdict(run: Run, fake: Fake):
    Path("known.yaml").write_text(KNOWN)
    fake.profiles = ("base", "group")
    fake.verdicts = only("entry/a/two")
    ran = run("run", "--known-failures", "known.yaml", "--report", "badge=b.json")
    assert ran.code == 0
    assert "base      NOT conformant (known failures: 1)" in ran.out
    assert "group     NOT conformant (it builds on base, not conformant)" in ran.out
    assert "not done yet: entry/a/two" in ran.out
    badge = json.loads(Path("b.json").read_text())
    assert (badge["message"], badge["color"]) == ("not conformant", "red")


def test_a_testee_of_which_everything_is_known_to_fail_is_not_conformant(run: Run, fake: Fake):
    """A testee that never touches Redis, with a file that the suite wrote."""
    fake.verdicts = lambda check: Verdict.FAIL
    run("run", "--known-failures", "known.yaml", "--write-known-failures")
    ran = run("run", "--known-failures", "known.yaml", "--report", "badge=b.json")
    assert ran.code == 0
    for profile in ("base", "group", "channel"):
        assert f"{profile:<10}NOT conformant (known failures: " in ran.out
    assert " conformant (" not in ran.out.replace("NOT conformant (", "")
    assert json.loads(Path("b.json").read_text())["message"] == "not conformant"


@pytest.mark.parametrize(
    ("option", "shown"), [(["--time-scale", "5"], "--time-scale 5"), (["--no-timeouts"], "--no-timeouts")]
)
def test_longer_time_limits_are_shown_in_every_report_and_decide_no_profile(run: Run, option: list[str], shown: str):
    kinds = {"json": "r.json", "html": "r.html", "markdown": "r.md", "junit": "r.xml"}
    ran = run("run", *option, "--report", ",".join(f"{kind}={file}" for kind, file in kinds.items()))
    assert ran.code == 0
    assert f"base      not decided ({shown}: its time limits were not tried at their length)" in ran.out
    assert f"at once, {shown}" in ran.out
    for kind, file in kinds.items():
        assert shown in Path(file).read_text(), kind
    [again] = report()["runs"]
    assert (again["time_scale"], again["no_timeouts"]) == ((5, False) if shown.endswith("5") else (1, True))


def test_a_stale_or_unknown_entry_fails_the_run(run: Run):
    Path("known.yaml").write_text(KNOWN + "  - {id: entry/z, reason: gone}\n")
    ran = run("run", "--known-failures", "known.yaml")
    assert ran.code == 1
    assert "known.yaml:2: entry/a/two passes" in ran.out
    assert "known.yaml:3: entry/z is unknown" in ran.out


def test_write_known_failures_makes_the_next_run_green(run: Run, fake: Fake):
    fake.verdicts = only("entry/a/two", "reclaim/c/one")
    ran = run("run", "--known-failures", "known.yaml", "--write-known-failures")
    assert ran.code == 1
    assert "known.yaml: 2 added, 0 dropped" in ran.out
    ran = run("run", "--known-failures", "known.yaml")
    assert ran.code == 0
    assert "2 known failures have no reason yet" in ran.out


@pytest.mark.parametrize("part", [["entry/a"], ["-k", "entry"], ["--profile", "base"], ["-x"]])
def test_write_known_failures_is_refused_on_a_part(run: Run, fake: Fake, part: list[str]):
    ran = run("run", "--known-failures", "known.yaml", "--write-known-failures", *part)
    assert ran.code == 4
    assert "a partial run cannot tell" in ran.err
    assert not Path("known.yaml").exists()


def test_a_late_check_is_reported_and_changes_no_verdict(run: Run, fake: Fake, monkeypatch: pytest.MonkeyPatch):
    counted = frozenset({"entry/a/one", "entry/b/one", "entry/b/two", "reclaim/c/one", "channel/d/one"})
    monkeypatch.setattr(FrozenSet, "load", classmethod(lambda cls: cls("1.0", counted)))
    fake.verdicts = only("entry/a/two")
    ran = run("run")
    assert ran.code == 0
    assert "base      conformant" in ran.out
    assert "Late: 3 checks are newer than spec 1.0 and do not count; 1 of them fail" in ran.out


def test_a_frozen_check_that_is_gone_fails_the_run(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(FrozenSet, "load", classmethod(lambda cls: cls("1.0", frozenset({"entry/a/one", "entry/x/y"}))))
    ran = run("run")
    assert ran.code == 1
    assert "the check entry/x/y counts for this specification and is gone" in ran.out


def test_an_unwritable_report_is_told(run: Run):
    Path("file").write_text("")
    ran = run("run", "--report", "json=file/r.json")
    assert ran.code == 4
    assert "cannot be written to file/r.json" in ran.err


def test_nothing_of_a_terminal_is_in_plain_output(run: Run, fake: Fake):
    fake.verdicts = only("entry/a/two")
    out = run("run", "-v").out
    assert "\x1b" not in out
    assert "\r" not in out
