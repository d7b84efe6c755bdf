"""How a task is computed, block by block."""
