"""What a handout has besides the stubs; ``public_tests.py`` is copied into it as it is."""
