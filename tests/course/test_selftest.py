"""The course's self-test: it passes, and it fails where something is planted."""

import pytest

from stn_ref.course import grading, handout, selftest
from stn_ref.course.diagnosis import diagnosis
from stn_ref.course.mistakes import known
from stn_ref.course.selftest import TERMS
from stn_ref.course.variants import CHOICES, variant


def wrong(lines):
    return [str(line) for line in lines if not line.ok]


def test_the_terms_that_are_tried_have_every_choice():
    for name, values in CHOICES.items():
        assert {variant(term).constants()[name] for term in TERMS} == set(values)


def test_it_passes_in_a_term():
    assert wrong(selftest.selftest(["2027a"])) == []


def test_a_solution_in_the_handout_is_found(monkeypatch):
    monkeypatch.setattr(handout, "cut", lambda text: text.replace("# BEGIN", "#").replace("# END", "#"))
    (line,) = wrong([selftest._no_solution("2027a")])
    assert "grids.py: " in line
    assert "stubs" in wrong([selftest._stubs("2027a")])[0]


def test_a_grader_that_overlooks_mistakes_is_found(monkeypatch):
    monkeypatch.setattr(grading, "diagnosis", lambda *_, **__: None)
    lines = wrong(line for _, line in selftest._mistakes("2027a"))
    assert len(lines) > 50
    assert "points" in lines[0]


def test_a_mistake_that_nothing_shows_is_found():
    line = selftest._all_seen(set(), ["2027a"])
    assert "xy-swap" in line.why
    assert "tps-log10," not in line.why


@pytest.mark.parametrize("name", ["xy-swap", "last-use-only"])
def test_a_grader_that_does_not_know_a_mistake_is_found(monkeypatch, name):
    others = tuple(mistake for mistake in known(variant("2027a")) if mistake.name != name)

    def forgetful(task, check, right, reply, chosen, *, hidden):
        message = diagnosis(task, check, right, reply, chosen, hidden=hidden)
        known_ = message is not None and message.mistake in {mistake.name for mistake in others}
        return message if message is None or known_ else type(message)("numbers", "wrong")

    monkeypatch.setattr(grading, "diagnosis", forgetful)
    assert [line for line in wrong(line for _, line in selftest._mistakes("2027a")) if name in line]
