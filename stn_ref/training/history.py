"""What happened in a training run, epoch by epoch."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .metrics import Metrics

__all__ = ["Epoch", "History"]


@dataclass(frozen=True)
class Epoch:
    """One pass over the training set.

    ``number`` counts from 1. ``loss`` and ``accuracy`` (a fraction) are means over the batches as they were
    learnt from, dropout and all; ``outside`` is the fraction of samples outside by transformer;
    ``learning_rate`` is that of the last update; ``validation`` is measured after it. ``seconds`` by the
    clock and ``processor`` seconds of this process, fewer where it had to wait, take no part in ``==``.
    """

    number: int
    loss: float
    accuracy: float
    outside: dict[str, float]
    learning_rate: float
    validation: Metrics | None = None
    seconds: float = field(default=0.0, compare=False)
    processor: float = field(default=0.0, compare=False)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Epoch":
        """From what ``dataclasses.asdict`` gave."""
        validation = record["validation"]
        return cls(**{**record, "validation": None if validation is None else Metrics(**validation)})


@dataclass(frozen=True)
class History:
    """The epochs of a run, those before a resumption included; ``note`` says what a reader should know.

    >>> epoch = Epoch(1, loss=0.5, accuracy=0.75, outside={}, learning_rate=0.1)
    >>> history = History((epoch,))
    >>> len(history), history[-1].loss
    (1, 0.5)
    """

    epochs: tuple[Epoch, ...]
    note: str = field(default="", compare=False)

    def __len__(self) -> int:
        return len(self.epochs)

    def __iter__(self) -> Iterator[Epoch]:
        return iter(self.epochs)

    def __getitem__(self, i: int) -> Epoch:
        return self.epochs[i]


@dataclass(frozen=True)
class Position:
    """How far a run has come: finished epochs, finished batches of the present one, and its sums so far.

    ``first_loss`` is the loss of the very first batch; ``history`` the finished epochs.
    """

    epoch: int = 0
    batch: int = 0
    loss: float = 0.0
    correct: int = 0
    samples: int = 0
    outside: dict[str, tuple[float, int]] = field(default_factory=dict)
    learning_rate: float = 0.0
    seconds: float = 0.0
    processor: float = 0.0
    first_loss: float | None = None
    history: tuple[Epoch, ...] = ()

    def finished(
        self, outside: dict[str, float], validation: Metrics | None, seconds: float, processor: float
    ) -> "Position":
        """The position at the start of the next epoch."""
        record = Epoch(
            number=self.epoch + 1,
            loss=self.loss / self.samples,
            accuracy=self.correct / self.samples,
            outside=outside,
            learning_rate=self.learning_rate,
            validation=validation,
            seconds=seconds,
            processor=processor,
        )
        return Position(
            epoch=record.number,
            learning_rate=self.learning_rate,
            first_loss=self.first_loss,
            history=(*self.history, record),
        )

    def to_json(self) -> dict[str, Any]:
        """As plain dictionaries, lists and numbers."""
        return asdict(self)

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> "Position":
        """From what :meth:`to_json` gave."""
        outside = {name: (float(total), int(count)) for name, (total, count) in saved["outside"].items()}
        history = tuple(Epoch.from_json(record) for record in saved["history"])
        return cls(**{**saved, "outside": outside, "history": history})
