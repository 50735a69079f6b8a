"""What is said, and whose turn it is."""
