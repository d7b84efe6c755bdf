"""What was measured, where it is kept, and what it tells."""
