"""The engine panel: who computes, how fast, and why."""
