#!/usr/bin/env bash
# Runs the tests: those asked for, or all. Tests with windows, which run once with each
# binding to Qt, then go beside the others, for they take as long and one core. Those
# that nothing may disturb come last.
set -uo pipefail
pytest="${VENV:-.venv}/bin/python -m pytest"

if (($#)); then
    exec $pytest "$@"
fi

windows="tests/widgets tests/test_manifest.py tests/test_startup.py"
bindings="pyside6 pyqt6"
with() { QT_API=$1 PYTEST_QT_API=$1 $pytest $windows "${@:2}"; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
(
    failed=0
    for binding in $bindings; do
        with "$binding" -m "not alone" || failed=1
    done
    exit $failed
) >"$log" 2>&1 &
beside=$!

failed=0
# shellcheck disable=SC2086,SC2046
$pytest $(printf -- '--ignore=%s ' $windows) || failed=1
wait $beside || failed=1
for binding in $bindings; do
    with "$binding" -m alone || failed=1
done
cat "$log"
exit $failed
