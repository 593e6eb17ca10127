"""Fetching from a server on this machine: whole files arrive, and nothing else stays."""

import gc
import hashlib
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from stn_ref.data.catalogue import File, dataset, datasets
from stn_ref.data.fetching import fetch, fetch_files

CONTENT = bytes(range(256)) * 400
CHECKSUM = f"md5:{hashlib.md5(CONTENT).hexdigest()}"


class Server(BaseHTTPRequestHandler):
    """``/whole`` is right, ``/wrong`` other bytes, ``/broken`` ends in the middle, all else is missing."""

    def do_GET(self):
        self.server.asked.append(self.path)
        kind = self.path.split("/")[1]
        if kind not in ("whole", "wrong", "broken"):
            self.send_error(404)
            return
        body = CONTENT[::-1] if kind == "wrong" else CONTENT
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if kind == "broken" else body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    pytest.importorskip("pooch")
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as running:
        running.asked = []
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()
    gc.collect()  # a connection that was left open would warn here


def wanted(server, *paths):
    """A data set of files at those paths of the server."""
    base = f"http://127.0.0.1:{server.server_port}"
    files = tuple(File(path.rpartition("/")[2], CHECKSUM, base + path) for path in paths)
    return replace(dataset("svhn-cropped"), files=files)


def test_whole_files_arrive_and_are_not_asked_for_again(server, tmp_path):
    some = wanted(server, "/whole/a.mat", "/whole/b.mat")
    folder = tmp_path / "new" / "folder"
    assert list(fetch_files(some, folder)) == [("fetched", folder / "a.mat"), ("fetched", folder / "b.mat")]
    assert [path.read_bytes() == CONTENT for path in sorted(folder.iterdir())] == [True, True]
    assert [what for what, _ in fetch_files(some, folder)] == ["there already"] * 2
    assert server.asked == ["/whole/a.mat", "/whole/b.mat"]


@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        ("broken", OSError, r"IncompleteRead|[Bb]roken"),
        ("missing", OSError, "404"),
        ("wrong", ValueError, "hash"),
    ],
)
def test_what_is_not_whole_and_right_leaves_nothing_behind(server, tmp_path, kind, error, message):
    folder = tmp_path / "svhn-cropped"
    with pytest.raises(error, match=message) as caught:
        list(fetch_files(wanted(server, f"/{kind}/a.mat"), folder))
    text = str(caught.value)
    assert text.startswith(f"fetch: http://127.0.0.1:{server.server_port}/{kind}/a.mat: ")
    assert "Nothing of it was kept. Try again later; or take a.mat from http://ufldl.stanford.edu" in text
    assert list(tmp_path.iterdir()) == []


def test_files_that_arrived_before_an_error_are_kept_and_a_second_try_goes_on(server, tmp_path):
    with pytest.raises(OSError, match="Nothing of it was kept"):
        list(fetch_files(wanted(server, "/whole/a.mat", "/broken/b.mat"), tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["a.mat"]
    again = list(fetch_files(wanted(server, "/whole/a.mat", "/whole/b.mat"), tmp_path))
    assert [what for what, _ in again] == ["there already", "fetched"]


def test_a_server_that_is_not_there_is_an_error_with_a_way_out(server, tmp_path):
    some = wanted(server, "/whole/a.mat")
    gone = replace(some, files=(replace(some.files[0], url="http://127.0.0.1:1/a.mat"),))
    with pytest.raises(OSError, match=r"127\.0\.0\.1:1/a\.mat: .*[Rr]efused.* put it into"):
        list(fetch_files(gone, tmp_path))


def test_what_stands_there_is_not_overwritten(server, tmp_path):
    (tmp_path / "a.mat").write_bytes(b"my own")
    with pytest.raises(FileExistsError, match=r"a\.mat is there and is not the published file"):
        list(fetch_files(wanted(server, "/whole/a.mat"), tmp_path))
    assert (tmp_path / "a.mat").read_bytes() == b"my own"
    assert server.asked == []


@pytest.mark.parametrize("name", [name for name, each in datasets().items() if each.get])
def test_what_has_terms_of_its_own_is_not_fetched(tmp_path, name):
    with pytest.raises(ValueError, match=f"{name} is not fetched: .*Its home is http"):
        list(fetch(name, tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_the_bundled_digits_need_no_fetching(tmp_path):
    with pytest.raises(ValueError, match="comes with this package; there is nothing to fetch"):
        list(fetch("digits", tmp_path))


def test_without_pooch_the_extra_is_named_and_nothing_is_made(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ModuleNotFoundError, match="fetching data needs pooch, the extra 'fetch'"):
        list(fetch("mnist", tmp_path))
    assert list(tmp_path.iterdir()) == []
