"""Text to a positioned tree. Total: nothing in here raises on any input."""
