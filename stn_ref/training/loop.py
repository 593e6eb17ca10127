"""`fit`: the training loop.

The order of the images and the distortions of epoch e come from generators made of ``seed`` and e alone;
what else is random belongs to the model (dropout) and is kept in the checkpoint. The state after every batch
is remembered, so that a run stopped anywhere goes back to the last whole batch, and from there on goes the
same way, bit for bit.
"""

import math
import os
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..data.distortions import Batch
from ..nn import Module, Optimiser
from ..ops import cross_entropy
from .batch import Alone, Learner
from .checkpoint import CheckpointError, load_latest, previous_path, save_checkpoint
from .history import History, Position
from .metrics import Loss, Outside, check_count, check_labels, evaluate, mode, network_input
from .progress import Progress, SilentProgress
from .settings import digest, name_of, of_optimiser
from .state import State
from .stopping import Diverged, Interrupted, WorkerFailed, exploded, likely_cause
from .workers import Crew, LostWorker

__all__ = ["fit"]

Array = NDArray[Any]
LOST = 0.9  # fraction of samples outside at which a transformer has lost the image
Distort = Callable[[Any, np.random.Generator], Batch]


def fit(
    model: Module,
    optimiser: Optimiser,
    images: Any,
    labels: Any,
    *,
    epochs: int,
    batch_size: int = 64,
    seed: int,
    distort: Distort | None = None,
    validation: tuple[Any, Any] | None = None,
    loss: Loss = cross_entropy,
    checkpoint: str | os.PathLike[str] | None = None,
    save_every: float | None = None,
    resume: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
) -> History:
    """Train ``model`` on ``images`` and ``labels``.

    Parameters
    ----------
    model : Module
        From images to logits (N, K), or (N, L, K) for sequences. Its training flags are put back at the end.
    optimiser : Optimiser
        Over parameters of this model.
    images : uint8 (N, H, W), (N, C, H, W) or (N, C, D, H, W), or floating with a channel axis
        uint8 is scaled to float32 in [0, 1]. With ``distort``, whatever that takes.
    labels : (N,) integers, or (N, L) for sequences
    epochs : int
        How many in all, those before a resumption included.
    batch_size : int
        The last batch of an epoch holds what is left over.
    seed : int
        Of the order and the distortions.
    distort : callable
        ``distort(images, rng)`` gives the images of an epoch as the network sees them, anew each epoch; all
        its chance must come from ``rng``. For instance ``stn_ref.data.rotate_scale_translate``.
    validation : (images, labels)
        Evaluated after each epoch, as they are: distort them once, beforehand.
    loss : callable
        From logits and labels to the mean over the batch, a scalar.
    checkpoint : path
        Where to keep the state, at the start, after each epoch and at Ctrl-C; the one before is kept too.
    save_every : float
        Seconds after which it is also kept within an epoch, for long ones; never if None.
    resume : bool
        Go on from ``checkpoint`` if it exists, to the same weights, bit for bit, as without the break. Seed,
        batch size, data and optimiser settings must be as before.
    workers : int
        How many processes compute the gradients, each with one BLAS thread; None or 0: this one does. The
        result is the same, bit for bit, for any number from 1; without workers it differs by rounding, and by
        other draws of dropout. Model and loss must be picklable; see ``docs/speed.md``.
    progress : Progress
        Told about batches and epochs; silent if None.

    Returns
    -------
    History

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, or model and loss cannot be sent to workers.
    FileExistsError
        If ``checkpoint`` exists and ``resume`` is False.
    CheckpointError
        If the checkpoint is damaged (and the one before too) or of another run.
    Diverged
        If the loss is not finite or beyond 1,000 times the first one (at least 1,000), or a parameter is
        not finite. Model and optimiser are then as they were before the update that led there.
    Interrupted
        At Ctrl-C, a KeyboardInterrupt. Model and optimiser are then as after the last whole batch, and
        saved if ``checkpoint`` is given.
    WorkerFailed
        If a worker is killed or raises an error; all is then as at Ctrl-C.

    >>> from stn_ref.nn import SGD, Flatten, Linear, Sequential
    >>> images = np.arange(0, 256, 4, dtype=np.uint8).reshape(16, 2, 2)     # dark ones, then bright ones
    >>> labels = np.repeat([0, 1], 8)
    >>> model = Sequential(Flatten(), Linear(4, 2, rng=np.random.default_rng(0)))
    >>> optimiser = SGD(model.named_parameters(), lr=0.5)
    >>> history = fit(model, optimiser, images, labels, epochs=30, batch_size=4, seed=0)
    >>> len(history), history[-1].loss < history[0].loss, history[-1].accuracy > 0.9
    (30, True, True)
    """
    check_count("fit", "epochs", epochs)
    check_count("fit", "batch_size", batch_size)
    check_count("fit", "seed", seed, least=0)
    check_count("fit", "workers", 0 if workers is None else workers, least=0)
    if distort is None:
        images = network_input("fit", images)
    labels = check_labels("fit", labels, len(images))
    if validation is not None:
        inputs = network_input("fit: validation", validation[0])
        validation = inputs, check_labels("fit: validation", validation[1], len(inputs))
    own = {id(p) for p in model.parameters()}
    for name, p in optimiser.parameters.items():
        if id(p) not in own:
            raise ValueError(
                f"fit: parameter {name} of the optimiser is not one of the model; make the optimiser from "
                "this model's named_parameters()"
            )
    run = _Run(model, optimiser, images, labels, batch_size, int(seed), distort, validation, loss)
    run.path = None if checkpoint is None else Path(checkpoint)
    run.save_every = math.inf if save_every is None else save_every
    run.progress = SilentProgress() if progress is None else progress
    run.epochs = int(epochs)
    run.learner = Alone(model, loss)
    if workers:
        run.learner = Crew(model, loss, int(workers), min(batch_size, len(labels)))
    with closing(run.learner), closing(run.progress):
        run.begin(resume)
        return run.train()


class _Point(NamedTuple):
    """A moment between two batches, to which one can go back."""

    state: State
    position: Position


class _Run:
    """One call of `fit`. ``point`` is the last moment between two batches, ``before`` the one before it."""

    path: Path | None
    save_every: float
    progress: Progress
    epochs: int
    learner: Learner
    point: _Point

    def __init__(
        self,
        model: Module,
        optimiser: Optimiser,
        images: Any,
        labels: Array,
        batch_size: int,
        seed: int,
        distort: Distort | None,
        validation: tuple[Any, Any] | None,
        loss: Loss,
    ) -> None:
        self.model, self.optimiser, self.images, self.labels = model, optimiser, images, labels
        self.batch_size, self.seed, self.distort = batch_size, seed, distort
        self.validation, self.loss = validation, loss
        self.batches = -(-len(labels) // batch_size)
        self.before: _Point | None = None
        self.note = ""
        self.started, self.saved = (0.0, 0.0), 0.0

    # Beginning, and checkpoints

    def begin(self, resume: bool) -> None:
        """From the start or from the checkpoint."""
        self.point = _Point(State.of(self.model, self.optimiser), Position())
        if self.learner.note:
            self.tell(self.learner.note)
        if self.path is None:
            if resume:
                raise ValueError("fit: resume=True needs checkpoint=, the file to go on from")
            return
        self.data = digest(self.images, self.labels)
        there = self.path.exists() or previous_path(self.path).exists()
        if there and not resume:
            raise FileExistsError(
                f"fit: {self.path} (or the one before, {previous_path(self.path).name}) holds a checkpoint; "
                "go on from it with resume=True, remove it, or give another path"
            )
        if there:
            self.resume(self.path)
            return
        if resume:
            self.tell(f"there is no checkpoint {self.path} yet: starting from the beginning")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.save()  # now, so that a path that cannot be written is not found out after an hour

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint of this same run."""
        found = load_latest(path)
        saved = found.run.get("fit")
        if not isinstance(saved, dict):
            raise CheckpointError(
                f"fit: {found.path}: field 'run' holds no training run; use restore() for it"
            )
        # The rate that the schedule gives at the saved step shows whether it is the same schedule.
        now = self.settings(self.optimiser.lr * float(self.optimiser.schedule(found.state.steps)))
        for name, value in now.items():
            if saved["settings"].get(name) != value:
                raise CheckpointError(
                    f"fit: {found.path} is of a run with another {name}: {saved['settings'].get(name)}, here "
                    f"{value}. To train on under new settings, take its weights with "
                    "load_latest(path).restore(model) and start a run with another checkpoint path"
                )
        position = Position.from_json(saved["position"])
        found.restore(self.model, self.optimiser)
        self.point = _Point(found.state, position)
        if found.note:
            self.tell(found.note)

    def settings(self, rate: float) -> dict[str, Any]:
        """What must be the same for a run to go on bit for bit, as JSON gives it back."""
        return {
            "seed": self.seed,
            "batch_size": self.batch_size,
            "division of batches by workers": self.learner.division,
            "distort": None if self.distort is None else name_of(self.distort),
            "images or labels": self.data,
            **of_optimiser(self.optimiser, rate),
        }

    def save(self) -> None:
        """Write the present point, in which the model is, to the checkpoint."""
        if self.path is not None:
            run = {"position": self.point.position.to_json(), "settings": self.settings(self.optimiser.rate)}
            save_checkpoint(self.path, self.model, self.optimiser, run={"fit": run})
        self.saved = time.monotonic()

    def tell(self, note: str) -> None:
        self.note = note
        self.progress.note(note)

    # Training

    def train(self) -> History:
        """All epochs that are left."""
        self.saved = time.monotonic()
        try:
            # Overflow needs no warning: what comes of it is found and told below.
            with (
                np.errstate(over="ignore", invalid="ignore", divide="ignore"),
                mode(self.model, training=True),
            ):
                while self.point.position.epoch < self.epochs:
                    self.one_epoch()
        except KeyboardInterrupt:
            raise self.interrupted() from None
        except LostWorker as lost:
            raise self.interrupted(lost) from None
        return self.history()

    def history(self) -> History:
        return History(self.point.position.history, self.note)

    def one_epoch(self) -> None:
        position = self.point.position
        self.started = time.perf_counter() - position.seconds, time.process_time() - position.processor
        order, chance = (
            np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(position.epoch, purpose)))
            for purpose in (0, 1)
        )
        permutation = order.permutation(len(self.labels))
        inputs = self.images
        if self.distort is not None:
            inputs = network_input("fit: the result of distort", self.distort(self.images, chance))
            if len(inputs) != len(self.labels):
                raise ValueError(f"fit: distort gave {len(inputs)} images for {len(self.labels)}")
        while (batch := self.point.position.batch) < self.batches:
            chosen = permutation[batch * self.batch_size : (batch + 1) * self.batch_size]
            value = self.one_batch(inputs[chosen], self.labels[chosen])
            if time.monotonic() - self.saved > self.save_every:
                self.save()
            self.progress.batch(position.epoch + 1, self.epochs, batch + 1, self.batches, value)
        chosen = permutation[(self.batches - 1) * self.batch_size :]
        self.end_epoch(inputs[chosen], self.labels[chosen])

    def one_batch(self, x: Array, labels: Array) -> float:
        """One update; the loss before it."""
        position = self.point.position
        passed = self.learner.forward(x, labels)
        value = passed.loss
        if exploded(value, position.first_loss):
            rate = None if position.first_loss is None else position.learning_rate
            raise self.diverged(f"the loss is {value:g}", value, x, rate, self.before or self.point)
        passed.backward()
        rate = self.optimiser.rate
        self.optimiser.step()
        for name, p in self.optimiser.parameters.items():
            if not np.isfinite(p.data).all():
                raise self.diverged(f"{name} is not finite after an update", value, x, rate, self.point)
        outside = Outside(self.model, position.outside)
        outside.join(passed.outside)
        seconds, processor = self.times()
        after = replace(
            position,
            batch=position.batch + 1,
            loss=position.loss + value * len(x),
            correct=position.correct + passed.correct,
            samples=position.samples + len(x),
            outside=outside.sums,
            learning_rate=rate,
            seconds=seconds,
            processor=processor,
            first_loss=value if position.first_loss is None else position.first_loss,
        )
        # A Ctrl-C between these two finds a point from before or after, either of them whole.
        self.before = self.point
        self.point = _Point(State.of(self.model, self.optimiser), after)
        return value

    def end_epoch(self, x: Array, labels: Array) -> None:
        """Validate, record, save. Without a validation set the last batch shows whether all is well."""
        state, position = self.point
        measured = evaluate(self.model, *(self.validation or (x, labels)), loss=self.loss)
        if exploded(measured.loss, position.first_loss):
            what = "validation" if self.validation else "last batch"
            message = f"the loss of the {what} is {measured.loss:g} after the epoch"
            rate = position.learning_rate
            raise self.diverged(message, measured.loss, x, rate, self.before or self.point)
        outside = Outside(self.model, position.outside).means()
        validation = measured if self.validation else None
        after = position.finished(outside, validation, *self.times())
        self.point = _Point(state, after)
        self.save()
        self.progress.epoch(after.history[-1], self.epochs)
        for name, fraction in outside.items():
            if fraction > LOST:
                self.tell(
                    f"{fraction:.0%} of the samples of {name!r} fall outside the image, from where no "
                    "gradient comes back: begin with identity_transform, and slow its localisation network "
                    f"down, multipliers={{'{name}.localisation': 0.1}}"
                )

    def times(self) -> tuple[float, float]:
        """How long the present epoch has taken, by the clock and of the processor, breaks taken out."""
        clock, processor = self.started
        return time.perf_counter() - clock, time.process_time() - processor

    # Stopping

    def diverged(self, what: str, value: float, x: Array, rate: float | None, back_to: _Point) -> Diverged:
        """Go back to where all was well, and say what happened."""
        position = self.point.position
        cause = likely_cause(self.model, x, rate)
        step = position.epoch * self.batches + position.batch
        back_to.state.restore(self.model, self.optimiser)
        good = self.path
        if good is not None and self.before is None and step:
            good = previous_path(good)  # the present one was read, and led here at once
        kept = "no checkpoint was asked for" if good is None else f"the last good checkpoint is {good}"
        return Diverged(
            f"fit: {what}, in epoch {position.epoch + 1} of {self.epochs} at step {step} "
            f"(first loss {value if position.first_loss is None else position.first_loss:g}). Likely cause: "
            f"{cause}. Model and optimiser are again as before the update that led there; {kept}.",
            epoch=position.epoch + 1,
            step=step,
            loss=value,
            checkpoint=good,
            history=self.history(),
        )

    def interrupted(self, lost: LostWorker | None = None) -> Interrupted | WorkerFailed:
        """Go back to the last whole batch, save it, and say how to go on; ``lost`` is whose fault it is.

        A Ctrl-C in here ends it at once; the checkpoint before is then still whole.
        """
        state, position = self.point
        state.restore(self.model, self.optimiser)
        self.save()
        where = "after the last epoch"
        if position.epoch < self.epochs:
            done = f"{position.batch} of {self.batches} batches"
            where = f"in epoch {position.epoch + 1} of {self.epochs}, after {done}"
        how = "nothing was saved, since no checkpoint was asked for"
        if self.path is not None:
            how = f"saved to {self.path}; go on with the same call and resume=True"
        place: dict[str, Any] = {
            "epoch": position.epoch + 1,
            "batch": position.batch,
            "checkpoint": self.path,
        }
        if lost is None:
            return Interrupted(f"fit: stopped {where}; {how}", **place)
        said = f"fit: {lost}; stopped {where}; {how}\n{lost.traceback}".rstrip()
        return WorkerFailed(said, worker=lost.number, traceback=lost.traceback, **place)
