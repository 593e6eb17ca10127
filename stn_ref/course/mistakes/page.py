"""The list of mistakes as a page, made from the mistakes themselves: ``docs/course/mistakes.md``."""

from collections.abc import Iterable

from ...faults import FAULTS
from ..variants import variants
from .known import Mistake, known

__all__ = ["mistakes_page"]

OF_FILES = {  # of the textbook, whose patches they are
    "grids.py": "Coordinates",
    "sampler.py": "The sampler",
    "chain.py": "Derivatives",
    "tape.py": "The tape",
    "training.py": "Beginning and learning",
    "conversions.py": "Other libraries",
}
OF_FAULTS = {  # by their themes in the dictionary
    "theta": "theta and the grid",
    "coordinates": "Coordinates",
    "padding": "The border",
    "taps": "The sampler",
    "gradients": "Derivatives",
    "system": "Memory and number types",
    "cubic": "Not in the tasks: other kernels, splines, second derivatives",
    "splines": "Not in the tasks: other kernels, splines, second derivatives",
    "second_order": "Not in the tasks: other kernels, splines, second derivatives",
}
OF_ANOTHER_TERM = "Of another term"
TITLES = (*OF_FAULTS.values(), *OF_FILES.values())
GENERAL = {
    "another-shape": "The result has other axes than the task asks for. (N, C, H, W) or (N, H, W, C)? Is the "
    "axis of the batch there? Are H' and W', of the output, mistaken for H and W, of the image?",
    "another-dtype": "All numbers are float64. An array made by `np.zeros(shape, int)` is not.",
    "nan": "Somewhere there is 0/0, or infinity times 0: an axis of one pixel under align_corners=True, a "
    "weight of 0 on an infinite pixel, a logarithm of 0.",
    "recursion-too-deep": "A function that calls itself for each step ends after about a thousand. A chain "
    "of operations may be longer: keep what waits in a list, and work it off in a loop.",
    "simple-relations": "The result is not that of a mistake with a name, but it is simply related to the "
    "right one. A factor: look at where it could come from, (W - 1)/2, the number of pixels or of channels. "
    "Exchanged axes: a transposition, or a reshape where a transposition was meant. One of two coordinates "
    "is right: compare their two lines.",
    "where-it-is-wrong": "All wrong samples lie at the border, or at integer coordinates: there a line of "
    "its own is needed, or one too many is at work.",
}


def mistakes_page() -> str:
    """The page, in Markdown; each mistake has its name for an anchor."""
    parts = [
        "# Mistakes that the grader knows",
        "This page is made by `python -m stn_ref.course.mistakes.page`. A message of the grader names the "
        "section to read; the commonest mistakes are explained at length among the "
        "[twenty misconceptions](misconceptions.md).",
        "## Results that are no mistake with a name",
    ]
    for name, text in GENERAL.items():
        parts += [f"### {name}", text]
    for title, mistakes in _by_theme():
        parts.append(f"## {title}")
        for mistake in mistakes:
            parts += [f"### {mistake.name}", mistake.sentence]
    return "\n\n".join(parts) + "\n"


def _by_theme() -> Iterable[tuple[str, list[Mistake]]]:
    every = {mistake.name: mistake for chosen in variants() for mistake in known(chosen)}
    themes: dict[str, list[Mistake]] = {}
    for mistake in every.values():
        themes.setdefault(_theme(mistake), []).append(mistake)
    return ((title, themes[title]) for title in dict.fromkeys([*TITLES, OF_ANOTHER_TERM]) if title in themes)


def _theme(mistake: Mistake) -> str:
    if mistake.patch is not None:
        return OF_FILES[mistake.patch.file]
    return OF_ANOTHER_TERM if mistake.instead is not None else OF_FAULTS[FAULTS[mistake.name].theme]


if __name__ == "__main__":
    print(mistakes_page(), end="")
