"""The twin for asyncio.

Its files have the names of those in ``threads``: a fix in one shows where the other must be read.
"""
