"""`progress`: what is shown, on a terminal and in a file."""

import io
import sys
from types import ModuleType
from typing import ClassVar

import pytest

from stn_ref.training import Epoch, Metrics, PlainProgress, SilentProgress, TqdmProgress, epoch_line, progress

VALIDATION = Metrics(loss=0.3, accuracy=0.902, errors=98, count=1000)
EPOCH = Epoch(3, 0.412, 0.871, {"transformer": 0.008}, 0.01, VALIDATION, 12.3)
LINE = "epoch 3/20  loss 0.412  train 87.1 %  validation 90.2 %  outside 0.8 %  12 s"


def test_the_line_of_an_epoch():
    assert epoch_line(EPOCH, 20) == LINE
    assert epoch_line(Epoch(1, 2.3, 1.0, {}, 0.01), 2) == "epoch 1/2  loss 2.300  train 100.0 %  0 s"
    two = Epoch(1, 2.3, 0.5, {"a": 0.1, "b.c": 0.25}, 0.01)
    assert "outside a 10.0 %  outside b.c 25.0 %" in epoch_line(two, 2)
    assert LINE.isascii()


class Terminal(io.StringIO):
    def isatty(self):
        return True


def told(show):
    show.note("going on")
    for batch in (1, 2, 3):
        show.batch(3, 20, batch, 3, 0.5)
    show.epoch(EPOCH, 20)
    show.close()


def test_a_file_gets_one_line_per_epoch():
    stream = io.StringIO()
    told(PlainProgress(stream, prefix="CNN  "))
    assert stream.getvalue() == f"CNN  note: going on\nCNN  {LINE}\n"


def test_a_terminal_gets_a_moving_line_that_the_epoch_replaces(monkeypatch):
    monkeypatch.setattr(progress, "REFRESH", 0)
    stream = Terminal()
    told(PlainProgress(stream))
    first, *moving = stream.getvalue().split("\r")
    assert first == "note: going on\n"
    assert moving == [*(f"epoch 3/20  batch {i}/3  loss 0.500" for i in (1, 2, 3)), f"{LINE}\n"]


def test_a_shorter_line_covers_a_longer_one(monkeypatch):
    monkeypatch.setattr(progress, "REFRESH", 0)
    stream = Terminal()
    show = PlainProgress(stream)
    show.batch(1, 2, 1, 2, 123456.0)
    show.batch(1, 2, 2, 2, 0.5)
    show.batch(1, 2, 2, 2, 1234567890123456789012345678901234567890.0)
    show.epoch(Epoch(1, 2.3, 0.5, {}, 0.01), 2)
    long, short, _, epoch = stream.getvalue().split("\r")[1:]
    assert len(short) == len(long)
    assert epoch.endswith(" \n")


def test_an_interrupted_line_is_ended_once(monkeypatch):
    monkeypatch.setattr(progress, "REFRESH", 0)
    stream = Terminal()
    show = PlainProgress(stream)
    show.batch(1, 2, 1, 9, 0.5)
    show.close()
    show.close()
    assert stream.getvalue() == "\repoch 1/2  batch 1/9  loss 0.500\n"


def test_a_terminal_is_not_flooded(monkeypatch):
    clock = iter([0.0, 0.01, 0.02, 0.5])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    stream = Terminal()
    show = PlainProgress(stream)
    for batch in range(1, 5):
        show.batch(1, 1, batch, 4, 0.5)
    assert [line.split("/")[1] for line in stream.getvalue().split("\r")[1:]] == ["1  batch 1", "1  batch 4"]


def test_silence(capsys):
    told(SilentProgress())
    assert capsys.readouterr() == ("", "")


def test_the_plain_one_writes_to_standard_output(capsys):
    told(PlainProgress())
    assert capsys.readouterr().out == f"note: going on\n{LINE}\n"


@pytest.mark.parametrize("show", [SilentProgress(), PlainProgress(io.StringIO())])
def test_fit_tells_every_batch_and_epoch(small, show, monkeypatch):
    calls = []
    monkeypatch.setattr(show, "batch", lambda *told: calls.append(told[:4]))
    monkeypatch.setattr(show, "epoch", lambda record, epochs: calls.append((record.number, epochs)))
    small.Run().fit(epochs=2, progress=show)
    batches = [[(epoch, 2, batch, 4) for batch in (1, 2, 3, 4)] for epoch in (1, 2)]
    assert calls == [*batches[0], (1, 2), *batches[1], (2, 2)]


def test_without_tqdm_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(ModuleNotFoundError, match="the extra 'progress': pip install tqdm"):
        TqdmProgress()


class Bar:
    """As much of tqdm as is used."""

    log: ClassVar[list] = []

    def __init__(self, **settings):
        self.settings, self.n = settings, settings["initial"]

    def update(self, n):
        self.n += n

    def set_postfix_str(self, text, refresh):
        self.text = text

    def close(self):
        self.log.append((self.settings["desc"], self.n, self.settings["total"], self.text))

    @classmethod
    def write(cls, text, file=None):
        cls.log.append(text)


def test_tqdm_gets_a_bar_per_epoch(small, monkeypatch, tmp_path):
    module = ModuleType("tqdm")
    module.tqdm = Bar
    monkeypatch.setitem(sys.modules, "tqdm", module)
    monkeypatch.setattr(Bar, "log", [])
    told(TqdmProgress())
    assert Bar.log == ["note: going on", ("epoch 3/20", 3, 3, "loss 0.500"), LINE]
    show = TqdmProgress()
    show.batch(2, 3, 5, 8, 0.5)  # resumed within an epoch
    show.close()
    assert Bar.log[-1] == ("epoch 2/3", 5, 8, "loss 0.500")


def test_the_real_tqdm():
    pytest.importorskip("tqdm")
    stream = io.StringIO()
    told(TqdmProgress(file=stream))
    assert LINE in stream.getvalue()
    assert "3/3" in stream.getvalue() or "epoch 3/20" in stream.getvalue()
