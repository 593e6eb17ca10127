"""Images as text."""

import io

import numpy as np
import pytest

from stn_ref.pictures.terminal import RAMP, columns_that_fit, draw, has_greys, side_by_side


def test_two_rows_make_a_line_and_darker_is_lighter_ink() -> None:
    assert draw(np.array([[0.0, 0.5, 1.0], [0.0, 0.5, 1.0]]), greys=False) == [" " + RAMP[4] + "@"]
    assert draw(np.ones((3, 2)), greys=False) == ["@@", "++" if RAMP[4] == "+" else RAMP[4] * 2]


def test_values_outside_and_nan_do_not_break_the_picture() -> None:
    assert draw(np.array([[-1.0, 2.0, np.nan], [-1.0, 2.0, np.nan]]), greys=False) == [" @ "]


def test_greys_are_half_blocks_with_upper_and_lower_colour() -> None:
    [line] = draw(np.array([[0.0], [1.0]]), greys=True)
    assert line == "\x1b[38;5;232;48;5;255m▀\x1b[0m"


def test_images_of_different_height_stand_side_by_side_with_captions() -> None:
    lines = side_by_side([np.ones((2, 2)), np.ones((4, 3))], ["one", "two"], greys=False, width=6)
    assert lines == ["@@    @@@", "      @@@", "one   two"]


class Terminal(io.StringIO):
    encoding = "utf-8"  # type: ignore[assignment]

    def isatty(self) -> bool:
        return True


def test_greys_are_used_only_where_they_can_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert has_greys(Terminal())
    assert not has_greys(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not has_greys(Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not has_greys(Terminal())


def test_as_many_columns_as_the_terminal_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert columns_that_fit(24, most=5) == 3
    assert columns_that_fit(10, most=5) == 5
    assert columns_that_fit(200, most=5) == 1
