"""Platt curves, thresholds and evidence, from the validation split."""

import numpy as np
from scipy.optimize import minimize
from sklearn.metrics import roc_auc_score

from .data import UNKNOWN

LEAST_ROWS, LEAST_EACH = 150, 25     # a language with fewer held-out rows shares the common curve
BENIGN_SHARE = 0.01                  # of neutral posts over a threshold
POOLED_SHARE = 0.005                 # the same over all languages together
NEGATIVE_SHARE = 0.05                # of posts that annotators let pass
EVIDENCE_AUC, EVIDENCE_EACH = 0.70, 50
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


def balanced(truth, weights):
    """Weights under which both answers count alike: how frequent harm is in a set says nothing of a platform."""
    yes, no = weights[truth == 1].sum(), weights[truth == 0].sum()
    return weights * np.where(truth == 1, 0.5 / yes, 0.5 / no)


def curves(raw, labels, langs, neutral):
    """Curves by language for one label; rows are the validation split, neutral background left out."""
    known = (labels != UNKNOWN) & ~neutral
    found = {}
    languages, counts = np.unique(langs[known], return_counts=True)
    each = dict(zip(languages, counts))
    weights = np.array([1.0 / max(each.get(lang, 1), 100) for lang in langs])
    truth = (labels == 1).astype(np.float64)
    for lang in languages:
        mine = known & (langs == lang)
        yes = int(truth[mine].sum())
        if mine.sum() >= LEAST_ROWS and min(yes, mine.sum() - yes) >= LEAST_EACH:
            found[str(lang)] = fit_curve(raw[mine], truth[mine], balanced(truth[mine], np.ones(mine.sum())))
    both = known if truth[known].min() < truth[known].max() else labels != UNKNOWN
    found[ANY] = fit_curve(raw[both], truth[both], balanced(truth[both], weights[both]))
    return found


def thresholds(scores, labels, langs, neutral):
    """The score over which at most 1 % of a language's neutral posts and 5 % of its harmless ones lie."""

    def bound(rows, share):
        if rows.sum() == 0:
            return 0.5
        over = np.sort(scores[rows])[::-1]
        return float(over[int(share * len(over))]) + 0.001

    found = {ANY: max(bound(neutral, POOLED_SHARE), 0.5)}
    for lang in np.unique(langs[neutral]):
        mine = langs == lang
        harmless = mine & ~neutral & (labels == 0)
        found[str(lang)] = max(bound(mine & neutral, BENIGN_SHARE), bound(harmless, NEGATIVE_SHARE), 0.5)
        if harmless.sum() < LEAST_ROWS:  # too few posts to trust a bound of its own alone
            found[str(lang)] = max(found[str(lang)], found[ANY])
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
