"""Pictures: digits in the terminal, sheets of transformed images (Matplotlib, the ``viz`` extra)."""
