"""The tape: :mod:`tensor`, then :mod:`tape`, then :mod:`transforms`, then :mod:`gradcheck`."""
