"""Whether an implementation computes right, and what becomes of one that does not."""
