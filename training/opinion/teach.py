"""What second opinions say of the core model's training rows: soft targets, so that it learns from them.

`python -m training.opinion.teach --data FOLDER --tidegate BINARY --models models` asks the models that ship and
writes `training/out/taught-<lang>.npz`.
"""

import argparse
from pathlib import Path

import numpy as np
import yaml

from .. import data, views
from ..data import LABELS
from . import base
from .scorer import Scorer

LONGEST = 200   # characters of a row that is asked about
LEARNED = ("toxic", "hate", "sexual")   # what second opinions tell better than the core model does


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", required=True)
    options.add_argument("--tidegate", required=True)
    options.add_argument("--models", default="models")
    options.add_argument("--out", default="training/out")
    options.add_argument("--lang", action="append", choices=sorted(base.BASES))
    arguments = options.parse_args()
    Path(arguments.out).mkdir(parents=True, exist_ok=True)
    rows = data.read(arguments.data, ["train", "trainsa"])
    short = np.array([len(text) <= LONGEST for text in rows.texts])
    for lang in arguments.lang or sorted(base.BASES):
        mine = np.flatnonzero((rows.langs == lang) & (rows.splits == "train") & short)
        seen = views.standard([rows.texts[i] for i in mine], arguments.tidegate)
        np.savez(Path(arguments.out, f"taught-{lang}.npz"), ids=[rows.ids[i] for i in mine],
                 chances=asked(Path(arguments.models, lang), seen))
        print(f"{lang}: {len(mine)} rows", flush=True)


def asked(folder, seen):
    """Probabilities [texts, LABELS] before calibration, NaN for what the model does not offer."""
    manifest = yaml.safe_load((folder / "model.yaml").read_text("utf-8"))
    scorer = Scorer((folder / "model.onnx").read_bytes(), (folder / "tokenizer.json").read_text("utf-8"),
                    manifest["encoder"]["window"], 1)
    chances = np.full((len(seen), len(LABELS)), np.nan, np.float32)
    chances[:, [LABELS.index(label) for label in manifest["labels"]]] = 1 / (1 + np.exp(-scorer.logits(seen)))
    return chances


def read(folder):
    """{row id: probability of each label} of every language that was asked about."""
    found = {}
    for place in sorted(Path(folder).glob("taught-*.npz")):
        taught = np.load(place)
        found |= dict(zip(taught["ids"].tolist(), taught["chances"]))
    return found


def blend(goal, rows, taught, share=0.4, weight=0.4):
    """Changes `goal`: labelled targets move by `share` to what was taught; unlabelled ones take it at `weight`."""
    for row, name in enumerate(rows.ids):
        for column, chance in known(taught.get(name)):
            if rows.labels[row, column] < 0:
                goal.values[row, column] = chance
                goal.weights[row, column] = max(goal.weights[row, column], weight)
            else:
                goal.values[row, column] += share * (chance - goal.values[row, column])


def known(chances):
    if chances is None:
        return []
    columns = [LABELS.index(label) for label in LEARNED]
    return [(column, chances[column]) for column in columns if not np.isnan(chances[column])]


if __name__ == "__main__":
    main()
