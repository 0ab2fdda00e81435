"""`make interop-ruby` where Ruby, the gem or a testee cannot be used: what is missing, and how to get it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "ruby" / "converse.py"


def run(**environment: str) -> subprocess.CompletedProcess[str]:
    without = {name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "RUBY")}
    return subprocess.run(
        [sys.executable, str(SCRIPT)], env={**without, **environment}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("ruby", "problem"),
    [
        ("/no/such/ruby", "/no/such/ruby cannot be run"),
        ("false", "false finds no gem redis_ipc"),
        ("true", "true finds no gem redis_ipc"),
    ],
)
def test_without_the_gem_it_says_what_is_missing_and_exits_with_77(ruby: str, problem: str) -> None:
    ended = run(RUBY=ruby)
    assert ended.returncode == 77
    assert ended.stderr.startswith(problem)
    assert "gem install redis_ipc" in ended.stderr


def test_without_a_redis_it_is_wrong_use(tmp_path: Path) -> None:
    ruby = tmp_path / "ruby"
    ruby.write_text("#!/bin/sh\necho 'redis_ipc 1.0.2, Ruby 3.3.8'\n")
    ruby.chmod(0o755)
    ended = run(RUBY=str(ruby))
    assert (ended.returncode, "REDIS_URL" in ended.stderr) == (2, True)


def test_a_testee_that_cannot_be_run_is_named_with_the_end_of_its_stderr(tmp_path: Path) -> None:
    ruby = tmp_path / "ruby"
    # Finds the gem, but not the testee's file.
    ruby.write_text(
        '#!/bin/sh\n[ "$1" = -e ] && { echo "redis_ipc 1.0.2, Ruby 3.3.8"; exit; }\necho "cannot load $1" >&2\nexit 1\n'
    )
    ruby.chmod(0o755)
    ended = run(RUBY=str(ruby), REDIS_URL="redis://127.0.0.1:1/0")
    assert (ended.returncode, "Traceback" in ended.stderr) == (1, False)
    assert ended.stderr.startswith("ruby cannot take part: ")
    assert "exit status 1" in ended.stderr
    assert "cannot load " in ended.stderr
    assert "testee.rb" in ended.stderr
