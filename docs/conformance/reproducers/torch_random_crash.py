"""torch 2.13.0+cpu: second.U is wrong (CRASH).

Case random/bilinear/reflection/corners/float16/2d: Random numbers of full length, inside and outside the image.
See pytorch/pytorch#34704
"""

import numpy as np

U = np.array([[[[0.0, 0.0]]]], dtype="float16")
grid = np.array([[[[0.0, 0.0]]]], dtype="float16")
V_bar = np.array([[[[0.0]]]], dtype="float16")
U_bar_bar = np.array([[[[0.0, 0.0]]]], dtype="float16")
grid_bar_bar = np.array([[[[0.0, 0.0]]]], dtype="float16")
print("expected", 'an answer', flush=True)
settings = {'needs': ('U', 'grid', 'V_bar'), 'mode': 'bilinear', 'padding_mode': 'reflection', 'align_corners': True}

import torch

def tensor(array):
    return torch.from_numpy(array).to("cpu")

def array(tensor):
    return None if tensor is None else tensor.detach().cpu().numpy()

def sampled(U, grid, **settings):
    return torch.nn.functional.grid_sample(U, grid, **settings)

def grid_sample_vjp_vjp(U, grid, V_bar, U_bar_bar, grid_bar_bar, needs, **settings):
    at = {"U": tensor(U), "grid": tensor(grid), "V_bar": tensor(V_bar)}
    leaves = [leaf.requires_grad_() for leaf in at.values()]
    V, how = sampled(at["U"], at["grid"], **settings), {"create_graph": True, "allow_unused": True}
    bars = torch.autograd.grad(V, leaves[:2], at["V_bar"], **how)
    pairs = zip(bars, (tensor(U_bar_bar), tensor(grid_bar_bar)))
    bars, bar_bars = zip(*[(bar, b) for bar, b in pairs if bar is not None and bar.requires_grad])
    seconds = torch.autograd.grad(bars, [at[name] for name in needs], bar_bars, allow_unused=True)
    return {name: array(second) for name, second in zip(needs, seconds)}


answer = np.asarray(grid_sample_vjp_vjp(U=U, grid=grid, V_bar=V_bar, U_bar_bar=U_bar_bar, grid_bar_bar=grid_bar_bar, **settings)["U"])
print("got     ", answer.dtype, answer.shape)
