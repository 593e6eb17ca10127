"""log-softmax, cross-entropy and dropout."""

import numpy as np
import pytest
import scipy.special

import stn_ref as s
from stn_ref import Tensor, grad, vjp

EPS = np.finfo(float).eps
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_log_softmax_is_scipys_and_its_rule_is_by_the_formula(axis):
    x = RNG.normal(size=(3, 4, 5))
    out, pullback = vjp(lambda x: s.log_softmax(x, axis=axis), x)
    np.testing.assert_allclose(out, scipy.special.log_softmax(x, axis), rtol=0, atol=16 * EPS * 8)
    out_bar = RNG.normal(size=x.shape)
    softmax = scipy.special.softmax(x, axis)
    expected = out_bar - softmax * out_bar.sum(axis, keepdims=True)
    np.testing.assert_allclose(pullback(out_bar)[0], expected, rtol=0, atol=16 * EPS * 8)


def test_log_softmax_by_hand():
    out, pullback = vjp(s.log_softmax, np.log([[1.0, 3.0]]))
    np.testing.assert_allclose(np.exp(out), [[0.25, 0.75]], rtol=4 * EPS)
    [x_bar] = pullback(np.array([[4.0, 8.0]]))
    np.testing.assert_allclose(x_bar, [[4 - 3, 8 - 9]], rtol=0, atol=4 * EPS * 12)


def test_log_softmax_of_huge_and_infinite_logits():
    np.testing.assert_array_equal(s.log_softmax(np.array([1e4, 0.0])), [0, -1e4])
    np.testing.assert_array_equal(s.log_softmax(np.array([-np.inf, 0.0])), [-np.inf, 0])
    [x_bar] = vjp(s.log_softmax, np.array([-np.inf, 0.0]))[1](np.array([1.0, 2.0]))
    np.testing.assert_array_equal(x_bar, [1, -1])


def test_cross_entropy_by_hand():
    logits = np.log([[1.0, 3.0, 4.0], [2.0, 2.0, 4.0]])
    labels = np.array([1, 2])
    loss, slope = s.value_and_grad(s.cross_entropy)(logits, labels)
    assert loss == pytest.approx(-(np.log(3 / 8) + np.log(1 / 2)) / 2, rel=8 * EPS)
    # (softmax - one-hot) / N
    expected = np.array([[1 / 8, 3 / 8 - 1, 4 / 8], [2 / 8, 2 / 8, 4 / 8 - 1]]) / 2
    np.testing.assert_allclose(slope, expected, rtol=0, atol=4 * EPS)


def test_cross_entropy_of_sequences_is_the_sum_of_that_at_each_position():
    rng = np.random.default_rng(3)
    logits, labels = rng.normal(size=(4, 3, 5)), rng.integers(0, 5, (4, 3))
    apart = [s.value_and_grad(s.cross_entropy)(logits[:, k], labels[:, k]) for k in range(3)]
    loss, slope = s.value_and_grad(s.cross_entropy)(logits, labels)
    assert float(loss) == pytest.approx(sum(float(one) for one, _ in apart), rel=16 * EPS)
    np.testing.assert_allclose(slope, np.stack([one for _, one in apart], 1), rtol=32 * EPS, atol=EPS)


def test_cross_entropy_of_equal_logits_is_the_logarithm_of_their_number():
    assert s.cross_entropy(np.zeros((4, 10)), np.arange(4)) == pytest.approx(np.log(10), rel=EPS * 4)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dtypes_are_kept(dtype):
    logits = RNG.integers(-2, 3, (3, 4)).astype(dtype)
    labels = np.array([0, 3, 1], np.uint8)
    loss = s.cross_entropy(Tensor(logits), labels)
    assert loss.dtype == dtype
    slope = grad(s.cross_entropy)(logits, labels)
    assert slope.dtype == s.log_softmax(logits).dtype == dtype


def test_memory_order_and_read_only_inputs_do_not_matter():
    logits = RNG.integers(-8, 8, (6, 4)) / 4
    turned = np.asfortranarray(logits)
    turned.flags.writeable = False
    labels = np.array([0, 1, 2, 3, 3, 3])
    assert s.cross_entropy(turned, labels) == pytest.approx(
        float(s.cross_entropy(logits, labels)), rel=8 * EPS
    )
    np.testing.assert_allclose(
        grad(s.cross_entropy)(turned, labels), grad(s.cross_entropy)(logits, labels), rtol=32 * EPS
    )


def test_empty_and_single_classes():
    assert s.log_softmax(np.ones((0, 3))).shape == (0, 3)
    assert vjp(s.log_softmax, np.ones((0, 3)))[1](np.ones((0, 3)))[0].shape == (0, 3)
    assert s.cross_entropy(np.full((2, 1), 5.0), np.array([0, 0])) == 0


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([0, 3]), r"labels run from 0 to 3, expected 0 to 2"),
        (np.array([-1, 0]), r"labels run from -1 to 0"),
        (np.array([0]), r"logits of shape \(2, 3\) and labels int64 array of shape \(1,\)"),
        (np.array([0.0, 1.0]), r".*labels float64 array .* expected \(N, K\) and N integers"),
        (np.eye(3, dtype=int)[:2], r".*labels int64 array of shape \(2, 3\).*labels\.argmax\(1\)"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, message):
    with pytest.raises(ValueError, match=rf"cross_entropy: {message}"):
        s.cross_entropy(np.zeros((2, 3)), labels)


def test_dropout_scales_what_it_keeps_and_masks_its_cotangent_alike():
    x = RNG.uniform(1, 2, (40, 50))
    out, pullback = vjp(lambda x: s.dropout(x, p=0.25, rng=np.random.default_rng(7)), x)
    kept = out != 0
    np.testing.assert_allclose(out[kept], x[kept] / 0.75, rtol=2 * EPS)
    [x_bar] = pullback(np.ones_like(x))
    np.testing.assert_array_equal(x_bar, np.where(kept, 1 / 0.75, 0))
    # 2000 draws: five standard deviations of the share that is kept
    assert abs(kept.mean() - 0.75) <= 5 * np.sqrt(0.75 * 0.25 / x.size)


def test_dropout_repeats_with_the_same_generator_state():
    x = np.ones((3, 4))
    same = [s.dropout(x, p=0.5, rng=np.random.default_rng(1)) for _ in range(2)]
    np.testing.assert_array_equal(*same)


def test_dropout_does_nothing_outside_training_or_at_zero():
    x, rng = np.ones((3, 4)), np.random.default_rng(1)
    assert s.dropout(x, p=0.5, rng=rng, training=False) is x
    assert s.dropout(x, p=0.0, rng=rng) is x


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dropout_keeps_its_dtype(dtype):
    x = np.ones((3, 4), dtype)
    assert s.dropout(x, p=0.5, rng=np.random.default_rng(1)).dtype == dtype
    assert s.dropout(np.ones((0, 4), dtype), p=0.5, rng=np.random.default_rng(1)).shape == (0, 4)


@pytest.mark.parametrize("p", [-0.1, 1.0, 1.5, np.nan])
def test_dropout_refuses_what_is_no_probability(p):
    with pytest.raises(ValueError, match=r"dropout: p is .*, expected a probability"):
        s.dropout(np.ones(3), p=p, rng=np.random.default_rng(0))


def test_dropouts_training_is_a_switch():
    with pytest.raises(TypeError, match=r"dropout: training is 1, expected True or False"):
        s.dropout(np.ones(3), p=0.5, rng=np.random.default_rng(0), training=1)
