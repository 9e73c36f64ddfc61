"""Which n-grams the model knows: counting, choosing, numbering.

An n-gram outside the vocabulary has no id and is dropped, so that the many
rare ones neither cost a row of the table nor disturb the known ones.
"""

import numba
import numpy as np


def frequent(hashes, offsets, at_least):
    """Sorted hashes that occur in at least so many windows, and in how many they do."""
    counts = {}
    marked = _first_in_window(hashes, offsets)
    unique, counts = np.unique(hashes[marked], return_counts=True)
    keep = counts >= at_least
    return unique[keep], counts[keep]


def number(vocabulary, hashes, offsets):
    """Replaces hashes by 1-based ranks in the sorted vocabulary, dropping unknown ones."""
    found = np.searchsorted(vocabulary, hashes)
    found[found == len(vocabulary)] = 0
    known = vocabulary[found] == hashes
    running = np.concatenate([[0], np.cumsum(known)])
    return (found[known] + 1).astype(np.int32), running[offsets]


@numba.njit(cache=True)
def _first_in_window(hashes, offsets):
    marked = np.zeros(len(hashes), np.bool_)
    for w in range(len(offsets) - 1):
        first, last = offsets[w], offsets[w + 1]
        order = np.argsort(hashes[first:last])
        for k in range(last - first):
            i = first + order[k]
            marked[i] = k == 0 or hashes[first + order[k - 1]] != hashes[i]
    return marked
