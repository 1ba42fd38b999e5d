"""Where each number is referred to first, so that page B can lead back."""

from __future__ import annotations


class References:
    """The references printed so far."""

    def __init__(self) -> None:
        """Nothing is printed yet."""
        self._printed: set[str] = set()

    def first(self, k: str) -> str:
        """The anchor of the first reference to a number; empty for the later ones."""
        if k in self._printed:
            return ""
        self._printed.add(k)
        return f"at-{k}"

    def back(self, k: str) -> str:
        """The anchor to lead back to; empty where the number is only listed."""
        return f"at-{k}" if k in self._printed else ""
