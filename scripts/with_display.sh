#!/usr/bin/env bash
# Runs a command in a virtual display where there is one to be had.
set -euo pipefail
if command -v xvfb-run >/dev/null; then
    exec xvfb-run --auto-servernum --server-args="-screen 0 1600x1200x24" "$@"
fi
exec "$@"
