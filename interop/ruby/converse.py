"""Python and Ruby on one stream: `make interop-ruby`, or with a Redis of one's own `REDIS_URL=... python interop/ruby/converse.py`.

Runs Python's threads and asyncio against the gem. Environment: RUBY, the command that runs Ruby (default `ruby`).
Exit codes: 0 all held, 1 something did not hold, or a testee cannot be run, 2 wrong use, 77 Ruby or the gem is missing.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "interop"))

from talk.scenes import Failed, asks, mixed  # noqa: E402
from talk.testee import CallFailed, Testee, Unusable  # noqa: E402

MISSING = 77
HOW = """\
The gem redis_ipc 1.0.2 is needed, with Ruby 3.2 or later. Any one of these will do:
  gem install redis_ipc -v 1.0.2
  RUBY="bundle exec ruby" BUNDLE_GEMFILE=/absolute/path/to/interop/ruby/Gemfile   (after `bundle install` there)
  RUBYLIB=/path/to/a/checkout/of/redis_ipc/lib   (its dependencies installed)
RUBY names the command that runs Ruby. interop/ruby/README.md says more."""


def gem_problem(ruby: list[str]) -> str:
    """Why the gem cannot be used; empty when it can. Prints the versions then."""
    script = 'require "logger"; require "redis_ipc"; print "redis_ipc #{RedisIPC::VERSION}, Ruby #{RUBY_VERSION}"'
    try:
        found = subprocess.run([*ruby, "-e", script], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{shlex.join(ruby)} cannot be run: {error}"
    if found.returncode or not found.stdout.startswith("redis_ipc "):
        return f"{shlex.join(ruby)} finds no gem redis_ipc: {(found.stderr.strip().splitlines() or ['no reason given'])[0]}"
    print(found.stdout, flush=True)
    return ""


async def converse(ruby: list[str], url: str, requests: int) -> int:
    """All scenes with both runtimes; how many failed."""
    failed = 0
    for runtime in ("threads", "asyncio"):
        async with AsyncExitStack() as stack:
            testees = []
            for name, command in (
                ("ruby", [*ruby, str(ROOT / "interop" / "ruby" / "testee.rb")]),
                ("python", [sys.executable, str(ROOT / "python" / "testee" / "testee.py"), "--runtime", runtime]),
            ):
                testees.append(await Testee.start(name, command))
                stack.push_async_callback(testees[-1].close)
            gem, python = testees
            for title, scene in (
                ("Python asks Ruby", asks(python, gem, url, requests)),
                ("Ruby asks Python", asks(gem, python, url, requests)),
                ("one group, Python answers", mixed([gem, python], python, url, requests)),
                ("one group, Ruby answers", mixed([gem, python], gem, url, requests)),
            ):
                try:
                    lines = await scene
                except (Failed, CallFailed, TimeoutError) as error:
                    failed += 1
                    lines = [f"FAILED: {error}"]
                print(f"{title} ({runtime})", *lines, sep="\n    ", flush=True)
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=100, metavar="N", help="per figure (default 100)")
    options = parser.parse_args()
    ruby = shlex.split(os.environ.get("RUBY", "ruby"))
    problem = gem_problem(ruby)
    if problem:
        print(f"{problem}\n{HOW}", file=sys.stderr)
        return MISSING
    if "REDIS_URL" not in os.environ:
        print("REDIS_URL is not set; `make interop-ruby` finds a Redis by itself", file=sys.stderr)
        return 2
    try:
        failed = asyncio.run(converse(ruby, os.environ["REDIS_URL"], options.requests))
    except Unusable as error:
        print(f"{error}\ninterop/ruby/README.md says what each testee needs.", file=sys.stderr)
        return 1
    print(f"{failed} scenes failed" if failed else "All held.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
