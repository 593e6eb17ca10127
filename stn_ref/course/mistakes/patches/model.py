"""What a mistake in the textbook's text is."""

from dataclasses import dataclass

from ...sources import source

__all__ = ["Patch"]


@dataclass(frozen=True)
class Patch:
    """A mistake in a file of the textbook: in the right text, the first of each pair gives way to the second.

    Where several pairs are needed, it is one belief that shows in several places.
    """

    name: str
    sentence: str
    file: str
    changes: tuple[tuple[str, str], ...]

    def text(self) -> str:
        """The file with the mistake.

        Raises
        ------
        ValueError
            If the textbook does not have what gives way exactly once.
        """
        text = source(self.file)
        for old, new in self.changes:
            if text.count(old) != 1:
                count = text.count(old)
                raise ValueError(f"{self.name}: {self.file} has {old!r} {count} times, expected once")
            text = text.replace(old, new)
        return text
