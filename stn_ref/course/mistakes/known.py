"""All mistakes that the grader knows: the dictionary's faults, the patches, and other terms' conventions."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...faults import FAULTS
from ..sources import Textbook, textbook
from ..tasks import Check, Task
from ..variants import CHOICES, Variant
from . import dictionary
from .patches import PATCHES, Patch

__all__ = ["Mistake", "known", "results"]

Array = NDArray[Any]
OTHERS = {  # what a choice is called, and what depends on it
    "align_corners": (
        "align_corners={}",
        "With True, -1 and 1 are the centres of the first and the last pixel, with False their outer edges.",
    ),
    "padding": (
        "the padding {!r}",
        "'zeros' fades to 0 over the one pixel beyond the image, 'border' goes on with its edge pixels.",
    ),
    "kink": (
        "slopes on the {} side",
        "At an integer the slope on the right is that to the next pixel, on the left that from the last one.",
    ),
    "kernel": ("the {} kernel", "KERNEL decides on the weights, and their slopes."),
}
WITHOUT_CONVENTIONS = "tape.py"
TOGETHER = ("padding", "kink", "kernel")  # that one result of the sampler may depend on


@dataclass(frozen=True)
class Mistake:
    """A mistake with a name, and what a call gives to those who make it."""

    name: str
    sentence: str
    patch: Patch | None = None
    instead: Variant | None = None

    def answer(self, task: Task, check: Check, variant: Variant) -> tuple[Array, ...] | None:
        """The results of a call, None if the mistake has no part in it or ends in an error."""
        return _answer(self, task.file, check, variant)

    def found(self, file: str, check: Check, variant: Variant) -> Any:
        """What the function of ``file`` returns; any error that it ends in goes through."""
        if self.patch is not None:
            book = _patched(self.patch, variant) if self.patch.file == file else None
        elif self.instead is not None:
            book = textbook(self.instead) if file != WITHOUT_CONVENTIONS else None
        else:
            return dictionary.answer(self.name, check, variant)
        return book and book(file, check.function, *_copies(check), **check.settings)


@lru_cache(maxsize=60_000)  # of a term; a class makes the same mistakes again and again
def _answer(mistake: Mistake, file: str, check: Check, variant: Variant) -> tuple[Array, ...] | None:
    try:
        found = mistake.found(file, check, variant)
    except (ValueError, IndexError, TypeError):  # it goes as far as that
        return None
    return None if found is None else results(found)


@cache
def known(variant: Variant) -> tuple[Mistake, ...]:
    """Those that can be made in a term.

    What is right elsewhere comes first, then what changes the least: the first one that fits is told.

    >>> [mistake.name for mistake in known(Variant())][0]
    'align_corners-false'
    """
    return (*_other_terms(variant), *_patches(), *_faults())


def results(found: Any) -> tuple[Array, ...]:
    """What a function returned as a tuple of arrays."""
    return tuple(np.asarray(part) for part in (found if isinstance(found, tuple) else (found,)))


def _patches() -> Iterator[Mistake]:
    return (Mistake(patch.name, patch.sentence, patch=patch) for patch in PATCHES)


def _faults() -> Iterator[Mistake]:
    """Those in derivatives first: a wrong factor on the way back is more often that alone."""
    for name in sorted(dictionary.usable(), key=lambda name: FAULTS[name].theme != "gradients"):
        yield Mistake(name, FAULTS[name].sentence)


def _other_terms(variant: Variant) -> Iterator[Mistake]:
    """What is right in another term, where one choice was another, and then where several were."""
    for name in OTHERS:
        for value in CHOICES[name.upper()]:
            if value != getattr(variant, name):
                yield _right_elsewhere(f"{name}-{value}".lower(), variant, {name: value})
    for values in product(*(CHOICES[name.upper()] for name in TOGETHER)):
        changed = {name: value for name, value in zip(TOGETHER, values) if value != getattr(variant, name)}
        if len(changed) > 1:
            yield _right_elsewhere("another-term", variant, changed)


def _right_elsewhere(name: str, variant: Variant, changed: dict[str, Any]) -> Mistake:
    choices = " and ".join(OTHERS[choice][0].format(value) for choice, value in changed.items())
    more = " ".join(OTHERS[choice][1] for choice in changed)
    sentence = f"This is right for {choices}; the task's conventions.py says otherwise. {more}"
    return Mistake(name, sentence, instead=replace(variant, **changed))


@cache
def _patched(patch: Patch, variant: Variant) -> Textbook:
    return Textbook(variant, {patch.file: patch.text()})


def _copies(check: Check) -> list[Array]:
    return [np.array(array) for array in check.arrays]
