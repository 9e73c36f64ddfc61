"""Rows that are made, not read: our own sentences, listed bad words in neutral sentences, and disguises.

They are trained on and never evaluated on; each has a source name of its own, so that weights and
reports can tell them apart.
"""

import gzip
import itertools
import json
from pathlib import Path

import numpy as np
import yaml

from .data import LABELS, UNKNOWN, Rows

# The data's names of languages that the lists call otherwise.
_LISTED = {"no": "nb", "fil": "tl"}
_LEET = str.maketrans({"a": "@", "e": "3", "i": "1", "o": "0", "s": "$"})


def _rows(texts, labels, langs, source):
    count = len(texts)
    return Rows(texts, np.array(labels, np.int8).reshape(count, len(LABELS)),
                np.zeros(count, bool), np.array(langs), np.full(count, source),
                np.full(count, "train"), [f"{source}-{i}" for i in range(count)])


def _labels(known, rest=UNKNOWN):
    return [known.get(label, rest) for label in LABELS]


def templates():
    """Every sentence of `templates.yaml`."""
    described = yaml.safe_load(Path(__file__).with_name("templates.yaml").read_text("utf-8"))
    texts, labels, langs = [], [], []

    def add(lang, text, values):
        texts.append(text)
        labels.append(values)
        langs.append(lang)

    hostile, decent = _labels({"toxic": 1, "hate": 1, "spam": 0, "sexual": 0}), _labels({}, 0)
    for lang, part in described["identity"].items():
        groups = [str(group).split("|") for group in part["groups"]]
        for frames, values in [(part["hostile"], hostile), (part["decent"], decent)]:
            for frame, (subject, thing) in itertools.product(frames, groups):
                add(lang, frame.format(s=subject, o=thing), values)
        for frame, thing in itertools.product(part["thing"], part["things"]):
            add(lang, frame.format(t=thing), decent)
    for label, part in described["plain"].items():
        toxic = {"toxic": 1} if part["toxic"] else {}
        for lang in part.keys() - {"toxic", "slots"}:
            slots = part[lang].get("slots", part.get("slots", {}))
            yes = _labels({label: 1, **toxic, "hate": 0})
            for frames, values in [(part[lang]["yes"], yes), (part[lang]["no"], decent)]:
                for frame in frames:
                    used = [key for key in slots if "{" + key + "}" in frame]
                    for filling in itertools.product(*(slots[key] for key in used)):
                        add(lang, frame.format(**dict(zip(used, filling))), values)
    order = sorted(range(len(texts)), key=lambda i: (langs[i], texts[i]))
    return _rows([texts[i] for i in order], [labels[i] for i in order],
                 [langs[i] for i in order], "templates")


def languages():
    """Languages that have sentences of our own, `sentences/<lang>.yaml`."""
    return sorted(place.stem for place in Path(__file__).with_name("sentences").glob("*.yaml"))


def sentences(lang, rng):
    """Rows of `sentences/<lang>.yaml`: each block gives so many random combinations of its parts."""
    place = Path(__file__).with_name("sentences") / f"{lang}.yaml"
    texts, labels = [], []
    for block in yaml.safe_load(place.read_text("utf-8")):
        values = _labels(block["labels"], block.get("rest", UNKNOWN))
        seen = set()
        for _ in range(block["rows"]):
            text = "".join(part[int(rng.integers(len(part)))] for part in block["parts"]).strip()
            if text not in seen:
                seen.add(text)
                texts.append(text)
                labels.append(values)
    made = _rows(texts, labels, [lang] * len(texts), "own-sentences")
    made.ids = [f"own-{lang}-{i}" for i in range(len(texts))]
    return made


def listed_words(folder, clean, each, rng):
    """Neutral sentences with a word of a published list put in, for languages with few labelled posts."""
    listed = {}
    with gzip.open(Path(folder) / "lexicon.terms.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            if row["source"].startswith("LDNOOBW"):
                lang = _LISTED.get(row["lang"], row["lang"])
                listed.setdefault(lang, []).append(row.get("term") or row["text"])
    texts, labels, langs = [], [], []
    values = _labels({"toxic": 1, "harassment/profanity": 1})
    for lang, words in sorted(listed.items()):
        pool = [clean.texts[i] for i in np.flatnonzero(clean.langs == lang) if len(clean.texts[i]) < 120]
        if not pool or lang in ("en", "zh", "ja", "th"):
            continue
        for number in range(each * len(words)):
            tokens = pool[rng.integers(len(pool))].split(" ")
            at = int(rng.integers(len(tokens) + 1))
            texts.append(" ".join(tokens[:at] + [words[number % len(words)]] + tokens[at:]))
            labels.append(values)
            langs.append(lang)
    return _rows(texts, labels, langs, "listed-words")


def disguised(rows, share, rng):
    """Copies of labelled rows with spelling tricks: leet, letters apart, repeated letters, case."""
    chosen = np.flatnonzero((rng.random(len(rows)) < share) & (rows.splits == "train") & ~rows.clean)
    copies = rows.take(np.isin(np.arange(len(rows)), chosen))
    copies.texts = [_disguise(text, rng) for text in copies.texts]
    copies.ids = [f"{name}-disguised" for name in copies.ids]
    return copies


def _disguise(text, rng):
    tokens = text.split(" ")
    if len(tokens) < 2:  # no spaces: Han and the like
        at = int(rng.integers(len(text) + 1))
        end = at + int(rng.integers(2, 6))
        sign = "  .*_-"[int(rng.integers(6))]
        return text[:at] + sign.join(text[at:end]) + text[end:]
    for at in np.flatnonzero(rng.random(len(tokens)) < 0.3):
        word = tokens[at]
        trick = int(rng.integers(4))
        if trick == 0:
            word = word.lower().translate(_LEET)
        elif trick == 1 and 3 <= len(word) <= 10:
            word = " .-"[int(rng.integers(3))].join(word)
        elif trick == 2 and len(word) > 2:
            spot = int(rng.integers(len(word)))
            word = word[:spot] + word[spot] * int(rng.integers(2, 5)) + word[spot + 1 :]
        elif trick == 3:
            word = word.upper()
        tokens[at] = word
    return " ".join(tokens)


def join(*parts):
    """All rows in one."""
    return Rows([text for part in parts for text in part.texts],
                np.concatenate([part.labels for part in parts]),
                np.concatenate([part.clean for part in parts]),
                np.concatenate([part.langs for part in parts]),
                np.concatenate([part.sources for part in parts]),
                np.concatenate([part.splits for part in parts]),
                [name for part in parts for name in part.ids])
