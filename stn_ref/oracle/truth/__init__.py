"""The right answers: exact arithmetic, and all that a backend's rounding may make of them."""
