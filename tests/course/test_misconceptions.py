"""Students' mistakes are told by name, and cost what they spoil."""

import sys
from functools import cache
from types import ModuleType

import numpy as np
import pytest

from stn_ref.course.grading import grade, graded
from stn_ref.course.handout import solutions
from stn_ref.course.sandbox import Category, Reply
from stn_ref.course.tasks import TASKS
from stn_ref.course.variants import CHOICES, variant

from .students import STUDENTS, TERMS

FILES = ("conventions.py", "grids.py", "sampler.py", "chain.py", "tape.py", "training.py", "conversions.py")

# Of each student the mistake that is told, or `kind | words` of what has no name, and what aspects it costs.
EXPECTED = {
    "1: maps source to target": {"inverse-transform": "interior, batch, non-square, one pixel"},
    "1: base grid is (row, column)": {"base-grid-yx": "interior, batch, non-square, one pixel"},
    "1: source grid is (row, column)": {"source-grid-yx": "interior, batch, non-square, one pixel"},
    "1: meshgrid ij": {
        "shape | the axes are in another order": "shape, non-square, one pixel",
        "base-grid-yx": "interior, batch",
    },
    "1: linspace where the edges count": {
        "align_corners-true": "interior, batch, non-square",
        "singleton-minus-one": "one pixel",
    },
    "1: half pixels where the corners count": {
        "align_corners-false": "interior, batch, non-square, one pixel"
    },
    "1: steps of 2 / size from -1": {
        "steps-from-minus-one": "interior, batch, non-square",
        "singleton-minus-one": "one pixel",
    },
    "1: a single pixel at -1": {"singleton-minus-one": "one pixel"},
    "1: divides by size - 1 = 0": {"NaN | is there 0/0": "one pixel"},
    "1: whole numbers alone": {
        "dtype | returned int64, expected float64": "shape, interior, non-square, one pixel",
        "numbers | the largest difference is at": "batch",
    },
    "1: float32": {
        "dtype | returned float32, expected float64": "shape, interior, non-square, one pixel",
        "relation | right to some seven digits only": "batch",
    },
    "1: no translation": {"missing-ones-column": "interior, batch, non-square, one pixel"},
    "1: reshape instead of transpose": {"theta-reshaped": "interior, batch, non-square, one pixel"},
    "1: linear part transposed": {"theta-transposed": "interior, batch, non-square, one pixel"},
    "1: the first theta for all": {"rows-shared-over-batch": "batch"},
    "1: height and width mixed up": {"shape | the axes are in another order": "shape, non-square, one pixel"},
    "1: coordinates along the second axis": {
        "shape | the axes are in another order": "shape, interior, batch, non-square, one pixel"
    },
    "1: writes theta": {"overwrites-input": "shape, interior, batch, non-square, one pixel"},
    "2: corners always": {"corners-always": "edges"},
    "2: edges without the half pixel": {"centre-at-half-the-size": "edges"},
    "2: conventions the wrong way round": {"edges-always": "centres, back", "corners-always": "edges"},
    "2: scales by W": {"scaled-by-the-size": "centres"},
    "2: scales by W - 2": {"w-minus-2": "centres"},
    "2: normalised to 0 and 1": {"from-zero-to-one": "back"},
    "2: the way back forgets -1": {"relation | off by 1 everywhere": "back"},
    "2: the half pixel with the wrong sign": {"half-pixel-with-the-wrong-sign": "back"},
    "2: rounds to pixels": {"relation | the right one rounded": "centres, edges"},
    "3: kernel goes below 0": {"kernel-goes-on": "border, kink, batch, channels, non-square, interior"},
    "3: kernel of one side": {
        "kernel-of-the-right-side": "border, kink, batch, channels, non-square, interior"
    },
    "3: kernel without abs": {
        "kernel-one-to-the-left": "border, kink, batch, channels, non-square, interior"
    },
    "3: bilinear where cosine is asked": {
        "kernel-bilinear": "border, kink, batch, channels, non-square, interior"
    },
    "3: bilinear where smoothstep is asked": {
        "kernel-bilinear": "border, kink, batch, channels, non-square, interior"
    },
    "3: cosine in degrees of a half turn": {
        "kernel-a-quarter-wave": "border, kink, batch, channels, non-square, interior"
    },
    "3: smoothstep that rises": {"kernel-rises": "border, kink, batch, channels, non-square, interior"},
    "3: everywhere: x and y swapped": {"xy-swap": "border, kink, batch, channels, non-square, interior"},
    "3: everywhere: one channel for all": {
        "relation | every channel has the result of the first channel": "channels"
    },
    "3: nearest: rint": {"ties-half-even": "kink"},
    "3: nearest: floor alone": {"round-after-floor": "border, kink, batch, channels, non-square, interior"},
    "3: nearest: int() rounds towards 0": {"rounded-towards-zero": "border"},
    "3: nearest: the edge goes on": {"missing-mask": "border"},
    "3: nearest: negative indices count from the end": {"negative-indices": "border"},
    "4: clips the neighbours, then computes the weights": {"last-row-lost": "border, kink"},
    "4: clips the neighbours before the weights, among zeros": {
        "half-outside-is-outside": "border",
        "last-row-lost": "kink",
    },
    "4: the edge goes on instead of zeros": {"padding-border": "border"},
    "4: clamps the coordinates": {"padding-border": "border"},
    "4: zeros instead of the edge": {"padding-zeros": "border"},
    "4: nothing where a neighbour is missing": {"half-outside-is-outside": "border"},
    "4: trunc for floor": {"trunc-for-floor": "border"},
    "4: neighbours by floor and ceil": {"last-row-lost": "border", "floor-and-ceil": "kink"},
    "4: weights of the other corner": {
        "weights-of-another-corner": "border, kink, batch, channels, non-square, interior"
    },
    "4: the weights of the two neighbours exchanged": {
        "weights-exchanged": "border, kink, batch, channels, non-square, interior"
    },
    "4: bilinear weights under another kernel": {
        "kernel-bilinear": "border, kink, batch, channels, non-square, interior"
    },
    "4: x and y swapped": {"xy-swap": "border, kink, batch, channels, non-square, interior"},
    "4: the first image for all": {"first-image-for-all": "batch"},
    "4: adds the channels up": {"relation | every channel has the sum over all channels": "channels"},
    "4: channels first in a term of channels last": {
        "shape | images are (N, H, W, C)": "shape, border, kink, batch, channels, non-square, interior"
    },
    "4: negative indices count from the end": {"negative-indices": "border"},
    "4: points taken for normalised ones": {
        "points-taken-for-normalised": "border, kink, batch, channels, non-square, interior"
    },
    "4: only the nearest pixel": {"nearest-alone": "border, kink, batch, channels, non-square, interior"},
    "4: assigns where the four are added": {
        "last-corner-alone": "border, batch, channels, non-square, interior",
        "floor-and-ceil": "kink",
    },
    "5: += through indices": {"fancy-index-add": "border, kink, meeting"},
    "5: assigns instead of adding": {"assign-for-accumulate": "border, kink, meeting"},
    "5: each of the four gets everything": {
        "weights-left-out": "border, kink, batch, channels, non-square, interior, meeting"
    },
    "5: x and y swapped": {"xy-swap": "border, kink, batch, channels, non-square, interior, meeting"},
    "5: into the nearest pixel alone": {
        "nearest-alone": "border, kink, batch, channels, non-square, interior, meeting"
    },
    "5: the mean of what comes back": {
        "splat-mean": "border, kink, meeting",
        "weights-left-out": "batch, channels, non-square, interior",
    },
    "5: what lies outside goes to the edge": {"padding-border": "border"},
    "5: everything into the first image": {"batch-0-scatter": "batch"},
    "5: one channel for all": {"relation | every channel has the sum over all channels": "channels"},
    "6: the sign": {"sign-of-eq7": "border, kink, batch, channels, non-square, interior"},
    "6: the right side at kinks where the left one is asked": {"kink-right": "kink"},
    "6: eq. (7) to the letter": {"paper-literal-kink": "kink"},
    "6: no sum over the channels": {"first-channel-only": "channels"},
    "6: the mean over the channels": {"channel-mean": "channels"},
    "6: d/dy first": {"components-swapped": "border, kink, batch, channels, non-square, interior"},
    "6: without the cotangent of V": {
        "cotangent-left-out": "border, kink, batch, channels, non-square, interior"
    },
    "6: floor blocks the gradient": {
        "zero-grid-gradient": "border, kink, batch, channels, non-square, interior"
    },
    "6: in normalised coordinates already": {
        "slopes-in-normalised": "border, kink, batch, channels, non-square, interior"
    },
    "6: the slopes of bilinear under another kernel": {
        "slope-of-the-bilinear": "border, batch, channels, non-square, interior",
        "where | 8 of 16 samples are wrong, all of them at integer": "kink",
    },
    "6: slopes of clamped coordinates": {"border-derivative-kept": "border, kink"},
    "6: a slope beyond the edge": {
        "where | all of them at the border or beyond it, and right would be 0": "border"
    },
    "6: slope times slope": {
        "slope-of-both": "border, batch, channels, non-square, interior",
        "zero-grid-gradient": "kink",
    },
    "6: the difference of the pixels without the other axis": {
        "where | its pixels (row, column) and": "kink, batch, channels, non-square, interior"
    },
    "6: no slope where a neighbour is missing": {"zero-grid-gradient": "border"},
    "6: the mean over all samples": {
        "relation | 1/(number of samples": "border, kink, batch, channels, non-square, interior"
    },
    "6: last year's code": {
        "another-term": "border, kink",
        "kernel-bilinear": "batch, channels, non-square, interior",
    },
    "7: no factor": {"missing-half-w": "factor, batch, non-square"},
    "7: the factor of the other convention": {"align_corners-false": "factor, batch, non-square"},
    "7: (W - 1) / 2 where the edges count": {"align_corners-true": "factor, batch, non-square"},
    "7: divides by the factor": {"factor-upside-down": "factor, batch, non-square"},
    "7: height for x": {"hw-swap": "non-square"},
    "7: not halved": {"factor-without-half": "factor, batch, non-square"},
    "7: the mean over the points": {"mean-for-sum": "sum, batch, non-square"},
    "7: sums over the batch": {"one-theta-for-all": "batch"},
    "7: transposed": {"shape | the axes are in another order": "shape, sum, batch, non-square"},
    "7: transposed, in the shape that is asked": {"theta-bar-reshaped": "sum, batch, non-square"},
    "7: nothing for the translation": {"missing-ones-column": "sum, batch, non-square"},
    "7: the translation and the ones": {"relation | column 3 (the shift) is wrong": "sum, batch, non-square"},
    "8: the last use alone": {"last-use-only": "again, order, length"},
    "8: passes on too early": {"passed-on-too-early": "order"},
    "8: depth first without an order": {"depth-first-without-order": "order"},
    "8: recursion that passes on sums": {"passes-on-sums": "order", "recursion-too-deep": "length"},
    "8: recursion, one level for each step": {"recursion-too-deep": "length"},
    "8: no sum over what was repeated": {
        "shape | sum over the axes along which it was repeated": "broadcasting"
    },
    "8: sums over new axes alone": {"shape | sum over the axes along which it was repeated": "broadcasting"},
    "8: the mean over what was repeated": {"broadcast-mean": "broadcasting"},
    "8: adds in place to a shared array": {"added-in-place": "again"},
    "8: a node as often as it was used": {"entered-for-each-use": "order", "recursion-too-deep": "length"},
    "8: the node's own value given to its rules": {
        "values-of-the-result": "once, again, order, broadcasting, length, unused"
    },
    "9: random weights": {"relation | the weight has to be 0 everywhere": "beginning"},
    "9: the bias at 0": {"zero-bias": "beginning"},
    "9: ones in the wrong places": {"identity-column-by-column": "beginning"},
    "9: weights the other way round": {"shape | as the weight: (25, 6), expected (6, 25)": "beginning"},
    "9: the classifier sees the image itself": {"untransformed-image": "forward"},
    "9: forgets the head's bias": {"bias-left-out": "forward"},
    "9: theta filled column by column": {"theta-by-columns": "forward"},
    "9: a softmax nobody asked for": {"softmax-included": "forward"},
    "9: uphill": {"uphill": "step, descent"},
    "9: all layers as fast": {"multiplier-forgotten": "step"},
    "9: divides by what slows down": {"divided-by-the-multiplier": "step"},
    "9: updates in place": {"overwrites-input": "step, descent"},
    "9: climbs": {"uphill": "descent"},
    "9: the mean of the squares": {"mean-loss": "descent"},
    "9: the gradient of the whole sum": {"twice-the-gradient": "descent"},
    "9: no loss at the end": {"shape | too few numbers": "descent"},
    "9: the gradient at the beginning for all steps": {"gradient-of-the-beginning": "descent"},
    "9: the gradient of the image": {"theta-not-moved": "descent"},
    "10: as if theta were in pixels": {"theta-as-pixels": "to_opencv, to_scipy, non-square"},
    "10: the translation alone": {"shift-alone-scaled": "to_opencv, to_scipy, non-square"},
    "10: the centre at W / 2": {"centre-at-half-the-size": "to_opencv, to_scipy, non-square"},
    "10: from source to target": {"source-to-target": "to_opencv, to_scipy, non-square"},
    "10: with the other convention": {"align_corners-true": "to_opencv, to_scipy, non-square"},
    "10: the output as large as the image": {"one-size-for-both": "to_opencv, to_scipy, non-square"},
    "10: height and width mixed up": {"height-for-width": "non-square"},
    "10: x and y in OpenCV's order": {"scipy-in-xy": "to_scipy, non-square"},
    "10: the offset in OpenCV's order": {"scipy-offset-in-xy": "to_scipy, non-square"},
    "10: the rows alone exchanged": {"scipy-rows-alone": "to_scipy, non-square"},
    "10: one array": {"shape | returned one array, expected a tuple of 2 arrays": "to_scipy, non-square"},
    "10: theta as it is": {"same-theta": "to_pytorch, non-square"},
    "10: the wrong way round": {"align_corners-true": "to_pytorch, non-square"},
    "10: the translation alone for PyTorch": {"linear-part-kept": "to_pytorch, non-square"},
    "10: a rotation of the square": {"rigid-in-normalised": "non-square"},
    "10: degrees taken for radians": {"degrees-as-radians": "rotation, non-square"},
    "10: turns the other way": {"turned-the-other-way": "rotation, non-square"},
    "10: the aspect the wrong way round": {"aspect-upside-down": "non-square"},
    "10: no axis of images": {"shape | an axis is missing": "rotation, non-square"},
}

# Of the course's twenty misconceptions; no function that students write shows 19, that sampling bilinearly
# averages when it shrinks, nor 20, that warping feature maps makes a network invariant.
SHOWN_BY = {
    1: ["1: maps source to target", "10: from source to target"],
    2: ["1: base grid is (row, column)", "1: source grid is (row, column)", "4: x and y swapped"],
    3: ["1: meshgrid ij"],
    4: ["1: linspace where the edges count", "2: conventions the wrong way round"],
    5: ["2: scales by W", "2: scales by W - 2"],
    6: ["4: clips the neighbours, then computes the weights"],
    7: ["4: clamps the coordinates", "5: what lies outside goes to the edge"],
    8: ["6: floor blocks the gradient"],
    9: ["4: neighbours by floor and ceil"],
    10: ["6: eq. (7) to the letter", "6: the right side at kinks where the left one is asked"],
    11: ["6: slopes of clamped coordinates", "6: a slope beyond the edge"],
    12: ["7: no factor", "7: not halved", "7: the factor of the other convention"],
    13: ["5: += through indices", "5: assigns instead of adding"],
    14: ["6: no sum over the channels", "6: the mean over the channels", "7: the mean over the points"],
    15: ["10: a rotation of the square"],
    16: ["9: random weights", "9: all layers as fast"],
    17: ["9: the classifier sees the image itself"],
    18: ["10: as if theta were in pixels", "4: points taken for normalised ones"],
}
IN_THE_SANDBOX = (
    "1: writes theta",
    "5: += through indices",
    "6: eq. (7) to the letter",
    "8: recursion, one level for each step",
)


@cache
def solved(term):
    return {name: text.decode() for name, text in solutions(term).items()}


def submission(student):
    """All solved, but for what the student wrote: it stands last, so that it counts."""
    files = dict(solved(student.term))
    files[TASKS[student.task].file] += "\n\n" + student.code
    return files


@cache
def compiled(text, name):
    return compile(text, name, "exec", dont_inherit=True)


class InProcess:
    """A submission that answers here and now, without a sandbox."""

    def __init__(self, files, monkeypatch):
        self.modules = {name: ModuleType(name[:-3]) for name in FILES}
        with monkeypatch.context() as patched:
            for name, module in self.modules.items():
                patched.setitem(sys.modules, name[:-3], module)
                exec(compiled(files[name], name), vars(module))

    def ask(self, questions):
        return [self.reply(question) for question in questions]

    def reply(self, question):
        arrays = [array.copy() for array in question.arrays]
        function = vars(self.modules[question.file])[question.function]
        try:
            with np.errstate(all="ignore"):
                found = function(*arrays, **question.settings)
        except Exception as error:
            return Reply(Category.ERROR, f"{type(error).__name__}: {error}")
        single = not isinstance(found, tuple)
        results = tuple(np.asarray(part) for part in ((found,) if single else found))
        if all(np.array_equal(a, b) for a, b in zip(arrays, question.arrays)):
            return Reply(Category.OK, "", results, single)
        return Reply(Category.MODIFIED, "wrote to an argument", results, single)


def told(task):
    """What a graded task says, in the form of EXPECTED, but for the words of what has no name."""
    found = {}
    for aspect in task.aspects:
        if aspect.message is not None:
            key = aspect.message.mistake or aspect.message.kind
            found.setdefault(key, []).append(aspect.aspect)
    return {key: ", ".join(aspects) for key, aspects in found.items()}


def assert_as_expected(name, task):
    expected = EXPECTED[name]
    assert told(task) == {key.partition(" | ")[0]: aspects for key, aspects in expected.items()}
    for key, aspects in expected.items():
        for aspect in task.aspects:
            if aspect.aspect in aspects.split(", "):
                assert key.partition(" | ")[2] in aspect.message.text
                assert not aspect.hidden
    lost = ", ".join(expected.values()).split(", ")
    assert task.points == task.task.worth - sum(task.task.points[aspect] for aspect in lost)


@pytest.mark.parametrize("name", STUDENTS)
def test_a_mistake_is_told_and_costs_what_it_spoils(name, monkeypatch):
    student = STUDENTS[name]
    answering = InProcess(submission(student), monkeypatch)
    (task,) = graded(name, student.term, answering, tasks=[student.task], hidden=False).tasks
    assert_as_expected(name, task)


@pytest.mark.parametrize("name", IN_THE_SANDBOX)
def test_in_the_sandbox_it_is_the_same(name, tmp_path):
    student = STUDENTS[name]
    for file, text in submission(student).items():
        (tmp_path / file).write_text(text, "utf-8")
    (task,) = grade(tmp_path, student.term, tasks=[student.task]).tasks
    assert_as_expected(name, task)


@pytest.mark.parametrize("term", TERMS.values())
def test_the_solution_makes_no_mistake(term, monkeypatch):
    answering = InProcess(solved(term), monkeypatch)
    tasks = sorted({student.task for student in STUDENTS.values() if student.term == term})
    found = graded("", term, answering, tasks=tasks, hidden=False)
    assert [told(task) for task in found.tasks] == [{}] * len(tasks)


def test_all_misconceptions_that_show_in_functions_are_there():
    assert sorted(SHOWN_BY) == list(range(1, 19))
    assert {name for names in SHOWN_BY.values() for name in names} <= set(STUDENTS)
    assert {student.task for student in STUDENTS.values()} == set(TASKS)


def test_all_conventions_are_there():
    terms = [variant(student.term) for student in STUDENTS.values()]
    for name, values in CHOICES.items():
        assert {getattr(term, name.lower()) for term in terms} == set(values)
