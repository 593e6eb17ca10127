"""Each rung of the ladder, with planted results, and what of it is told about tests that nobody sees."""

import numpy as np
import pytest

from stn_ref.course.diagnosis import diagnosis, equal
from stn_ref.course.mistakes.known import known, results
from stn_ref.course.sandbox import Category, Reply
from stn_ref.course.sources import textbook
from stn_ref.course.tasks import TASKS, Check, Places
from stn_ref.course.variants import Variant

TEXTBOOK = Variant()
LAST = Variant(channels_last=True)


def checks(function, aspect, variant=TEXTBOOK, seed=0):
    """The task of a function, and its checks of an aspect."""
    task = next(task for task in TASKS.values() for name in task.functions if name == function)
    every = task.checks(variant, np.random.default_rng(seed))
    asked = "run" if function == "backward" else function
    return task, [check for check in every if check.function == asked and check.aspect == aspect]


def case(function, aspect, variant=TEXTBOOK, seed=0, number=0):
    """A task, one of its checks, and what is right."""
    task, found = checks(function, aspect, variant, seed)
    check = found[number]
    arrays = [array.copy() for array in check.arrays]
    return task, check, results(textbook(variant)(task.file, check.function, *arrays, **check.settings))


def told(function, aspect, planted, variant=TEXTBOOK, hidden=False, seed=0, number=0, **reply):
    """What is said of a result that ``planted`` makes of the right one."""
    task, check, right = case(function, aspect, variant, seed, number)
    got = planted(right if len(right) > 1 else right[0])
    single = not isinstance(got, tuple)
    arrays = (got,) if single else got
    reply = {"category": Category.OK, **reply}
    return diagnosis(task, check, right, Reply(arrays=arrays, single=single, **reply), variant, hidden=hidden)


def failed(category, message, hidden=False):
    task, check, right = case("sample", "interior")
    return diagnosis(task, check, right, Reply(category, message), TEXTBOOK, hidden=hidden)


def noise(array, scale=1.0):
    return array + scale * np.random.default_rng(7).uniform(0.5, 1.0, array.shape)


# What is right


@pytest.mark.parametrize("function", ["base_grid", "sample", "slopes", "to_scipy", "align"])
def test_what_is_right_is_not_talked_about(function):
    aspect = {"to_scipy": "to_scipy", "align": "descent"}.get(function, "non-square")
    assert told(function, aspect, lambda right: right) is None


def test_rounding_is_no_mistake_even_where_nothing_else_is_left():
    """The slopes on a constant image are 0, but for rounding: the size of the image's numbers counts."""
    constant = checks("slopes", "interior")[1][1]
    assert constant.says == "a constant image"
    assert told("slopes", "interior", lambda right: right + 1e-15, number=1) is None
    assert told("slopes", "interior", lambda right: right + 1e-8, number=1) is not None


def test_of_some_the_shape_alone_counts():
    assert told("base_grid", "shape", lambda right: 0 * right) is None


def test_equal_wants_the_same_number_of_arrays_and_shapes():
    one = np.ones(2)
    assert equal((one,), (one + 1e-12,))
    assert not equal((one,), (one, one))
    assert not equal((one,), (np.ones((1, 2)),))
    assert not equal((one,), (one + 1e-6,))


# Rung 1


def test_an_error_is_told_as_it_is():
    message = failed(Category.ERROR, "IndexError: index 5 is out of bounds (sampler.py, line 9: U[5])")
    assert (message.kind, message.mistake) == ("error", "")
    assert message.text == "IndexError: index 5 is out of bounds (sampler.py, line 9: U[5])"


@pytest.mark.parametrize(
    ("category", "message", "shown"),
    [
        (Category.ERROR, "IndexError: index 5 is out of bounds", "error, IndexError"),
        (Category.ERROR, "ValueError: [[0.25, 0.5]]", "error, ValueError"),
        (Category.ERROR, "Leak025: 0.5", "error"),
        (Category.ERROR, "print: 0.5", "error"),
        (Category.NOT_IMPLEMENTED, "0.25", "not implemented"),
        (Category.WRONG_RESULT, "returned a value of type X025", "wrong result"),
        (Category.TIME, "took longer than 5 s", "time"),
    ],
)
def test_of_an_error_in_an_unseen_test_only_the_kind_is_told(category, message, shown):
    assert failed(category, message, hidden=True).text == f"sample, interior: {shown}"


@pytest.mark.parametrize("hidden", [False, True])
def test_recursion_that_goes_too_deep_has_a_name(hidden):
    message = failed(Category.ERROR, "RecursionError: maximum recursion depth exceeded", hidden)
    assert (message.kind, message.mistake) == ("error", "recursion-too-deep")
    assert "a loop with a list of what waits has no limit" in message.text


@pytest.mark.parametrize(
    ("function", "aspect", "planted", "words"),
    [
        (
            *("to_scipy", "to_scipy", lambda right: right[0]),
            "to_scipy returned one array, expected a tuple of 2 arrays",
        ),
        ("base_grid", "interior", lambda right: (right, right), "a tuple of 2 arrays, expected one array"),
        ("base_grid", "non-square", lambda right: right.swapaxes(0, 1), "the axes are in another order"),
        ("base_grid", "interior", lambda right: right[0], "an axis is missing"),
        ("base_grid", "interior", lambda right: right[None], "there is an axis too many"),
        ("base_grid", "interior", lambda right: right[:-1], "returned another shape"),
        ("base_coordinates", "interior", lambda right: right[1:], "too few numbers"),
        (
            *("align", "descent", lambda right: (right[0], np.append(right[1], 0.0))),
            "align returned another shape as the losses: (2,), expected (1,); too many numbers",
        ),
        (
            *("backward", "broadcasting", lambda right: (right[0], right[2], right[2])),
            "array 1: (2, 3), expected (3,); sum over the axes along which it was repeated",
        ),
        (
            *("backward", "broadcasting", lambda right: (right[0].T, right[1], right[2])),
            "run returned another shape as the value: (3, 2), expected (2, 3); the axes are in another order",
        ),
    ],
)
def test_another_count_or_shape(function, aspect, planted, words):
    message = told(function, aspect, planted)
    assert message.kind == "shape"
    assert words in message.text
    unseen = told(function, aspect, planted, hidden=True)
    assert unseen.kind == "shape"
    assert "(" not in unseen.text


@pytest.mark.parametrize("variant", [TEXTBOOK, LAST])
def test_images_in_another_layout_are_told_from_other_shapes(variant):
    task, check, right = case("sample", "non-square", variant)
    book = textbook(Variant(channels_last=not variant.channels_last))
    found = book(task.file, check.function, *check.arrays)
    ours, theirs = ("(N, H, W, C)", "(N, C, H, W)")[:: 1 if variant.channels_last else -1]
    message = diagnosis(task, check, right, Reply(Category.OK, arrays=(found,)), variant, hidden=False)
    assert message.kind == "shape"
    assert message.text.endswith(f"images are {ours} this term, and not {theirs}")


@pytest.mark.parametrize("dtype", [np.float32, int, bool, complex])
def test_another_dtype(dtype):
    message = told("base_grid", "interior", lambda right: right.astype(dtype))
    assert (message.kind, message.anchor) == ("dtype", "another-dtype")
    assert f"returned {np.dtype(dtype)}, expected float64" in message.text


def test_another_dtype_of_a_part():
    message = told("first_head", "beginning", lambda right: (right[0], right[1].astype(int)))
    assert message.text == "first_head returned int64 as the bias, expected float64"


def nan_at(index):
    def planted(right):
        got = right.copy()
        got[index] = np.nan
        return got

    return planted


def test_nan():
    message = told("base_coordinates", "interior", nan_at(2))
    assert (message.kind, message.anchor) == ("NaN", "nan")
    assert "the first at (2,)" in message.text
    unseen = told("base_coordinates", "interior", nan_at(2), hidden=True)
    assert unseen.text == "base_coordinates returned NaN; is there 0/0, or infinity times 0?"


@pytest.mark.parametrize("planted", [lambda right: right, lambda right: -right])
def test_an_argument_that_was_written_to_is_told_first(planted):
    wrote = {"category": Category.MODIFIED, "message": "wrote to argument 1 (theta)"}
    message = told("affine_grid", "interior", planted, **wrote)
    assert (message.kind, message.mistake) == ("modified", "overwrites-input")
    assert message.text == "affine_grid wrote to argument 1 (theta)"
    assert told("affine_grid", "shape", planted, **wrote) == message
    assert told("affine_grid", "interior", planted, hidden=True, **wrote).text == (
        "affine_grid wrote to an argument"
    )


# Rung 2


@pytest.mark.parametrize("hidden", [False, True])
def test_a_mistake_is_told_by_its_sentence(hidden):
    message = told("base_grid", "non-square", lambda right: right[..., [1, 0, 2]], hidden=hidden)
    assert (message.kind, message.mistake, message.anchor) == ("mistake", "base-grid-yx", "base-grid-yx")
    called = "base_grid, non-square" if hidden else "base_grid, a wide grid"
    (sentence,) = {mistake.sentence for mistake in known(TEXTBOOK) if mistake.name == "base-grid-yx"}
    assert message.text == f"{called}: {sentence}"


def answer_of(name, function, aspect, variant=TEXTBOOK):
    task, check, _ = case(function, aspect, variant)
    mistake = next(mistake for mistake in known(variant) if mistake.name == name)
    found = mistake.answer(task, check, variant)
    return found if len(found) > 1 else found[0]


def test_what_is_right_in_another_term_comes_before_what_gives_the_same():
    """Padding by the border is also what a missing mask gives."""
    missing = answer_of("missing-mask", "sample", "border")
    message = told("sample", "border", lambda right: missing)
    assert message.mistake == "padding-border"
    assert "This is right for the padding 'border'; the task's conventions.py says otherwise." in message.text


def test_two_choices_of_another_term_at_once():
    variant = Variant(padding="border", kernel="cosine")
    task, check, _ = case("sample", "border", variant)
    copied = textbook(TEXTBOOK)(task.file, check.function, *check.arrays)
    message = told("sample", "border", lambda right: copied, variant)
    assert message.mistake == "another-term"
    assert "right for the padding 'zeros' and the bilinear kernel" in message.text


def test_where_one_call_cannot_tell_two_mistakes_apart_both_are_told():
    """No two samples see the same pixel: without weights, or divided by their sum, it is the same."""
    message = told("splat", "interior", lambda right: answer_of("weights-left-out", "splat", "interior"))
    assert message.mistake == "weights-left-out"
    assert " Or: A pixel gets the sum of what its samples give, not their mean" in message.text
    apart = told("splat", "meeting", lambda right: answer_of("splat-mean", "splat", "meeting"))
    assert apart.mistake == "splat-mean"
    assert " Or: " not in apart.text


def test_a_mistake_without_effect_is_not_told():
    """On one image all samples come from the first one; something else is wrong."""
    message = told("sample", "interior", lambda right: noise(right))
    assert message.kind == "where"


# Rung 3

X, Y = np.s_[..., 0], np.s_[..., 1]


def changed(index, change):
    """The right result, but for a part of it."""

    def planted(right):
        got = right.copy()
        got[index] = change(got[index])
        return got

    return planted


def part(k, change):
    return lambda right: tuple(change(r) if j == k else r for j, r in enumerate(right))


RELATIONS = {
    "0": ("sample", "channels", lambda y: 0 * y, "the result is 0 everywhere"),
    "not 0": ("first_head", "beginning", part(0, noise), "the weight has to be 0 everywhere"),
    "sign": ("sample", "channels", lambda y: -y, "the sign of the result is the wrong way round"),
    "factor": ("sample", "channels", lambda y: 3 * y, "the result is 3 times the right one"),
    "part's factor": ("to_scipy", "to_scipy", part(1, lambda y: 3 * y), "the offset is 3 times the right"),
    "odd factor": ("sample", "channels", lambda y: np.pi * y, "the result is 3.14159 times the right one"),
    "shift": ("sample", "channels", lambda y: y - 0.4, "the result is off by -2/5 everywhere"),
    "both": ("sample", "channels", lambda y: 3 * y + 0.5, "is 3 times the right one, and 1/2 is added"),
    "float32": (
        *("sample", "channels", lambda y: y.astype(np.float32).astype(float)),
        "the result is right to some seven digits only",
    ),
    "rounded": ("to_pixels", "centres", np.rint, "the result is the right one rounded"),
    "floored": ("to_pixels", "centres", np.floor, "the result is the right one rounded down"),
    "cut": ("to_pixels", "centres", np.trunc, "the result is the right one cut to integers"),
    "one channel": (
        *("sample", "channels", lambda y: 0 * y + y[:, :1]),
        "every channel has the result of the first channel",
    ),
    "sum over channels": (
        *("sample", "channels", lambda y: 0 * y + y.sum(1, keepdims=True)),
        "every channel has the sum over all channels",
    ),
    "mean over images": (
        *("classify", "forward", lambda y: 0 * y + y.mean(0)),
        "every image has the mean over all images",
    ),
    "first image right": (
        *("sample", "batch", changed(np.s_[1:], noise)),
        "the first image is right, all others are wrong",
    ),
    "last image wrong": (
        *("sample", "batch", changed(np.s_[2:], noise)),
        "some images are right, others are wrong",
    ),
    "y wrong": ("slopes", "interior", changed(Y, noise), "y is wrong, x is right"),
    "y's factor": (
        *("slopes", "interior", changed(Y, lambda y: 3 * y)),
        "y is wrong, x is right: it is 3 times the right one",
    ),
    "two factors": (
        *("slopes", "channels", lambda y: y * np.array([3.0, -1.0])),
        "x is 3 times the right one; the sign of y is the wrong way round",
    ),
    "shift of theta": (
        *("theta_cotangent", "sum", changed(np.s_[..., 2], noise)),
        "column 3 (the shift) is wrong, column 1 and column 2 are right",
    ),
    "linear part": (
        *("to_opencv", "to_opencv", changed(np.s_[..., :2], noise)),
        "column 1 and column 2 are wrong, column 3 (the shift) is right",
    ),
    "backwards": (
        *("sample", "interior", lambda y: y[:, :, ::-1]),
        "the result runs backwards along axis 2",
    ),
    "transposed": (
        *("sample", "interior", lambda y: y.swapaxes(2, 3)),
        "the axes 2 and 3 of the result are exchanged",
    ),
}
LAST_OF = {"classify": 1}  # the check with several images


@pytest.mark.parametrize("name", RELATIONS)
def test_a_simple_relation_is_told(name):
    function, aspect, planted, words = RELATIONS[name]
    message = told(function, aspect, planted, number=LAST_OF.get(function, 0))
    assert (message.kind, message.anchor) == ("relation", "simple-relations")
    assert words in message.text


@pytest.mark.parametrize("name", RELATIONS)
def test_of_an_unseen_test_a_relation_tells_no_number(name):
    """Whatever the numbers are, the message is the same."""
    function, aspect, planted, _ = RELATIONS[name]
    number = LAST_OF.get(function, 0)
    messages = {
        told(function, aspect, planted, hidden=True, seed=seed, number=number).text for seed in range(4)
    }
    (text,) = messages
    assert not set(text.partition(": ")[2]) & set("456789")


@pytest.mark.parametrize(
    ("function", "aspect", "planted", "words"),
    [
        (
            *("slopes", "non-square", lambda y: y / np.array([5.0, 2.0])),
            "x is 1/5 times the right one, which is 2/(width - 1) here; "
            "y is 1/2 times the right one, which is 2/(height - 1) here",
        ),
        (
            *("slopes", "border", lambda y: y / 32),
            "1/32 times the right one, which is 1/(number of samples of an image) here",
        ),
        (
            *("to_normalised", "back", lambda y: y - 2 / 7),
            "off by -2/7, which is -2/size here, everywhere",
        ),
    ],
)
def test_a_factor_or_shift_is_named(function, aspect, planted, words):
    seed = 0 if function != "to_normalised" else _seed_of_size(7)
    assert words in told(function, aspect, planted, seed=seed).text


def _seed_of_size(size):
    for seed in range(100):
        if case("to_normalised", "back", seed=seed)[1].settings["size"] == size:
            return seed
    raise AssertionError(f"no seed gives {size} pixels")


def test_an_unseen_factor_is_named_without_its_value():
    message = told("slopes", "non-square", lambda y: y / np.array([5.0, 2.0]), hidden=True)
    assert message.text == (
        "slopes, non-square: x is 2/(width - 1) times the right one; y is 2/(height - 1) times the right one."
    )


# Rungs 4 and 5


def test_which_samples_are_wrong():
    U, points = np.zeros((1, 1, 3, 3)), np.array([[[[0.5, 0.5], [1.0, 0.5], [2.5, 1.5], [1.5, 1.25]]]])
    check = Check("kink", "sample", (U, points), says="four samples", places=Places(points, 3, 3))
    right = np.arange(1.0, 5.0).reshape(1, 1, 1, 4) / 7

    def where(*wrong, hidden=False, instead=0.123):
        got = right.copy()
        got[0, 0, 0, list(wrong)] = instead
        reply = Reply(Category.OK, arrays=(got,))
        return diagnosis(TASKS[4], check, (right,), reply, TEXTBOOK, hidden=hidden).text

    assert "four samples: 1 of 4 samples is wrong, at integer coordinates; the largest" in where(1)
    assert "1 of 4 samples is wrong, at the border or beyond it, and 0 there" in where(2, instead=0)
    assert "2 of 4 samples are wrong, all of them between the pixels inside the image" in where(0, 3)
    assert "2 of 4 samples are wrong, none of them between the pixels inside the image" in where(1, 2)
    assert "all 4 samples are wrong" in where(0, 1, 2, 3)
    assert (
        where(1, hidden=True) == "sample, kink: some samples are wrong, all of them at integer coordinates."
    )
    assert where(0, 1, 2, 3, hidden=True) == "sample, kink: all samples are wrong."


@pytest.mark.parametrize("variant", [TEXTBOOK, LAST])
def test_samples_are_found_in_both_layouts(variant):
    axis = 3 if variant.channels_last else 1
    odd = np.expand_dims(np.arange(16).reshape(1, 4, 4) % 2 == 1, axis)
    message = told("sample", "kink", lambda right: np.where(odd, noise(right), right), variant)
    assert message.kind == "where"
    assert "8 of 16 samples are wrong, all of them at integer coordinates" in message.text


def test_of_the_cotangent_of_an_image_the_pixels_are_looked_at():
    middle = changed(np.s_[0, 0, 2, 2], lambda right: right + 0.5)
    message = told("splat", "meeting", middle)
    assert "1 of 25 pixels is wrong, where several samples meet" in message.text
    message = told("splat", "meeting", changed(np.s_[0, 0, 0], lambda right: right + 0.5))
    assert "5 of 25 pixels are wrong, all of them at the edge of the image" in message.text
    assert "and right would be 0 there" in message.text
    unseen = told("splat", "meeting", middle, hidden=True)
    assert unseen.text == "splat, meeting: some pixels are wrong, all of them where several samples meet."


def test_of_a_function_of_numbers_the_arguments_are_looked_at():
    _, check, _ = case("kernel", "interior")
    negative = check.arrays[0] < 0
    message = told("kernel", "interior", lambda right: np.where(negative, noise(right), right))
    assert "numbers are wrong, all of them where the argument is negative" in message.text


def test_the_worst_number_comes_with_its_pixels_and_their_weights():
    points = np.array([[[[0.25, 0.5], [1.5, 2.75]]]])
    check = Check("interior", "sample", (np.zeros((1, 1, 4, 4)), points), places=Places(points, 4, 4))
    right = np.array([[[[0.3, 0.7]]]])
    reply = Reply(Category.OK, arrays=(right + np.array([0.01, 0.2]),))
    text = diagnosis(TASKS[4], check, (right,), reply, TEXTBOOK, hidden=False).text
    assert "the largest difference is at (0, 0, 0, 1): 0.9, expected 0.7" in text
    assert "its point is x = 1.5, y = 2.75, its pixels (row, column) and their weights are" in text
    assert text.endswith("(2, 1) with 0.125, (2, 2) with 0.125, (3, 1) with 0.375, (3, 2) with 0.375.")
    smooth = diagnosis(TASKS[4], check, (right,), reply, Variant(kernel="smoothstep"), hidden=False).text
    assert smooth.endswith(
        "(2, 1) with 0.07812, (2, 2) with 0.07812, (3, 1) with 0.4219, (3, 2) with 0.4219."
    )


def test_the_nearest_pixel_has_no_weights():
    message = told("sample_nearest", "interior", noise)
    assert "its point is x = " in message.text
    assert "weights" not in message.text


def test_the_worst_number_of_several_arrays():
    message = told("align", "descent", lambda right: (right[0], noise(right[1])))
    assert (message.kind, message.anchor) == ("numbers", "")
    assert "the largest difference is at (0,) of the losses" in message.text


def test_an_unseen_wrong_number_is_not_told():
    message = told("align", "descent", lambda right: (right[0], noise(right[1])), hidden=True)
    assert (message.kind, message.text) == ("where", "align, descent: some numbers are wrong.")


def test_infinity_is_told_like_any_number():
    message = told(
        "base_coordinates", "interior", lambda right: np.where(right == right.max(), np.inf, right)
    )
    assert "inf, expected 1" in message.text
