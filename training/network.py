"""The network: an embedding bag over n-gram ids and a small head, with its gradients.

Plain NumPy for the dense part and Numba for the bag; one thread, seeded,
repeatable. Nothing here knows of files, labels or languages.
"""

from dataclasses import dataclass

import numba
import numpy as np


@dataclass(frozen=True)
class Shape:
    buckets: int
    width: int
    hidden: int
    labels: int


class Network:
    """pooled = [sum / sqrt(n), max(0, max)]; hidden = relu(pooled W + b); logits = hidden V + pooled U + c.

    The zero in the maximum is what padding gives, so that a text's scores do not depend on how far
    its micro-batch is padded.
    """

    def __init__(self, shape, seed, spread=0.05):
        rng = np.random.default_rng(seed)
        self.shape = shape
        self.table = (rng.standard_normal((shape.buckets + 1, shape.width)) * spread).astype(np.float32)
        self.table[0] = 0.0
        self.heat = np.zeros(shape.buckets + 1, np.float32)
        inner = 2 * shape.width

        def matrix(rows, columns, gain):
            return (rng.standard_normal((rows, columns)) * gain / np.sqrt(rows)).astype(np.float32)

        self.dense = {
            "w": matrix(inner, shape.hidden, 1.4),
            "b": np.zeros(shape.hidden, np.float32),
            "v": matrix(shape.hidden, shape.labels, 0.5),
            "u": matrix(inner, shape.labels, 0.5),
            "c": np.full(shape.labels, -1.0, np.float32),
        }
        self.moments = {k: (np.zeros_like(p), np.zeros_like(p)) for k, p in self.dense.items()}
        self.steps = 0

    def pooled(self, ids, offsets, rows, drop=0.0, seed=0):
        return _forward(self.table, ids, offsets, rows, np.float32(drop), np.uint64(seed))

    def logits(self, pooled):
        d = self.dense
        hidden = np.maximum(pooled @ d["w"] + d["b"], 0.0)
        return hidden @ d["v"] + pooled @ d["u"] + d["c"], hidden

    def predict(self, ids, offsets, chunk=4096):
        """Probabilities of every window."""
        count = len(offsets) - 1
        out = np.empty((count, self.shape.labels), np.float32)
        for first in range(0, count, chunk):
            rows = np.arange(first, min(first + chunk, count))
            pooled, _ = self.pooled(ids, offsets, rows)
            out[rows] = sigmoid(self.logits(pooled)[0])
        return out

    def step(self, ids, offsets, rows, targets, weights, rate, table_rate, drop, dense_drop, rng, shift):
        """One step on a mini-batch; returns the weighted loss and its gradient at the logits.

        `shift` is added to the logits: what each source of labels is known to be off by.
        """
        seed = int(rng.integers(1, 1 << 62))
        pooled, winners = self.pooled(ids, offsets, rows, drop, seed)
        d = self.dense
        keep = (rng.random(pooled.shape) >= dense_drop).astype(np.float32) / (1.0 - dense_drop)
        inner = pooled * keep
        logits, hidden = self.logits(inner)
        p = sigmoid(logits + shift)
        loss = -(weights * (targets * np.log(p + 1e-7) + (1 - targets) * np.log(1 - p + 1e-7))).sum()
        g = weights * (p - targets) / np.float32(len(rows))
        back = (g @ d["v"].T) * (hidden > 0)
        grads = {"v": hidden.T @ g, "u": inner.T @ g, "c": g.sum(0), "w": inner.T @ back, "b": back.sum(0)}
        outer = (back @ d["w"].T + g @ d["u"].T) * keep
        self._adam(grads, rate)
        _backward(self.table, self.heat, ids, offsets, rows, np.float32(drop), np.uint64(seed),
                  outer.astype(np.float32) * np.float32(len(rows)), winners, np.float32(table_rate))
        return float(loss), g

    def _adam(self, grads, rate):
        self.steps += 1
        for key, grad in grads.items():
            first, second = self.moments[key]
            first *= 0.9
            first += 0.1 * grad
            second *= 0.999
            second += 0.001 * grad * grad
            a = first / (1 - 0.9 ** self.steps)
            b = second / (1 - 0.999 ** self.steps)
            self.dense[key] -= (rate * a / (np.sqrt(b) + 1e-8)).astype(np.float32)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-np.clip(x, -30.0, 30.0)))


@numba.njit(inline="always")
def _draw(seed, index):
    z = seed + np.uint64(index) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.float32((z >> np.uint64(40))) * np.float32(1.0 / 16777216.0)


@numba.njit(cache=True, fastmath=True)
def _forward(table, ids, offsets, rows, drop, seed):
    width = table.shape[1]
    out = np.zeros((len(rows), 2 * width), np.float32)
    winners = np.full((len(rows), width), -1, np.int64)
    for r in range(len(rows)):
        first, last = offsets[rows[r]], offsets[rows[r] + 1]
        kept = 0
        for i in range(first, last):
            if drop > 0 and _draw(seed, i) < drop:
                continue
            e = table[ids[i]]
            kept += 1
            for k in range(width):
                out[r, k] += e[k]
                if e[k] > out[r, width + k]:
                    out[r, width + k] = e[k]
                    winners[r, k] = i
        if kept > 0:
            scale = np.float32(1.0 / np.sqrt(kept))
            for k in range(width):
                out[r, k] *= scale
    return out, winners


@numba.njit(cache=True, fastmath=True)
def _backward(table, heat, ids, offsets, rows, drop, seed, outer, winners, rate):
    width = table.shape[1]
    g = np.empty(width, np.float32)
    for r in range(len(rows)):
        first, last = offsets[rows[r]], offsets[rows[r] + 1]
        kept = 0
        for i in range(first, last):
            if not (drop > 0 and _draw(seed, i) < drop):
                kept += 1
        if kept == 0:
            continue
        scale = np.float32(1.0 / np.sqrt(kept))
        for i in range(first, last):
            if drop > 0 and _draw(seed, i) < drop:
                continue
            row = ids[i]
            square = np.float32(0.0)
            for k in range(width):
                v = outer[r, k] * scale
                if winners[r, k] == i:
                    v += outer[r, width + k]
                g[k] = v
                square += v * v
            heat[row] += square / width
            step = rate / np.sqrt(heat[row] + np.float32(1e-6))
            for k in range(width):
                table[row, k] -= step * g[k]
