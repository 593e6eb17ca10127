"""What a gradient check found, in words."""

from dataclasses import dataclass, field


class GradcheckError(ValueError):
    """A derivative is wrong; the message says where, by how much, and how to see it again.

    >>> issubclass(GradcheckError, ValueError)
    True
    """


@dataclass(frozen=True)
class Mismatch:
    """One wrong number: what the tape says, and the interval of the finite difference with its error."""

    what: str
    argument: int | None
    index: tuple[int, ...]
    analytic: float
    low: float
    high: float
    allowed: float
    step: float
    ratio: float
    kink: float | None = None

    def __str__(self) -> str:
        where = "all inputs" if self.argument is None else f"input {self.argument}, index {self.index}"
        numeric = f"{self.low:.17g}"
        if self.high - self.low > self.allowed:
            numeric = f"between {self.low:.17g} and {self.high:.17g} (a kink is within a step)"
        kink = "none seen" if self.kink is None else f"at distance {self.kink:.3g}"
        return (
            f"{self.what} at {where}\n    analytic {self.analytic:.17g}\n    numeric  {numeric}\n"
            f"    allowed difference {self.allowed:.3g}, step {self.step:.3g}, nearest kink {kink}"
        )


@dataclass
class GradcheckReport:
    """What was checked, and what was wrong, the worst first.

    ``checked`` derivatives were compared, ``kinked`` of them at a kink; ``unresolved`` ones could not be told
    to a hundredth, as at a jump, and prove little. ``largest_error`` is the largest
    difference and ``worst`` the largest in units of what was allowed, so that 1 is the limit. ``mismatches``
    and ``reproducer`` say what was wrong and how to see it again.

    >>> report = GradcheckReport("sin", checked=3)
    >>> report.passed
    True
    """

    name: str
    checked: int = 0
    kinked: int = 0
    unresolved: int = 0
    worst: float = 0.0
    largest_error: float = 0.0
    mismatches: list[Mismatch] = field(default_factory=list)
    reproducer: str = ""

    @property
    def passed(self) -> bool:
        """Whether every comparison held."""
        return not self.mismatches

    def __str__(self) -> str:
        head = (
            f"{self.name}: {self.checked} derivatives checked, {self.kinked} of them at a kink, "
            f"largest difference {self.largest_error:.2g} ({self.worst:.2g} of the allowed)"
        )
        if self.unresolved:
            head += f"; {self.unresolved} could not be resolved"
        if self.passed:
            return head
        return (
            f"{self.name}: {len(self.mismatches)} of {self.checked} derivatives are wrong; the worst is\n"
            f"  {self.mismatches[0]}\nTo see it again:\n{self.reproducer}"
        )
