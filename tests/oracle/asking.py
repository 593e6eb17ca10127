"""What the tests of isolation ask, and a backend that does whatever a test wants."""

import numpy as np

from stn_ref.oracle import Backend
from stn_ref.oracle.calls import Call

U = np.arange(2 * 3 * 4 * 5, dtype=np.float64).reshape(2, 3, 4, 5)
GRID = np.linspace(-1, 1, 2 * 6 * 7 * 2).reshape(2, 6, 7, 2)


def call(mode="bilinear", layout="C", **arrays):
    settings = {"mode": mode, "padding_mode": "zeros", "align_corners": True}
    return Call("grid_sample", {"U": U, "grid": GRID, **arrays}, settings, layout)


def vjp(mode="bilinear"):
    settings = {"needs": ("U", "grid"), "mode": mode, "padding_mode": "zeros", "align_corners": True}
    return Call("grid_sample_vjp", {"U": U, "grid": GRID, "V_bar": U}, settings)


class Doubles(Backend):
    """Right, if doubling is what is wanted."""

    name = "doubles"

    def grid_sample(self, U, grid, *, mode, padding_mode, align_corners):
        return 2 * U


class Does(Doubles):
    """Doubles unless the mode names something else to do; it has state, so it must be forked."""

    def __init__(self, **instead):
        self.instead = instead

    def grid_sample(self, U, grid, *, mode, padding_mode, align_corners):
        if mode in self.instead:
            return self.instead[mode](U)
        return 2 * U

    def grid_sample_vjp(self, U, grid, V_bar, *, needs, mode, padding_mode, align_corners):
        return self.instead[mode](V_bar)


def only(backend, asked):
    [[answer]] = backend.ask([[asked]])
    return answer


def is_doubled(answer):
    return not answer.failure and np.array_equal(answer.outputs[""], 2 * U)
