"""A report for whoever reads it: a person at a terminal, a program, a CI system, a browser."""
