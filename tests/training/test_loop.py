"""`fit`: it learns, it goes on bit for bit after any interruption, and it stops where it must."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stn_ref import Tensor
from stn_ref.data import rotate
from stn_ref.nn import SGD, Dropout, Flatten, Linear, Module, Sequential, SpatialTransformer, cosine
from stn_ref.training import (
    CheckpointError,
    Diverged,
    History,
    Interrupted,
    SilentProgress,
    State,
    evaluate,
    fit,
    load_checkpoint,
    load_latest,
    previous_path,
    save_checkpoint,
)
from stn_ref.training.history import Epoch, Position

KINDS = ["Adam", "SGD"]


# Learning


class FirstPixel(Module):
    """Linear in the first pixel, so that a run can be followed by hand; remembers what it saw."""

    def __init__(self):
        self.weight = Tensor(np.zeros(2, np.float32), requires_grad=True)
        self.seen = []

    def forward(self, x):
        if self.training:
            self.seen.append(x[:, 0, 0, 0].tolist())
        return np.ascontiguousarray(x[:, 0, 0, 0])[:, None] * self.weight


def numbered(n):
    """n images that say which they are."""
    return np.arange(n, dtype=np.float32).reshape(n, 1, 1, 1)


def flat(batches):
    return [image for batch in batches for image in batch]


def recorded(n=10, **settings):
    model = FirstPixel()
    labels = np.zeros(n, int)
    history = fit(
        model, SGD(model.named_parameters(), lr=1e-3), numbered(n), labels, **{"seed": 0, **settings}
    )
    return model.seen, history


def test_every_epoch_sees_every_image_once_in_a_new_order():
    seen, _ = recorded(epochs=3, batch_size=4)
    assert [len(batch) for batch in seen] == [4, 4, 2] * 3
    epochs = [flat(seen[i : i + 3]) for i in (0, 3, 6)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_the_order_follows_from_the_seed_alone():
    assert recorded(epochs=2, batch_size=4)[0] == recorded(epochs=2, batch_size=4)[0]
    assert recorded(epochs=2, batch_size=4)[0] != recorded(epochs=2, batch_size=4, seed=1)[0]
    ten, four = (flat(recorded(epochs=2, batch_size=size)[0]) for size in (10, 4))
    assert ten == four


def test_the_images_are_distorted_anew_each_epoch():
    drawn = []

    def shift(images, rng):
        drawn.append(rng.random())
        return images + np.float32(100 * len(drawn))

    seen, _ = recorded(epochs=2, batch_size=10, distort=shift)
    assert len(set(drawn)) == 2
    assert [sorted(batch) for batch in seen] == [list(range(100, 110)), list(range(200, 210))]


def test_one_epoch_by_hand():
    """One image with pixel 1 and label 0; weights 0: loss log 2, gradient (-1/2, 1/2)."""
    model = FirstPixel()
    optimiser = SGD(model.named_parameters(), lr=0.5)
    history = fit(model, optimiser, numbered(2)[1:], np.array([0]), epochs=1, seed=0)
    assert model.weight.data.tolist() == [0.25, -0.25]
    [epoch] = history
    assert epoch.loss == pytest.approx(np.log(2))
    assert (epoch.number, epoch.accuracy, epoch.learning_rate, epoch.outside) == (1, 1.0, 0.5, {})
    assert epoch.validation is None


def test_means_weigh_batches_by_their_size():
    losses = iter([1.0, 2.0, 6.0])

    def planned(logits, labels):
        value = next(losses, 0.0)  # after the epoch, the last batch is looked at once more
        return logits.sum() * np.float32(0) + np.float32(value)

    _, history = recorded(epochs=1, batch_size=4, loss=planned)
    assert history[0].loss == pytest.approx((4 * 1 + 4 * 2 + 2 * 6) / 10)


def test_the_history_holds_validation_outside_and_learning_rate(small):
    run = small.Run()
    history = run.fit(validation=(small.images, small.labels))
    assert [epoch.number for epoch in history] == [1, 2, 3]
    assert history[-1].validation == evaluate(run.model, small.images, small.labels)
    assert all(set(epoch.outside) == {"transformer"} for epoch in history)
    # Four batches an epoch; the rate of the last of them.
    expected = [0.01 * cosine(12)(step) for step in (3, 7, 11)]
    assert [epoch.learning_rate for epoch in history] == pytest.approx(expected)
    assert all(epoch.seconds >= 0 for epoch in history)


def test_it_learns_and_puts_the_training_flags_back():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 60)
    images = rng.normal(size=(60, 1, 3, 3)) + labels[:, None, None, None]
    model = Sequential(Flatten(), Dropout(0.1, rng=rng), Linear(9, 2, rng=rng, dtype=np.float64))
    model[1].training = False
    before = evaluate(model, images, labels)
    optimiser = SGD(model.named_parameters(), lr=0.1, momentum=0.9)
    fit(model, optimiser, images, labels, epochs=10, batch_size=16, seed=0)
    after = evaluate(model, images, labels)
    assert after.loss < before.loss / 2
    assert after.accuracy > 0.9
    assert [module.training for _, module in model.modules()] == [True, True, False, True]


# Going on, bit for bit


class StopAt(SilentProgress):
    """Ctrl-C, or another end, after so many batches."""

    def __init__(self, batches, end=KeyboardInterrupt):
        self.left, self.end = batches, end

    def batch(self, *told):
        self.left -= 1
        if not self.left:
            raise self.end


def stopped_and_resumed(Run, kind, path, batches, **settings):
    first = Run(kind)
    with pytest.raises(Interrupted):
        first.fit(checkpoint=path, progress=StopAt(batches), **settings)
    second = Run(kind)
    history = second.fit(checkpoint=path, resume=True, **settings)
    return second.outcome(), history


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batches", [1, 3, 4, 5, 12])  # four make an epoch, twelve all
def test_a_resumed_run_ends_with_the_same_bits(small, tmp_path, kind, batches):
    whole = small.Run(kind)
    settings = {"validation": (small.images, small.labels)}
    history = whole.fit(**settings)
    outcome, resumed = stopped_and_resumed(small.Run, kind, tmp_path / "a.npz", batches, **settings)
    assert outcome == whole.outcome()
    assert resumed == history


def test_a_run_killed_within_an_epoch_goes_on_from_what_was_last_saved(small, tmp_path):
    whole, killed, resumed = small.Run(), small.Run(), small.Run()
    whole.fit()
    with pytest.raises(SystemExit):  # which, unlike Ctrl-C, nobody catches to save what there is
        killed.fit(checkpoint=tmp_path / "run.npz", save_every=0, progress=StopAt(6, SystemExit))
    position = load_checkpoint(tmp_path / "run.npz").run["fit"]["position"]
    assert (position["epoch"], position["batch"]) == (1, 2)
    resumed.fit(checkpoint=tmp_path / "run.npz", resume=True)
    assert resumed.outcome() == whole.outcome()


@pytest.mark.parametrize("kind", KINDS)
def test_training_in_two_calls_is_training_in_one(small, tmp_path, kind):
    whole, parts = small.Run(kind), small.Run(kind)
    history = whole.fit()
    parts.fit(epochs=1, checkpoint=tmp_path / "a.npz")
    fresh = small.Run(kind)
    assert fresh.fit(checkpoint=tmp_path / "a.npz", resume=True) == history
    assert fresh.outcome() == whole.outcome()
    again = small.Run(kind)  # nothing is left to do
    assert again.fit(checkpoint=tmp_path / "a.npz", resume=True) == history
    assert again.outcome() == whole.outcome()


def forget_generators(monkeypatch):
    of = State.of

    def without(model, optimiser=None):
        state = of(model, optimiser)
        fresh = np.random.default_rng(1).bit_generator.state
        return replace(state, generators=dict.fromkeys(state.generators, fresh))

    monkeypatch.setattr(State, "of", without)


def forget(field, value):
    def plant(monkeypatch):
        of = State.of
        monkeypatch.setattr(State, "of", lambda *args: replace(of(*args), **{field: value}))

    return plant


def forget_the_batch(monkeypatch):
    monkeypatch.setattr(
        Position,
        "from_json",
        classmethod(lambda cls, saved, read=Position.from_json: replace(read(saved), batch=0)),
    )


@pytest.mark.parametrize(
    "plant", [forget_generators, forget("averages", {}), forget("steps", 0), forget_the_batch]
)
def test_a_checkpoint_that_forgets_something_is_found_out(small, tmp_path, monkeypatch, plant):
    whole = small.Run()
    whole.fit()
    plant(monkeypatch)
    try:
        outcome, _ = stopped_and_resumed(small.Run, "Adam", tmp_path / "a.npz", 5)
    except CheckpointError:  # a forgotten step count shows in the learning rate already
        return
    assert outcome != whole.outcome()


def interrupt_at_line(n, function):
    """Run ``function`` with a Ctrl-C before the n-th line of the package; returns how many there were."""
    count = 0
    rooms = ("training", "nn", "data")

    def trace(frame, event, argument):
        nonlocal count
        parts = Path(frame.f_code.co_filename).parts
        if parts[-3:-1] not in [("stn_ref", room) for room in rooms]:
            return None
        if event == "line":
            count += 1
            if count == n:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
    return count


def check_interrupts(small, folder, points):
    """Ctrl-C at many moments: the resumed run always ends like the uninterrupted one."""
    settings = {"epochs": 2, "validation": (small.images[:5], small.labels[:5])}
    whole = small.Run()
    history = whole.fit(**settings)
    run = small.Run()
    lines = interrupt_at_line(0, lambda: run.fit(checkpoint=folder / "whole.npz", **settings))
    for i in range(points):
        n = 1 + (i * lines) // points + i % 5
        path = folder / f"{i}.npz"
        run = small.Run()
        interrupt_at_line(n, lambda run=run, path=path: run.fit(checkpoint=path, **settings))
        resumed = small.Run()
        assert resumed.fit(checkpoint=path, resume=True, **settings) == history
        assert resumed.outcome() == whole.outcome()


# Python tells so about an exception in a callback of the garbage collector, or a file it closes late.
unraisable = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@unraisable
def test_a_stop_at_any_moment_changes_nothing(small, tmp_path):
    check_interrupts(small, tmp_path, points=40)


@unraisable
def test_the_test_of_stops_finds_a_loop_that_does_not_go_back(small, tmp_path, monkeypatch):
    """Without the way back to the last whole batch, a half-made update is saved."""
    restore = State.restore

    def restore_unless_stopping(state, model, optimiser=None):
        if sys._getframe(1).f_code.co_name != "interrupted":
            restore(state, model, optimiser)

    monkeypatch.setattr(State, "restore", restore_unless_stopping)
    with pytest.raises(AssertionError):
        check_interrupts(small, tmp_path, points=40)


def test_ctrl_c_says_where_it_stopped_and_how_to_go_on(small, tmp_path):
    path = tmp_path / "a.npz"
    with pytest.raises(
        Interrupted, match=r"epoch 2 of 3, after 1 of 4 batches; saved to .*resume=True"
    ) as stop:
        small.Run().fit(checkpoint=path, progress=StopAt(5))
    assert (stop.value.epoch, stop.value.batch, stop.value.checkpoint) == (2, 1, path)
    with pytest.raises(KeyboardInterrupt, match="nothing was saved, since no checkpoint was asked for"):
        small.Run().fit(progress=StopAt(5))


def test_after_ctrl_c_the_model_is_what_was_saved(small, tmp_path):
    run = small.Run()

    class StopInUpdate(type(run.optimiser)):
        def update(self, name, gradient, rate):
            if self.steps == 6 and name.endswith("bias"):
                raise KeyboardInterrupt  # some weights are updated, some are not
            return super().update(name, gradient, rate)

    StopInUpdate.__name__ = "Adam"
    run.optimiser.__class__ = StopInUpdate
    with pytest.raises(Interrupted):
        run.fit(checkpoint=tmp_path / "a.npz")
    other = small.Run()
    load_checkpoint(tmp_path / "a.npz").restore(other.model, other.optimiser)
    assert run.outcome() == other.outcome()
    assert run.optimiser.steps == 5


def test_a_second_ctrl_c_while_saving_leaves_a_whole_checkpoint(small, tmp_path, monkeypatch):
    path = tmp_path / "a.npz"

    def interrupted(descriptor):
        raise KeyboardInterrupt

    def stop_then_patch(*told):
        monkeypatch.setattr("os.fsync", interrupted)
        raise KeyboardInterrupt

    progress = SilentProgress()
    progress.batch = stop_then_patch
    with pytest.raises(KeyboardInterrupt):
        small.Run().fit(checkpoint=path, progress=progress)
    monkeypatch.undo()
    whole, resumed = small.Run(), small.Run()
    whole.fit()
    resumed.fit(checkpoint=path, resume=True)
    assert resumed.outcome() == whole.outcome()
    assert not [p for p in tmp_path.iterdir() if p.suffix == ".part"]


def test_a_damaged_checkpoint_is_replaced_by_the_previous_one_with_a_note(small, tmp_path):
    path = tmp_path / "a.npz"
    small.Run().fit(checkpoint=path)
    path.write_bytes(path.read_bytes()[:-7])
    told = []
    progress = SilentProgress()
    progress.note = told.append
    whole, resumed = small.Run(), small.Run()
    whole.fit()
    history = resumed.fit(checkpoint=path, resume=True, progress=progress)
    assert resumed.outcome() == whole.outcome()
    assert told == [history.note]
    assert "using the previous checkpoint" in history.note


def test_resume_without_a_checkpoint_starts_with_a_note(small, tmp_path):
    history = small.Run().fit(checkpoint=tmp_path / "new" / "a.npz", resume=True)
    assert "starting from the beginning" in history.note
    assert len(history) == 3


def test_an_existing_checkpoint_is_not_overwritten(small, tmp_path):
    path = tmp_path / "a.npz"
    small.Run().fit(checkpoint=path)
    content = path.read_bytes()
    with pytest.raises(FileExistsError, match="resume=True, remove it, or give another path"):
        small.Run().fit(checkpoint=path)
    path.unlink()
    with pytest.raises(FileExistsError):
        small.Run().fit(checkpoint=path)
    assert previous_path(path).read_bytes() != content


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"seed": 6}, "seed: 5, here 6"),
        ({"batch_size": 5}, "batch_size: 4, here 5"),
        ({"distort": None}, "distort: rotate, here None"),
    ],
)
def test_another_setting_is_refused_by_name(small, tmp_path, change, name):
    small.Run().fit(epochs=1, checkpoint=tmp_path / "a.npz")
    run = small.Run()
    before = run.outcome()
    with pytest.raises(CheckpointError, match=f"is of a run with another {name}"):
        run.fit(checkpoint=tmp_path / "a.npz", resume=True, **change)
    assert run.outcome() == before


@pytest.mark.parametrize(
    ("attribute", "value", "name"),
    [
        ("lr", 0.02, "optimiser"),
        ("betas", (0.8, 0.999), "optimiser"),
        ("schedule", cosine(24), "schedule"),
        ("schedule", lambda step: 0.5, "schedule"),
    ],
)
def test_another_optimiser_setting_is_refused_by_name(small, tmp_path, attribute, value, name):
    small.Run().fit(epochs=1, checkpoint=tmp_path / "a.npz")
    run = small.Run()
    setattr(run.optimiser, attribute, value)
    with pytest.raises(CheckpointError, match=f"is of a run with another {name}: "):
        run.fit(checkpoint=tmp_path / "a.npz", resume=True)


def test_other_data_or_another_network_is_refused(small, tmp_path):
    path = tmp_path / "a.npz"
    run = small.Run()
    run.fit(epochs=1, checkpoint=path)
    for images, labels in ((small.images[::-1], small.labels), (small.images, small.labels[::-1])):
        with pytest.raises(CheckpointError, match="another images or labels"):
            fit(run.model, run.optimiser, images, labels, **run.settings, checkpoint=path, resume=True)
    save_checkpoint(tmp_path / "b.npz", run.model, run.optimiser)
    with pytest.raises(CheckpointError, match="holds no training run"):
        run.fit(checkpoint=tmp_path / "b.npz", resume=True)
    other = small.Run()
    other.model.classifier[3].p = 0.5
    other.model.classifier[1].bias = Tensor(np.zeros(9, np.float32), requires_grad=True)
    with pytest.raises((CheckpointError, ValueError)):
        other.fit(checkpoint=path, resume=True)


# Stopping where it must


def planned_loss(values):
    """A loss with given values, and a gradient that moves the weights."""
    values = iter(values)
    return lambda logits, labels: (s := logits.sum() * 0.01) - float(s) + next(values)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 2000.0])
def test_a_bad_loss_stops_and_goes_back_before_the_update_that_led_there(bad):
    model = FirstPixel()
    optimiser = SGD(model.named_parameters(), lr=1e-3, momentum=0.9)
    states = []

    class Watch(SilentProgress):
        def batch(self, *told):
            states.append(State.of(model, optimiser))

    with pytest.raises(Diverged) as stop:
        fit(
            model,
            optimiser,
            numbered(10),
            np.zeros(10, int),
            epochs=2,
            batch_size=4,
            seed=0,
            loss=planned_loss([1.0, 1.0, 1.0, 1.0, 1.0, bad]),
            progress=Watch(),
        )
    error = stop.value
    # Three updates make an epoch, after which the last batch is measured once more.
    assert (error.epoch, error.step, len(error.history)) == (2, 4, 1)
    assert error.loss == bad or np.isnan(bad)
    assert error.checkpoint is None
    assert "in epoch 2 of 2 at step 4 (first loss 1)" in str(error)
    assert "the learning rate, 0.001, is too high (try 0.0001)" in str(error)
    assert "no checkpoint was asked for" in str(error)
    # The loss after update 4 was bad, so update 4 is undone.
    assert (model.weight.data == states[2].parameters["weight"]).all()
    assert (optimiser.state["weight"] == states[2].averages["weight"]).all()
    assert optimiser.steps == 3
    assert model.training


@pytest.mark.parametrize("values", [[0.001, 999.0, 999.0], [500.0, 4e5, 4e5]])
def test_a_loss_may_grow_a_thousandfold(values):
    recorded(n=8, epochs=1, batch_size=4, loss=planned_loss(values))


def test_a_bad_loss_after_the_last_update_of_an_epoch_is_not_saved(small, tmp_path):
    path = tmp_path / "a.npz"
    run = small.Run()
    for settings in ({}, {"validation": (small.images, small.labels)}):
        with pytest.raises(Diverged, match=r"after the epoch.*last good checkpoint is .*a\.npz") as stop:
            fit(
                *(run.model, run.optimiser, small.images, small.labels),
                **{**run.settings, "batch_size": 14, "distort": None, **settings},
                loss=lambda logits, labels: logits.sum() * (1.0 if run.model.training else np.nan),
                checkpoint=path,
            )
        assert stop.value.checkpoint == path
        assert load_latest(path).state.steps == 0 == run.optimiser.steps
        path.unlink()


def test_the_last_good_checkpoint_is_the_one_of_the_epoch_before(small, tmp_path):
    path = tmp_path / "a.npz"
    run = small.Run()

    def loss(logits, labels):
        return logits.sum() * (np.nan if run.optimiser.steps > 5 else 1e-3)

    with pytest.raises(Diverged, match="in epoch 2 of 3 at step 6"):
        run.fit(checkpoint=path, loss=loss)
    saved = load_latest(path)
    assert saved.state.steps == 4
    assert saved.note == ""
    assert run.optimiser.steps == 5


def test_a_learning_rate_beyond_reason_is_told_as_such(small):
    run = small.Run("SGD")
    run.optimiser.lr = 1e6
    with pytest.raises(Diverged, match="the learning rate, 1e\\+06, is too high") as stop:
        run.fit()
    assert "'transformer' fall outside" in str(stop.value)
    assert "multipliers={'transformer.localisation': 0.1}" in str(stop.value)
    assert all(np.isfinite(p.data).all() for p in run.model.parameters())


def test_a_parameter_that_becomes_infinite_is_named_at_once():
    model = FirstPixel()
    optimiser = SGD(model.named_parameters(), lr=3e38)
    with pytest.raises(Diverged, match=r"weight is not finite after an update.*learning rate, 3e\+38"):
        fit(model, optimiser, numbered(4) * 100, np.zeros(4, int), epochs=1, seed=0)
    assert model.weight.data.tolist() == [0, 0]
    assert optimiser.steps == 0


def test_bad_images_and_bad_initial_weights_are_told_as_such():
    images = numbered(4)
    images[2] = np.nan
    model = FirstPixel()
    settings = {"epochs": 1, "seed": 0}
    with pytest.raises(Diverged, match="the images of this batch hold NaN or infinity"):
        fit(model, SGD(model.named_parameters(), lr=1.0), images, np.zeros(4, int), **settings)
    model.weight.data = np.full(2, np.inf, np.float32)
    with pytest.raises(Diverged, match="no update was made yet, so it is the initial weights"):
        fit(model, SGD(model.named_parameters(), lr=1.0), numbered(4), np.zeros(4, int), **settings)


def test_a_checkpoint_that_leads_straight_to_a_bad_loss_points_to_the_one_before(small, tmp_path):
    path = tmp_path / "a.npz"
    small.Run().fit(epochs=1, checkpoint=path)
    run = small.Run()
    with pytest.raises(Diverged, match=r"last good checkpoint is .*a\.prev\.npz"):
        run.fit(checkpoint=path, resume=True, loss=lambda logits, labels: logits.sum() * np.nan)


# What is refused


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epochs": 0}, "fit: epochs is 0, expected a whole number of at least 1"),
        ({"batch_size": 2.5}, r"fit: batch_size is 2\.5"),
        ({"seed": -1}, "fit: seed is -1, expected a whole number of at least 0"),
        ({"seed": None}, "fit: seed is None"),
        ({"resume": True}, "resume=True needs checkpoint="),
        ({"distort": lambda images, rng: images[:3]}, "distort gave 3 images for 14"),
        ({"distort": lambda images, rng: images / 255}, r"fit: the result of distort: images is float64"),
        ({"validation": (np.zeros((2, 6, 6), np.uint8), np.zeros(3, int))}, "fit: validation: labels is"),
        ({"validation": (np.zeros((2, 6, 6)), np.zeros(2, int))}, "fit: validation: images is"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(small, settings, words):
    with pytest.raises(ValueError, match=words):
        small.Run().fit(**settings)


def test_labels_must_be_one_for_each_image(small):
    run = small.Run()
    with pytest.raises(ValueError, match=r"fit: labels is .*, expected 14 integers"):
        fit(run.model, run.optimiser, small.images, small.labels[:5], **run.settings)


def test_an_optimiser_of_another_model_is_refused(small):
    one, other = small.Run(), small.Run()
    one.optimiser = other.optimiser
    with pytest.raises(ValueError, match="of the optimiser is not one of the model"):
        one.fit()


def test_progress_is_closed_however_it_ends(small):
    closed = []
    progress = SilentProgress()
    progress.close = lambda: closed.append(True)
    small.Run().fit(progress=progress)
    with pytest.raises(ValueError, match="resume"):
        small.Run().fit(progress=progress, resume=True)
    assert closed == [True, True]


def test_a_position_and_its_history_survive_json():
    import json

    epoch = Epoch(1, 0.5, 0.25, {"t": 0.125}, 0.1, None, 3.0, 2.5)
    position = Position(1, 2, 0.1, 3, 4, {"t": (0.5, 4)}, 0.01, 1.5, 1.25, 2.3, (epoch,))
    assert Position.from_json(json.loads(json.dumps(position.to_json()))) == position
    assert History((epoch,)) == History((replace(epoch, seconds=9.0, processor=8.0),), note="another")


def test_rotate_is_pure(small):
    """What bit for bit rests on: the same generator state gives the same images."""
    first, second = (rotate(small.images, np.random.default_rng(3)) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_a_transformer_that_lost_the_image_is_noted():
    class Lost(Module):
        def forward(self, x):
            return np.tile(np.array([1, 0, 9, 0, 1, 9], np.float32), (len(x), 1))

    rng = np.random.default_rng(0)
    transformer = SpatialTransformer(Lost(), (4, 4))
    model = Sequential(transformer=transformer, flatten=Flatten(), head=Linear(16, 2, rng=rng))
    notes = []

    class Noting(SilentProgress):
        def note(self, text):
            notes.append(text)

    images, labels = rng.random((8, 1, 4, 4)).astype(np.float32), np.arange(8) % 2
    optimiser = SGD(model.named_parameters(), lr=0.1)
    history = fit(model, optimiser, images, labels, epochs=1, seed=0, progress=Noting())
    assert "100% of the samples of 'transformer' fall outside" in notes[0]
    assert history.note == notes[0]
