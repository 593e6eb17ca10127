"""Asking a backend in a process of its own, where a crash or a hang is the answer of one call.

This file imports nothing: its neighbours also run on Python 3.9 with NumPy alone, in a worker's interpreter.
"""
