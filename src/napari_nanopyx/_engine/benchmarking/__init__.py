"""Who wins where: all implementations, measured one after the other."""
