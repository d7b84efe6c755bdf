"""Which implementation computes the next block, and why."""
