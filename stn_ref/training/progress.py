"""Showing how training goes: a line in the terminal, nothing, or a tqdm bar."""

import sys
import time
from typing import Any, Protocol, TextIO

from ..errors import optional
from .history import Epoch

__all__ = ["PlainProgress", "Progress", "SilentProgress", "TqdmProgress", "epoch_line"]

REFRESH = 0.1  # seconds between two updates of the line within an epoch


class Progress(Protocol):
    """What :func:`fit` tells; epochs and batches count from 1."""

    def batch(self, epoch: int, epochs: int, batch: int, batches: int, loss: float) -> None:
        """A batch was learnt; ``loss`` is that of the batch."""

    def epoch(self, record: Epoch, epochs: int) -> None:
        """An epoch is over, and saved if it is to be."""

    def note(self, text: str) -> None:
        """Something the user should know."""

    def close(self) -> None:
        """Training is over, however it ended."""


def epoch_line(record: Epoch, epochs: int) -> str:
    """An epoch in a line.

    >>> from stn_ref.training import Epoch, Metrics
    >>> validation = Metrics(loss=0.3, accuracy=0.902, errors=98, count=1000)
    >>> epoch_line(Epoch(3, 0.412, 0.871, {"transformer": 0.008}, 0.01, validation, 12.3), 20)
    'epoch 3/20  loss 0.412  train 87.1 %  validation 90.2 %  outside 0.8 %  12 s'
    """
    parts = [f"epoch {record.number}/{epochs}", f"loss {record.loss:.3f}", f"train {record.accuracy:.1%}"]
    if record.validation is not None:
        parts.append(f"validation {record.validation.accuracy:.1%}")
    if len(record.outside) == 1:
        parts += [f"outside {value:.1%}" for value in record.outside.values()]
    else:
        parts += [f"outside {name} {value:.1%}" for name, value in record.outside.items()]
    parts.append(f"{record.seconds:.0f} s")
    return "  ".join(parts).replace("%", " %")


class SilentProgress:
    """Shows nothing."""

    def batch(self, epoch: int, epochs: int, batch: int, batches: int, loss: float) -> None:
        pass

    def epoch(self, record: Epoch, epochs: int) -> None:
        pass

    def note(self, text: str) -> None:
        pass

    def close(self) -> None:
        pass


class PlainProgress:
    """One line per epoch; in a terminal, the line of the present epoch moves along.

    Parameters
    ----------
    stream : text stream
        Where to write; ``sys.stdout`` if None. Carriage returns are written only to a terminal.
    prefix : str
        Put before each line, for instance the name of the network.

    >>> progress = PlainProgress(prefix="CNN  ")
    >>> progress.epoch(Epoch(1, 2.0, 0.25, {}, 0.1, seconds=3.2), epochs=2)
    CNN  epoch 1/2  loss 2.000  train 25.0 %  3 s
    """

    def __init__(self, stream: TextIO | None = None, *, prefix: str = "") -> None:
        self.stream = sys.stdout if stream is None else stream
        self.prefix = prefix
        self.moving = self.stream.isatty()
        self.width = 0  # of the moving line that now stands in the terminal
        self.last = float("-inf")

    def batch(self, epoch: int, epochs: int, batch: int, batches: int, loss: float) -> None:
        now = time.monotonic()
        if self.moving and now - self.last >= REFRESH:
            self.last = now
            line = f"{self.prefix}epoch {epoch}/{epochs}  batch {batch}/{batches}  loss {loss:.3f}"
            self.stream.write("\r" + line.ljust(self.width))
            self.stream.flush()
            self.width = len(line)

    def epoch(self, record: Epoch, epochs: int) -> None:
        self._line(self.prefix + epoch_line(record, epochs))

    def note(self, text: str) -> None:
        self._line(f"{self.prefix}note: {text}")

    def close(self) -> None:
        if self.width:  # leave what an interrupted epoch had reached, and what follows on a line of its own
            self.stream.write("\n")
            self.stream.flush()
            self.width = 0

    def _line(self, line: str) -> None:
        start = "\r" if self.width else ""
        self.stream.write(f"{start}{line.ljust(self.width)}\n")
        self.stream.flush()
        self.width = 0


class TqdmProgress:
    """A tqdm bar over the batches of each epoch; settings go to ``tqdm.tqdm``.

    Raises
    ------
    ModuleNotFoundError
        If tqdm is not installed; it comes with the extra ``progress``.
    """

    def __init__(self, **settings: Any) -> None:
        self.tqdm = optional("tqdm", extra="progress", purpose="TqdmProgress, unlike PlainProgress,").tqdm
        self.settings = settings
        self.bar: Any = None

    def batch(self, epoch: int, epochs: int, batch: int, batches: int, loss: float) -> None:
        if self.bar is None:
            self.bar = self.tqdm(
                total=batches,
                initial=batch - 1,  # not 0 after a resumption within an epoch
                desc=f"epoch {epoch}/{epochs}",
                leave=False,
                unit="batch",
                **self.settings,
            )
        self.bar.update(1)
        self.bar.set_postfix_str(f"loss {loss:.3f}", refresh=False)

    def epoch(self, record: Epoch, epochs: int) -> None:
        self.close()
        self._line(epoch_line(record, epochs))

    def note(self, text: str) -> None:
        self._line(f"note: {text}")

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def _line(self, text: str) -> None:
        self.tqdm.write(text, file=self.settings.get("file"))
