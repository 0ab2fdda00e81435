"""Commands about the server as a whole."""

from __future__ import annotations

from typing import Any

from redisipc.protocol.commands import Command

from .arguments import raw
from .model import Model, handles


@handles("PING")
def _ping(_model: Model, _command: Command) -> Any:
    return b"PONG"


@handles("TIME")
def _time(model: Model, _command: Command) -> Any:
    now = model.wall()
    return [b"%d" % (now // 1000), b"%d" % (now % 1000 * 1000)]


@handles("INFO")
def _info(model: Model, _command: Command) -> Any:
    return f"# Server\r\nredis_version:{model.profile.version}\r\nredisipc_model:1\r\n".encode()


@handles("PUBLISH")
def _publish(model: Model, command: Command) -> Any:
    return model.publish(raw(command[1]), raw(command[2]))
