"""The list of faults: what one is, and how it gets there."""

from collections.abc import Callable
from dataclasses import dataclass

from .plain import Plain


@dataclass(frozen=True)
class Fault:
    """A mistake that people make when they write a spatial transformer, as code that runs.

    >>> from stn_ref.faults import FAULTS
    >>> fault = FAULTS["missing-half-w"]
    >>> fault.theme, fault.anchor, fault.steps
    ('gradients', 'missing-half-w', ('slope_factor',))
    """

    name: str
    sentence: str
    """What went wrong, for somebody who sees it for the first time."""
    implementation: type[Plain]
    equivalent: str = ""
    """The proof that it is no mistake: the answers are the same for all arguments, to rounding. Or ""."""
    convention: str = ""
    """The profile in which this is the rule and not a mistake, or ""."""
    dangerous: bool = False
    """Whether it may end or block the process: run it in one of its own."""

    @property
    def theme(self) -> str:
        """What it is about: the name of the file in which it stands."""
        return self.implementation.__module__.rpartition(".")[-1]

    @property
    def anchor(self) -> str:
        """Where the documentation speaks of it."""
        return self.name

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps of :class:`Plain` that it does otherwise."""
        return tuple(name for name in vars(self.implementation) if name in STEPS)

    def make(self) -> Plain:
        """A backend that makes this mistake.

        >>> from stn_ref.faults import FAULTS
        >>> FAULTS["xy-swap"].make().name
        'xy-swap'
        """
        return self.implementation()


STEPS = [step for step in dir(Plain) if not step.startswith("_") and step != "name"]
FAULTS: dict[str, Fault] = {}


def fault(
    name: str, sentence: str, *, equivalent: str = "", convention: str = "", dangerous: bool = False
) -> Callable[[type[Plain]], type[Plain]]:
    """Enter a class into :data:`FAULTS`, with what :class:`Fault` says of it."""

    def enter(implementation: type[Plain]) -> type[Plain]:
        if name in FAULTS:
            raise ValueError(f"fault: the name {name!r} is taken by {FAULTS[name].implementation.__name__}")
        implementation.name = name
        FAULTS[name] = Fault(name, sentence, implementation, equivalent, convention, dangerous)
        return implementation

    return enter
