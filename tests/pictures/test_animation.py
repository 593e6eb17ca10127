"""The recorder: what it sees, that training does not notice it, and the GIF."""

import copy
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stn_ref.nn import (
    SGD,
    Dropout,
    Flatten,
    Linear,
    Module,
    Sequential,
    SpatialTransformer,
    identity_transform,
)
from stn_ref.pictures.animation import Recorder, undisturbed
from stn_ref.training import Epoch, SilentProgress, fit

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 6, 7), dtype=np.uint8)
LABELS = np.array([0, 1, 0, 1])


class Noise(Module):
    """Draws numbers in eval mode too, which well-behaved layers do not."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(7)

    def forward(self, x: Any) -> Any:
        return x + self.rng.normal(size=x.shape).astype(np.float32)


def network(theta: list[float] | None = None) -> Sequential:
    """A transformer to (4, 5), dropout, noise, and two classes."""
    rng = np.random.default_rng(1)
    head = Linear(42, 6, rng=rng)
    identity_transform(head)
    if theta is not None:
        head.bias.data = np.array(theta, np.float32)
    return Sequential(
        transformer=SpatialTransformer(Sequential(Flatten(), head), (4, 5)),
        noise=Noise(),
        drop=Dropout(0.5, rng=rng),
        classifier=Sequential(Flatten(), Linear(20, 2, rng=rng)),
    )


def state(model: Module) -> dict[str, Any]:
    """Everything of a model that somebody could notice."""
    transformers = [m for _, m in model.modules() if isinstance(m, SpatialTransformer)]
    return {
        "parameters": model.state_dict(),
        "gradients": [None if p.grad is None else p.grad.copy() for p in model.parameters()],
        "generators": [copy.deepcopy(rng.bit_generator.state) for _, rng in model.named_generators()],
        "flags": [module.training for _, module in model.modules()],
        "reports": [id(transformer.report) for transformer in transformers],
    }


def train(model: Module, epochs: int = 2, **settings: Any) -> Any:
    optimiser = SGD(model.named_parameters(), lr=0.1)
    return fit(model, optimiser, IMAGES, LABELS, epochs=epochs, batch_size=2, seed=0, **settings)


@pytest.mark.parametrize("after", ["nothing", "a training step"])
def test_recording_leaves_the_model_as_it_was(after: str) -> None:
    model = network()
    if after != "nothing":
        model(IMAGES[:, None].astype(np.float32)).sum().backward()
        model[2].training = False  # a flag of its own
    before = state(model)
    Recorder(model, IMAGES).record(3)
    now = state(model)
    for what in before:
        np.testing.assert_equal(now[what], before[what], err_msg=what)


def test_the_comparison_would_notice() -> None:
    model = network()
    before = state(model)
    model.eval()
    model(IMAGES[:, None].astype(np.float32)).sum().backward()
    now = state(model)
    for what in ("gradients", "generators", "flags", "reports"):
        with pytest.raises(AssertionError):
            np.testing.assert_equal(now[what], before[what])


def test_an_error_in_the_model_leaves_it_as_it_was_too() -> None:
    model = network()
    before = state(model)

    def fail() -> None:
        with undisturbed(model):
            model(IMAGES[:, None].astype(np.float32))
            raise RuntimeError("planted")

    with pytest.raises(RuntimeError, match="planted"):
        fail()
    np.testing.assert_equal(state(model), before)


def test_training_goes_the_same_way_bit_for_bit() -> None:
    alone, watched = network(), network()
    train(alone)
    recorder = Recorder(watched, IMAGES, every=1)
    train(watched, progress=recorder)
    np.testing.assert_equal(state(watched)["parameters"], state(alone)["parameters"])
    np.testing.assert_equal(state(watched)["generators"], state(alone)["generators"])
    assert [moment.step for moment in recorder.moments] == [1, 2, 3, 4]
    assert (recorder.moments[0].grid != recorder.moments[-1].grid).any()  # it did learn


def test_what_is_seen_is_the_image_where_the_grid_lies() -> None:
    shift = [1.0, 0.0, 2 / 6, 0.0, 1.0, 0.0]  # one pixel of 7 to the right, align_corners=True
    transformer = network(shift)[0]
    assert isinstance(transformer, SpatialTransformer)
    transformer.output_size = None
    recorder = Recorder(transformer, IMAGES)
    recorder.record(0)
    [moment] = recorder.moments
    images = IMAGES / 255.0
    expected = np.concatenate([images[:, :, 1:], np.zeros((4, 6, 1))], axis=2)
    np.testing.assert_allclose(moment.outputs[:, 0], expected, atol=1e-5)
    np.testing.assert_allclose(moment.grid[:, 0, 0], [[-1 + 2 / 6, -1]] * 4, atol=1e-6)


def test_steps_are_counted_over_epochs_and_resumptions() -> None:
    recorder = Recorder(network(), IMAGES, every=2)
    for epoch, batch in [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)]:
        recorder.batch(epoch, 2, batch, 3, 0.5)
    assert [moment.step for moment in recorder.moments] == [1, 3, 5]
    resumed = Recorder(network(), IMAGES, every=2)
    resumed.batch(2, 2, 2, 3, 0.5)
    assert [moment.step for moment in resumed.moments] == [5]


def test_moments_are_copies_and_the_images_stay_the_same() -> None:
    model, images = network(), IMAGES[:, None].astype(np.float32) / 255
    recorder = Recorder(model, images)
    recorder.record(0)
    first = recorder.moments[0].outputs.copy()
    images[:] = 0
    model[0].localisation[1].bias.data = np.zeros(6, np.float32)  # type: ignore[attr-defined]
    recorder.record(1)
    np.testing.assert_array_equal(recorder.moments[0].outputs, first)
    assert recorder.images.any()
    assert (recorder.moments[1].grid == 0).all()


def test_what_fit_tells_is_passed_on() -> None:
    told: list[str] = []

    class Listener(SilentProgress):
        def batch(self, epoch: int, epochs: int, batch: int, batches: int, loss: float) -> None:
            told.append(f"batch {batch}/{batches}")

        def epoch(self, record: Epoch, epochs: int) -> None:
            told.append(f"epoch {record.number}/{epochs}")

        def note(self, text: str) -> None:
            told.append(text)

        def close(self) -> None:
            told.append("close")

    recorder = Recorder(network(), IMAGES, progress=Listener())
    train(recorder.model, epochs=1, progress=recorder)
    recorder.note("a note")
    assert told == ["batch 1/2", "batch 2/2", "epoch 1/1", "close", "a note"]


def test_the_gif_has_a_frame_for_each_moment(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from PIL import Image

    model = network()
    recorder = Recorder(model, IMAGES, every=1)
    recorder.record(0)
    train(model, progress=recorder)
    recorder.moments.append(recorder.moments[-1]._replace(step=99, grid=np.full((4, 4, 5, 2), np.nan)))
    path = recorder.save(tmp_path / "learning.gif", fps=5)
    with Image.open(path) as gif:
        assert gif.n_frames == len(recorder.moments) == 6
        assert gif.info["duration"] == 200  # milliseconds
        assert gif.info["loop"] == 0  # for ever
        frames = []
        for k in range(gif.n_frames):
            gif.seek(k)
            frames.append(np.asarray(gif.convert("RGB")))
    assert all((a != b).any() for a, b in pairwise(frames))


def test_each_frame_shows_its_moment() -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    model = network()
    recorder = Recorder(model, IMAGES)
    recorder.record(0)
    model[0].localisation[1].bias.data = np.array([0, 0, 1, 0, 0, -1], np.float32)  # type: ignore[attr-defined]
    recorder.record(7)
    figure = Figure(layout="constrained")
    seen = []
    for _ in recorder._drawn(figure):
        above, below = figure.axes[:4], figure.axes[4:]
        seen.append((figure.texts[0].get_text(), np.transpose(above[1].lines[0].get_data())))
        shown = np.stack([axes.images[0].get_array() for axes in below])
        np.testing.assert_array_equal(shown, recorder.moments[len(seen) - 1].outputs[:, 0])
    assert [title for title, _ in seen] == ["step 0", "step 7"]
    np.testing.assert_allclose(seen[0][1][0], [0, 0])
    np.testing.assert_allclose(seen[1][1], [[6, 0]] * len(seen[1][1]))  # all in the upper right corner


def test_what_cannot_be_recorded_or_saved_is_told(tmp_path: Path) -> None:
    recorder = Recorder(network(), IMAGES)
    with pytest.raises(ValueError, match=r"nothing was recorded; call record\(step\)"):
        recorder.save(tmp_path / "x.gif")
    recorder.record(0)
    with pytest.raises(ValueError, match=r"expected a name ending in \.gif"):
        recorder.save(tmp_path / "x.png")
    with pytest.raises(ValueError, match="fps is 0, expected more than 0"):
        recorder.save(tmp_path / "x.gif", fps=0)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="but the model has no SpatialTransformer"):
        Recorder(Flatten(), IMAGES)
    with pytest.raises(TypeError, match="model is 'network', expected a network"):
        Recorder("network", IMAGES)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"images is .*expected \(H, W\) or \(C, H, W\) with C = 1 or 3"):
        Recorder(network(), np.zeros((4, 2, 6, 7), np.float32))


def test_one_of_several_transformers_is_chosen_by_name() -> None:
    two = Sequential(first=network()[0], rest=Sequential(second=network([0.5, 0, 0, 0, 0.5, 0])[0]))
    with pytest.raises(ValueError, match=r"expected name= one of 'first', 'rest\.second'"):
        Recorder(two, IMAGES)
    recorder = Recorder(two, IMAGES, name="first")
    assert recorder.transformer is two[0]


def test_a_transformer_that_takes_no_part_is_told() -> None:
    class Unused(Module):
        def __init__(self) -> None:
            self.transformer = network()[0]

        def forward(self, x: Any) -> Any:
            return x

    model = Unused()
    with pytest.raises(ValueError, match="took no part"):
        Recorder(model, IMAGES).record(0)
