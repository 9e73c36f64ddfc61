"""Bands: from which score of the core model on a second opinion is asked."""

import numpy as np

ASKED = 0.008      # of decent posts, all bands together; the promise is 0.01
STEPS = 40
THIN = 0.002       # of decent posts, for a category with too few harmful ones to choose by
SPARE = 0.0002     # share of the decent posts that a step may cost before its cost counts


def choose(core, benign, harmful, labels, thin):
    """{label: [low, 1.0]}: the lows that ask for the most harmful posts, with at most `ASKED` of the decent.

    `core` [rows, labels] are calibrated scores of the core model; `benign` are weights that sum to 1. Labels in
    `thin` have too few harmful posts here: each may ask for `THIN` of the decent. Of the others one after the
    other gives way: what costs the fewest decent posts for the harmful ones that it wins is lowered first.
    """
    lows, fixed = {}, np.zeros(len(core), bool)
    for label in thin:
        scores = core[:, labels.index(label)]
        lows[label] = lowest(scores, benign)
        fixed |= scores >= lows[label]
    core = core[:, [i for i, label in enumerate(labels) if label not in thin]]
    labels = [label for label in labels if label not in thin]
    grid = {label: np.unique(np.round(np.quantile(core[:, i], np.linspace(0.3, 0.9995, 4 * STEPS)), 3))[::-1]
            for i, label in enumerate(labels)}
    at = {label: 0 for label in labels}

    def asked(places):
        over = fixed.copy()
        for i, label in enumerate(labels):
            low = 1.001 if places[label] == 0 else grid[label][min(places[label], len(grid[label]) - 1)]
            over |= core[:, i] >= low
        return over

    while True:
        now = asked(at)
        best = None
        for label in labels:
            for step in (1, 3, 8):
                trial = at | {label: at[label] + step}
                if trial[label] >= len(grid[label]):
                    continue
                then = asked(trial)
                if benign[then].sum() > ASKED:
                    continue
                gain = (then & harmful).sum() - (now & harmful).sum()
                cost = benign[then].sum() - benign[now].sum()
                worth = gain / (cost + SPARE)
                if gain > 0 and (best is None or worth > best[0]):
                    best = (worth, trial)
        if best is None:
            break
        at = best[1]
    # A category without a band would stand firm, and its verdict keep the others from being asked about.
    for label in [label for label in labels if at[label] == 0]:
        while at[label] + 1 < len(grid[label]) and benign[asked(at | {label: at[label] + 1})].sum() <= ASKED + THIN:
            at[label] += 1
    for label in labels:
        if at[label]:
            lows[label] = float(grid[label][at[label]])
    return {label: [round(low, 3), 1.0] for label, low in lows.items() if low <= 1.0}


def lowest(scores, benign):
    """The lowest score that at most `THIN` of the decent posts reach."""
    order = np.argsort(-scores, kind="stable")
    over = np.cumsum(benign[order]) > THIN
    return round(float(scores[order][np.argmax(over)]) + 0.001, 3) if over.any() else 0.0
