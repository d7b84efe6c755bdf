"""Build-time meta-programming: one kernel snippet in, every implementation out."""
