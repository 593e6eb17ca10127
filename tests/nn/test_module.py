"""`Module`: names, state, modes."""

import copy

import numpy as np
import pytest

from stn_ref import Tensor, no_grad
from stn_ref.nn import SGD, Dropout, Flatten, Linear, Module, ReLU, Sequential


def net(outputs=2, dtype=np.float32):
    rng = np.random.default_rng(0)
    return Sequential(
        body=Sequential(Linear(3, 4, rng=rng, dtype=dtype), ReLU(), Dropout(0.5, rng=rng)),
        head=Linear(4, outputs, rng=rng, dtype=dtype),
    )


NAMES = ["body.0.weight", "body.0.bias", "head.weight", "head.bias"]


def test_names_follow_the_attributes():
    model = net()
    assert [name for name, _ in model.named_parameters()] == NAMES
    assert [p.shape for p in model.parameters()] == [(4, 3), (4,), (2, 4), (2,)]
    assert model.parameter_count() == 12 + 4 + 8 + 2
    assert [name for name, _ in model.modules()] == ["", "body.", "body.0.", "body.1.", "body.2.", "head."]
    assert [name for name, _ in model.children()] == ["body", "head"]
    assert [name for name, _ in model.named_generators()] == ["body.2.rng"]


def test_frozen_tensors_are_parameters_that_are_saved_and_not_learnt():
    class Frozen(Module):
        def __init__(self):
            self.frozen = Tensor(np.ones(3))
            self.learnt = Tensor(np.ones(3), requires_grad=True)
            self.array = np.ones(3)

        def forward(self, x):
            return x * self.frozen * self.learnt

    model = Frozen()
    assert list(model.state_dict()) == ["frozen", "learnt"]
    optimiser = SGD(model.named_parameters(), lr=0.5)
    model(np.ones(3)).sum().backward()
    optimiser.step()
    np.testing.assert_array_equal(model.frozen.data, [1, 1, 1])
    np.testing.assert_array_equal(model.learnt.data, [0.5, 0.5, 0.5])


def test_modules_in_lists_and_dicts_are_found():
    rng = np.random.default_rng(0)

    class Listed(Module):
        def __init__(self):
            self.blocks = [Linear(2, 2, rng=rng), Linear(2, 1, rng=rng)]
            self.heads = {"a": Linear(1, 1, rng=rng)}

    assert [name for name, _ in Listed().named_parameters()] == [
        *("blocks.0.weight", "blocks.0.bias", "blocks.1.weight", "blocks.1.bias"),
        *("heads.a.weight", "heads.a.bias"),
    ]


def test_a_list_given_to_sequential_is_refused_with_the_mend():
    with pytest.raises(TypeError, match=r"Sequential: got .* use Sequential\(\*layers\)"):
        Sequential([ReLU()])


def test_a_copied_model_learns_by_itself():
    model = Linear(2, 1, rng=np.random.default_rng(0))
    twin = copy.deepcopy(model)
    twin(np.ones((1, 2), np.float32)).sum().backward()
    assert twin.weight.grad is not None
    assert model.weight.grad is None


def test_a_shared_parameter_is_counted_once():
    layer = Linear(3, 3, rng=np.random.default_rng(0))
    model = Sequential(layer, ReLU(), layer)
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias"]
    assert model.parameter_count() == 12
    model(np.ones((1, 3), np.float32)).sum().backward()
    assert layer.weight.grad is not None


def test_a_module_without_forward_says_so():
    class Empty(Module):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty: define forward\(self, x\)"):
        Empty()(1)


def test_train_and_eval_reach_every_module():
    model = net()
    assert model.eval() is model
    assert not any(module.training for _, module in model.modules())
    assert model.train() is model
    assert all(module.training for _, module in model.modules())
    assert Module.training


def test_zero_grad_forgets_all_gradients():
    model = net()
    model(np.ones((2, 3), np.float32)).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())


def test_a_state_goes_round_bit_for_bit():
    model, other = net(), net()
    for p in other.parameters():
        p.data = p.data + 1
    other.load_state_dict(model.state_dict())
    for (name, p), (_, q) in zip(model.named_parameters(), other.named_parameters()):
        assert p.data.tobytes() == q.data.tobytes(), name
        assert not np.shares_memory(p.data, q.data)


def test_a_state_is_a_copy():
    model = net()
    state = model.state_dict()
    before = model.head.bias.data.copy()
    state["head.bias"][:] = 7
    assert (model.head.bias.data == before).all()
    model.load_state_dict(state)
    state["head.bias"][:] = 8
    assert (model.head.bias.data == 7).all()


def without(state):
    del state["head.bias"]


def with_more(state):
    state["tail.bias"] = np.zeros(2, np.float32)


def with_another_shape(state):
    state["head.bias"] = np.zeros((2, 1), np.float32)


def with_another_dtype(state):
    state["head.bias"] = np.zeros(2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without, r"missing \['head\.bias'\], unknown nothing; the state is of another network"),
        (with_more, r"missing nothing, unknown \['tail\.bias'\]"),
        (with_another_shape, r"head\.bias has shape \(2, 1\) and dtype float32, expected \(2,\) and float32"),
        (with_another_dtype, r"head\.bias has shape \(2,\) and dtype float64, expected \(2,\) and float32"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_nothing_changed(change, words):
    model = net()
    before = model.state_dict()
    state = {name: array + 1 for name, array in before.items()}
    change(state)
    with pytest.raises(ValueError, match=f"load_state_dict: {words}"):
        model.load_state_dict(state)
    assert all((model.state_dict()[name] == before[name]).all() for name in NAMES)


def test_sequential_gives_its_modules_by_number():
    model = Sequential(Flatten(), ReLU())
    assert len(model) == 2
    assert isinstance(model[1], ReLU)
    assert isinstance(model[-1], ReLU)
    assert (model(np.array([[[-1.0, 2.0]]])) == [[0, 2]]).all()


def test_what_a_forward_pass_leaves_behind_is_no_parameter():
    class Remembering(Module):
        def __init__(self):
            self.layer = Linear(2, 1, rng=np.random.default_rng(0))

        def forward(self, x):
            self.last = self.layer(x)
            return self.last

    model = Remembering()
    names = list(model.state_dict())
    model(np.ones((1, 2), np.float32))
    with no_grad():
        model(np.ones((1, 2), np.float32))
    assert list(model.state_dict()) == names


def test_containers_are_searched_to_any_depth_and_equal_names_are_refused():
    class Deep(Module):
        def __init__(self):
            self.rows = [[Linear(1, 1, rng=np.random.default_rng(0))]]

    assert list(Deep().state_dict()) == ["rows.0.0.weight", "rows.0.0.bias"]

    class Clash(Module):
        def __init__(self):
            self.table = {1: Tensor(np.ones(1)), "1": Tensor(np.ones(1))}

    with pytest.raises(ValueError, match=r"two parameters are named 'table\.1'"):
        Clash().state_dict()
