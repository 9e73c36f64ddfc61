"""Platt curves, thresholds and evidence, from the validation split."""

import numpy as np
from scipy.optimize import minimize
from sklearn.metrics import roc_auc_score

from .data import UNKNOWN

LEAST_ROWS, LEAST_EACH = 150, 25     # a language with fewer held-out rows shares the common curve
BENIGN_SHARE = 0.01                  # of neutral posts over a threshold
POOLED_SHARE = 0.005                 # the same over all languages together
SET_SHARE = 0.10                     # of one set's posts that annotators let pass
NEGATIVE_SHARE = 0.05                # of all posts that annotators let pass
EVIDENCE_AUC, EVIDENCE_EACH = 0.70, 50
ANCHOR, LEAST_TO_ANCHOR = 0.3, 1000
ANY = "und"


def log_odds(raw):
    raw = np.clip(raw.astype(np.float64), 1e-7, 1 - 1e-7)
    return np.log(raw / (1 - raw))


def apply(curve, raw):
    slope, offset = curve
    return np.round(1 / (1 + np.exp(-(slope * log_odds(raw) + offset))), 3)


def fit_curve(raw, truth, weights):
    """Slope and offset with Platt's softened targets and a pull towards the identity."""
    x = log_odds(raw)
    yes, no = truth.sum(), (1 - truth).sum()
    target = np.where(truth == 1, (yes + 1) / (yes + 2), 1 / (no + 2))
    weights = weights / weights.mean()

    def loss(p):
        z = p[0] * x + p[1]
        nll = np.logaddexp(0, z) - target * z
        return (weights * nll).sum() + 2.0 * ((p[0] - 0.7) ** 2 + 0.1 * p[1] ** 2)

    best = minimize(loss, [0.7, 0.0], method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-5})
    return round(float(max(best.x[0], 0.05)), 4), round(float(best.x[1]), 4)


def curves(raw, labels, langs, sources, neutral):
    """Curves by language for one label; rows are the validation split."""
    known = (labels != UNKNOWN) & ~neutral
    truth = (labels == 1).astype(np.float64)
    weights = np.zeros(len(labels))
    for lang, source in sorted({(str(a), str(b)) for a, b in zip(langs[known], sources[known])}):
        mine = known & (langs == lang) & (sources == source)
        yes, no = truth[mine].sum(), (1 - truth[mine]).sum()
        if min(yes, no) >= LEAST_EACH:
            # Both answers count alike in each set: how frequent harm is in it says nothing of a platform.
            weights[mine] = np.where(truth[mine] == 1, 0.5 / yes, 0.5 / no) * np.sqrt(mine.sum())
    found = {}
    for lang in np.unique(langs[weights > 0]):
        mine = (weights > 0) & (langs == lang)
        found[str(lang)] = fit_curve(raw[mine], truth[mine], weights[mine])
    if not found:  # too few labelled rows: neutral background stands in for the harmless ones
        by_answer = np.where(truth == 1, 0.5 / max(truth.sum(), 1), 0.5 / (labels == 0).sum())
        weights = np.where(labels == UNKNOWN, 0.0, by_answer)
    mine = weights > 0
    found[ANY] = fit_curve(raw[mine], truth[mine], weights[mine])
    return found


def anchored(raw, labels, langs):
    """Curves by language for a label with too few positives to fit one: its score of `ANCHOR` is what 1 in 200 of the
    language's posts without the label reach."""

    def curve(rows):
        return 1.0, round(float(log_odds(np.array(ANCHOR)) - log_odds(np.quantile(raw[rows], 1 - POOLED_SHARE))), 4)

    without = labels != 1
    found = {ANY: curve(without)}
    for lang in np.unique(langs):
        mine = without & (langs == lang)
        if mine.sum() >= LEAST_TO_ANCHOR:
            found[str(lang)] = curve(mine)
    return found


def thresholds(scores, labels, langs, sources, neutral, floor, thin=0.0):
    """The score over which at most 1 % of a language's neutral posts and 5 % of its harmless ones lie; none is below
    `floor`, or `thin` in languages with too few harmless posts to tell."""

    def bound(rows, share):
        if rows.sum() == 0:
            return 0.5
        over = np.sort(scores[rows])[::-1]
        return float(over[int(share * len(over))]) + 0.001

    own, few, gaps = {}, {}, []
    for lang in np.unique(langs[neutral]):
        mine = langs == lang
        harmless = mine & ~neutral & (labels == 0)
        plain = bound(mine & neutral, BENIGN_SHARE)
        if harmless.sum() >= LEAST_ROWS:
            strict = max([bound(harmless, NEGATIVE_SHARE)] + [
                bound(harmless & (sources == source), SET_SHARE) for source in np.unique(sources[harmless])
                if (harmless & (sources == source)).sum() >= LEAST_ROWS])
            gaps.append(float(log_odds(np.array(strict)) - log_odds(np.array(plain))))
            own[str(lang)] = max(plain, strict, floor)
        else:
            few[str(lang)] = plain
    # Neutral sentences alone say too little of how people write: where harmless posts are missing, the
    # threshold lies as far above the neutral ones as in nine tenths of the other languages.
    gap = max(float(np.quantile(gaps or [0.0], 0.9)), 0.0)
    found = {ANY: max(bound(neutral, POOLED_SHARE), float(np.median(list(own.values()) or [floor])))}
    for lang, plain in few.items():
        raised = 1 / (1 + np.exp(-(log_odds(np.array(plain)) + gap)))
        own[lang] = max(float(raised), floor, thin)
    found |= own
    return {lang: round(min(score, 0.999), 3) for lang, score in found.items()}


def evidence(scores, labels, langs, neutral):
    """Languages whose held-out posts show that the score tells harmful from harmless."""
    found = []
    for lang in np.unique(langs):
        mine = (langs == lang) & (labels != UNKNOWN) & ~neutral
        truth = labels[mine] == 1
        if min(truth.sum(), (~truth).sum()) < EVIDENCE_EACH:
            continue
        if roc_auc_score(truth, scores[mine]) >= EVIDENCE_AUC:
            found.append(str(lang))
    return found
