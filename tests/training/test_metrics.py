"""`metrics`: accuracy, confusion matrix and `evaluate`, against values counted by hand."""

import numpy as np
import pytest

from stn_ref import Tensor, cross_entropy
from stn_ref.nn import Dropout, Flatten, Linear, Module, Sequential, SpatialTransformer
from stn_ref.training import Metrics, accuracy, confusion_matrix, evaluate
from stn_ref.training.metrics import Outside, mode, network_input, rights

LOGITS = np.array([[2.0, 1, 0], [0, 1, 2], [0, 2, 1], [3, 0, 1], [0, 1, 5]])
LABELS = np.array([0, 2, 0, 0, 1])  # right, right, taken for 1, right, taken for 2


@pytest.mark.parametrize("kind", [np.asarray, Tensor, lambda x: Tensor(x, requires_grad=True)])
def test_accuracy_counts_rows(kind):
    assert accuracy(kind(LOGITS), LABELS) == 3 / 5


def test_accuracy_takes_a_row_with_nan_for_wrong():
    logits = LOGITS.copy()
    logits[0, 0] = np.nan  # argmax alone would call this row right
    assert logits[0].argmax() == LABELS[0]
    assert accuracy(logits, LABELS) == 2 / 5


def test_a_sequence_is_right_only_if_all_of_it_is():
    logits = np.zeros((3, 2, 4))
    logits[[0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1], [1, 2, 1, 2, 1, 2]] = 1.0
    labels = np.array([[1, 2], [1, 3], [0, 2]])
    assert rights(logits, labels).tolist() == [True, False, False]
    assert accuracy(logits, labels) == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match=r"labels has shape \(3, 1\)"):
        accuracy(logits, labels[:, :1])
    with pytest.raises(ValueError, match="one position of the sequences"):
        confusion_matrix(logits, labels)


def test_of_no_rows_none_is_right():
    assert rights(np.zeros((0, 3)), np.zeros(0, int)).shape == (0,)


def test_confusion_matrix_by_hand():
    expected = [[2, 1, 0], [0, 0, 1], [0, 0, 1]]
    matrix = confusion_matrix(LOGITS, LABELS)
    assert matrix.dtype == np.int64
    assert matrix.tolist() == expected
    assert np.trace(matrix) / matrix.sum() == accuracy(LOGITS, LABELS)


@pytest.mark.parametrize(
    ("logits", "labels", "words"),
    [
        (LOGITS[0], LABELS, r"logits is float64 array of shape \(3,\), expected \(N, K\)"),
        (LOGITS[:0], LABELS[:0], "at least one row"),
        (LOGITS, LABELS[:3], "expected 5 integers"),
        (LOGITS, LABELS.astype(float), "expected 5 integers"),
        (LOGITS, np.eye(5, 3, dtype=int), r"labels\.argmax\(1\)"),
    ],
)
@pytest.mark.parametrize("function", [accuracy, confusion_matrix])
def test_what_does_not_fit_is_refused(function, logits, labels, words):
    with pytest.raises(ValueError, match=words):
        function(logits, labels)


def test_confusion_matrix_refuses_what_has_no_place_in_it():
    with pytest.raises(ValueError, match="NaN in row 1"):
        confusion_matrix(np.where(np.arange(5)[:, None] == 1, np.nan, LOGITS), LABELS)
    for wrong in (-1, 3):
        with pytest.raises(ValueError, match=r"labels run from .*, expected 0 to 2"):
            confusion_matrix(LOGITS, np.array([0, 1, 2, 0, wrong]))


class Lookup(Module):
    """Gives row k of LOGITS for an image whose first pixel is k."""

    def __init__(self):
        self.scale = Tensor(np.ones(()), requires_grad=True)

    def forward(self, x):
        assert not self.training
        self.recorded = x
        return Tensor(LOGITS[np.asarray(x)[:, 0, 0, 0].astype(int)]) * self.scale


IMAGES = np.arange(5, dtype=np.float32).reshape(5, 1, 1, 1)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 5, 100])
def test_evaluate_weighs_a_last_small_batch_by_its_size(batch_size):
    metrics = evaluate(Lookup(), IMAGES, LABELS, batch_size=batch_size)
    assert (metrics.accuracy, metrics.errors, metrics.count, metrics.outside) == (0.6, 2, 5, {})
    assert metrics.loss == pytest.approx(float(cross_entropy(LOGITS, LABELS)), rel=1e-14)


def test_evaluate_takes_another_loss():
    metrics = evaluate(Lookup(), IMAGES, LABELS, batch_size=2, loss=lambda logits, labels: logits.max())
    assert metrics.loss == pytest.approx((2 * 2 + 2 * 3 + 1 * 5) / 5)


def test_evaluate_is_off_the_tape_and_puts_every_training_flag_back():
    model = Sequential(
        Flatten(), Dropout(0.5, rng=np.random.default_rng(0)), Linear(4, 2, rng=np.random.default_rng(0))
    )
    model.train()
    model[1].training = False  # a layer frozen on purpose stays so
    before = model[1].rng.bit_generator.state
    images = np.ones((3, 1, 2, 2), np.float32)
    first, second = (evaluate(model, images, np.zeros(3, int)) for _ in range(2))
    assert first == second
    assert [module.training for _, module in model.modules()] == [True, True, False, True]
    assert model[1].rng.bit_generator.state == before
    assert all(p.grad is None for p in model.parameters())


def test_the_training_flags_come_back_after_an_error_too():
    model = Lookup()
    with pytest.raises(KeyError), mode(model, training=False):
        raise KeyError
    assert model.training


class Fixed(Module):
    """A localisation network that gives one theta for all."""

    def __init__(self, theta):
        self.theta = np.array(theta, np.float32).reshape(1, 6)

    def forward(self, x):
        return np.repeat(self.theta, len(x), axis=0)


def shifted(x):
    """A transformer whose samples move right by x, in units of half the image."""
    return SpatialTransformer(Fixed([1, 0, x, 0, 1, 0]), (4, 5))


def test_evaluate_tells_the_fraction_outside_of_every_transformer_by_name():
    # Five columns at -1, -1/2, 0, 1/2, 1: a shift by 0.6 puts two of them outside, one by 3 all.
    head = Sequential(Flatten(), Linear(20, 2, rng=np.random.default_rng(0)))
    model = Sequential(first=shifted(0.6), deep=Sequential(second=shifted(3), third=shifted(0)), head=head)
    metrics = evaluate(model, np.ones((7, 1, 4, 5), np.float32), np.zeros(7, int), batch_size=3)
    assert metrics.outside == pytest.approx({"first": 2 / 5, "deep.second": 1.0, "deep.third": 0.0})


def test_a_transformer_that_takes_no_part_is_not_counted():
    class Bypass(Module):
        def __init__(self):
            self.used, self.idle = shifted(3), shifted(3)

        def forward(self, x):
            return Flatten()(self.used(x))

    model = Bypass()
    model.idle(np.ones((2, 1, 4, 5), np.float32))  # its report is left from earlier
    assert set(evaluate(model, np.ones((2, 1, 4, 5), np.float32), np.zeros(2, int)).outside) == {"used"}


def test_outside_weighs_batches_by_their_size():
    transformer = shifted(3)
    outside = Outside(transformer)
    transformer(np.ones((1, 1, 4, 5), np.float32))
    outside.add(3)
    transformer.localisation = Fixed([1, 0, 0, 0, 1, 0])
    transformer(np.ones((1, 1, 4, 5), np.float32))
    outside.add(1)
    assert outside.means() == {"": 0.75}


def test_uint8_images_are_scaled_and_floating_ones_left():
    images = np.array([[[0, 51], [255, 102]]], np.uint8)
    expected = np.array([[[[0, 0.2], [1, 0.4]]]], np.float32)
    assert (network_input("fit", images) == expected).all()
    assert (network_input("fit", images[:, None]) == expected).all()
    assert network_input("fit", expected) is expected


@pytest.mark.parametrize(
    ("images", "error"),
    [
        (np.zeros((2, 3, 3)), ValueError),
        (np.zeros((2, 9), np.uint8), ValueError),
        (np.zeros((0, 3, 3), np.uint8), ValueError),
        (np.zeros((0, 1, 3, 3)), ValueError),
        (np.zeros((2, 3, 3), np.int64), TypeError),
        ([[0.0]], TypeError),
    ],
)
def test_other_images_are_refused(images, error):
    with pytest.raises(error, match=r"evaluate: images is .*, expected at least one image"):
        evaluate(Lookup(), images, np.zeros(2, int))


@pytest.mark.parametrize("batch_size", [0, -1, 2.0, True, "8"])
def test_a_batch_size_must_be_a_whole_number(batch_size):
    with pytest.raises(
        ValueError, match=r"evaluate: batch_size is .*, expected a whole number of at least 1"
    ):
        evaluate(Lookup(), IMAGES, LABELS, batch_size=batch_size)


def test_metrics_compare_by_value():
    assert Metrics(0.5, 0.5, 1, 2) == Metrics(0.5, 0.5, 1, 2) != Metrics(0.5, 0.5, 1, 2, {"a": 0.0})
