"""Figures of merit, in NumPy alone: what `make evaluate` needs."""

import numpy as np

RESAMPLES = 200


def auc(truth, scores):
    """Area under the ROC curve; ties count half. With nothing on one side: not a number."""
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[place]
    yes, no = int(truth.sum()), int((~truth).sum())
    if yes == 0 or no == 0:
        return float("nan")
    return float((ranks[truth].sum() - yes * (yes + 1) / 2) / (yes * no))


def average_precision(truth, scores):
    """Area under precision and recall, in steps; equal scores are one step."""
    if not truth.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order])
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    recall = hits[last] / hits[-1]
    return float((np.diff(recall, prepend=0.0) * hits[last] / (last + 1)).sum())


def macro_f1(truth, said):
    """Mean of the F1 of both answers."""
    parts = []
    for value in (False, True):
        hit = ((truth == value) & (said == value)).sum()
        missed = ((truth == value) != (said == value)).sum()
        parts.append(2 * hit / max(2 * hit + missed, 1))
    return float(sum(parts) / 2)


def best_macro_f1(truth, scores):
    """The highest macro-F1 of any single threshold, over 200 quantiles."""
    return max(macro_f1(truth, scores >= cut) for cut in np.unique(np.quantile(scores, np.linspace(0, 1, 200))))


def recall_at(truth, scores, false_positives):
    """Share of true rows over the lowest threshold that at most this share of the others reaches."""
    others = np.sort(scores[~truth])[::-1]
    cut = others[int(false_positives * len(others))]
    return float((scores[truth] > cut).mean())


def calibration_error(truth, scores, bins=10):
    """Expected calibration error with both answers weighted alike, as the curves were fitted."""
    weight = np.where(truth, 0.5 / truth.sum(), 0.5 / (~truth).sum())
    place = np.minimum((scores * bins).astype(int), bins - 1)
    total = 0.0
    for b in range(bins):
        mine = place == b
        if mine.any():
            share = weight[mine]
            total += abs((share * truth[mine]).sum() - (share * scores[mine]).sum())
    return float(total)


def interval(figure, truth, scores, seed=1):
    """95 % of bootstrap resamples of `figure(truth, scores)` lie between the two numbers."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(RESAMPLES):
        chosen = rng.integers(len(truth), size=len(truth))
        value = figure(truth[chosen], scores[chosen])
        if not np.isnan(value):
            found.append(value)
    return [round(float(one), 3) for one in np.quantile(found, [0.025, 0.975])]
