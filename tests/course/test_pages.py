"""The pages of the course: every mistake has its section, and what they name exists."""

import re
from pathlib import Path

import pytest

from stn_ref.course import diagnosis, reports
from stn_ref.course.mistakes import known
from stn_ref.course.mistakes.page import GENERAL, mistakes_page
from stn_ref.course.variants import variants

DOCS = Path(__file__).parents[2] / "docs" / "course"
NAMES = {mistake.name for chosen in variants() for mistake in known(chosen)}


def test_the_list_of_mistakes_is_the_one_that_the_grader_has():
    """By ``python -m stn_ref.course.mistakes.page``."""
    assert (DOCS / "mistakes.md").read_text() == mistakes_page()


def test_every_message_leads_to_a_section():
    sections = set(re.findall(r"^### (.+)$", mistakes_page(), re.MULTILINE))
    assert sections == NAMES | set(GENERAL)
    assert set(diagnosis.ANCHORS.values()) <= sections
    assert Path(reports.DOCS) == Path("docs/course/mistakes.md")


def test_a_section_is_found_by_its_name():
    """The anchor of a heading on a page is the heading itself only if it is made of these letters."""
    assert all(re.fullmatch(r"[a-z0-9_.-]+", name) for name in NAMES | set(GENERAL))


@pytest.mark.parametrize("page", ["misconceptions.md", "staff.md", "students.md"])
def test_the_mistakes_that_a_page_names_exist(page):
    named = set(re.findall(r"`([a-z0-9_]+(?:-[a-z0-9]+)+)`", (DOCS / page).read_text()))
    assert named <= NAMES


def test_there_are_twenty_misconceptions():
    titles = re.findall(r"^## (\d+)\. ", (DOCS / "misconceptions.md").read_text(), re.MULTILINE)
    assert [int(number) for number in titles] == list(range(1, 21))
