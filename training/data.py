"""Reads the labelled posts: rows, masked labels, weights."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# The model's labels, in the order of its outputs, and the data's names for them.
LABELS = ["toxic", "hate", "harassment", "violence", "sexual", "self_harm",
          "illegal_goods", "spam", "harassment/profanity"]
_SOURCE_NAMES = {"violence": "threat_violence", "illegal_goods": "drugs_weapons",
                 "spam": "spam_scam", "harassment/profanity": "profanity"}
UNKNOWN = -1


@dataclass
class Rows:
    texts: list
    labels: np.ndarray  # int8 [rows, labels]: 0, 1 or UNKNOWN
    clean: np.ndarray   # bool: neutral background
    langs: np.ndarray
    sources: np.ndarray
    splits: np.ndarray
    ids: list

    def __len__(self):
        return len(self.texts)

    def take(self, mask):
        keep = np.flatnonzero(mask)
        return Rows([self.texts[i] for i in keep], self.labels[keep], self.clean[keep],
                    self.langs[keep], self.sources[keep], self.splits[keep],
                    [self.ids[i] for i in keep])


def read(folder, prefixes):
    """All rows of the files `<prefix>.*.jsonl.gz`, in file order."""
    texts, labels, clean, langs, sources, splits, ids = [], [], [], [], [], [], []
    names = [_SOURCE_NAMES.get(label, label) for label in LABELS]
    for prefix in prefixes:
        for path in sorted(Path(folder).glob(f"{prefix}.*.jsonl.gz")):
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                for line in lines:
                    row = json.loads(line)
                    given = row["labels"]
                    if given.get("clean"):
                        values = [0] * len(LABELS)
                    else:
                        values = [given.get(name, UNKNOWN) for name in names]
                    texts.append(row["text"])
                    labels.append(values)
                    clean.append(bool(given.get("clean")))
                    langs.append(row["lang"])
                    sources.append(row["source"])
                    splits.append(row["split"])
                    ids.append(row["id"])
    return Rows(texts, np.array(labels, np.int8), np.array(clean), np.array(langs),
                np.array(sources), np.array(splits), ids)
