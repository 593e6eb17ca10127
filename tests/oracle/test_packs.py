"""Question packs: what they hold, that nothing can change unseen, and that judging them is as `check`."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stn_ref.faults import FAULTS
from stn_ref.oracle import Backend
from stn_ref.oracle.adapters import load
from stn_ref.oracle.checker import check
from stn_ref.oracle.interview import Judge
from stn_ref.oracle.packs import answer_pack, judge_pack, read_pack, write_pack
from stn_ref.oracle.packs.contents import checksum, text_of
from stn_ref.oracle.packs.forms import FORMS, form_of
from stn_ref.oracle.truth.profiles import PROFILES
from stn_ref.oracle.verdicts import Verdict

READER = Path(__file__).parents[2] / "docs" / "pack_reader.c"
CLAIMS = {
    "modes": ("bilinear",),
    "padding_modes": ("zeros",),
    "align_corners": (True,),
    "dims": (2,),
    "dtypes": ("float64",),
}
ONLY = "^(kinks|affine-singleton)/"
PAPER = Judge(PROFILES["paper"])  # shared, since it remembers what is right


@pytest.fixture(params=FORMS)
def form(request):
    if request.param == "safetensors":
        pytest.importorskip("safetensors")
    return request.param


def written(path, form="npz", only=ONLY, **settings):
    write_pack(path, **{**CLAIMS, **settings}, form=form, only=only)
    return path


def answered(folder, form="npz", backend=None):
    """A small pack that was answered: the pack, and the path of its answers."""
    pack = read_pack(written(folder / "questions"))
    answer_pack(pack, backend or load("stn_ref"), folder / "answers", form=form)
    return pack, folder / "answers"


def rewritten(path, change):
    """The same pack or answers after ``change(index, arrays)``, as if they were written so."""
    _, form = form_of(path)
    under = "arrays" if "question" in path.name else "answers"
    index, arrays = form.load(path, under)
    change(index, arrays)
    if under == "arrays":
        index["sha256"] = checksum(index)
    path.write_bytes(form.dump(index, arrays, under))
    return path


def verdicts(report):
    return {(result.case, result.aspect): result.verdict for result in report.results if result.aspect}


def with_claims(backend, **claims):
    for name, value in {**CLAIMS, **claims}.items():
        setattr(backend, name, value)
    return backend


# What is in a pack


def test_a_pack_made_again_has_the_same_bytes_and_another_seed_other_ones(tmp_path, form):
    one, again = (written(tmp_path / name, form).read_bytes() for name in ("one", "again"))
    other = written(tmp_path / "other", form, seed=1).read_bytes()
    assert one == again
    assert one != other


def test_the_order_in_which_claims_are_listed_does_not_matter(tmp_path):
    one = written(tmp_path / "one", dtypes=["float32", "float64"], align_corners=[False, True])
    other = written(tmp_path / "other", dtypes=["float64", "float32", "float64"], align_corners=(True, False))
    assert one.read_bytes() == other.read_bytes()


def test_every_form_holds_the_same_index_and_the_same_arrays(tmp_path, form):
    npz = read_pack(written(tmp_path / "npz"))
    pack = read_pack(written(tmp_path / "other", form))
    apart = ("questions", "sha256")  # JSON says that it is the core
    assert {**pack.index, **dict.fromkeys(apart)} == {**npz.index, **dict.fromkeys(apart)}
    assert pack.arrays.keys() == npz.arrays.keys()
    for name, array in pack.arrays.items():
        assert (array.dtype, array.shape) == (npz.arrays[name].dtype, npz.arrays[name].shape)
        assert array.tobytes() == npz.arrays[name].tobytes()


def test_a_pack_asks_each_method_once_and_holds_no_answers(tmp_path):
    pack = read_pack(written(tmp_path / "questions", only="^(random|affine-random)/"))
    methods = [call["method"] for call in pack.index["calls"]]
    asked = {key for call in pack.index["calls"] for key in call["arrays"].values()}
    assert methods == [
        *("grid_sample", "grid_sample_vjp", "grid_sample_jvp", "grid_sample_vjp_vjp"),
        *("affine_grid", "affine_grid_vjp"),
    ]
    assert set(pack.arrays) == asked == set(pack.index["arrays"])
    assert {name.rsplit("/")[-1] for name in asked if name.startswith("random")} == {
        *("U", "grid", "V_bar", "U_dot", "grid_dot", "U_bar_bar", "grid_bar_bar")
    }


def test_answers_have_the_shapes_and_dtypes_that_the_index_expects(tmp_path):
    pack, path = answered(tmp_path)
    with np.load(path) as answers:
        for call in pack.index["calls"]:
            for name, expected in call["answers"].items():
                answer = answers[f"{call['id']}:{name}"]
                assert {"dtype": answer.dtype.name, "shape": list(answer.shape)} == expected


def test_numpy_reads_an_npz_pack_and_each_entry_is_an_array(tmp_path):
    path = written(tmp_path / "questions")
    with np.load(path, allow_pickle=False) as entries:
        index = json.loads(bytes(entries["index"]))
        assert all(isinstance(entries[name], np.ndarray) for name in entries)
    assert index == read_pack(path).index


def test_json_spells_numbers_as_c_does(tmp_path):
    document = json.loads(written(tmp_path / "questions", "json").read_text("ascii"))
    U = document["arrays"]["kinks/bilinear/zeros/corners/float64/2d/U"]
    assert np.prod(U["shape"]) == len(U["values"])
    assert all(re.fullmatch(r"-?0x[01](\.[0-9a-f]+)?p[+-]\d+", number) for number in U["values"])


def test_json_holds_a_core_of_cases(tmp_path):
    both = {"align_corners": (True, False), "dims": (2, 3), "dtypes": ("float16", "float32", "float64")}
    pack = read_pack(written(tmp_path / "questions", "json", only="", **both))
    cases = [call["case"] for call in pack.index["calls"]]
    assert 20 <= len(set(cases)) <= 60
    assert {case.split("/")[0] for case in cases} >= {
        "random",
        "kinks",
        "ties",
        "quarters",
        "affine-identity",
    }
    assert {case.split("/")[-2] for case in cases} == {"float32", "float64"}
    assert all(case.endswith("2d") for case in cases)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"modes": "bilinear"}, TypeError, "modes is 'bilinear', expected a tuple"),
        ({"modes": ["cubic"]}, ValueError, "modes holds 'cubic', expected some of 'nearest'"),
        ({"dims": [4]}, ValueError, "dims holds 4, expected some of 2, 3"),
        ({"level": "fast"}, ValueError, "level is 'fast'"),
        ({"seed": -1}, ValueError, "seed is -1, expected a whole number"),
        ({"only": "("}, ValueError, "no regular expression"),
        ({"only": "^nothing"}, ValueError, "no case is of these settings and matches only='.nothing'"),
        ({"form": "json", "only": "^far"}, ValueError, "no case of the small core that JSON holds"),
        ({"form": "zip"}, ValueError, "form is 'zip', expected one of 'npz'"),
    ],
)
def test_wrong_settings_are_refused_and_nothing_is_written(tmp_path, settings, error, words):
    path = tmp_path / "questions"
    path.write_text("what stood here")
    with pytest.raises(error, match=words):
        write_pack(path, **{**CLAIMS, **settings})
    assert [p.read_text() for p in tmp_path.iterdir()] == ["what stood here"]


def test_where_safetensors_is_missing_the_error_says_what_to_install(tmp_path, monkeypatch):
    for name in ("safetensors", "safetensors.numpy"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError, match="pip install safetensors"):
        written(tmp_path / "questions", "safetensors")
    assert not list(tmp_path.iterdir())


# What is refused


@pytest.mark.parametrize("mask", [0x04, 0xFF])
def test_a_changed_byte_is_refused_wherever_it_is(tmp_path, form, mask):
    path = written(tmp_path / "questions", form, only="^affine-singleton/")
    whole = path.read_bytes()
    for place in [
        *range(24),
        *range(24, len(whole) - 80, len(whole) // 60),
        *range(len(whole) - 80, len(whole)),
    ]:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ mask]) + whole[place + 1 :])
        with pytest.raises(ValueError, match=re.escape(str(path))):
            read_pack(path)


def test_a_file_that_is_too_short_or_too_long_is_refused(tmp_path, form):
    path = written(tmp_path / "questions", form, only="^affine-singleton/")
    whole = path.read_bytes()
    for content in [
        *(whole[: k * len(whole) // 20] for k in range(20)),
        whole[:-1],
        whole + b" ",
        b"x" + whole,
    ]:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=re.escape(str(path))):
            read_pack(path)


def spoil_an_array(index, arrays):
    arrays[min(arrays)].flat[0] += 1


def drop_an_array(index, arrays):
    del arrays[min(arrays)]


def add_an_array(index, arrays):
    arrays["far/U"] = np.zeros(3)


def come_from_the_future(index, arrays):
    index["version"] = 2


def be_something_else(index, arrays):
    index["format"] = "stn_ref checkpoint"


def lose_a_field(index, arrays):
    del index["calls"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (spoil_an_array, "array affine-singleton/corners/float64/2d/grid_bar is not the one of the index"),
        (drop_an_array, "array affine-singleton/corners/float64/2d/grid_bar is missing"),
        (add_an_array, "array far/U is not in the index"),
        (come_from_the_future, "'version' is 2, expected 1; it was written by a later stn_ref"),
        (be_something_else, "is no stn_ref oracle pack: its field 'format' is 'stn_ref checkpoint'"),
        (lose_a_field, "field 'calls' is missing"),
    ],
)
def test_a_pack_with_other_contents_is_refused_by_the_name_of_what_is_wrong(tmp_path, change, words):
    path = rewritten(written(tmp_path / "questions"), change)
    with pytest.raises(ValueError, match=words):
        read_pack(path)


def test_a_value_that_is_changed_in_json_is_named(tmp_path):
    path = written(tmp_path / "questions", "json")
    U, rest = path.read_text().split('corners/float64/2d/U":', 1)
    path.write_text(U + 'corners/float64/2d/U":' + rest.replace('"0x1p+0"', '"0x1p+1"', 1))
    with pytest.raises(
        ValueError, match="its array kinks/bilinear/zeros/corners/float64/2d/U is not the one"
    ):
        read_pack(path)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "other"
    np.savez(path.with_suffix(".npz"), U=np.zeros(3))
    with pytest.raises(ValueError, match="is no stn_ref oracle pack: its field 'format' is None"):
        read_pack(path.with_suffix(".npz"))
    path.write_text('{"arrays": {}}')
    with pytest.raises(ValueError, match="is no stn_ref oracle pack: its field 'format' is None"):
        read_pack(path)
    path.write_text("what is this")
    with pytest.raises(
        ValueError, match="is damaged or something else: it has 12 bytes and begins with b'what"
    ):
        read_pack(path)


# Judging


def test_right_answers_conform_in_every_form(tmp_path, form):
    backend = load("stn_ref")
    pack = read_pack(written(tmp_path / "questions", form))
    answer_pack(pack, backend, tmp_path / "answers", form=form)
    report = judge_pack(pack, tmp_path / "answers", judge=PAPER)
    assert report.conforms
    assert report.backend["name"] == "stn_ref"
    assert report.backend["methods"] == tuple(dict.fromkeys(call["method"] for call in pack.index["calls"]))
    direct = check(with_claims(backend), only=ONLY, isolated=False, explain=False, judge=PAPER)
    assert verdicts(report) == verdicts(direct)


def test_empty_arrays_nan_half_precision_and_volumes_survive_the_way(tmp_path, form):
    if form == "json":
        pytest.skip("not in its core")
    only = "^(empty-batch|nan-coordinate)/.*float64/2d|^(one-ulp|affine-empty)/.*float16/2d|^one-pixel/.*3d"
    path = written(tmp_path / "questions", form, only, dims=(2, 3), dtypes=("float16", "float64"))
    pack = read_pack(path)
    assert {call["case"].split("/")[0] for call in pack.index["calls"]} == {
        *("empty-batch", "nan-coordinate", "one-ulp", "affine-empty", "one-pixel")
    }
    answer_pack(pack, load("stn_ref"), tmp_path / "answers", form=form)
    assert judge_pack(pack, tmp_path / "answers", judge=PAPER).conforms


@pytest.mark.parametrize(
    "name",
    ["xy-swap", "missing-mask", "sign-of-eq7", "missing-mixed-term", "forward-as-adjoint", "missing-sum"],
)
def test_a_fault_gets_the_verdicts_that_it_gets_from_check(tmp_path, name):
    fault = with_claims(FAULTS[name].make())
    pack, answers = answered(tmp_path, backend=fault)
    report = judge_pack(pack, answers, explain=False, judge=PAPER)
    direct = check(fault, only=ONLY, isolated=False, explain=False, judge=PAPER)
    assert report.failures
    assert verdicts(report) == verdicts(direct)


def test_the_profile_and_strictness_are_those_asked_for(tmp_path):
    pack, answers = answered(tmp_path)
    assert judge_pack(pack, answers).profile == "paper"
    report = judge_pack(pack, answers, profile="torch", strict=True)
    assert (report.profile, report.strict, report.level, report.seed) == ("torch", True, "quick", 0)


def test_progress_is_told_after_each_case(tmp_path):
    pack, answers = answered(tmp_path)
    seen = []
    judge_pack(pack, answers, progress=lambda done, of, found: seen.append((done, of)), judge=PAPER)
    assert seen == [(1, 2), (2, 2)]


def of(method, name):
    """The key of an answer to the pack of `answered`."""
    family = "affine-singleton" if method.startswith("affine") else "kinks/bilinear/zeros"
    return f"{family}/corners/float64/2d/{method}:{name}"


def test_what_is_missing_is_not_supported(tmp_path):
    pack, path = answered(tmp_path)

    def forget(index, arrays):
        del arrays[of("grid_sample_vjp", "U_bar")], arrays[of("affine_grid", "grid")]

    report = judge_pack(pack, rewritten(path, forget), judge=PAPER)
    missing = {aspect for (_, aspect), verdict in verdicts(report).items() if verdict is Verdict.UNSUPPORTED}
    assert missing == {"U_bar", "grid"}
    assert report.conforms


@pytest.mark.parametrize("form_of_answers", ["npz", "json"])
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda V: V[:, :, :-1], "shape .* expected"),
        (lambda V: V.astype(np.float32), "dtype float32, expected float64"),
        (lambda V: V.astype(np.int64), "dtype int64, expected float64"),
        (lambda V: V[:0], "shape"),
    ],
)
def test_a_wrong_shape_or_dtype_is_a_verdict(tmp_path, form_of_answers, spoil, words):
    pack, path = answered(tmp_path, form_of_answers)
    key = of("grid_sample", "V")
    rewritten(path, lambda _, arrays: arrays.update({key: spoil(arrays[key])}))
    report = judge_pack(pack, path, explain=False, judge=PAPER)
    [failure] = report.failures
    assert (failure.aspect, failure.verdict) == ("V", Verdict.FAIL_SHAPE)
    assert re.match(words, failure.finding.detail)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda index, arrays: arrays.update(V=np.zeros(3)), "its array 'V' has no meaning for this pack"),
        (lambda index, arrays: index.update(colour="red"), "its field 'colour' has no meaning"),
        (lambda index, arrays: index.update(pack="0" * 64), "answers another pack: its field 'pack' is '000"),
        (lambda index, arrays: index.update(name=3), "its field 'name' is 3, expected one of type str"),
        (lambda index, arrays: index.update(half_coordinates="half"), "half_coordinates is 'half', expected"),
        (lambda index, arrays: index.update(profile="mine"), "profile is 'mine', expected one of 'paper'"),
    ],
)
def test_answers_that_mean_nothing_are_refused_by_name(tmp_path, change, words):
    pack, path = answered(tmp_path)
    with pytest.raises(ValueError, match=words):
        judge_pack(pack, rewritten(path, change))


@pytest.mark.parametrize(
    ("spelt", "words"),
    [
        (
            {"dtype": "float64", "shape": [1], "values": ["1.5"]},
            "value '1.5' at 0, expected a hexadecimal float",
        ),
        ({"dtype": "float64", "shape": [1], "values": [None]}, "value None at 0"),
        ({"dtype": "float64", "shape": [1], "values": ["0x1p+1024"]}, "value '0x1p.1024' at 0"),
        ({"dtype": "float64", "shape": [2], "values": ["0x1p+0"]}, "1 values, expected 2 for shape"),
        ({"dtype": "float64", "shape": [-1], "values": []}, "shape .-1., expected whole numbers"),
        ({"dtype": "float64", "shape": [1]}, "has no list of values"),
        ({"dtype": "object", "shape": [1], "values": [1]}, "dtype 'object', expected one such as"),
        ([1, 2], "is no object"),
    ],
)
def test_json_answers_that_cannot_be_read_are_refused_by_name(tmp_path, spelt, words):
    pack, path = answered(tmp_path)
    path.write_text(json.dumps({"answers": {of("grid_sample", "V"): spelt}}))
    with pytest.raises(ValueError, match=f"{path.name} cannot be read as answers.*grid_sample:V.*{words}"):
        judge_pack(pack, path)


def test_decimal_numbers_in_json_are_read_as_numbers(tmp_path):
    pack, path = answered(tmp_path, "json")
    document = json.loads(path.read_text())
    for answer in document["answers"].values():
        answer["values"] = [float.fromhex(number) for number in answer["values"]]
    path.write_text(json.dumps(document))
    assert judge_pack(pack, path, judge=PAPER).conforms


def test_pickled_answers_are_refused(tmp_path):
    pack, _ = answered(tmp_path)
    np.savez(tmp_path / "pickled.npz", **{of("grid_sample", "V"): np.array([{}], dtype=object)})
    with pytest.raises(ValueError, match=r"cannot be read as answers.*allow_pickle=False"):
        judge_pack(pack, tmp_path / "pickled.npz")


def test_answers_saved_by_numpy_need_no_index(tmp_path):
    pack, path = answered(tmp_path)
    with np.load(path) as found:
        arrays = {name: found[name] for name in found if name != "index"}
    np.savez(tmp_path / "mine.npz", **arrays)
    report = judge_pack(pack, tmp_path / "mine.npz", judge=PAPER)
    assert report.conforms
    assert (report.backend["name"], report.profile) == ("mine", "paper")


def test_a_pack_with_questions_that_are_not_asked_any_more_is_not_judged(tmp_path):
    def ask_otherwise(index, arrays):
        text = text_of(index).replace("Whole pixel coordinates", "Some pixel coordinates")
        index.update(json.loads(text))

    path = rewritten(written(tmp_path / "questions"), ask_otherwise)
    pack = read_pack(path)
    answer_pack(pack, load("stn_ref"), tmp_path / "answers")
    with pytest.raises(
        ValueError, match="is of another version of the questions: it was written by stn_ref 0"
    ):
        judge_pack(pack, tmp_path / "answers")


def test_an_exception_of_a_backend_leaves_no_answers(tmp_path):
    class Broken(Backend):
        name = "broken"

        def grid_sample(self, U, grid, **settings):
            raise OSError("no device")

    pack = read_pack(written(tmp_path / "questions"))
    with pytest.raises(RuntimeError, match=r"broken cannot answer kinks.*grid_sample: OSError: no device"):
        answer_pack(pack, Broken(), tmp_path / "answers")
    assert not (tmp_path / "answers").exists()


# The program in C


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    """All that the program can answer, and something that it cannot."""
    claims = {
        "modes": ("nearest", "bilinear", "bicubic"),
        "padding_modes": ("zeros", "border"),
        "align_corners": (True, False),
        "dtypes": ("float32", "float64"),
    }
    path = tmp_path_factory.mktemp("core") / "questions"
    return read_pack(written(path, "json", "^(random|kinks|ties|affine-identity)/", **claims))


def run_reader(pack, folder, *flags):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    program = folder / "pack_reader"
    strict = ("-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror")
    subprocess.run([compiler, *strict, *flags, "-o", program, READER, "-lm"], check=True)
    with open(pack.path, "rb") as questions, open(folder / "answers", "wb") as answers:
        subprocess.run([program], stdin=questions, stdout=answers, check=True)
    return folder / "answers"


def test_the_program_in_c_conforms(core, tmp_path):
    report = judge_pack(core, run_reader(core, tmp_path))
    assert report.conforms
    assert report.backend["name"] == "pack_reader.c"
    for (case, aspect), verdict in verdicts(report).items():
        can = aspect in ("V", "U_bar", "grid_bar") and "bicubic" not in case
        assert (verdict is not Verdict.UNSUPPORTED) == can


def test_a_fault_in_the_program_in_c_is_found_and_named(tmp_path):
    pack = read_pack(
        written(tmp_path / "questions", "json", "^(kinks|quarters)/", dtypes=("float32", "float64"))
    )
    report = judge_pack(pack, run_reader(pack, tmp_path, "-DFAULT=1"))
    assert {result.verdict for result in report.failures} >= {Verdict.FAIL_VALUE, Verdict.FAIL_ADJOINT}
    assert report.matches[0].fault == "xy-swap"


def test_the_program_in_c_refuses_what_is_no_pack(core, tmp_path):
    run_reader(core, tmp_path)
    for text in (b"", b"[1, 2", b'{"format": "something else", "version": 1}', core.path.read_bytes()[:5000]):
        done = subprocess.run([tmp_path / "pack_reader"], input=text, capture_output=True, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith(b"pack_reader: ")
