#!/bin/sh
# Trains, calibrates, measures and exports every model: `training/train.sh FOLDER BINARY`. Hours on a CPU.
set -eu
data=${1:-}
binary=${2:-target/release/tidegate}
home=training/.venv
. training/environment.sh
environment train "$data" "$home" training/requirements.txt
export KMP_BLOCKTIME=0 OMP_WAIT_POLICY=passive
run() {
    "$home/bin/python" -m "$@"
}
# The core model learns from the second opinions, and their bands are chosen for its scores: they are written with
# bands for the old one first.
for lang in zh en; do run training.opinion.train --lang "$lang" --data "$data" --tidegate "$binary"; done
export OMP_NUM_THREADS=1
for lang in zh en; do run training.opinion.finish --lang "$lang" --data "$data" --tidegate "$binary" --out "models/$lang"; done
run training.opinion.teach --data "$data" --tidegate "$binary"
run training.train_core --data "$data" --tidegate "$binary" --taught training/out
run training.finish_core --data "$data" --tidegate "$binary" --out models/core
for lang in zh en; do run training.opinion.finish --lang "$lang" --data "$data" --tidegate "$binary" --bands-only; done
run training.notice --data "$data"
for name in core zh en; do "$binary" model verify "models/$name"; done
