"""The twin for threads.

Its files have the names of those in ``asyncio``: a fix in one shows where the other must be read.
"""
