"""Trains `models/core`: `python -m training.train_core --data FOLDER --tidegate target/release/tidegate`.

Writes the trained state to `training/out/`; `training.finish_core` calibrates, evaluates and exports it.
"""

import argparse
import pickle
import time
from pathlib import Path

import numpy as np

from . import augment, data, train, views
from .encoder import Encoder
from .opinion import teach

SEED = 20261122


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", required=True, help="folder of the labelled posts")
    options.add_argument("--state", default="training/out/core.pkl")
    options.add_argument("--tidegate", help="the binary that gives standard views; without it they are approximate")
    options.add_argument("--taught", help="folder with `taught-*.npz`, what second opinions said")
    arguments = options.parse_args()
    rng = np.random.default_rng(SEED)
    began = time.time()
    labelled = data.read(arguments.data, ["train", "trainsa"])
    neutral = labelled.take(labelled.clean & (labelled.splits == "train"))
    own = [augment.sentences(lang, rng) for lang in augment.languages()]
    rows = augment.join(labelled, augment.templates(), *own,
                        augment.listed_words(arguments.data, neutral, 4, rng),
                        augment.disguised(labelled, 0.12, rng))
    bench = data.read(arguments.data, ["bench"])
    for part in (rows, bench):
        part.texts = views.standard(part.texts, arguments.tidegate)
    print(f"{len(rows)} rows to train, {len(bench)} to evaluate, {time.time() - began:.0f} s", flush=True)
    encoder, recipe = Encoder(), train.Recipe()
    taught = teach.read(arguments.taught) if arguments.taught else {}
    print(f"{len(taught)} rows have soft targets", flush=True)
    known, network = train.fit(*encoder.encode(rows.texts), rows, recipe,
                               lambda targets: teach.blend(targets, rows, taught))
    state = {"encoder": encoder, "recipe": recipe, "vocabulary": known, "table": network.table,
             "dense": network.dense, "rows": rows, "bench": bench, "taught": len(taught),
             "views": "approximate" if arguments.tidegate is None else "binary"}
    Path(arguments.state).parent.mkdir(parents=True, exist_ok=True)
    with open(arguments.state, "wb") as file:
        pickle.dump(state, file, protocol=5)
    print(f"{arguments.state} after {time.time() - began:.0f} s")


if __name__ == "__main__":
    main()
