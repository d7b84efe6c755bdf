"""What this machine has: its processor, its memory, its OpenCL devices."""
