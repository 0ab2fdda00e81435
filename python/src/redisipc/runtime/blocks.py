"""The wrong kind of ``with`` block: the error names the right one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redisipc.errors import ConfigurationError


class Blocks:
    """Subclasses define one kind of block. The other kind raises ``ConfigurationError``."""

    if not TYPE_CHECKING:  # hidden from type checkers, so that they report the wrong kind of block

        def __enter__(self) -> Any:
            raise ConfigurationError(
                f"{self!r} is of redisipc.asyncio: write `async with`; `with` is for redisipc.Stream"
            )

        def __exit__(self, *_error: object) -> None:
            """Only to be found by ``with``."""

        async def __aenter__(self) -> Any:
            raise ConfigurationError(f"{self!r} is for threads: write `with`; `async with` is for redisipc.asyncio")

        async def __aexit__(self, *_error: object) -> None:
            """Only to be found by ``async with``."""
