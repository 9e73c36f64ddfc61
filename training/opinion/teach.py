"""What second opinions say of the core model's training rows: soft targets, so that it learns from them.

`python -m training.opinion.teach --data FOLDER --tidegate BINARY` writes `training/out/taught-<lang>.npz`.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from .. import data, views
from ..data import LABELS
from . import base, export
from .scorer import Scorer

MOST = {"zh": 24_000, "en": 40_000}   # rows of a language that are asked about
SEED = 20261124
LONGEST = 200                         # characters of a row that is asked about


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", required=True)
    options.add_argument("--tidegate", required=True)
    options.add_argument("--folder", default="training/out")
    options.add_argument("--lang", action="append", choices=sorted(base.BASES))
    arguments = options.parse_args()
    rows = data.read(arguments.data, ["train", "trainsa"])
    rng = np.random.default_rng(SEED)
    for lang in arguments.lang or sorted(base.BASES):
        short = np.array([len(text) <= LONGEST for text in rows.texts])
        mine = np.flatnonzero((rows.langs == lang) & (rows.splits == "train") & short)
        mine = np.sort(mine[rng.permutation(len(mine))[: MOST[lang]]])
        state = torch.load(Path(arguments.folder, f"{lang}.pt"), map_location="cpu", weights_only=False)
        graph = export.model(state["state"], state["shape"], list(range(len(LABELS)))).SerializeToString()
        scorer = Scorer(graph, state["tokenizer"], 128, 1)
        logits = scorer.logits(views.standard([rows.texts[i] for i in mine], arguments.tidegate))
        np.savez(Path(arguments.folder, f"taught-{lang}.npz"), ids=[rows.ids[i] for i in mine],
                 chances=(1 / (1 + np.exp(-logits))).astype(np.float32))
        print(f"{lang}: {len(mine)} rows", flush=True)


def read(folder):
    """{row id: probability of each label} of every language that was asked about."""
    found = {}
    for place in sorted(Path(folder).glob("taught-*.npz")):
        taught = np.load(place)
        found |= dict(zip(taught["ids"].tolist(), taught["chances"]))
    return found


def blend(goal, rows, taught, labels=("toxic", "hate", "sexual", "spam", "violence"), share=0.4, weight=0.4):
    """Changes `goal`: labelled targets move by `share` to what was taught; unlabelled ones take it at `weight`."""
    columns = [LABELS.index(label) for label in labels]
    for row, name in enumerate(rows.ids):
        chances = taught.get(name)
        if chances is None:
            continue
        for column in columns:
            if rows.labels[row, column] < 0:
                goal.values[row, column] = chances[column]
                goal.weights[row, column] = max(goal.weights[row, column], weight)
            else:
                goal.values[row, column] += share * (chances[column] - goal.values[row, column])
