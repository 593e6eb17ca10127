"""What comes of one call, whatever the backend does that leaves the process alive."""

import numpy as np
import pytest

from stn_ref.oracle import Backend, Unsupported
from stn_ref.oracle.calls import LAYOUTS, Answer, Call
from stn_ref.oracle.isolation.asking import InProcess

from ..asking import GRID, Does, Doubles, U, call, only, vjp


def in_process(instead, asked=None):
    return only(InProcess(Does(odd=instead)), asked or call("odd"))


def writes(array):
    array[0] = 7
    return array


def raises(error):
    def raising(*_):
        raise error

    return raising


def test_the_arguments_come_by_name_in_the_layout_that_was_asked_for():
    seen = {}

    class Looks(Backend):
        def tps_grid(self, places, size, *, control_points, align_corners):
            seen.update(places=places, size=size, control_points=control_points)

    places, control_points = np.ones((1, 4, 2)), np.zeros((4, 2))
    settings = {"size": (1, 1, 2, 2), "align_corners": True}
    arrays = {"control_points": control_points, "places": places}
    only(InProcess(Looks()), Call("tps_grid", arrays, settings, "fortran"))
    assert np.array_equal(seen["places"], places)
    assert seen["control_points"].flags.f_contiguous
    assert seen["size"] == (1, 1, 2, 2)


@pytest.mark.parametrize(
    ("instead", "reason"),
    [
        (raises(Unsupported("no such mode")), "no such mode"),
        (raises(NotImplementedError()), "NotImplementedError"),
    ],
)
def test_what_a_backend_does_not_do_is_unsupported(instead, reason):
    assert in_process(instead) == Answer({}, unsupported=reason)


@pytest.mark.parametrize("method", ["affine_grid", "no_such_method"])
def test_a_method_that_it_does_not_have_is_unsupported(method):
    asked = Call(method, {}, {"theta": 0, "size": (), "align_corners": True})
    assert only(InProcess(Doubles()), asked) == Answer({}, unsupported=f"no {method}")


class Panic(BaseException):
    """As extensions written in Rust raise it."""


@pytest.mark.parametrize("error", [ValueError("V"), SystemExit("V"), Panic("V")])
def test_an_exception_is_told_with_where_it_came_from(error):
    answer = in_process(raises(error))
    assert answer.failure == "ERROR"
    assert f"{type(error).__name__}: V" in answer.detail
    assert "in raising" in answer.detail
    assert "stn_ref/oracle" not in answer.detail


def test_endless_recursion_is_an_error_of_a_few_lines():
    def deeper(array):
        return deeper(array)

    answer = in_process(deeper)
    assert answer.failure == "ERROR"
    assert "RecursionError" in answer.detail
    assert len(answer.detail) < 2000


@pytest.mark.parametrize(
    ("returned", "complaint"),
    [
        (None, "grid_sample returned None"),
        ("V", "grid_sample returned an object of type str"),
        ({"V": U}, "an object of type dict"),
        ([U, U], "an object of type list with arrays in it"),
        ((U,), "an object of type tuple with arrays in it"),
        (np.array([None]), "of dtype object, expected numbers"),
        (np.array([U, None], dtype=object), "of dtype object"),
        (object(), "an object of type object"),
    ],
)
def test_what_is_no_array_of_numbers_is_an_error(returned, complaint):
    answer = in_process(lambda _: returned)
    assert answer.failure == "ERROR"
    assert complaint in answer.detail


@pytest.mark.parametrize(
    ("returned", "complaint"),
    [
        (
            (U, GRID),
            "grid_sample_vjp returned an object of type tuple, expected a dict of cotangents by name",
        ),
        ({1: U}, "an object of type dict, expected a dict of cotangents by name"),
        ({"U": "U"}, "grid_sample_vjp, as cotangent of U, returned an object of type str"),
    ],
)
def test_cotangents_come_in_a_dict(returned, complaint):
    answer = in_process(lambda _: returned, vjp("odd"))
    assert answer.failure == "ERROR"
    assert complaint in answer.detail


def test_a_missing_cotangent_is_none_and_lists_and_numbers_are_arrays():
    outputs = in_process(lambda _: {"U": None, "grid": [[1, 2]], "V_bar": 3.0}, vjp("odd")).outputs
    assert outputs["U"] is None
    assert np.array_equal(outputs["grid"], [[1, 2]])
    assert outputs["V_bar"].shape == ()


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout != "read-only"])
def test_a_written_argument_is_noticed_in_every_layout(layout):
    answer = in_process(writes, call("odd", layout))
    assert answer.overwritten == ("U",)
    assert U[0, 0, 0, 1] == 1  # it was not this one
    assert not in_process(np.negative, call("odd", layout)).overwritten


def test_a_written_cotangent_is_noticed_even_if_the_call_fails():
    def writes_and_raises(array):
        raises(ValueError("after"))(writes(array))

    answer = in_process(writes_and_raises, vjp("odd"))
    assert (answer.failure, answer.overwritten) == ("ERROR", ("V_bar",))


def test_writing_to_a_read_only_argument_is_an_error_that_says_so():
    answer = in_process(writes, call("odd", "read-only"))
    assert answer.failure == "ERROR"
    assert "tried to write to an argument" in answer.detail
    assert not answer.overwritten


def test_answers_are_no_views_of_arguments_or_of_a_buffer_that_is_kept():
    kept = np.zeros(3)

    def counts(_):
        kept[:] += 1
        return kept[::-1]

    backend = InProcess(Does(same=lambda U: U.T, kept=counts))
    [[same, first, second]] = backend.ask([[call("same"), call("kept"), call("kept")]])
    assert np.array_equal(same.outputs[""], U.T)
    assert first.outputs[""][0] == 1
    assert second.outputs[""].flags.c_contiguous
