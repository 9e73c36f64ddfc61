"""Trains the network: targets and weights, the choice of the vocabulary, the epochs."""

import time
from dataclasses import dataclass

import numpy as np

from . import vocabulary
from .data import LABELS, UNKNOWN
from .network import Network, Shape

# Labels that few sets annotate: elsewhere "not annotated" is taken as a weak no.
THIN = ["harassment", "violence", "sexual", "self_harm", "illegal_goods", "spam"]
# Made rows teach words and frames, but are not how people write.
SOURCE_WEIGHT = {"listed-words": 0.2, "templates": 1.0, "own-sentences": 0.8}


@dataclass(frozen=True)
class Recipe:
    seed: int = 1
    least_windows: int = 4      # an n-gram in fewer training windows is never learned
    trial_width: int = 12       # width of the trial network that tells which n-grams matter
    ngrams: int = 250_000
    width: int = 40
    hidden: int = 64
    epochs: int = 2
    batch: int = 256
    rate: float = 0.002
    table_rate: float = 0.05
    drop: float = 0.2           # n-grams dropped in a step
    dense_drop: float = 0.2
    smoothing: float = 0.03
    thin_weight: float = 0.1
    balance: float = 0.35       # a group of n rows weighs n^-balance a row
    shift_rate: float = 1.0
    shift_decay: float = 0.002


class Targets:
    """What each row should give, how much it counts, and which source group it belongs to."""

    def __init__(self, rows, recipe, source_weight=None):
        known = rows.labels.copy()
        no_toxic = known[:, LABELS.index("toxic")] == 0
        for label in ("hate", "harassment"):  # nothing toxic is neither hate nor harassment
            column = known[:, LABELS.index(label)]
            column[no_toxic & (column == UNKNOWN)] = 0
        keys = np.char.add(np.char.add(rows.sources.astype(str), "|"), rows.langs.astype(str))
        names, self.group = np.unique(keys, return_inverse=True)
        self.groups = len(names)
        weights = (known != UNKNOWN).astype(np.float32)
        train = rows.splits == "train"
        for column in range(len(LABELS)):
            for value in (0, 1):
                chosen = train & (known[:, column] == value)
                if chosen.any():
                    _, inverse, counts = np.unique(keys[chosen], return_inverse=True, return_counts=True)
                    weights[chosen, column] = np.clip((counts[inverse] / 2000.0) ** -recipe.balance, 0.3, 4.0)
        for label in THIN:
            column = LABELS.index(label)
            weights[known[:, column] == UNKNOWN, column] = recipe.thin_weight
        for source, factor in (SOURCE_WEIGHT if source_weight is None else source_weight).items():
            weights[rows.sources == source] *= factor
        self.weights = weights
        self.values = (np.maximum(known, 0) * (1 - 2 * recipe.smoothing) + recipe.smoothing).astype(np.float32)


def fit(hashes, offsets, owners, rows, recipe, teach=None):
    """The vocabulary and the network, from hashed windows and their rows; `teach(targets)` may change the goals."""
    targets = Targets(rows, recipe)
    if teach:
        teach(targets)
    training = rows.splits[owners] == "train"
    lengths = np.diff(offsets)
    known, frequency = vocabulary.frequent(
        hashes[np.repeat(training, lengths)],
        np.concatenate([[0], np.cumsum(lengths[training])]), recipe.least_windows)
    print(f"{len(known)} n-grams are frequent enough", flush=True)
    trial = _fit(known, recipe.trial_width, hashes, offsets, owners, training, targets, recipe)
    worth = np.linalg.norm(trial.table[1:], axis=1) * np.sqrt(frequency)
    kept = np.sort(np.argsort(-worth, kind="stable")[: recipe.ngrams])
    known = known[kept]
    return known, _fit(known, recipe.width, hashes, offsets, owners, training, targets, recipe)


def _fit(known, width, hashes, offsets, owners, training, targets, recipe):
    ids, starts = vocabulary.number(known, hashes, offsets)
    network = Network(Shape(len(known), width, recipe.hidden, len(LABELS)), recipe.seed, 0.02)
    rng = np.random.default_rng(recipe.seed + 7)
    windows = np.flatnonzero(training)
    shifts = np.zeros((targets.groups, len(LABELS)), np.float32)
    total = recipe.epochs * (len(windows) // recipe.batch)
    step = 0
    for epoch in range(recipe.epochs):
        began, loss = time.time(), 0.0
        order = rng.permutation(windows)
        for first in range(0, len(order) - recipe.batch + 1, recipe.batch):
            batch = order[first : first + recipe.batch]
            owner = owners[batch]
            fade = 1.0 - step / total
            step += 1
            part, gradient = network.step(
                ids, starts, batch, targets.values[owner], targets.weights[owner],
                recipe.rate * fade, recipe.table_rate * fade, recipe.drop, recipe.dense_drop, rng,
                shifts[targets.group[owner]])
            loss += part
            np.add.at(shifts, targets.group[owner], -recipe.shift_rate * fade * gradient)
            shifts *= 1.0 - recipe.shift_decay * fade
        print(f"width {width} epoch {epoch + 1}: loss {loss / len(order):.4f}, "
              f"{len(ids) / len(owners):.0f} n-grams a window, {time.time() - began:.0f} s", flush=True)
    return network
