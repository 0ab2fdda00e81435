"""The terminal shows what it should, and a file has no control characters of a terminal."""

import io
import re
from dataclasses import replace

import pytest

import synthetic
from redisipc_conformance.report.live import Live
from redisipc_conformance.report.style import coloured, painter, plain
from redisipc_conformance.report.summary import header, summary, table, verdict_lines
from redisipc_conformance.report.transcript import window
from redisipc_conformance.results import Line, ScenarioPutOff, ScenarioStarted, Verdict
from redisipc_conformance.text import shorten
from redisipc_conformance.verdict.run import Report


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def live(stream: io.StringIO, bad: float = 0.3, **how: bool) -> str:
    shown = Live(stream, painter(stream), **how)
    for event in synthetic.events(rows=60, bad=bad):
        shown.event(event)
        shown.tick()
    shown.clear()
    return stream.getvalue()


def test_a_file_gets_whole_lines_without_control_characters():
    text = live(io.StringIO())
    assert "\r" not in text
    assert "\x1b" not in text
    assert any(line.startswith("fail ") or line.startswith("inconclusive ") for line in text.splitlines())


def test_a_terminal_gets_one_status_line_that_is_drawn_anew(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    text = live(Terminal(), bad=0.0)
    assert "[1/30] 1 pass" in text
    assert "1 running, longest entry/scenario-0 0 s" in text
    assert text.endswith("\r\x1b[2K")


def test_before_the_first_scenario_a_terminal_shows_what_is_waited_for():
    for stream, shown in ((Terminal(), True), (io.StringIO(), False)):
        waiting = Live(stream, plain)
        waiting.phase = "starting Redis (redis:8)"
        waiting.tick()
        assert ("starting Redis (redis:8)" in stream.getvalue()) is shown


def test_what_waits_for_a_calmer_machine_is_not_shown_as_running():
    progress = Live(io.StringIO(), plain)
    ended = list(synthetic.events(rows=4, bad=0.0))
    progress.event(ended[0])
    for id in ("entry/a", "entry/b"):
        progress.event(ScenarioStarted(id))
    progress.event(ScenarioPutOff("entry/a"))
    assert "1 running, longest entry/b" in progress.status()
    assert progress.status().endswith("; 1 will run again, as the machine was busy")
    progress.event(ScenarioStarted("entry/a"))
    assert "2 running" in progress.status()
    assert "again" not in progress.status()


def test_no_color_is_heeded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert painter(Terminal()) is plain
    assert painter(io.StringIO()) is plain


def test_verbose_names_every_scenario_and_quiet_none_that_passed():
    assert live(io.StringIO(), verbose=True).count("\n") == 30
    assert live(Terminal(), bad=0.0, quiet=True) == ""


def test_the_header_says_what_is_tested_on_what():
    text = "\n".join(header(synthetic.run(rows=20), 4))
    for part in ("acme-ipc 0.4.1 (rust)", "Redis 7.0.15 (container, redis:7)", "seed 7", "4 at once", "cancel, wakeup"):
        assert part in text


def test_the_header_never_shows_a_password():
    text = "\n".join(header(synthetic.run(rows=20), 4, url="rediss://ada:secret@cache:6380/0"))
    assert "at rediss://***@cache:6380/0" in text
    assert "secret" not in text


def test_the_table_adds_up():
    run = synthetic.run(rows=500, bad=0.2)
    lines = table(run)
    columns = lines[0].split()[2:]
    numbers = [[0 if cell == "." else int(cell) for cell in line.split()[-len(columns) :]] for line in lines[1:]]
    assert numbers[-1] == [sum(column) for column in zip(*numbers[:-1], strict=True)]
    assert sum(numbers[-1]) == len(list(run.findings()))


def test_the_verdict_is_the_last_word():
    report = synthetic.report(500)
    lines = summary(report, report.runs[0])
    assert lines[-5:] == list(verdict_lines(report.runs[0]))
    assert lines[-2].split() == ["channel", "not", "claimed"]
    assert "NOT conformant" in lines[-4]


def test_the_summary_names_warnings_known_failures_budgets_and_what_could_not_run():
    run = synthetic.run(rows=500, bad=0.2, left_out={"recovery/restart": "needs a server of its own"})
    run.problems.append("known.yaml:3: entry/x passes: the entry is stale, delete it")
    text = "\n".join(summary(Report([run], synthetic.requirements()), run))
    for part in (
        "SHOULD that do not hold",
        "Known failures: ",
        "see its issue 12.: ",
        "Time budgets used by more than 50%",
        "Not run: 1 scenario cannot run here",
        "needs a server of its own: recovery/restart",
        "problem: known.yaml:3",
    ):
        assert part in text
    assert "\x1b" not in text


def test_colour_changes_nothing_but_colour():
    run = synthetic.run(rows=200, bad=0.1)
    report = Report([run], synthetic.requirements(200))
    bare = "\n".join(summary(report, run))
    painted = "\n".join(summary(report, run, paint=coloured))
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == bare


def test_when_all_fails_one_failure_and_the_hint_are_shown():
    run = synthetic.run(rows=60, bad=0.0)
    for number, result in enumerate(run.results):
        checks = tuple(replace(check, verdict=Verdict.FAIL, message="no") for check in result.checks)
        run.results[number] = replace(result, checks=checks, verdict=Verdict.FAIL)
    text = "\n".join(summary(Report([run]), run))
    assert "the shim is more likely to be wrong" in text
    assert "redisipc-conformance check-testee -- target/release/testee --runtime tokio" in text
    assert text.count("problem   no") == 1


LINES = tuple(Line(number / 10, "testee", "a", f"PING {number}") for number in range(100))


def test_the_window_is_around_the_wrong_line_and_says_what_it_left_out():
    shown = window(LINES, [50])
    numbers = [each.number for each in shown if each.line]
    assert numbers == [0, 1, 2, 3, *range(36, 57)]
    assert [each.cut for each in shown if each.line is None] == [32, 43]
    assert [each.number for each in shown if each.wrong] == [50]
    assert sum(each.cut or 1 for each in shown) == len(LINES)


def test_without_a_wrong_line_the_window_is_at_the_end():
    assert [each.number for each in window(LINES) if each.line][-1] == 99
    assert [each.cut for each in window(LINES) if each.line is None] == [81]


def test_a_single_line_is_never_left_out():
    shown = window(LINES[:25], [19], before=14)
    assert all(each.line for each in shown)


def test_no_lines_no_window():
    assert window(()) == []


def test_a_long_line_says_how_much_is_missing():
    assert shorten("a\nb") == "a\\nb"
    assert shorten("x" * 1000, 100) == "x" * 80 + " ...(920 more)"
