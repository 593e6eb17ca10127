"""What is exactly right: correctly rounded values of the paper's equations, to check others against."""

from .exact import exact_bilinear

__all__ = ["exact_bilinear"]
