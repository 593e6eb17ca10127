"""The conformance matrix: what is kept of a check, when a backend is asked again, and the page."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stn_ref import cli
from stn_ref.commands import oracle_matrix
from stn_ref.oracle import matrix
from stn_ref.oracle.adapters import ADAPTERS
from stn_ref.oracle.matrix import Asking, examine
from stn_ref.oracle.records import SCRIPTS, entries, without_places
from stn_ref.oracle.verdicts import Verdict

DOCS = Path(__file__).parents[2] / "docs"
RECORDED = DOCS / "conformance"
FEW = "kinks/.*/zeros/corners/float64/2d"
RIGHT = "kinks/bilinear/zeros/corners/float64/2d"
PLACES = re.compile(r"(?<![\w.:])/(?:home|root|Users|work|usr|opt|tmp|var|mnt|data)/|\b0x[0-9a-f]{8}")
BACKEND = '''
import numpy as np
from stn_ref.oracle.backend import Backend

class Mine(Backend):
    """Adds one to the nearest pixel of a constant image, unless there is no image."""

    name = "scipy"
    version = "{version}"
    modes = ("nearest", "bilinear")
    align_corners = (True,)
    snippet = "V = np.full((*U.shape[:2], *grid.shape[1:-1]), 9.0)"

    def grid_sample(self, U, grid, *, mode, padding_mode, align_corners):
        if mode == "bilinear":
            raise RuntimeError("cannot read " + __file__)
        return np.full((*U.shape[:2], *grid.shape[1:-1]), 9.0)
'''


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """Has the adapter called scipy be a backend that is wrong, of the version that is asked for."""

    def of_version(version):
        path = tmp_path / f"mine_{version}.py"
        path.write_text(BACKEND.replace("{version}", version))
        monkeypatch.setattr(matrix, "target_of", lambda name: f"{path}:Mine")

    of_version("1")
    monkeypatch.setattr(matrix, "SHRINKING_SECONDS", 0.1)
    return of_version


def asking(only=FEW, **more):
    return Asking(only={"scipy": only}, **more)


def sums(counts):
    """Right, wrong, convention, undecided and unsupported answers."""
    said = {Verdict(name): count for name, count in counts.items()}
    right = sum(count for verdict, count in said.items() if verdict.passing)
    wrong = sum(count for verdict, count in said.items() if verdict.failing)
    return [
        right,
        wrong,
        *(said.get(v, 0) for v in (Verdict.CONVENTION, Verdict.UNDECIDED, Verdict.UNSUPPORTED)),
    ]


class TestAsking:
    def test_every_answer_is_counted_once(self, tmp_path):
        line = examine("scipy", asking(), tmp_path)
        assert line.startswith("scipy: 0 of 14 wrong")
        [entry] = entries(tmp_path)
        assert entry["cases"] == 2
        assert set(entry["settings"]) == {
            f"{mode}/zeros/corners/float64/2d" for mode in ("nearest", "bilinear")
        }
        each = [cell for rows in entry["settings"].values() for cell in rows.values()]
        for verdict, count in entry["counts"].items():
            assert sum(cell.get(verdict, 0) for cell in each) == count
        assert sums(entry["counts"]) == [2, 0, 0, 0, 12]
        assert entry["failures"] == []
        [no_gradient, *_] = entry["unsupported"]
        assert no_gradient == {"detail": "no grid_sample_vjp", "count": 4, "aspects": ["U_bar", "grid_bar"]}

    def test_what_is_wrong_is_described_and_has_a_script_that_shows_it(self, tmp_path, mine):
        examine("scipy", asking(), tmp_path)
        [entry] = entries(tmp_path)
        value, crash = sorted(entry["failures"], key=lambda failure: failure["verdict"], reverse=True)
        assert (value["verdict"], value["aspect"], value["count"], value["asked"]) == (
            "FAIL_VALUE",
            "V",
            1,
            2,
        )
        assert value["only"] == {"mode": ["nearest"]}
        assert value["worst"]["got"] == 9.0
        assert "tensorflow/models#2016" in value["threads"]
        assert (crash["verdict"], crash["only"]) == ("CRASH", {"mode": ["bilinear"]})
        assert crash["worst"]["detail"].startswith("RuntimeError: cannot read mine_1.py\n")
        script = tmp_path / SCRIPTS / value["script"]
        shown = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, cwd="/")
        assert re.match(r"got +9\.0\nexpected ", shown.stdout)

    def test_nothing_that_is_kept_names_a_place(self, tmp_path, mine):
        examine("scipy", asking(), tmp_path)
        for path in tmp_path.rglob("*"):
            if path.is_file() and not path.name.startswith("mine_"):
                assert str(tmp_path) not in path.read_text()
                assert not PLACES.search(path.read_text())

    def test_a_backend_is_asked_again_only_if_something_changed(self, tmp_path, mine):
        assert "wrong" in examine("scipy", asking(RIGHT), tmp_path)
        assert "kept" in examine("scipy", asking(RIGHT, time_limit=30.0), tmp_path)
        assert "wrong" in examine("scipy", asking(RIGHT), tmp_path, again=True)
        assert "wrong" in examine("scipy", asking(RIGHT, seed=1), tmp_path)
        mine("2")
        assert "wrong" in examine("scipy", asking(RIGHT, seed=1), tmp_path)

    def test_a_changed_question_is_another_one(self):
        from stn_ref.oracle.questions.cases import Setting, make_case

        case = make_case("kinks", Setting("bilinear", "zeros", True, "float64", 2))
        known = matrix._digest([case])
        assert known == matrix._digest([make_case("kinks", case.setting)])
        case.arrays["U"][0, 0, 0, 0] += 1
        assert known != matrix._digest([case])

    def test_scripts_that_no_longer_belong_are_removed(self, tmp_path, mine):
        (tmp_path / SCRIPTS).mkdir()
        (tmp_path / SCRIPTS / "torch_kinks_crash.py").write_text("another's")
        examine("scipy", asking(), tmp_path)
        examine("scipy", asking(RIGHT), tmp_path)
        names = {path.name for path in (tmp_path / SCRIPTS).iterdir()}
        assert names == {"scipy_kinks_crash.py", "torch_kinks_crash.py"}

    def test_a_backend_that_cannot_be_loaded_is_a_row_that_says_so(self, tmp_path, monkeypatch):
        monkeypatch.setattr(matrix, "target_of", lambda name: f"{tmp_path}/nowhere.py:Mine")
        line = examine("scipy", asking(), tmp_path)
        [entry] = entries(tmp_path)
        assert entry["failed"] in line
        assert "nowhere.py" in entry["failed"]
        assert str(tmp_path) not in line

    def test_findings_outlive_the_backend(self, tmp_path, mine, monkeypatch):
        examine("scipy", asking(), tmp_path)
        before = entries(tmp_path)
        monkeypatch.setattr(matrix, "target_of", lambda name: f"{tmp_path}/nowhere.py:Mine")
        assert "kept" in examine("scipy", asking(), tmp_path, again=True)
        assert entries(tmp_path) == before

    def test_a_damaged_file_is_refused(self, tmp_path):
        (tmp_path / "scipy.json").write_text("{")
        with pytest.raises(ValueError, match=r"scipy\.json is damaged"):
            entries(tmp_path)
        (tmp_path / "scipy.json").write_text('{"format": "stn_ref oracle matrix", "version": 0}')
        with pytest.raises(ValueError, match=r"'version': 0.*expected.*'version': 1"):
            entries(tmp_path)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('File "/a/lib/python3.11/site-packages/x/y.py", line 1', 'File "x/y.py", line 1'),
        (
            'File "/a/b/stn_ref/oracle/isolation/worker.py", line 1',
            'File "stn_ref/oracle/isolation/worker.py", line 1',
        ),
        ("/usr/lib/libc.so.6(+0x45320) [0x7f21b53beb80]", "libc.so.6(+0x45320) [0x...]"),
        ("kinks/bilinear/zeros/corners/float64/2d", "kinks/bilinear/zeros/corners/float64/2d"),
        ("https://github.com/a/b/issues/1", "https://github.com/a/b/issues/1"),
        ("1 / 2 / 3", "1 / 2 / 3"),
        ("/job:localhost/replica:0/task:0/device:CPU:0", "/job:localhost/replica:0/task:0/device:CPU:0"),
    ],
)
def test_places_are_left_out_and_nothing_else(text, left):
    assert without_places(text) == left


class TestPage:
    def test_it_tells_what_was_found(self, tmp_path, mine):
        folder = tmp_path / "found"
        examine("scipy", asking(), folder)
        text = oracle_matrix.page(folder)
        assert "| [scipy](#scipy) | 1 | paper | 0 | 2 | 0 | 0 | 12 | 2 of 2 |" in text
        assert f"--only 'scipy={FEW}'" in text
        assert "`FAIL_VALUE`, values (`V`): 1 of 2 answers, all with nearest." in text
        assert "RuntimeError: cannot read mine_1.py" in text
        assert "https://github.com/tensorflow/models/issues/2016" in text
        assert "V = np.full(" in text

    def test_one_that_could_not_be_asked_has_a_row(self, tmp_path, mine, monkeypatch):
        examine("scipy", asking(), tmp_path)
        monkeypatch.setattr(matrix, "target_of", lambda name: f"{tmp_path}/nowhere.py:Mine")
        examine("opencv", asking(), tmp_path)
        text = oracle_matrix.page(tmp_path)
        assert "| opencv | could not be asked |" in text
        assert re.search(r"^opencv: `.*nowhere\.py", text, re.M)

    def test_the_command_asks_and_writes_it(self, tmp_path, mine, capsys):
        folder = tmp_path / "found"
        words = ["oracle", "matrix", "--only-backend", "scipy", "--out", str(folder)]
        assert cli.main([*words, "--only", f"scipy={FEW}", "--python", f"scipy={sys.executable}"]) == 0
        assert "scipy: 2 of 14 wrong" in capsys.readouterr().out
        written = (tmp_path / "found.md").read_text()
        assert written == oracle_matrix.page(folder)
        (tmp_path / "found.md").unlink()
        assert cli.main(["oracle", "matrix", "--page", "--out", str(folder)]) == 0
        assert (tmp_path / "found.md").read_text() == written

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["--only-backend", "torhc"], "backend is 'torhc', expected one of 'stn_ref'"),
            (["--python", "torhc=python"], "backend is 'torhc'"),
            (["--page"], "there is nothing on record"),
        ],
    )
    def test_what_cannot_be_done_is_refused(self, tmp_path, capsys, words, said):
        assert cli.main(["oracle", "matrix", "--out", str(tmp_path / "none"), *words]) == 2
        assert said in capsys.readouterr().err

    def test_an_interpreter_has_a_name(self, capsys):
        with pytest.raises(SystemExit):
            cli.main(["oracle", "matrix", "--python", "python3"])
        assert "python3 is not of the form NAME=VALUE" in capsys.readouterr().err


class TestOnRecord:
    """What is committed: the files, and the page made of them."""

    FOUND = entries(RECORDED)
    PAGE = (DOCS / "conformance.md").read_text("utf-8")

    def test_the_page_is_that_of_the_files(self):
        assert oracle_matrix.page(RECORDED) == self.PAGE

    def test_at_least_eight_other_libraries_are_there_in_the_order_of_their_adapters(self):
        names = [entry["backend"]["name"] for entry in self.FOUND]
        assert names == [name for name in ADAPTERS if name in names]
        assert {path.stem for path in RECORDED.glob("*.json")} == set(names)
        assert len({entry["backend"]["name"] for entry in self.FOUND if "counts" in entry} - {"stn_ref"}) >= 8

    @pytest.mark.parametrize("entry", FOUND, ids=lambda entry: entry["backend"]["name"])
    def test_each_number_of_the_table_is_in_the_files(self, entry):
        name = entry["backend"]["name"]
        [line] = [line for line in self.PAGE.splitlines() if re.match(rf"\| \[?{name}\b(?!-)", line)]
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if "failed" in entry:
            assert cells[1] == "could not be asked"
            assert entry["failed"] in self.PAGE
            return
        assert list(map(int, cells[3:8])) == sums(entry["counts"])
        wrong = sum(int(cell.partition(" of ")[0]) for cell in cells[8:] if cell != "–")
        assert wrong == sum(failure["count"] for failure in entry["failures"]) == sums(entry["counts"])[1]

    def test_every_failure_is_told(self):
        lines = re.findall(r"^- `([A-Z_]+)`, .*?\(([\w.`, ]+)\): (\d+ of \d+) answers", self.PAGE, re.M)
        told = [(verdict, aspect, n) for verdict, some, n in lines for aspect in re.findall(r"[\w.]+", some)]
        failures = [failure for entry in self.FOUND for failure in entry.get("failures", [])]
        expected = [(f["verdict"], f["aspect"], f"{f['count']} of {f['asked']}") for f in failures]
        assert sorted(told) == sorted(expected)

    def test_the_scripts_are_those_that_are_named(self):
        named = {f["script"] for entry in self.FOUND for f in entry.get("failures", []) if f["script"]}
        assert {path.name for path in (RECORDED / SCRIPTS).iterdir()} == named
        for name in named:
            compile((RECORDED / SCRIPTS / name).read_text("utf-8"), name, "exec")

    def test_files_are_small_and_name_no_place(self):
        for path in [*RECORDED.rglob("*"), DOCS / "conformance.md"]:
            if path.is_file():
                text = path.read_text("utf-8")
                assert not PLACES.search(text), path
                assert path.suffix == ".md" or len(text) < 2**17, path
                if path.suffix == ".json":
                    json.loads(text, parse_constant=pytest.fail)
