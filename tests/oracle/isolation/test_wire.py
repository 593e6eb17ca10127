"""Messages: what is sent arrives, and what is no message does no harm."""

import os

import numpy as np
import pytest

from stn_ref.oracle.calls import Answer, Call
from stn_ref.oracle.isolation.wire import (
    PREFIX,
    Garbled,
    Reader,
    packed,
    packed_answer,
    packed_call,
    unpacked,
    unpacked_answer,
    unpacked_call,
)

from ..asking import GRID, U


@pytest.mark.parametrize(
    "array",
    [
        *(U, U.T, U[:, :0], np.array(1.5), np.float16([np.inf, np.nan]), np.array([1, 2], ">i4")),
        *(np.array([True]), np.array([1j]), np.arange(3, dtype=np.uint8)),
    ],
    ids=str,
)
def test_an_array_arrives_as_it_was_sent(array):
    _, [arrived, after] = unpacked(bytearray(packed(None, [array, U])))
    assert (arrived.dtype, arrived.shape) == (array.dtype, array.shape)
    assert arrived.tobytes() == array.tobytes()
    assert arrived.flags.writeable
    assert np.array_equal(after, U)


def test_a_call_and_an_answer_arrive_as_they_were_sent():
    asked = Call("affine_grid", {"theta": U, "b": GRID}, {"size": (1, 2), "x": np.inf, "n": None}, "C")
    arrived = unpacked_call(bytearray(packed_call(asked)))
    assert arrived._replace(arrays={}) == asked._replace(arrays={})
    assert list(arrived.arrays) == ["theta", "b"]
    answer = Answer({"grid": None, "U": U}, detail="\udc80 ∂", overwritten=("U",))
    returned = unpacked_answer(bytearray(packed_answer(answer)))
    assert returned._replace(outputs={}) == answer._replace(outputs={})
    assert returned.outputs["grid"] is None
    assert np.array_equal(returned.outputs["U"], U)


def message(head, body=b""):
    return bytearray(PREFIX.pack(len(head), len(body)) + head + body)


@pytest.mark.parametrize(
    "junk",
    [
        *(b"", b"short", b"\xff" * 100),
        *(message(head) for head in (b"", b"{", b"[1]", b"\xff\xfe", b"[" * 10**5, b"[1, [[1, 2]]]")),
        message(b'[0, [["O", [1]]]]', b"12345678"),
        message(b'[0, [["<f8", [3]]]]', b"too few"),
        message(b'[0, [["<f8", ["x"]]]]', b"12345678"),
        message(b'[0, [["f8,f8", [1]]]]', b"1234567812345678"),
    ],
    ids=lambda junk: repr(bytes(junk[:40])),
)
def test_junk_is_no_message_and_does_no_harm(junk):
    with pytest.raises(Garbled):
        unpacked(bytearray(junk))


@pytest.mark.parametrize("said", [[], 3, {}, {"present": 0}, {"present": [], "outputs": 3}])
def test_a_message_that_is_no_answer_is_noticed(said):
    with pytest.raises(Garbled):
        unpacked_answer(bytearray(packed(said)))


def test_messages_are_read_whole_whatever_the_parts_they_come_in():
    inbox, outbox = os.pipe()
    os.set_blocking(inbox, False)
    reader, sent = Reader(inbox), packed("a", [U])
    for k in range(0, len(sent), 7):
        assert reader.next() is None
        os.write(outbox, sent[k : k + 7])
    os.write(outbox, sent)
    os.close(outbox)
    assert [reader.next(), reader.next()] == [sent, sent]
    with pytest.raises(EOFError):
        reader.next()
    os.close(inbox)
