"""Measurements beside other libraries; not part of the package.

``python -m benchmarks`` measures time and memory, ``python -m benchmarks.against_pytorch`` compares what each
can differentiate. The files ``worker.py`` and ``peers/`` also run under old interpreters: Python 3.9 must do.
"""
