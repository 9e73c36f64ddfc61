"""The tokenizer of an encoder, taught the signs that it reads as unknown.

BERT vocabularies know hardly any emoji, and a word with one glued to it becomes one unknown token. Here each
emoji is split off and has a token of its own, which starts as the mean of the words of its Unicode name.
"""

import json
import unicodedata

import numpy as np
from tokenizers import Tokenizer

_RANGES = [(0x2600, 0x27BF), (0x2B00, 0x2BFF), (0x1F300, 0x1FAFF)]
_PATTERN = r"[\x{2600}-\x{27BF}\x{2B00}-\x{2BFF}\x{1F000}-\x{1FAFF}]"


def extended(text):
    """(`tokenizer.json` with emoji, ids of the name's words for each new token, in order)."""
    described = json.loads(text)
    described["truncation"] = described["padding"] = None
    plain = Tokenizer.from_str(json.dumps(described))
    vocabulary = described["model"]["vocab"]
    size, named = len(vocabulary), []
    for first, last in _RANGES:
        for point in range(first, last + 1):
            sign = chr(point)
            name = unicodedata.name(sign, "")
            if not name or sign in vocabulary or unicodedata.category(sign) != "So":
                continue
            ids = plain.encode(name.lower().replace("-", " "), add_special_tokens=False).ids
            if ids:
                vocabulary[sign] = size + len(named)
                named.append(ids)
    described["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": _PATTERN}, "behavior": "Isolated", "invert": False},
        described["pre_tokenizer"]]}
    return json.dumps(described, ensure_ascii=False, separators=(",", ":")), named


def extra_rows(named, words):
    """The first rows of the new tokens."""
    return np.stack([words[ids].mean(0) for ids in named]).astype(np.float32)


def encoded(tokenizer, texts, longest):
    """Token ids of each text with the special tokens, at most `longest`; the end is cut."""
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    return [np.array(one.ids, np.int32) for one in tokenizer.encode_batch(texts)]
