"""What to tell somebody whose result is wrong: the ladder, of which the first rung that holds is told.

1. What is no number to compare: an error, another shape, another dtype, NaN, an argument written to.
2. A known mistake: the result equals what it gives.
3. A simple relation to the right result: the sign, a factor, a shift, a transposition.
4. Where the wrong numbers lie: inside the image, at its border, at kinks.
5. The worst number: where it is, what was expected, and the pixels and weights around it.

Tests that students cannot see give rungs 2, 3 and 4, and of 1 only the kind: no number of theirs.
"""

import builtins
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .mistakes import Mistake, known
from .mistakes.known import results
from .relations import near, part_of, relations
from .sandbox import Category, Reply
from .sources import textbook
from .tasks import Check, Task
from .variants import Variant
from .whereabouts import where, worst

__all__ = ["Message", "diagnosis", "equal"]

Array = NDArray[Any]
Arrays = tuple[Array, ...]


@dataclass(frozen=True)
class Message:
    """What is told: the rung's ``kind``, the text, and the ``mistake`` if it is one with a name.

    ``anchor`` is where the list of mistakes speaks of it, "" if it does not.
    """

    kind: str
    text: str
    mistake: str = ""

    @property
    def anchor(self) -> str:
        """Of the page about mistakes."""
        return self.mistake or ANCHORS.get(self.kind, "")


ANCHORS = {
    "shape": "another-shape",
    "NaN": "nan",
    "modified": "overwrites-input",
    "dtype": "another-dtype",
    "relation": "simple-relations",
    "where": "where-it-is-wrong",
}
TOO_DEEP = "functions may call themselves some thousand times; a loop with a list of what waits has no limit"


def diagnosis(
    task: Task, check: Check, right: Arrays, reply: Reply, variant: Variant, *, hidden: bool
) -> Message | None:
    """None if the reply is right, else what to tell.

    >>> import numpy as np
    >>> from stn_ref.course.tasks import TASKS
    >>> check = Check("non-square", "base_grid", (), {"height": 1, "width": 2})
    >>> right = np.array([[[-1.0, 0.0, 1.0], [1.0, 0.0, 1.0]]])
    >>> reply = Reply(Category.OK, arrays=(right[..., [1, 0, 2]],))
    >>> diagnosis(TASKS[1], check, (right,), reply, Variant(), hidden=False).mistake
    'base-grid-yx'
    """
    for message in _unlike_an_answer(task, check, right, reply, variant, hidden):
        return message
    got = reply.arrays
    if check.shape_only or equal(got, right):
        return None
    # Of what students cannot see no more than the aspect.
    text = f"{check.function}, {check.aspect if hidden else check.says or check.aspect}"
    fitting = _fitting(task, check, got, right, variant)
    if fitting:
        return Message("mistake", f"{text}: {' Or: '.join(m.sentence for m in fitting)}", fitting[0].name)
    for relation in relations(check, got, right, variant, hidden=hidden):
        return Message("relation", f"{text}: {relation}.")
    place = where(check, got, right, hidden=hidden)
    if hidden:
        return Message("where", f"{text}: {place or 'some numbers are wrong'}.")
    kind, more = ("where", f"{place}; ") if place else ("numbers", "")
    return Message(kind, f"{text}: {more}{worst(check, got, right, variant)}.")


def equal(a: Arrays, b: Arrays) -> bool:
    """Whether results are the same but for rounding.

    >>> equal((np.array([1.0, 1e-20]),), (np.array([1.0, 0.0]),))
    True
    """
    return len(a) == len(b) and all(x.shape == y.shape and near(x, y).all() for x, y in zip(a, b))


def _fitting(task: Task, check: Check, got: Arrays, right: Arrays, variant: Variant) -> list[Mistake]:
    """The mistake that the result comes from; two of them where one call alone cannot tell which it is."""
    found: list[Mistake] = []
    for mistake in known(variant):
        if found and (mistake.patch is None or mistake.name == found[0].name):
            continue
        answer = mistake.answer(task, check, variant)
        if answer is not None and equal(got, answer) and not equal(answer, right):
            found.append(mistake)
        if len(found) == 2:
            break
    return found


def _unlike_an_answer(
    task: Task, check: Check, right: Arrays, reply: Reply, variant: Variant, hidden: bool
) -> Iterator[Message]:
    """The first rung."""
    if reply.category not in (Category.OK, Category.MODIFIED):
        yield _failed(check, reply, hidden)
        return
    function = check.function
    if len(reply.arrays) != len(right):
        yield Message("shape", f"{function} returned {_count(reply)}, expected {_many(len(right))}")
        return
    if [got.shape for got in reply.arrays] != [expected.shape for expected in right]:
        yield Message("shape", _other_shape(task, check, right, reply, variant, hidden))
    for k, (got, expected) in enumerate(zip(reply.arrays, right)):
        name = part_of(function, k, len(right))
        as_part = name and f" as {name}"
        if got.dtype.kind != "f" or got.dtype.itemsize < 8:
            yield Message("dtype", f"{function} returned {got.dtype}{as_part}, expected float64")
        lost = np.isnan(got) & ~np.isnan(expected)
        if lost.any():
            place = "" if hidden else f", the first at {tuple(int(n) for n in np.argwhere(lost)[0])}"
            yield Message(
                "NaN", f"{function} returned NaN{as_part}{place}; is there 0/0, or infinity times 0?"
            )
    if reply.category is Category.MODIFIED:
        what = "wrote to an argument" if hidden else reply.message
        yield Message("modified", f"{function} {what}", "overwrites-input")


def _failed(check: Check, reply: Reply, hidden: bool) -> Message:
    """No result at all. In what students cannot see, an error's text may hold numbers of the test."""
    kind = reply.category.value
    error = reply.message.partition(":")[0]
    builtin = vars(builtins).get(error)
    named = isinstance(builtin, type) and issubclass(builtin, Exception)
    text = reply.message
    if hidden:
        text = f"{check.function}, {check.aspect}: {kind}{f', {error}' if named else ''}"
    if error == RecursionError.__name__:
        return Message(kind, f"{text}; {TOO_DEEP}", "recursion-too-deep")
    return Message(kind, text)


def _count(reply: Reply) -> str:
    return "one array" if reply.single else _many(len(reply.arrays))


def _many(count: int) -> str:
    return "one array" if count == 1 else f"a tuple of {count} arrays"


def _other_shape(
    task: Task, check: Check, right: Arrays, reply: Reply, variant: Variant, hidden: bool
) -> str:
    """What is wrong with the first shape that is."""
    k = next(k for k, (got, y) in enumerate(zip(reply.arrays, right)) if got.shape != y.shape)
    got, expected = reply.arrays[k].shape, right[k].shape
    name = part_of(check.function, k, len(right))
    shapes = "" if hidden else f": {got}, expected {expected}"
    hint = _hint(got, expected) if check.function not in ("run", "sum_to_shape") else _repeated(got, expected)
    if got == _shape_in_the_other_layout(task, check, k, variant):
        ours, theirs = ("(N, H, W, C)", "(N, C, H, W)")[:: 1 if variant.channels_last else -1]
        hint = f"; images are {ours} this term, and not {theirs}"
    return f"{check.function} returned another shape{name and f' as {name}'}{shapes}{hint}"


def _hint(got: tuple[int, ...], expected: tuple[int, ...]) -> str:
    if len(got) != len(expected):
        return "; an axis is missing" if len(got) < len(expected) else "; there is an axis too many"
    if sorted(got) == sorted(expected):
        return "; the axes are in another order"
    if len(got) == 1:
        return f"; {'too few' if got < expected else 'too many'} numbers"
    return ""


def _repeated(got: tuple[int, ...], expected: tuple[int, ...]) -> str:
    """Of cotangents: whether they still have the shape to which NumPy repeated what they belong to."""
    try:
        repeated = np.broadcast_shapes(got, expected) == got
    except ValueError:
        return _hint(got, expected)
    return "; sum over the axes along which it was repeated" if repeated else _hint(got, expected)


def _shape_in_the_other_layout(
    task: Task, check: Check, part: int, variant: Variant
) -> tuple[int, ...] | None:
    book = textbook(replace(variant, channels_last=not variant.channels_last))
    arrays = [np.array(array) for array in check.arrays]
    try:
        return results(book(task.file, check.function, *arrays, **check.settings))[part].shape
    except (ValueError, IndexError):  # as images they do not go together
        return None
