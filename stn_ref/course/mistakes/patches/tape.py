"""Mistakes in task 8: the tape."""

from .model import Patch

__all__ = ["PATCHES"]

_ADDED = "parent.bar = parent.bar + sum_to_shape(rule(node.bar, *values), parent.value.shape)"
_WALK = "    for node in reversed(nodes):"
_SUM = "    return cotangent.sum(axis=(*range(added), *repeated)).reshape(shape)"
_ORDER = "    found: list[Node] = []\n    begun, done = set(), set()"
_BY_DEPTH = """    found, seen, waiting = [], set(), [result]
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            found.append(node)
            waiting += {parents}
    return found[::-1]"""


def _patch(name: str, sentence: str, *changes: tuple[str, str]) -> Patch:
    return Patch(name, sentence, "tape.py", changes)


_NO_ORDER = (
    "A node may come before one that it was computed from: this goes depth first, but enters each node when "
    "it is met, and not when all that it depends on is there."
)
PATCHES = (
    _patch(
        "last-use-only",
        "A node that is used several times keeps the cotangent of one use: it is set, not added.",
        ("parent.bar = parent.bar + sum_to_shape(", "parent.bar = sum_to_shape("),
    ),
    _patch(
        "passed-on-too-early",
        "A node passes its cotangent on before all of it has come; each one must wait for all of its uses.",
        (
            _WALK,
            """    nodes = [result]
    for node in nodes:
        nodes += [parent for parent in node.parents if parent not in nodes]
    for node in nodes:""",
        ),
    ),
    _patch("depth-first-without-order", _NO_ORDER, (_ORDER, _BY_DEPTH.format(parents="node.parents"))),
    _patch("depth-first-without-order", _NO_ORDER, (_ORDER, _BY_DEPTH.format(parents="node.parents[::-1]"))),
    _patch(
        "passes-on-sums",
        "Each time something comes to a node, it passes on all that it has so far: what came first goes on "
        "twice. Wait for all of it and pass it on once.",
        (
            _WALK,
            """    result.bar = np.zeros_like(result.value)
    waiting = [(result, np.asarray(cotangent, dtype=float))]
    while waiting:
        node, comes = waiting.pop()
        node.bar = node.bar + comes
        values = [parent.value for parent in node.parents]
        for parent, rule in reversed([*zip(node.parents, node.rules)]):
            waiting.append((parent, sum_to_shape(rule(node.bar, *values), parent.value.shape)))
    for node in []:""",
        ),
    ),
    _patch(
        "entered-for-each-use",
        "A node is in the order once for each of its uses, and passes its cotangent on each time.",
        (
            _ORDER,
            """    found, waiting = [], [(result, False)]
    while waiting:
        node, ready = waiting.pop()
        if ready:
            found.append(node)
        else:
            waiting += [(node, True), *((parent, False) for parent in reversed(node.parents))]
    return found""",
        ),
    ),
    _patch(
        "added-in-place",
        "The array is not the node's own: the rule of a sum hands on the very array that it got, and += adds "
        "to all who have it. Write a = a + b.",
        (
            _ADDED,
            """share = rule(node.bar, *values)
            if share.shape != parent.value.shape:
                share = sum_to_shape(share, parent.value.shape)
            if parent.bar.any():
                parent.bar += share
            else:
                parent.bar = share""",
        ),
    ),
    _patch(
        "from-the-front",
        "The tape is read from its beginning; the cotangents go back from its end.",
        (_WALK, "    for node in nodes:"),
    ),
    _patch(
        "local-derivatives-alone",
        "Each step's own derivative goes back, not multiplied by its result's cotangent: the chain rule is "
        "missing.",
        ("rule(node.bar, *values)", "rule(np.ones_like(node.value), *values)"),
    ),
    _patch(
        "values-of-the-result",
        "The rules want the values of the parents; they got the value of the node itself.",
        (
            "values = [parent.value for parent in node.parents]",
            "values = [node.value for parent in node.parents]",
        ),
    ),
    _patch(
        "broadcast-mean",
        "What comes back to an argument that was repeated is the sum over its copies, not their mean.",
        ("return cotangent.sum(axis=", "return cotangent.mean(axis="),
    ),
    _patch(
        "broadcast-first-copy",
        "What comes back to an argument that was repeated is the sum over its copies, not one copy's share.",
        (_SUM, "    return cotangent[(0,) * added + tuple(slice(0, n) for n in shape)].reshape(shape)"),
    ),
    _patch(
        "broadcast-not-summed",
        "What comes back to an argument that NumPy repeated has the shape of the result still: it has to be "
        "summed over the axes along which it was repeated.",
        (_SUM, "    return cotangent"),
    ),
    _patch(
        "broadcast-new-axes-alone",
        "The sum goes over the axes that NumPy added in front; along an axis of size 1 the argument was "
        "repeated as well.",
        (_SUM, "    return cotangent.sum(axis=tuple(range(added)))"),
    ),
    _patch(
        "cotangent-of-one",
        "The walk back begins with the cotangent that was given, not with the value of the result.",
        ("result.bar = np.asarray(cotangent, dtype=float)", "result.bar = result.value.copy()"),
    ),
)
