#!/bin/sh
# Measures what ships: `training/evaluate.sh FOLDER BINARY`. Makes a small virtual environment under target/.
set -eu
data=${1:-}
binary=${2:-target/release/tidegate}
if [ ! -d "$data" ]; then
    echo "evaluate: say where the labelled posts lie: make evaluate DATA=FOLDER" >&2
    exit 64
fi
home=target/evaluate-env
if ! cmp -s training/requirements-evaluate.txt "$home/requirements.txt"; then
    python3 -m venv "$home"
    "$home/bin/pip" install --quiet -r training/requirements-evaluate.txt
    cp training/requirements-evaluate.txt "$home/requirements.txt"
fi
exec "$home/bin/python" -m training.targets --data "$data" --tidegate "$binary"
