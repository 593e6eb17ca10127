"""The networks of the paper's experiments, and those of the tutorials."""

from .birds import BIRD_NETWORKS, bird_network
from .digits import DIGIT_NETWORKS, Task, digit_network, matching_width, paper_network
from .heads import localisation_prefixes, theta_head
from .numbers import EIGHTH, NUMBER_NETWORKS, PAPER, NumberTask, Widths, number_network
from .tutorial import small_network, tutorial_network
from .volumes import VOLUME_NETWORKS, volume_network

__all__ = [
    "BIRD_NETWORKS",
    "DIGIT_NETWORKS",
    "EIGHTH",
    "NUMBER_NETWORKS",
    "PAPER",
    "VOLUME_NETWORKS",
    "NumberTask",
    "Task",
    "Widths",
    "bird_network",
    "digit_network",
    "localisation_prefixes",
    "matching_width",
    "number_network",
    "paper_network",
    "small_network",
    "theta_head",
    "tutorial_network",
    "volume_network",
]
