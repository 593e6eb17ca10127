"""What the commands run: the gradient checks of the equations, and the demonstration."""
