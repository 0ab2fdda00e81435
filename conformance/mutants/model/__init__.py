"""A small, complete implementation of SPEC.md over asyncio, with points at which it can be made wrong.

It exists to test the suite: right, it passes every scenario; with one mutation switched on, the check that is named for
that mutation must fail. It shares no code with the reference library, and is written to be read, not to be fast.
"""
