"""Writes the run as a table for people, as JSON for comparisons, and as a picture for the README."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from pathlib import Path
from typing import Any

from .figures import Line, Rest

PACKAGES = (
    "redis",
    "orjson",
    "uvloop",
    "nats-py",
    "grpcio",
    "hiredis",
    "redisipc-py",
    "faststream",
    "clamator-over-redis",
    "celery",
)


def versions(server: str) -> dict[str, str]:
    """The versions of all programs and packages of the run."""
    found = {
        "python": platform.python_version(),
        "server": server,
        "system": f"{platform.system()} {platform.machine()}",
    }
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def table(lines: list[Line]) -> str:
    """The table in Markdown. Each ratio has its smallest and its largest value over the rounds."""
    out = []
    for part in dict.fromkeys(one.part for one in lines):
        out += [
            f"### {part.capitalize()}",
            "",
            "| who | at once | p50 us | p99 us | per second | p50 ratio | p99 ratio | rate ratio | CPU ratio | "
            "CPU us: asker | responders | Redis | commands | conns | errors |",
            "|" + " --- |" * 15,
        ]
        for one in (line for line in lines if line.part == part):
            ratios = [one.ratios[key].text() if key in one.ratios else "" for key in ("p50", "p99", "rate", "cpu")]
            ratios += [
                f"{one.cpu[who].median:.0f}" if who in one.cpu else "" for who in ("asker", "responder", "Redis")
            ]
            out.append(
                f"| {one.title} | {one.at_once} | {one.p50.median:.0f} | {one.p99.median:.0f} | {one.rate.median:.0f} | "
                f"{' | '.join(ratios)} | {one.commands:.1f} | {one.connections} | {one.errors} |"
            )
        out.append("")
    return "\n".join(out)


def extras(idle: list[Rest], imports: dict[str, float]) -> str:
    """The text of the parts without latencies. ``imports``: median milliseconds."""
    out = []
    if idle:
        out += ["### At rest", "", *(f"- {rest.text()}" for rest in idle), ""]
    if imports:
        out += ["### Import", "", *(f"- {name}: {taken:.1f} ms" for name, taken in imports.items()), ""]
    return "\n".join(out)


def write_json(path: Path, lines: list[Line], about: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**about, "lines": [one.plain() for one in lines]}, indent=1) + "\n")


def picture(path: Path, lines: list[Line]) -> str:
    """Draws latency by load as an SVG. Returns the reason if it cannot, else an empty text."""
    try:
        import matplotlib
    except ImportError:
        return "matplotlib is not installed"
    matplotlib.use("svg")
    from matplotlib import pyplot

    matplotlib.rcParams["svg.hashsalt"] = "redisipc"
    figure, axes = pyplot.subplots(figsize=(8, 4.5))
    wanted = [one for one in lines if one.part in ("one at a time", "load")]
    for name in dict.fromkeys(one.name for one in wanted):
        rows = sorted((one for one in wanted if one.name == name), key=lambda one: one.at_once)
        if name.endswith("_plain"):
            continue
        axes.plot(
            [one.rate.median for one in rows], [one.p50.median / 1000 for one in rows], marker="o", label=rows[0].title
        )
        for one in rows:
            if len(rows) > 1:
                axes.annotate(str(one.at_once), (one.rate.median, one.p50.median / 1000), fontsize=7, xytext=(3, 4),
                              textcoords="offset points")  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("requests a second (log); the numbers are requests at once")
    axes.set_ylabel("p50 latency, ms (log)")
    axes.grid(True, which="both", alpha=0.2)
    axes.legend(fontsize=7)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
    return ""
