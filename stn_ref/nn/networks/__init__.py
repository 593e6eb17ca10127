"""The networks of the paper's experiments, and those of the tutorials."""

from .digits import DIGIT_NETWORKS, Task, digit_network, matching_width, paper_network
from .heads import localisation_prefixes, theta_head
from .tutorial import small_network, tutorial_network

__all__ = [
    "DIGIT_NETWORKS",
    "Task",
    "digit_network",
    "localisation_prefixes",
    "matching_width",
    "paper_network",
    "small_network",
    "theta_head",
    "tutorial_network",
]
