"""Trains a second opinion: `python -m training.opinion.train --lang zh --data FOLDER --tidegate BINARY`.

Keeps the weights with the highest mean AUC on the validation split in `training/out/<lang>.pt`, together with what
`training.opinion.finish` needs. Seeds are fixed; one run on the same machine with the same number of threads
repeats itself. A GPU is used when torch finds one.
"""

import argparse
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from tokenizers import Tokenizer
from torch.nn import functional

from .. import train as targets, views
from ..data import LABELS, UNKNOWN
from . import base, network, rows as source_rows, tokens

SEED = 20261123
EPOCHS = {"zh": 0.85, "en": 1.05}   # sets are capped, so an epoch is some 48,000 rows


@dataclass(frozen=True)
class Recipe:
    longest: int = 64         # tokens of a training row; the end is cut
    batch: int = 32
    epochs: float = 1.0
    rate: float = 1e-4        # of the encoder; the head learns at `head_rate`, words at `word_rate`
    head_rate: float = 5e-4
    word_rate: float = 1e-4
    decay: float = 0.01
    warm: float = 0.06        # share of the steps in which the rates rise
    clip: float = 1.0
    smoothing: float = 0.03
    thin_weight: float = 0.1
    balance: float = 0.35     # a set of n rows weighs n^-balance a row


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--lang", required=True, choices=sorted(base.BASES))
    options.add_argument("--data", required=True)
    options.add_argument("--tidegate", required=True, help="the binary that gives standard views")
    options.add_argument("--out", default="training/out")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--epochs", type=float, help="of the training rows; the recipe's own when not given")
    options.add_argument("--resume", action="store_true", help="go on from the kept weights, with fresh moments")
    arguments = options.parse_args()
    torch.manual_seed(SEED)
    torch.set_num_threads(arguments.threads)
    rng = np.random.default_rng(SEED)
    recipe = Recipe(epochs=arguments.epochs or EPOCHS[arguments.lang])
    rows = source_rows.read(arguments.data, arguments.lang, rng)
    rows.texts = views.standard(rows.texts, arguments.tidegate)
    described = base.BASES[arguments.lang]
    weights, tokenizer_text = base.read(described)
    tokenizer_text, named = tokens.extended(tokenizer_text)
    extra = torch.from_numpy(tokens.extra_rows(named, weights["embeddings.word_embeddings.weight"]))
    model = network.load(described, weights, extra, len(LABELS))
    ids = tokens.encoded(Tokenizer.from_str(tokenizer_text), rows.texts, recipe.longest)
    print(f"{len(rows)} rows, {np.mean([len(one) for one in ids]):.1f} tokens a row", flush=True)
    place = Path(arguments.out) / f"{arguments.lang}.pt"
    place.parent.mkdir(parents=True, exist_ok=True)
    done = 0
    if arguments.resume:
        kept = torch.load(place, map_location="cpu", weights_only=False)
        model.load_state_dict(kept["state"])
        done = kept["steps"]
    fit(model, ids, rows, recipe, rng, place, done, {
        "lang": arguments.lang, "tokenizer": tokenizer_text, "recipe": asdict(recipe),
        "sources": {str(k): int(n) for k, n in zip(*np.unique(rows.sources[rows.splits == "train"], return_counts=True))}})


def fit(model, ids, rows, recipe, rng, place, skipped, about):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device)
    goal = targets.Targets(rows, recipe, {})
    source_rows.likely_hate(goal, rows)
    training, held = np.flatnonzero(rows.splits == "train"), np.flatnonzero(rows.splits == "valid")
    held = held[rng.permutation(len(held))[:2500]]
    head = [p for name, p in model.named_parameters() if name.startswith(("head", "out"))]
    body = [p for name, p in model.named_parameters() if not name.startswith(("head", "out", "words"))]
    dense = torch.optim.AdamW([{"params": body, "lr": recipe.rate}, {"params": head, "lr": recipe.head_rate}],
                              weight_decay=recipe.decay, fused=True)
    sparse = torch.optim.SparseAdam([model.words.weight], lr=recipe.word_rate)
    batches = plan(ids, training, recipe, rng)
    warm = max(int(recipe.warm * len(batches)), 1)
    groups = [(group, group["lr"]) for one in (dense, sparse) for group in one.param_groups]
    best, began, last, total = 0.0, time.time(), time.time(), 0.0
    for step, batch in enumerate(batches):
        if step < skipped:
            continue
        for group, rate in groups:
            group["lr"] = rate * min((step + 1) / warm, (len(batches) - step) / (len(batches) - warm))
        model.train()
        loss = step_loss(model, ids, goal, batch, device)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(body + head, recipe.clip)
        for one in (dense, sparse):
            one.step()
            one.zero_grad(set_to_none=True)
        total += float(loss.detach())
        done = step + 1 == len(batches)
        if (step + 1) % 100 == 0:
            print(f"{step + 1}/{len(batches)} loss {total / 100:.4f} {time.time() - began:.0f} s", flush=True)
            total = 0.0
        if done or time.time() - last > 420:
            told = check(model, ids, rows, goal, held, device)
            last = time.time()
            if told >= best:
                best = told
                torch.save({**about, "state": model.state_dict(), "steps": step + 1, "of": len(batches),
                            "shape": shape(model)}, place)


def shape(model):
    return {"vocabulary": model.words.num_embeddings, "size": model.words.embedding_dim,
            "inner": model.layers[0].wide.out_features, "layers": len(model.layers),
            "heads": model.layers[0].heads, "positions": model.places.shape[0],
            "labels": model.out.out_features, "pooling": model.pooling}


def plan(ids, training, recipe, rng):
    """Batches of rows of like length, in random order, for all epochs."""
    lengths, batches = np.array([len(one) for one in ids]), []
    wanted = int(recipe.epochs * len(training) / recipe.batch)
    while len(batches) < wanted:
        order = rng.permutation(training)
        found = []
        for first in range(0, len(order), 64 * recipe.batch):
            part = order[first : first + 64 * recipe.batch]
            part = part[np.argsort(lengths[part], kind="stable")]
            found += [part[at : at + recipe.batch] for at in range(0, len(part), recipe.batch)]
        batches += [found[i] for i in rng.permutation(len(found))]
    return batches[:wanted]


def padded(ids, batch, device):
    longest = max(len(ids[i]) for i in batch)
    words = torch.zeros(len(batch), longest, dtype=torch.long)
    mask = torch.zeros(len(batch), longest, dtype=torch.long)
    for row, i in enumerate(batch):
        words[row, : len(ids[i])] = torch.from_numpy(ids[i].astype(np.int64))
        mask[row, : len(ids[i])] = 1
    return words.to(device), mask.to(device)


def step_loss(model, ids, goal, batch, device):
    words, mask = padded(ids, batch, device)
    wanted = torch.from_numpy(goal.values[batch]).to(device)
    weights = torch.from_numpy(goal.weights[batch]).to(device)
    loss = functional.binary_cross_entropy_with_logits(model(words, mask), wanted, weights, reduction="sum")
    return loss / weights.sum().clamp(min=1.0)


@torch.no_grad()
def check(model, ids, rows, goal, held, device):
    """Mean AUC over the sets and categories of the validation split. The loss says less: it rewards being unsure."""
    model.eval()
    order = held[np.argsort([len(ids[i]) for i in held], kind="stable")]
    logits = np.concatenate([
        model(*padded(ids, order[first : first + 64], device)).float().cpu().numpy()
        for first in range(0, len(order), 64)])
    weights, wanted = goal.weights[order], goal.values[order]
    loss = weights * (np.logaddexp(0, logits) - wanted * logits)
    seen = {}
    for source in np.unique(rows.sources[order]):
        for column, label in enumerate(LABELS):
            known = (rows.sources[order] == source) & (rows.labels[order, column] != UNKNOWN)
            truth = rows.labels[order, column][known] == 1
            if min(truth.sum(), (~truth).sum()) >= 15:
                seen[f"{source} {label}"] = roc_auc_score(truth, logits[known, column])
    print(f"valid {loss.sum() / weights.sum():.4f}: " + "; ".join(f"{k} {v:.3f}" for k, v in seen.items()), flush=True)
    return float(np.mean(list(seen.values())))


if __name__ == "__main__":
    main()
