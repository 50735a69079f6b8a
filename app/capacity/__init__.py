"""How many at once: permits, the lines of those who wait for them, and breakers."""
