"""What a spatial transformer looks at while it learns, as an animated GIF. Saving needs Matplotlib."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..autograd.recording import no_grad
from ..autograd.tensor import plain
from ..errors import describe
from ..files import write_atomically
from ..nn import Module, SpatialTransformer
from ..ops import grid_sample
from ..training import Epoch, Progress, SilentProgress
from ..training.metrics import check_count, mode, network_input
from .canvas import broken_at_infinity, matplotlib, new_figure, shown
from .sheets import draw_columns, sampling_frame

Array = NDArray[Any]


class Moment(NamedTuple):
    """What was seen after a step: ``grid`` (N, H', W', 2), normalised, and ``outputs`` (N, C, H', W')."""

    step: int
    grid: Array
    outputs: Array


class Recorder:
    """Records what a transformer cuts out of a few images in the course of training.

    It is also a :class:`~stn_ref.training.Progress`, so that ``fit(..., progress=recorder)`` records by
    itself. In a loop of your own call :meth:`record`. Training goes on as if it were not there: it runs the
    network in eval mode and off the tape, and puts back training flags, random generators and reports.

    Parameters
    ----------
    model : Module
        A network with a :class:`SpatialTransformer` for images, or a transformer itself.
    images : uint8 (N, H, W) or (N, C, H, W), or floating (N, C, H, W) with values in [0, 1]
        What the model is shown, always the same; about 4 to 10, with C = 1 or 3.
    every : int
        As the progress of ``fit``, record after the first and then every so many optimiser steps.
    name : str
        Of the transformer, with dots, if the model has several. One behind another sees what that one cut
        out, so that its frames do not lie on the images; the first, or one of several in parallel, does.
    progress : Progress
        What else ``fit`` is to tell; silent if None.

    Attributes
    ----------
    moments : list of Moment
        The ``outputs`` are what the transformer's grid cuts out of the images themselves, since in a network
        it may see them standardised, or maps of features.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another form, or the model has no transformer, or several and no name is given.

    >>> from stn_ref.nn import Flatten, Linear, Sequential, identity_transform
    >>> head = Linear(64, 6, rng=np.random.default_rng(0))
    >>> identity_transform(head)
    >>> transformer = SpatialTransformer(Sequential(Flatten(), head), (4, 4))
    >>> recorder = Recorder(transformer, np.zeros((3, 8, 8), np.uint8))
    >>> recorder.record(0)
    >>> [(moment.step, moment.grid.shape, moment.outputs.shape) for moment in recorder.moments]
    [(0, (3, 4, 4, 2), (3, 1, 4, 4))]
    """

    def __init__(
        self,
        model: Module,
        images: Any,
        *,
        every: int = 10,
        name: str | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.model = model
        self.transformer = _transformer(model, name)
        self.images = network_input("Recorder", images).copy()  # they are to stay the same
        shown("Recorder", "images", self.images[0])
        check_count("Recorder", "every", every)
        self.every = every
        self.progress: Progress = SilentProgress() if progress is None else progress
        self.moments: list[Moment] = []

    def record(self, step: int) -> None:
        """Look at what the transformer does now, after ``step`` optimiser steps.

        Raises
        ------
        ValueError
            If the transformer took no part in the network's forward pass.
        """
        # A run that diverges is to be told by whoever trains, not by overflow in a picture.
        with undisturbed(self.model), no_grad(), np.errstate(all="ignore"):
            self.model(self.images)
            report = self.transformer.report
            if report is None:
                raise ValueError("Recorder: the transformer took no part in the forward pass of the model")
            outputs = grid_sample(self.images, report.grid, **self.transformer.settings)
        self.moments.append(Moment(int(step), np.array(report.grid), np.array(plain(outputs))))

    # What fit tells

    def batch(self, epoch: int, epochs: int, batch: int, batches: int, loss: float) -> None:
        """A batch was learnt; the steps are counted from the first epoch, over resumptions too."""
        step = (epoch - 1) * batches + batch
        if (step - 1) % self.every == 0:
            self.record(step)
        self.progress.batch(epoch, epochs, batch, batches, loss)

    def epoch(self, record: Epoch, epochs: int) -> None:
        """An epoch is over."""
        self.progress.epoch(record, epochs)

    def note(self, text: str) -> None:
        """Something the user should know."""
        self.progress.note(text)

    def close(self) -> None:
        """Training is over."""
        self.progress.close()

    def save(self, path: str | Path, fps: float = 10) -> Path:
        """Write the moments as an animated GIF: above the images with frames, below what was cut out.

        Parameters
        ----------
        path : file name, ending in .gif
        fps : float
            Moments per second.

        Returns
        -------
        The path.

        Raises
        ------
        ModuleNotFoundError
            Without Matplotlib; the message names the extra.
        ValueError, OSError
            If nothing was recorded, ``fps`` is not positive, or the file cannot be written. What stood
            there is left.
        """
        path = Path(path)
        if path.suffix.lower() != ".gif":
            raise ValueError(
                f"Recorder: path is {path}, expected a name ending in .gif, for a moving picture"
            )
        if not 0 < fps <= 100:
            raise ValueError(
                f"Recorder: fps is {fps!r}, expected more than 0 and, as GIF allows, at most 100"
            )
        if not self.moments:
            raise ValueError("Recorder: nothing was recorded; call record(step) after optimiser steps")
        animation = matplotlib("animation")
        figure = new_figure(max(1.35 * len(self.images), 2.2), 3.2)
        writer = animation.PillowWriter(fps=fps)
        with tempfile.TemporaryDirectory() as folder:
            whole = Path(folder, "whole.gif")
            with writer.saving(figure, str(whole), dpi=100):
                for _ in self._drawn(figure):
                    writer.grab_frame()
            write_atomically(path, whole.read_bytes())
        return path

    def _drawn(self, figure: Any) -> Iterator[None]:
        """Draw one moment after the other."""
        inputs = [shown("Recorder", "images", image) for image in self.images]
        columns: list[tuple[Any, Any, Any]] = []
        for step, grid, outputs in self.moments:
            align_corners = self.transformer.settings["align_corners"]
            frames = sampling_frame(grid, self.images.shape[2:], align_corners=align_corners)
            below = [shown("Recorder", "outputs", image) for image in outputs]
            title = f"step {step}"
            if not columns:
                columns = draw_columns(figure, inputs, below, frames)
                heading = figure.suptitle(title, fontsize=10)
                figure.draw_without_rendering()
                figure.set_layout_engine("none")  # from here on nothing is to move but what is shown
            for (frame, corner, picture), points, image in zip(columns, frames, below):
                frame.set_data(*broken_at_infinity(points).T)
                corner.set_data(*points[:1].T)
                picture.set_data(image)
            heading.set_text(title)
            yield


@contextmanager
def undisturbed(model: Module) -> Iterator[None]:
    """Eval mode and no reports yet inside; after it, flags, random generators and reports are as before."""
    transformers = [m for _, m in model.modules() if isinstance(m, SpatialTransformer)]
    reports = [transformer.report for transformer in transformers]
    generators = [(rng, rng.bit_generator.state) for _, rng in model.named_generators()]
    try:
        for transformer in transformers:
            transformer.report = None
        with mode(model, training=False):
            yield
    finally:
        for transformer, report in zip(transformers, reports):
            transformer.report = report
        for rng, state in generators:
            rng.bit_generator.state = state


def _transformer(model: Module, name: str | None) -> SpatialTransformer:
    if not isinstance(model, Module):
        raise TypeError(f"Recorder: model is {describe(model)}, expected a network with a SpatialTransformer")
    found = {
        prefix.rstrip("."): module
        for prefix, module in model.modules()
        if isinstance(module, SpatialTransformer)
    }
    if name is None and len(found) == 1:
        return next(iter(found.values()))
    if name not in found:
        names = ", ".join(repr(n) for n in found)
        expected = f"expected name= one of {names}" if found else "but the model has no SpatialTransformer"
        raise ValueError(f"Recorder: name is {name!r}, {expected}")
    return found[name]
