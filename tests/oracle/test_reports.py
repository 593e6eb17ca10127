"""Reports: what a person, a program, a CI system and a browser get to read."""

import json
import math
import os
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stn_ref.oracle.interview import Result
from stn_ref.oracle.questions.affine_cases import AFFINE_FAMILIES
from stn_ref.oracle.questions.cases import FAMILIES
from stn_ref.oracle.questions.tps_cases import TPS_FAMILIES
from stn_ref.oracle.report import Match, Report
from stn_ref.oracle.reports.comparison import compare
from stn_ref.oracle.reports.groups import CaseName, conclusion, coverage, groups, most_telling
from stn_ref.oracle.reports.words import MEANINGS, about, got_and_expected, one_line, outcome
from stn_ref.oracle.verdicts import Finding, Verdict

BACKEND = {
    "name": "mine",
    "version": "1.2.3",
    "profile": "paper",
    "modes": ("nearest", "bilinear"),
    "align_corners": (True, False),
    "deterministic": True,
    "snippet": "V = mine(U)",
    "python": "3.12.1",
    "numpy": "2.1.0",
}
SETTING = "bilinear/zeros/corners/float64/2d"
NASTY = "<script>alert('&amp;')</script>\x00\x1b[31m\ud800\ufffe\r\n]]>" + "wide " * 60


def a_result(verdict, case=f"kinks/{SETTING}", aspect="V", way="", threads=(), **finding):
    return Result(case, aspect, Finding(verdict, **finding), way, threads)


def a_report(*results, **more):
    return replace(Report(BACKEND, "paper", "quick", False, 0, tuple(results), 1.25), **more)


def wrong(ratio, **more):
    numbers = {"where": (0, 1, 2, 3), "got": 7.5, "expected": (1.0, 2.0)}
    return a_result(Verdict.FAIL_VALUE, ratio=ratio, **{**numbers, **more})


EVERY_VERDICT = a_report(
    *(
        a_result(
            verdict,
            f"kinks/{mode}/{SETTING.partition('/')[2]}",
            aspect,
            detail=f"detail of {verdict.value}",
            threads=("pytorch/pytorch#23925", "nowhere"),
        )
        for verdict in Verdict
        for mode in ("bilinear", "nearest")
        for aspect in ("V", "second.grid")
    ),
    a_result(Verdict.UNSUPPORTED, "modes=bicubic", "", detail="not claimed"),
    a_result(Verdict.EXACT, "affine-half/edges/float16/3d", "theta_bar"),
    matches=(Match("w-over-2", "W / 2 where (W - 1) / 2 is meant.", 3, 44),),
    reproducers={f"kinks/{SETTING}:V": "import numpy as np\nprint(1 < 2)\n"},
)
NASTY_REPORT = a_report(
    *(
        a_result(verdict, NASTY, NASTY, NASTY, (NASTY,), branch=NASTY, detail=NASTY, got=1.0, where=(0,))
        for verdict in Verdict
    ),
    backend=dict.fromkeys(BACKEND, NASTY),
    profile=NASTY,
    level=NASTY,
    matches=(Match(NASTY, NASTY, 1, 2),),
    reproducers={f"{NASTY}:{NASTY}": NASTY},
)


class TestGroups:
    def test_results_of_one_aspect_verdict_and_family_belong_together(self):
        first, second = wrong(2), wrong(3, case="kinks/nearest/zeros/edges/float32/3d")
        others = wrong(2, aspect="U_bar"), wrong(2, case=f"far/{SETTING}")
        found = groups([*others, first, second])
        assert [(group.aspect, group.family, len(group.results)) for group in found] == [
            ("V", "kinks", 2),
            ("V", "far", 1),
            ("U_bar", "kinks", 1),
        ]

    def test_the_worst_of_a_group_has_the_largest_ratio_and_an_undefined_one_is_the_largest(self):
        [group] = groups([wrong(2), wrong(9), wrong(3)])
        assert group.worst.finding.ratio == 9
        [group] = groups([wrong(2), wrong(math.nan), wrong(1e300)])
        assert math.isnan(group.worst.finding.ratio)

    def test_the_most_telling_ones_differ_in_aspect_first(self):
        found = groups(wrong(2, case=f"{f}/{SETTING}", aspect=a) for a in ("V", "U_bar") for f in "abc")
        assert [group.aspect for group in most_telling(found)] == ["V", "U_bar"] * 3

    def test_a_case_of_another_form_has_a_family_only(self):
        assert CaseName.of("mine/x/y") == CaseName("mine")

    def test_coverage_counts_each_result_once(self):
        cells = coverage(EVERY_VERDICT.results, lambda name: name.mode)
        assert sum(cell.total for cell in cells.values()) == len(EVERY_VERDICT.results)
        assert sum(cell.wrong for cell in cells.values()) == len(EVERY_VERDICT.failures)
        assert cells["second", "nearest"].total == len(Verdict)
        assert cells["", "bicubic"].kind == "unsupported"

    @pytest.mark.parametrize(
        ("verdicts", "kind"),
        [
            ("PASS CONVENTION CRASH UNSUPPORTED", "wrong"),
            ("PASS CONVENTION UNSUPPORTED", "convention"),
            ("UNSUPPORTED UNDECIDED EXACT", "ok"),
            ("UNSUPPORTED UNDECIDED", "undecided"),
            ("UNSUPPORTED", "unsupported"),
        ],
    )
    def test_the_most_remarkable_verdict_marks_a_cell(self, verdicts, kind):
        results = [a_result(Verdict(name)) for name in verdicts.split()]
        assert coverage(results, lambda name: name.mode)["V", "bilinear"].kind == kind


class TestConclusion:
    def test_it_conforms(self):
        assert conclusion(a_report(a_result(Verdict.PASS))) == "conforms to profile paper"

    def test_it_conforms_but_for_a_convention(self):
        report = a_report(a_result(Verdict.PASS), a_result(Verdict.CONVENTION, aspect="U_bar"))
        assert conclusion(report) == "conforms to profile paper, but 1 of 2 answers by another convention"

    def test_it_does_not(self):
        right = (a_result(Verdict.PASS, aspect=aspect) for aspect in "abc")
        report = a_report(*right, wrong(2), wrong(2, aspect="U_bar"))
        assert conclusion(report) == (
            "does NOT conform to profile paper: 2 of 5 answers are wrong, in 2 ways"
        )

    def test_what_is_not_supported_is_no_answer(self):
        report = a_report(wrong(2), a_result(Verdict.UNSUPPORTED, aspect="U_bar"))
        assert "1 of 1 answers is wrong, in 1 way" in conclusion(report)

    def test_a_mistake_of_the_oracle_is_not_the_backend_s(self):
        doubtful = a_result(Verdict.ORACLE_DISAGREE)
        assert conclusion(a_report(a_result(Verdict.PASS), doubtful)) == (
            "cannot be judged: the oracle contradicts itself on 1 of 1 answers"
        )
        assert "1 of 2 answers is wrong, in 1 way" in conclusion(a_report(wrong(2, aspect="U_bar"), doubtful))

    @pytest.mark.parametrize("results", [(), (a_result(Verdict.UNSUPPORTED),)])
    def test_to_answer_nothing_is_not_to_conform(self, results):
        assert conclusion(a_report(*results)).startswith("does NOT conform")


class TestWords:
    @pytest.mark.parametrize("families", [FAMILIES, AFFINE_FAMILIES, TPS_FAMILIES])
    def test_every_family_says_what_it_asks(self, families):
        assert all(about(family).endswith(".") for family in families)
        assert about("of another version") == ""

    def test_numbers_that_differ_look_different(self):
        result = wrong(2, got=1 + 2**-50, expected=(1.0, 1.0))
        got, expected = got_and_expected(result)
        assert float(got) > float(expected) == 1

    def test_an_interval_is_given_by_its_ends_and_one_that_looks_like_a_number_by_that(self):
        assert got_and_expected(wrong(2))[1] == "1 to 2"
        assert got_and_expected(wrong(2, expected=(1, 1 + 1e-12)))[1] == "1"

    def test_an_outcome_says_all_that_is_known(self):
        result = wrong(2.5, branch="paper", way="strided arrays", detail="so")
        assert outcome(result) == (
            "V[0, 1, 2, 3] is 7.5, expected 1 to 2; error/bound 2.5; branch paper; way: strided arrays; so"
        )

    def test_every_verdict_has_a_meaning(self):
        assert set(MEANINGS) == set(Verdict)

    @given(st.text(), st.integers(4, 30))
    def test_one_line_is_one_printable_line(self, text, width):
        line = one_line(text, width)
        assert len(line) <= width
        assert line.isprintable()


class TestSummary:
    @pytest.mark.parametrize("report", [EVERY_VERDICT, NASTY_REPORT, a_report()])
    def test_it_is_short(self, report):
        lines = str(report).split("\n")
        assert len(lines) <= 30
        assert max(map(len, lines)) <= 80

    def test_it_names_backend_settings_and_the_conclusion_last(self):
        lines = str(a_report(a_result(Verdict.PASS), strict=True)).splitlines()
        assert lines[:3] == [
            "stn_ref oracle: mine 1.2.3 (Python 3.12.1, NumPy 2.1.0)",
            "profile paper, strict, level quick, seed 0: 1 result in 1.2 s",
            "right    PASS 1",
        ]
        assert lines[-1] == "conforms to profile paper"

    def test_the_table_tells_what_came_of_each_aspect(self):
        found = [("V", Verdict.PASS), ("U_bar", Verdict.CONVENTION), ("V_dot", Verdict.UNSUPPORTED)]
        found += [("grid_bar", Verdict.FAIL_GRAD), ("second.U", Verdict.UNDECIDED)]
        lines = str(a_report(*(a_result(verdict, aspect=aspect) for aspect, verdict in found))).splitlines()
        start = lines.index("          bilinear")
        assert [line.split() for line in lines[start + 1 : start + 7]] == [
            ["f64"],
            ["V", "ok"],
            ["U_bar", "~"],
            ["grid_bar", "1"],
            ["V_dot", "-"],
            ["second", "?"],
        ]
        legend = "number: wrong answers, ~ another convention, ? undecided, - not supported"
        assert lines[start + 7] == legend

    def test_columns_stand_under_their_mode_and_dtype(self):
        cases = [f"kinks/{m}/zeros/corners/{d}/2d" for m in ("bilinear", "nearest") for d in DTYPES]
        lines = str(
            a_report(*(a_result(Verdict.PASS, case) for case in cases[:-1]), wrong(2, case=cases[-1]))
        )
        row = next(line for line in lines.splitlines() if line.startswith("V "))
        assert row.split() == ["V", *["ok"] * 5, "1"]

    def test_a_table_that_is_too_wide_is_by_mode_alone(self):
        cases = [f"kinks/m{k}/zeros/corners/{dtype}/2d" for k in range(8) for dtype in DTYPES]
        lines = str(a_report(*(wrong(2, case=case) for case in cases))).splitlines()
        [row] = [line for line in lines if line.startswith("V ")]
        assert row.split() == ["V", *["3"] * 8]

    def test_it_shows_the_worst_of_a_group_and_how_many_groups_it_leaves_out(self):
        results = [wrong(k, case=f"{family}/{SETTING}") for family in map(str, range(30)) for k in (2, 5, 3)]
        text = str(a_report(*results))
        assert f"3 x FAIL_VALUE V, worst: 0/{SETTING}" in text
        assert "V[0, 1, 2, 3] is 7.5, expected 1 to 2; error/bound 5" in text
        shown = text.count("worst:")
        assert f"... and {30 - shown} more ways" in text
        assert len(text.splitlines()) <= 25

    def test_a_thread_and_a_match_are_named(self):
        long = wrong(2, threads=("a/b#1", "c/d#2"), branch="mixed", detail="long " * 100)
        report = a_report(long, matches=EVERY_VERDICT.matches)
        assert "branch mixed" in str(report)
        assert "see a/b#1 and 1 more" in str(report)
        assert "equals fault w-over-2 in 3 of the 44 wrong answers compared" in str(report)


DTYPES = ("float16", "float32", "float64")
numbers = st.floats()
texts = st.text(max_size=8) | st.just("\ud800 \x00\x1b<&]]>")
findings = st.builds(
    Finding,
    st.sampled_from(Verdict),
    numbers,
    numbers,
    texts,
    texts,
    st.lists(st.integers(0, 2**40), max_size=5).map(tuple),
    st.none() | numbers,
    st.none() | st.tuples(numbers, numbers),
)
results = st.builds(Result, texts, texts, findings, texts, st.lists(texts, max_size=2).map(tuple))
reports = st.builds(
    Report,
    st.dictionaries(texts, texts | st.booleans() | st.integers() | st.lists(texts).map(tuple), max_size=3),
    texts,
    texts,
    st.booleans(),
    st.integers(),
    st.lists(results, max_size=3).map(tuple),
    numbers,
    st.lists(st.builds(Match, texts, texts, st.integers(), st.integers()), max_size=2).map(tuple),
    st.dictionaries(texts, texts, max_size=2),
)


def refuse(word):
    raise AssertionError(f"{word} is not JSON")


def all_of(report):
    """Everything in a report as text: NaN is not equal to itself."""
    return repr((report, report.results, report.reproducers))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("reports")


class TestJson:
    @given(reports)
    def test_it_comes_back_the_same(self, folder, report):
        path = folder / "report.json"
        said = report.to_json(path)
        assert json.loads(path.read_bytes(), parse_constant=refuse) == json.loads(json.dumps(said))
        assert all_of(Report.from_json(path)) == all_of(report)

    def test_a_report_without_nan_is_equal_to_what_is_read(self, tmp_path):
        EVERY_VERDICT.to_json(tmp_path / "r.json")
        assert Report.from_json(str(tmp_path / "r.json")) == EVERY_VERDICT

    def test_it_says_what_it_is_and_what_was_found(self):
        said = a_report(wrong(math.inf, got=math.nan)).to_json()
        assert said["format"] == "stn_ref oracle report"
        assert said["version"] == 1
        assert said["conforms"] is False
        assert said["counts"] == {"FAIL_VALUE": 1}
        assert said["results"][0]["ratio"] == "inf"
        assert said["results"][0]["got"] == "nan"

    @pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"3", b"\xff\xfe", b"[" * 100000, b'{"a": NaN}'])
    def test_what_is_no_report_is_refused(self, tmp_path, content):
        path = tmp_path / "other.json"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"from_json: .*other\.json is no whole report"):
            Report.from_json(path)

    def test_a_part_of_a_report_is_refused(self, tmp_path):
        path = tmp_path / "part.json"
        a_report(wrong(2)).to_json(path)
        whole = path.read_bytes()
        for length in range(len(whole)):
            path.write_bytes(whole[:length])
            with pytest.raises(ValueError, match="no whole report"):
                Report.from_json(path)

    @pytest.mark.parametrize(
        ("where", "value", "said"),
        [
            (("format",), "other", 'format is "other", expected "stn_ref oracle report"'),
            (("version",), 2, "version is 2, expected 1"),
            (("strict",), 0, "strict is 0, expected true or false"),
            (("seed",), True, "seed is true, expected a whole number"),
            (("seconds",), "long", 'seconds is "long", expected a number or one of'),
            (("seconds",), 10**400, "too large"),
            (("backend",), [], "backend is [], expected an object"),
            (("results",), {}, "results is {}, expected a list"),
            (("results", 0, "verdict"), "GOOD", 'results[0].verdict is "GOOD", expected a verdict'),
            (("results", 0, "got"), [], "results[0].got is [], expected a number"),
            (("results", 0, "expected"), [1], "results[0].expected is [1], expected two numbers"),
            (("results", 0, "where"), [0.5], "results[0].where[0] is 0.5, expected a whole number"),
            (("results", 0, "threads"), "a", 'results[0].threads is "a", expected a list'),
            (("results", 0, "verdict"), "PASS", "counts and conforms are not those of its results"),
            (("matches",), [{}], "matches[0].fault is missing"),
            (("reproducers",), {"a": None}, "reproducers.a is null, expected a text"),
        ],
    )
    def test_damage_is_named(self, tmp_path, where, value, said):
        report = a_report(wrong(2)).to_json()
        *parents, name = where
        part = report
        for key in parents:
            part = part[key]
        part[name] = value
        path = tmp_path / "damaged.json"
        path.write_text(json.dumps(report))
        with pytest.raises(ValueError) as caught:
            Report.from_json(path)
        assert said in str(caught.value)

    @pytest.mark.parametrize("name", a_report().to_json())
    def test_a_missing_field_is_named(self, tmp_path, name):
        report = a_report().to_json()
        del report[name]
        path = tmp_path / "damaged.json"
        path.write_text(json.dumps(report))
        with pytest.raises(ValueError, match=f"{name} is missing"):
            Report.from_json(path)


@pytest.mark.parametrize("method", ["to_json", "to_junit", "to_html"])
def test_what_stood_there_stays_if_writing_fails(tmp_path, monkeypatch, method):
    def fail(*_):
        raise OSError("disk on fire")

    path = tmp_path / "report"
    path.write_text("old")
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk on fire"):
        getattr(EVERY_VERDICT, method)(path)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("report", "old")]


def junit(report, folder):
    report.to_junit(folder / "report.xml")
    return ET.parse(folder / "report.xml").getroot()


class TestJunit:
    def test_counts_are_those_of_the_report(self, tmp_path):
        root = junit(EVERY_VERDICT, tmp_path)
        counts = EVERY_VERDICT.counts
        skipped = counts["UNSUPPORTED"] + counts["UNDECIDED"]
        errors = counts["CRASH"] + counts["TIMEOUT"]
        expected = {
            "tests": len(EVERY_VERDICT.results),
            "skipped": skipped,
            "errors": errors,
            "failures": len(EVERY_VERDICT.failures) - errors,
        }
        for element in (root, root.find("testsuite")):
            assert {name: int(element.get(name)) for name in expected} == expected
        tags = {"tests": "testcase", "errors": "error", "failures": "failure", "skipped": "skipped"}
        assert {name: len(root.findall(f".//{tag}")) for name, tag in tags.items()} == expected

    def test_a_test_is_named_by_family_case_and_aspect(self, tmp_path):
        unclaimed = a_result(Verdict.UNSUPPORTED, "modes=bicubic", "", detail="not claimed")
        root = junit(a_report(wrong(2), unclaimed), tmp_path)
        assert [(test.get("classname"), test.get("name")) for test in root.iter("testcase")] == [
            ("kinks", f"{SETTING}:V"),
            ("not claimed", "modes=bicubic"),
        ]

    @pytest.mark.parametrize("verdict", Verdict)
    def test_what_each_verdict_becomes(self, tmp_path, verdict):
        root = junit(a_report(a_result(verdict, detail="this")), tmp_path)
        found = [child.tag for child in root.find(".//testcase")]
        if verdict.passing:
            assert found == []
        elif verdict is Verdict.CONVENTION:
            assert found == ["system-out"]
            assert root.find(".//system-out").text == "CONVENTION: this"
        elif verdict.failing:
            assert found == ["error" if verdict in (Verdict.CRASH, Verdict.TIMEOUT) else "failure"]
        else:
            assert found == ["skipped"]

    def test_a_failure_says_how_to_see_it_again(self, tmp_path):
        result = wrong(2, threads=("a/b#1",))
        root = junit(a_report(result, reproducers={f"{result.case}:V": "print(1 < 2)"}), tmp_path)
        failure = root.find(".//failure")
        assert failure.get("type") == "FAIL_VALUE"
        assert "is 7.5, expected 1 to 2" in failure.get("message")
        assert failure.text.splitlines()[1:] == ["https://github.com/a/b/issues/1", "print(1 < 2)"]

    @given(reports)
    def test_any_text_makes_a_whole_file(self, folder, report):
        assert len(junit(report, folder).findall(".//testcase")) == len(report.results)


class Page(HTMLParser):
    """What stands in a page; refuses tags that are not closed in order."""

    VOID = ("meta",)

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.texts, self.links, self.styles = [], [], {}, [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        self.links += [attributes[name] for name in ("href", "src", "action", "data") if name in attributes]
        if tag not in self.VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        for tag in set(self.open):
            self.texts[tag][-1] += text


def page(report, folder):
    report.to_html(folder / "report.html")
    return Page((folder / "report.html").read_text("utf-8"))


class TestPage:
    def test_it_needs_nothing_from_elsewhere(self, tmp_path):
        found = page(EVERY_VERDICT, tmp_path)
        assert set(found.links) == {"https://github.com/pytorch/pytorch/issues/23925"}
        tags = {tag for tag, _ in found.tags}
        assert not tags & {"script", "link", "img", "iframe", "object", "base"}
        assert not any(name.startswith("on") or name == "style" for _, a in found.tags for name in a)
        [style] = found.texts["style"]
        assert "url(" not in style
        assert "@import" not in style

    def test_everything_is_escaped(self, tmp_path):
        found = page(NASTY_REPORT, tmp_path)
        assert "script" not in {tag for tag, _ in found.tags}
        assert found.links == []
        assert "<script>alert('&amp;')</script>\\x00" in found.texts["h1"][0]
        assert any("<script>" in text for text in found.texts["pre"])

    @given(reports)
    def test_any_text_makes_a_whole_page(self, folder, report):
        assert page(report, folder).texts["h1"]

    def test_it_says_how_it_went_at_the_top(self, tmp_path):
        found = page(EVERY_VERDICT, tmp_path)
        assert found.texts["h1"] == ["mine 1.2.3"]
        assert found.texts["header"][0].count(f"✗ {conclusion(EVERY_VERDICT)}") == 1
        found = page(a_report(a_result(Verdict.PASS)), tmp_path)
        assert "✓ conforms to profile paper" in found.texts["header"][0]

    def test_each_group_of_failures_can_be_opened(self, tmp_path):
        found = page(EVERY_VERDICT, tmp_path)
        assert found.texts["summary"]
        follows = [after for (tag, _), (after, _) in zip(found.tags, found.tags[1:]) if tag == "details"]
        assert set(follows) == {"summary"}
        for group in groups(EVERY_VERDICT.failures):
            title = f"✗ {group.verdict.value} of {group.aspect}, {group.family}: 2 answers"
            assert found.texts["summary"].count(title) == 1

    def test_a_cell_has_a_mark_beside_its_colour(self, tmp_path):
        marks = {"ok": "✓", "wrong": "✗", "convention": "~", "undecided": "?", "unsupported": "–"}
        verdicts = (Verdict.PASS, Verdict.CRASH, Verdict.CONVENTION, Verdict.UNDECIDED, Verdict.UNSUPPORTED)
        found = page(
            a_report(*(a_result(v, aspect=a) for v, a in zip(verdicts, "abcde")), EVERY_VERDICT.results[-2]),
            tmp_path,
        )
        classes = [attributes.get("class", "") for tag, attributes in found.tags if tag == "td"]
        cells = list(zip(classes, found.texts["td"]))
        assert {name for name, _ in cells} == set(marks)
        assert all(text.startswith(marks[name]) for name, text in cells)
        assert cells[:5] == [("unsupported", "–")] * 5  # the row of what is not claimed comes first
        assert cells[5:10] == list(
            zip(marks, ["✓ 1", "✗ 1 of 1", "~ 1 of 1", "? 1", "–"]),
        )

    def test_a_failure_shows_all_that_is_known(self, tmp_path):
        result = wrong(2.5, ulps=4e9, branch="paper", way="strided arrays", detail="so\nit goes")
        script = "print(1 < 2)\n"
        report = a_report(result, matches=EVERY_VERDICT.matches, reproducers={f"{result.case}:V": script})
        found = page(report, tmp_path)
        facts = dict(zip(found.texts["dt"], found.texts["dd"]))
        expected = {
            "Worst case": result.case,
            "Worst number": "V[0, 1, 2, 3]",
            "Got": "7.5",
            "Expected": "1 to 2",
            "Error over bound": "2.5",
            "Branch at kinks": "paper",
            "Way of asking": "strided arrays",
            "modes": "nearest, bilinear",
        }
        assert expected.items() <= facts.items()
        assert {"so\nit goes", script, BACKEND["snippet"]} == set(found.texts["pre"])
        assert facts["Question"].startswith("Whole pixel coordinates")
        assert any("It equals fault w-over-2" in text for text in found.texts["p"])

    def test_a_script_for_any_case_of_a_group_is_shown(self, tmp_path):
        other = wrong(1.5, case="kinks/nearest/zeros/corners/float64/2d")
        found = page(a_report(wrong(2), other, reproducers={f"{other.case}:V": "the script"}), tmp_path)
        assert "the script" in found.texts["pre"]
        assert f"To see it again, in {other.case}:" in found.texts["p"]

    def test_a_long_list_of_cases_ends(self, tmp_path):
        results = [wrong(2, case=f"kinks/m{k}/zeros/corners/float64/2d") for k in range(100)]
        found = page(a_report(*results), tmp_path)
        assert "and 60 more, which the JSON report names" in found.texts["li"]

    def test_what_is_no_failure_is_listed_by_what_is_said_of_it(self, tmp_path):
        found = page(EVERY_VERDICT, tmp_path)
        assert "~ V, detail of CONVENTION: 2 results" in found.texts["summary"]
        assert "? V, detail of UNDECIDED: 2 results" in found.texts["summary"]
        assert "– Settings, not claimed: 1 result" in found.texts["summary"]


class TestCompare:
    def test_a_report_does_not_differ_from_itself(self):
        text = compare(EVERY_VERDICT, EVERY_VERDICT)
        assert text.endswith("no verdict differs")

    def test_of_two_results_about_one_question_the_failing_one_counts(self):
        twice = a_report(a_result(Verdict.ORACLE_DISAGREE), a_result(Verdict.PASS))
        assert "PASS in a, ORACLE_DISAGREE in b" in compare(a_report(a_result(Verdict.PASS)), twice)

    def test_differences_are_grouped_by_who_is_wrong(self):
        cases = [f"kinks/{mode}/zeros/corners/float64/2d" for mode in ("a", "b", "c", "d", "e")]
        before = a_report(
            *(a_result(Verdict.PASS, case) for case in cases),
            a_result(Verdict.EXACT, aspect="U_bar"),
            a_result(Verdict.CRASH, aspect="grid_bar"),
            a_result(Verdict.CRASH, aspect="V_dot"),
            a_result(Verdict.PASS, aspect="only in a"),
        )
        after = a_report(
            *(a_result(Verdict.FAIL_VALUE, case) for case in cases),
            a_result(Verdict.PASS, aspect="U_bar"),
            a_result(Verdict.PASS, aspect="grid_bar"),
            a_result(Verdict.TIMEOUT, aspect="V_dot"),
            a_result(Verdict.PASS, "modes=bicubic", ""),
            a_result(Verdict.PASS, "modes=bicubic", "only in b"),
            level="full",
        )
        assert compare(before, after).splitlines() == [
            "a: mine 1.2.3, profile paper, level quick, seed 0: 2 of 9 wrong",
            "b: mine 1.2.3, profile paper, level full, seed 0: 6 of 10 wrong",
            "in both 8, with another verdict 8; only in a 1, only in b 2",
            "",
            "wrong in b alone: 5",
            "  5 x V, kinks: PASS in a, FAIL_VALUE in b",
            *(f"      {case}" for case in cases[:3]),
            "      and 2 more",
            "",
            "wrong in a alone: 1",
            "  1 x grid_bar, kinks: CRASH in a, PASS in b",
            f"      kinks/{SETTING}",
            "",
            "wrong in both, in different ways: 1",
            "  1 x V_dot, kinks: CRASH in a, TIMEOUT in b",
            f"      kinks/{SETTING}",
            "",
            "wrong in neither: 1",
            "  1 x U_bar, kinks: EXACT in a, PASS in b",
            f"      kinks/{SETTING}",
        ]
