"""How work can end without a result, whatever room it ended in; each carries its sentence for people.

It imports nothing, so that the command line knows the errors without loading what raises them.
"""

from __future__ import annotations


class UnusableError(Exception):
    """What a person wrote cannot be used: settings, policy, arguments, or the machine itself."""


class BusyError(Exception):
    """Another process is at work on the project."""


class HeldError(Exception):
    """The night is not published, the old report stands: what, where, why, what to do."""
