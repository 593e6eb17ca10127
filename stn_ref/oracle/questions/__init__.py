"""What a backend is asked, and why."""
