"""The course: exercises on spatial transformers, and what grades them."""
