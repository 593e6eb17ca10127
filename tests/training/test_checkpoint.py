"""`checkpoint`: round trip, every kind of damage, and a kill at any moment of saving."""

import io
import json
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from stn_ref.nn import SGD, Adam, Dropout, Linear, Sequential
from stn_ref.training import (
    CheckpointError,
    State,
    checkpoint,
    load_checkpoint,
    load_latest,
    previous_path,
    save_checkpoint,
)


def network(bit_generator=np.random.PCG64, outputs=2):
    rng = np.random.Generator(bit_generator(3))
    return Sequential(fc=Linear(3, outputs, rng=rng), drop=Dropout(0.5, rng=rng))


def trained(steps=2, kind=Adam, **settings):
    model = network(**settings)
    optimiser = kind(model.named_parameters(), lr=0.1, **({"momentum": 0.9} if kind is SGD else {}))
    for _ in range(steps):
        model.zero_grad()
        model(np.ones((2, 3), np.float32)).sum().backward()
        optimiser.step()
    return model, optimiser


def same(first, second):
    """Whether two states are equal bit for bit."""

    def flat(state):
        arrays = {**state.parameters, **{f"/{k}": v for k, v in (state.averages or {}).items()}}
        return (
            {k: (v.dtype, v.shape, v.tobytes()) for k, v in arrays.items()},
            json.dumps(state.generators, default=np.ndarray.tolist),
            (state.optimiser, state.steps),
        )

    return flat(first) == flat(second)


@pytest.mark.parametrize("kind", [SGD, Adam])
@pytest.mark.parametrize(
    "bit_generator", [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64]
)
def test_a_round_trip_gives_the_same_bits_and_the_same_future(tmp_path, kind, bit_generator):
    model, optimiser = trained(kind=kind, bit_generator=bit_generator)
    save_checkpoint(tmp_path / "a.npz", model, optimiser, run={"epoch": 2, "rate": 0.1})
    found = load_checkpoint(tmp_path / "a.npz")
    assert found.run == {"epoch": 2, "rate": 0.1}
    assert found.note == ""
    assert found.written_by["numpy"] == np.__version__
    assert same(found.state, State.of(model, optimiser))
    other, other_optimiser = trained(steps=1, kind=kind, bit_generator=bit_generator)
    assert not same(State.of(other, other_optimiser), found.state)
    found.restore(other, other_optimiser)
    for m, o in ((model, optimiser), (other, other_optimiser)):
        m.zero_grad()
        m(np.ones((2, 3), np.float32)).sum().backward()
        o.step()
    assert same(State.of(model, optimiser), State.of(other, other_optimiser))


def test_a_model_alone_can_be_saved_and_restored(tmp_path):
    model, _ = trained()
    save_checkpoint(tmp_path / "a.npz", model)
    other = network()
    load_checkpoint(tmp_path / "a.npz").restore(other)
    assert same(State.of(model), State.of(other))


def test_numpy_and_unzip_can_read_it_and_equal_states_give_equal_bytes(tmp_path):
    model, optimiser = trained()
    for name in "ab":
        save_checkpoint(tmp_path / name, model, optimiser, run={"epoch": np.int64(1)})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with np.load(tmp_path / "a", allow_pickle=False) as arrays:
        assert (arrays["model/fc.weight"] == model.state_dict()["fc.weight"]).all()
        header = json.loads(arrays["header.json"])
    assert header["run"] == {"epoch": 1}
    assert header["arrays"]["model/fc.bias"]["shape"] == [2]


def test_the_one_before_is_kept(tmp_path):
    path = tmp_path / "a.npz"
    model, optimiser = trained()
    for epoch in range(3):
        save_checkpoint(path, model, optimiser, run={"epoch": epoch})
    assert load_latest(path).run["epoch"] == 2
    assert load_checkpoint(previous_path(path)).run["epoch"] == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.npz", "a.prev.npz"]


def test_a_damaged_one_does_not_displace_the_whole_one_before(tmp_path):
    path = tmp_path / "a.npz"
    model, optimiser = trained()
    for epoch in range(2):
        save_checkpoint(path, model, optimiser, run={"epoch": epoch})
    path.write_bytes(path.read_bytes()[:-1])
    save_checkpoint(path, model, optimiser, run={"epoch": 2})
    assert load_checkpoint(path).run["epoch"] == 2
    assert load_checkpoint(previous_path(path)).run["epoch"] == 0


def test_what_json_cannot_hold_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(TypeError, match=r"run holds .*JSON cannot hold"):
        save_checkpoint(tmp_path / "a.npz", network(), run={"model": object()})
    assert list(tmp_path.iterdir()) == []


# Damage


@pytest.fixture
def good(tmp_path):
    """The path of a good checkpoint, with its bytes."""
    model, optimiser = trained()
    path = tmp_path / "a.npz"
    save_checkpoint(path, model, optimiser, run={"epoch": 1})
    return path


def refusal(path):
    """What the reader says against a file."""
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    message = str(caught.value)
    assert message.startswith(f"load_checkpoint: {path}: ")
    return message


def test_every_truncation_is_refused(good):
    content = good.read_bytes()
    for length in [*range(0, len(content), 97), len(content) - 1]:
        good.write_bytes(content[:length])
        refusal(good)


def test_a_flipped_byte_anywhere_is_refused(good):
    content = good.read_bytes()
    damaged = bytearray(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile and npy headers warn about some damage
        for i in range(0, len(content), 5):
            damaged[i] ^= 0x41
            good.write_bytes(damaged)
            refusal(good)
            damaged[i] = content[i]


def test_added_bytes_are_refused(good):
    content = good.read_bytes()
    for wrong in (content + b"\0", b"\0" + content, content + content[-128:]):
        good.write_bytes(wrong)
        refusal(good)


def entries(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}, archive.comment


def rewrite(path, files, comment):
    """A valid zip archive of ``files``, as a zip program would make it."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.comment = comment


def sealed(path, files):
    """The same with checksums that fit: what a clever forger or another version writes."""
    rewrite(path, files, b"0" * checkpoint.SUMS)
    body = path.read_bytes()[: -checkpoint.SUMS]
    path.write_bytes(body + checkpoint._sums(files["header.json"], body))


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def test_a_missing_array_is_named(good):
    files, comment = entries(good)
    del files["model/fc.bias.npy"]
    rewrite(good, files, comment)
    assert "array model/fc.bias is missing" in refusal(good)


def test_a_damaged_array_is_named(good):
    content = good.read_bytes()
    weights = load_checkpoint(good).state.parameters["fc.weight"].tobytes()
    at = content.index(weights)
    good.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    assert "array model/fc.weight is damaged" in refusal(good)


@pytest.mark.parametrize(
    "wrong", [np.zeros((2, 3), np.float32), np.zeros((3, 2), np.float32), np.zeros((2, 3))]
)
def test_a_replaced_array_is_named(good, wrong):
    files, comment = entries(good)
    files["model/fc.weight.npy"] = npy(wrong)
    rewrite(good, files, comment)
    assert "array model/fc.weight is not the one that header.json lists" in refusal(good)


def test_an_added_array_is_named(good):
    files, comment = entries(good)
    rewrite(good, {**files, "model/more.npy": npy(np.zeros(3))}, comment)
    assert "model/more.npy is not listed" in refusal(good)


def test_an_edited_header_is_named(good):
    files, comment = entries(good)
    files["header.json"] = files["header.json"].replace(b'"epoch": 1', b'"epoch": 7')
    rewrite(good, files, comment)
    assert "header.json is not as it was written" in refusal(good)


def test_a_missing_header_is_named(good):
    np.savez(good, weight=np.zeros(3))
    assert "header.json is missing; it is no checkpoint" in refusal(good)


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip archive at all"])
def test_another_kind_of_file_is_refused(good, content):
    good.write_bytes(content)
    assert "not a whole .npz file" in refusal(good)


def edited(good, change):
    files, _ = entries(good)
    header = json.loads(files["header.json"])
    change(header)
    files["header.json"] = json.dumps(header).encode()
    sealed(good, files)


def test_another_version_is_refused_by_number(good):
    edited(good, lambda header: header.update(version=2))
    message = refusal(good)
    assert "field 'version' of header.json is 2, this stn_ref reads 1" in message


def test_another_format_is_refused(good):
    edited(good, lambda header: header.update(format="a letter"))
    assert "field 'format' of header.json is not 'stn_ref checkpoint'" in refusal(good)


@pytest.mark.parametrize("name", [name for name in checkpoint.FIELDS if name not in ("format", "version")])
def test_a_missing_field_is_named(good, name):
    edited(good, lambda header: header.pop(name))
    assert f"field '{name}' of header.json is missing" in refusal(good)


def test_a_header_that_is_no_dictionary_or_no_json_is_refused(good):
    files, _ = entries(good)
    sealed(good, {**files, "header.json": b"[]"})
    assert "field 'format'" in refusal(good)
    sealed(good, {**files, "header.json": b"{"})
    assert "header.json is not valid JSON" in refusal(good)


def test_a_pickled_object_is_never_loaded(good):
    files, _ = entries(good)
    files["model/fc.weight.npy"] = npy(np.array([print], dtype=object))
    sealed(good, files)
    assert "array model/fc.weight cannot be read" in refusal(good)


def test_the_forging_helper_can_write_a_good_checkpoint(good):
    edited(good, lambda header: header["run"].update(epoch=9))
    assert load_checkpoint(good).run["epoch"] == 9


def test_a_refusal_points_to_the_previous_one_and_load_latest_takes_it(good):
    model, optimiser = trained()
    save_checkpoint(good, model, optimiser, run={"epoch": 2})
    good.write_bytes(good.read_bytes()[:100])
    assert f"the previous checkpoint is {previous_path(good)}" in refusal(good)
    found = load_latest(good)
    assert (found.run["epoch"], found.path) == (1, previous_path(good))
    assert "cut off or damaged" in found.note
    assert f"using the previous checkpoint, {previous_path(good)}" in found.note
    good.unlink()
    assert load_latest(good).note.startswith(f"{good} is missing; using the previous")


def test_without_a_whole_one_load_latest_names_both(good):
    model, optimiser = trained()
    with pytest.raises(FileNotFoundError, match=r"neither .*b\.npz nor .*b\.prev\.npz"):
        load_latest(good.with_name("b.npz"))
    good.write_bytes(b"x")
    with pytest.raises(CheckpointError, match=r"a\.npz: not a whole .*no previous one.*a\.prev\.npz"):
        load_latest(good)
    save_checkpoint(good, model, optimiser)
    save_checkpoint(good, model, optimiser)
    for path in (good, previous_path(good)):
        path.write_bytes(b"x")
    with pytest.raises(CheckpointError, match=r"a\.npz: .*and the previous one: .*a\.prev\.npz: "):
        load_latest(good)


def test_another_numpy_is_noted(good, monkeypatch):
    monkeypatch.setattr(np, "__version__", "9.9")
    assert "read with 9.9: the last digits" in load_checkpoint(good).note


# Another network


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (network(outputs=3), r"array model/fc\.weight is float32 \(2, 3\), here it is float32 \(3, 3\)"),
        (Sequential(fc=Linear(3, 2, rng=np.random.default_rng(0))), "generator drop.rng is unknown"),
        (network(bit_generator=np.random.SFC64), "generator drop.rng is PCG64, here it is SFC64"),
        (Sequential(Linear(3, 2, rng=np.random.default_rng(0))), r"array model/0\.weight is missing"),
    ],
)
def test_another_network_is_refused_and_left_alone(good, model, words):
    before = State.of(model)
    with pytest.raises(CheckpointError, match=words) as caught:
        load_checkpoint(good).restore(model)
    assert str(good) in str(caught.value)
    assert same(State.of(model), before)


def test_another_optimiser_is_refused_and_nothing_changed(good):
    model, optimiser = trained(kind=SGD)
    before = State.of(model, optimiser)
    with pytest.raises(CheckpointError, match="optimiser is Adam, here it is SGD"):
        load_checkpoint(good).restore(model, optimiser)
    assert same(State.of(model, optimiser), before)
    fewer = Adam([("fc.bias", model.fc.bias)])
    with pytest.raises(CheckpointError, match=r"array optimiser/fc\.weight/mean .* fc\.weight is not learnt"):
        load_checkpoint(good).restore(model, fewer)


# A kill at any moment


class Killed(BaseException):
    """The process ends here."""


def kill_at_line(n, function):
    """End ``function`` before the n-th line of what writes checkpoints; True if it got that far."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        path = Path(frame.f_code.co_filename)
        if path.parts[-3:-1] not in (("stn_ref", "training"), ("stn_ref", "data")):
            return None
        if event == "line":
            count += 1
            if count == n:
                raise Killed
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    except Killed:
        return True
    finally:
        sys.settrace(before)
    return False


def check_kills(folder, monkeypatch, save):
    """Whenever ``save`` is killed, the checkpoint is the old or the new one, and so is the previous one."""
    # A killed process tidies nothing up.
    monkeypatch.setattr(Path, "unlink", lambda path, missing_ok=False: None)
    model, optimiser = trained()
    path, n = folder / "a.npz", 0
    while True:
        n += 1
        for epoch in (1, 2):
            save_checkpoint(path, model, optimiser, run={"epoch": epoch})
        killed = kill_at_line(n, lambda: save(path, model, optimiser, run={"epoch": 3}))
        assert load_checkpoint(path).run["epoch"] in (2, 3)
        assert load_checkpoint(previous_path(path)).run["epoch"] in (1, 2)
        if not killed:
            assert load_checkpoint(path).run["epoch"] == 3
            return n


# The kill may come between the opening of a file and its `with`.
unclosed = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@unclosed
def test_a_kill_at_any_moment_leaves_whole_checkpoints(tmp_path, monkeypatch):
    assert check_kills(tmp_path, monkeypatch, save_checkpoint) > 50


@unclosed
def test_a_kill_while_the_first_is_written_leaves_none_or_a_whole_one(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "unlink", lambda path, missing_ok=False: None)
    model, optimiser = trained()
    for n in range(1, 200):
        path = tmp_path / f"{n}.npz"
        if not kill_at_line(n, lambda path=path: save_checkpoint(path, model, optimiser)):
            assert load_checkpoint(path)
            return
        assert not path.exists() or load_checkpoint(path)
    pytest.fail("it never came to an end")


def in_place(path, content):
    """A planted fault: the file is opened for writing where it stands."""
    path = Path(path)
    path.write_bytes(content[:50])
    checkpoint.previous_path(path)  # a line of ours, at which the kill can come
    path.write_bytes(content)


def moved_away(path, model, optimiser, *, run):
    """A planted fault: the present checkpoint is moved before the new one is written."""
    path.replace(previous_path(path))
    save_checkpoint(path, model, optimiser, run=run)


@unclosed
def test_the_kill_test_finds_planted_faults(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError):
        check_kills(tmp_path, monkeypatch, moved_away)
    monkeypatch.setattr(checkpoint, "write_atomically", in_place)
    with pytest.raises(CheckpointError):
        check_kills(tmp_path, monkeypatch, save_checkpoint)


def test_a_full_disk_leaves_both_as_they_were(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    model, optimiser = trained()
    for epoch in (1, 2):
        save_checkpoint(path, model, optimiser, run={"epoch": epoch})

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(path, model, optimiser, run={"epoch": 3})
    assert load_checkpoint(path).run["epoch"] == 2
    assert load_checkpoint(previous_path(path)).run["epoch"] == 1
    assert len(list(tmp_path.iterdir())) == 2
