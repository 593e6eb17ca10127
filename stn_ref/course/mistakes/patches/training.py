"""Mistakes in task 9: beginning and learning."""

from .model import Patch

__all__ = ["PATCHES"]

_BIAS = "1.0 if name in one else 0.0 for"
_LOSS = """        losses.append((difference**2).sum() / 2)
        _, theta_bar = spatial_transform_vjp(U, theta, difference)"""
_LAST = "(difference**2).sum() / 2])"
_STEP = "return value - lr * slower * cotangent"
_LOGITS = "    return V.reshape(len(V), -1) @ weight.T + bias"
_DESCENT = "theta = step(theta, theta_bar, lr)"


def _patch(name: str, sentence: str, *changes: tuple[str, str]) -> Patch:
    return Patch(name, sentence, "training.py", changes)


_BEGINNING = (
    _patch(
        "zero-bias",
        "The bias begins with 0 too: theta is 0, every point is sampled at the image's centre, and there is "
        "hardly a slope to come back by.",
        (_BIAS, "0.0 for"),
    ),
    _patch(
        "bias-of-ones",
        "The bias is 1 everywhere; the identity has ones on its diagonal alone.",
        (_BIAS, "1.0 for"),
    ),
    _patch(
        "identity-column-by-column",
        "The bias is [1, 0, 0, 1, 0, 0], the 2 x 2 identity and then the shift. theta is filled row by row, "
        "(a, b, c) and (d, e, f): the ones belong to a and e.",
        ('one = {"a", "e", "s"}', 'one = {"a", "d", "s"}'),
    ),
)
_FORWARD = (
    _patch(
        "untransformed-image",
        "The classifier works on the image as it came, so that the transformer has no part in the answer.",
        (_LOGITS, _LOGITS.replace("V.reshape(len(V), -1)", "U.reshape(len(U), -1)[:, : weight.shape[1]]")),
    ),
    _patch(
        "theta-ignored",
        "The image is sampled with the identity, whatever the localisation network says.",
        (
            "    V = spatial_transform(U, theta, height, width)\n    return",
            "    V = spatial_transform(U, np.eye(2, 3) + 0 * theta, height, width)\n    return",
        ),
    ),
    _patch(
        "bias-left-out",
        "The localisation network's bias, which is where the identity comes from, is left out.",
        ("@ head.T + head_bias)", "@ head.T)"),
    ),
    _patch(
        "last-bias-left-out",
        "The classifier's own bias is left out.",
        (_LOGITS, _LOGITS.replace(" + bias", "")),
    ),
    _patch(
        "theta-as-a-step",
        "The localisation network gives theta itself, its bias holds the identity; it is added once "
        "more here.",
        ("+ head_bias).reshape(-1, 2, 3)", "+ head_bias).reshape(-1, 2, 3) + np.eye(2, 3)"),
    ),
    _patch(
        "theta-by-columns",
        "The six numbers are theta row by row, (a, b, c) and (d, e, f); here they fill it column by column.",
        ("+ head_bias).reshape(-1, 2, 3)", "+ head_bias).reshape(-1, 3, 2).swapaxes(1, 2)"),
    ),
    _patch(
        "softmax-included",
        "Logits are asked for; these are their softmax.",
        (
            _LOGITS,
            f"{_LOGITS.replace('return', 'logits =')}\n"
            "    e = np.exp(logits - logits.max(axis=1, keepdims=True))\n"
            "    return e / e.sum(axis=1, keepdims=True)",
        ),
    ),
)
_STEPS = (
    _patch(
        "uphill",
        "The step goes along the gradient, where the loss grows, and not against it.",
        (_STEP, "return value + lr * slower * cotangent"),
    ),
    _patch(
        "multiplier-forgotten",
        "The localisation network learns as fast as all others: its multiplier is not used.",
        (_STEP, "return value - lr * cotangent"),
    ),
    _patch(
        "divided-by-the-multiplier",
        "The learning rate is divided by its multiplier: 0.01 makes it a hundred times as fast.",
        (_STEP, "return value - lr / slower * cotangent"),
    ),
)
_DESCENDING = (
    _patch(
        "loss-without-half",
        "The loss is half the sum of squares: its gradient is the difference itself, and not twice it.",
        (_LOSS, _LOSS.replace(".sum() / 2", ".sum()").replace("theta, difference", "theta, 2 * difference")),
        (_LAST, "(difference**2).sum()])"),
    ),
    _patch(
        "twice-the-gradient",
        "The gradient of half the sum of squares is the difference itself; here it is doubled.",
        (_LOSS, _LOSS.replace("theta, difference", "theta, 2 * difference")),
    ),
    _patch(
        "mean-loss",
        "The loss is half the sum of squares, not half their mean: the steps are too small.",
        (
            _LOSS,
            _LOSS.replace(".sum() / 2", ".mean() / 2").replace(
                "theta, difference", "theta, difference / difference.size"
            ),
        ),
        (_LAST, "(difference**2).mean() / 2])"),
    ),
    _patch(
        "target-minus-output",
        "The cotangent of the output is V - target; with the sign the other way round the loss grows.",
        ("spatial_transform_vjp(U, theta, difference)", "spatial_transform_vjp(U, theta, -difference)"),
    ),
    _patch(
        "gradient-of-the-beginning",
        "The gradient was taken once, at the beginning; it changes with theta, and each step needs its own.",
        (
            _LOSS,
            _LOSS.replace("theta, difference", "start, spatial_transform(U, start, height, width) - target"),
        ),
        ("    losses = []\n", "    losses, start = [], theta\n"),
    ),
    _patch(
        "theta-not-moved",
        "theta is to take the steps; here it stays what it was, and the image changes instead.",
        (_LOSS, _LOSS.replace("_, theta_bar", "U_bar, _")),
        (_DESCENT, "U = step(U, U_bar, lr)"),
    ),
)
PATCHES = (*_BEGINNING, *_FORWARD, *_STEPS, *_DESCENDING)
