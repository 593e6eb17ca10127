"""Mistakes in tasks 1, 2 and 7: grids, coordinates, and the way back to theta."""

from .model import Patch

__all__ = ["PATCHES"]

_PIXELS = """    pixels_from_end_to_end = size - 1 if align_corners else size
    return x * pixels_from_end_to_end / 2 + (size - 1) / 2"""
_NORMALISED = """    pixels_from_end_to_end = size - 1 if align_corners else size
    return (x_px - (size - 1) / 2) * 2 / pixels_from_end_to_end"""


def _span(name: str, sentence: str, span: str) -> Patch:
    """Both conversions of task 2 with another number of pixels from -1 to 1."""
    changes = tuple(
        (text, text.replace("size - 1 if align_corners else size", span)) for text in (_PIXELS, _NORMALISED)
    )
    return Patch(name, sentence, "grids.py", changes)


PATCHES = (
    Patch(
        "source-grid-yx",
        "The grid's last axis is (y_s, x_s); everybody who samples by it reads x_s first.",
        "grids.py",
        (('"nij,hwj->nhwi", theta,', '"nij,hwj->nhwi", theta[:, ::-1],'),),
    ),
    Patch(
        "theta-reshaped",
        "theta was brought to another shape by reshape, which leaves its numbers in their order; the "
        "transpose is swapaxes(1, 2).",
        "grids.py",
        (('"nij,hwj->nhwi", theta,', '"nji,hwj->nhwi", theta.reshape(-1, 3, 2),'),),
    ),
    Patch(
        "steps-from-minus-one",
        "Steps of 2/size that begin at -1 end before 1: the coordinates are not symmetric about 0.",
        "grids.py",
        (
            (
                "    return 2 * from_the_middle / max(pixels_from_end_to_end, 1)",
                "    return np.where(size > 1, 2 * np.arange(size) / size - 1, 0.0)",
            ),
        ),
    ),
    Patch(
        "singleton-minus-one",
        "A single pixel is at 0, the middle of its axis; linspace(-1, 1, 1) begins at -1, and ends there.",
        "grids.py",
        (
            (
                "    return 2 * from_the_middle / max(pixels_from_end_to_end, 1)",
                "    return 2 * from_the_middle / pixels_from_end_to_end if size > 1 else -np.ones(1)",
            ),
        ),
    ),
    _span(
        "corners-always",
        "This is the formula for align_corners=True, and False was asked for.",
        "size - 1",
    ),
    _span(
        "edges-always",
        "This is the formula for align_corners=False, and True was asked for.",
        "size",
    ),
    _span(
        "span-without-half",
        "An axis from -1 to 1 is two units long: the factor to pixels is half of W - 1, or half of W.",
        "2 * (size - 1 if align_corners else size)",
    ),
    Patch(
        "centre-at-half-the-size",
        "The middle of W pixels, counted from 0, is at (W - 1)/2 and not at W/2.",
        "grids.py",
        (
            (_PIXELS, _PIXELS.replace("(size - 1) / 2", "size / 2")),
            (_NORMALISED, _NORMALISED.replace("(size - 1) / 2", "size / 2")),
        ),
    ),
    Patch(
        "half-pixel-with-the-wrong-sign",
        "Half a pixel was moved in the wrong direction: the first pixel's edge is at -1/2, its centre at 0.",
        "grids.py",
        (
            (_PIXELS, _PIXELS.replace("(size - 1) / 2", "(size - 1 if align_corners else size + 1) / 2")),
            (
                _NORMALISED,
                _NORMALISED.replace("(size - 1) / 2", "(size - 1 if align_corners else size + 1) / 2"),
            ),
        ),
    ),
    Patch(
        "scaled-by-the-size",
        "From the first centre to the last there are W - 1 steps: x + 1 has to be multiplied by (W - 1)/2, "
        "not by W/2.",
        "grids.py",
        (
            (_PIXELS, "    return (x + 1) * size / 2 - (0 if align_corners else 0.5)"),
            (_NORMALISED, "    return (x_px + (0 if align_corners else 0.5)) * 2 / size - 1"),
        ),
    ),
    Patch(
        "from-zero-to-one",
        "Normalised coordinates go from -1 to 1; these go from 0 to 1.",
        "grids.py",
        ((_NORMALISED, _NORMALISED.replace("return ", "return 0.5 + 0.5 * ")),),
    ),
    Patch(
        "factor-without-half",
        "From -1 to 1 are two units: the factor is half of W - 1, or half of W. It was not halved.",
        "chain.py",
        (("np.array(spans) / 2", "np.array(spans)"),),
    ),
    Patch(
        "factor-upside-down",
        "A cotangent goes back with the factor by which the coordinate came: it is multiplied by (W - 1)/2 "
        "or W/2, not divided.",
        "chain.py",
        (("points_bar * np.array(spans) / 2", "points_bar / np.array(spans) * 2"),),
    ),
    Patch(
        "theta-bar-reshaped",
        "This is the transposed cotangent of theta, (3, 2), brought to (2, 3) by reshape, which leaves its "
        "numbers in their order.",
        "chain.py",
        (
            (
                '"nhwi,hwj->nij", grid_bar, base_grid(height, width))',
                '"nhwi,hwj->nji", grid_bar, base_grid(height, width)).reshape(-1, 2, 3)',
            ),
        ),
    ),
    Patch(
        "one-theta-for-all",
        "Each image has a theta of its own: its cotangent is the sum over the points of that image alone.",
        "chain.py",
        (('"nhwi,hwj->nij", grid_bar,', '"nhwi,hwj->nij", 0 * grid_bar + grid_bar.sum(axis=0),'),),
    ),
)
