"""The spatial transformer as a textbook has it: NumPy alone, one idea a function, nothing for speed.

It says for batches of images what ``equations.py`` says for one sample, and does, slowly and legibly, what
``ops`` and ``kernels`` do fast; the tests hold it against both. The exercises of the course are cut from it
at the marks ``# BEGIN SOLUTION`` and ``# END SOLUTION``: what lies between is what students write.

Each file stands alone but for those before it: ``conventions`` (what is a matter of choice), ``grids``
(tasks 1, 2), ``sampler`` (3 to 6), ``chain`` (7), ``tape`` (8), ``training`` (9), ``conversions`` (10). All
numbers are float64.
"""
