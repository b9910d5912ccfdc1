"""What could be typed at a place."""
