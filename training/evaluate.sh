#!/bin/sh
# Measures what ships: `training/evaluate.sh FOLDER BINARY`. Makes a small virtual environment under target/.
set -eu
data=${1:-}
binary=${2:-target/release/tidegate}
home=target/evaluate-env
. training/environment.sh
environment evaluate "$data" "$home" training/requirements-evaluate.txt
exec "$home/bin/python" -m training.targets --data "$data" --tidegate "$binary"
