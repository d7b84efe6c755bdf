"""Super-resolution microscopy analysis, computed the fastest way this machine offers."""
