"""The `hashed_ngrams` encoder, the script's side of it.

The specification is the header of `src/classify/encode.rs`; this file repeats
its arithmetic, and `models/core/golden.jsonl` holds the two together.
"""

from dataclasses import asdict, dataclass

import numba
import numpy as np

SPACE, SIGN, HAN, BRAHMIC, HANGUL, WORD = range(6)

_SPACES = [
    (0x00, 0x20), (0x7F, 0xA0), (0x1680, 0x1680), (0x2000, 0x200F), (0x2028, 0x202F),
    (0x205F, 0x206F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
]
_SIGNS = [
    (0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E), (0xA1, 0xA9), (0xAB, 0xB4),
    (0xB6, 0xB9), (0xBB, 0xBF), (0xD7, 0xD7), (0xF7, 0xF7), (0x0589, 0x058A),
    (0x05BE, 0x05BE), (0x05F3, 0x05F4), (0x060C, 0x060D), (0x061B, 0x061F), (0x066A, 0x066D),
    (0x06D4, 0x06D4), (0x0964, 0x0965), (0x1362, 0x1368), (0x2010, 0x2027), (0x2030, 0x205E),
    (0x20A0, 0x20CF), (0x2100, 0x2BFF), (0x3001, 0x3004), (0x3006, 0x303F), (0xFE10, 0xFE6F),
    (0xFF00, 0xFF65), (0xFFE0, 0xFFFD), (0x1F000, 0x1FAFF),
]
_HAN = [
    (0x2E80, 0x2FDF), (0x3005, 0x3005), (0x3040, 0x30FF), (0x3100, 0x312F), (0x31A0, 0x31FF),
    (0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF),
]
_BRAHMIC = [(0x0E00, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F)]
_HANGUL = [(0x1100, 0x11FF), (0x3131, 0x318E), (0xA960, 0xA97F), (0xAC00, 0xD7FF)]


def class_table():
    """One byte for each code point below 0x40000; all above are WORD."""
    table = np.full(0x40000, WORD, np.uint8)
    for ranges, kind in [(_SPACES, SPACE), (_SIGNS, SIGN), (_HAN, HAN), (_BRAHMIC, BRAHMIC), (_HANGUL, HANGUL)]:
        for first, last in ranges:
            table[first : last + 1] = kind
    return table


CLASSES = class_table()


@dataclass(frozen=True)
class Encoder:
    """Parameters of the encoder, written into `model.yaml` as they stand."""

    word_sizes: tuple = (3, 4, 5)
    han_sizes: tuple = (1, 2, 3)
    brahmic_sizes: tuple = (2, 3, 4)
    hangul_sizes: tuple = (1, 2, 3)
    window: int = 400
    windows: int = 8

    def parameters(self):
        return asdict(self)

    def encode(self, texts):
        """The n-gram hashes of many windows: (flat uint32 hashes, int64 offsets, owner of each window)."""
        pieces, owners = [], []
        for number, text in enumerate(texts):
            for piece in self.cut(text):
                pieces.append(piece)
                owners.append(number)
        points = np.frombuffer("".join(pieces).encode("utf-32-le", "surrogatepass"), np.uint32)
        ends = np.cumsum([len(piece) for piece in pieces], dtype=np.int64)
        ids, offsets = _encode_all(
            points, ends, CLASSES, _mask(self.word_sizes),
            _mask(self.han_sizes), _mask(self.brahmic_sizes), _mask(self.hangul_sizes),
        )
        return ids, offsets, np.array(owners, np.int64)

    def cut(self, text):
        """Windows of `window` code points; `windows` of them evenly spread when there are more."""
        if len(text) <= self.window:
            return [text]
        count = -(-len(text) // self.window)
        kept = min(count, self.windows)
        chosen = [i * (count - 1) // (kept - 1) for i in range(kept)]
        return [text[i * self.window : (i + 1) * self.window] for i in chosen]


def _mask(sizes):
    return np.uint64(sum(1 << size for size in sizes))


@numba.njit(cache=True)
def _finish(h):
    h ^= h >> np.uint64(29)
    h *= np.uint64(0xBF58476D1CE4E5B9)
    h ^= h >> np.uint64(32)
    return np.uint32(h & np.uint64(0xFFFFFFFF))


@numba.njit(cache=True)
def _step(h, c):
    return (h ^ c) * np.uint64(0x9E3779B97F4A7C15)


@numba.njit(cache=True)
def _grams(points, first, last, mask, h0, out, n):
    top = np.int64(0)
    for size in range(1, 9):
        if (mask >> np.uint64(size)) & np.uint64(1):
            top = size
    for start in range(first, last):
        h = h0
        for size in range(1, min(top, last - start) + 1):
            h = _step(h, np.uint64(points[start + size - 1]))
            if (mask >> np.uint64(size)) & np.uint64(1):
                out[n] = _finish(h)
                n += 1
    return n


@numba.njit(cache=True)
def _encode_one(points, classes, word, han, brahmic, hangul, out):
    n = 0
    at = 0
    length = len(points)
    padded = np.empty(length + 2, np.uint32)
    previous = np.uint64(0)
    paired = False
    while at < length:
        point = points[at]
        kind = classes[point] if point < 0x40000 else WORD
        end = at + 1
        if kind == SPACE:
            at = end
            continue
        if kind != SIGN:
            while end < length:
                p = points[end]
                if (classes[p] if p < 0x40000 else WORD) != kind:
                    break
                end += 1
        if kind == HAN:
            n = _grams(points, at, end, han, np.uint64(0x68), out, n)
            paired = False
        elif kind == BRAHMIC:
            n = _grams(points, at, end, brahmic, np.uint64(0x62), out, n)
            paired = False
        else:
            h = np.uint64(0x77)
            for i in range(at, end):
                h = _step(h, np.uint64(points[i]))
            out[n] = _finish(h)
            n += 1
            if paired:
                out[n] = _finish(_step(h, previous))
                n += 1
            previous = h ^ (h >> np.uint64(31))
            paired = True
            if kind != SIGN:
                sizes = word if kind == WORD else hangul
                padded[0] = 1
                padded[1 : end - at + 1] = points[at:end]
                padded[end - at + 1] = 2
                n = _grams(padded, 0, end - at + 2, sizes, np.uint64(0x67), out, n)
        at = end
    return n


@numba.njit(cache=True)
def _encode_all(points, ends, classes, word, han, brahmic, hangul):
    offsets = np.zeros(len(ends) + 1, np.int64)
    capacity = 64
    for i in range(len(ends)):
        capacity = max(capacity, ends[i] - (ends[i - 1] if i else 0))
    scratch = np.empty(capacity * 12 + 64, np.uint32)
    total = 0
    flat = np.empty(max(len(points) * 4, 1024), np.uint32)
    for i in range(len(ends)):
        first = ends[i - 1] if i else 0
        n = _encode_one(points[first : ends[i]], classes, word, han, brahmic, hangul, scratch)
        if total + n > len(flat):
            grown = np.empty(max(len(flat) * 2, total + n), np.uint32)
            grown[:total] = flat[:total]
            flat = grown
        flat[total : total + n] = scratch[:n]
        total += n
        offsets[i + 1] = total
    return flat[:total].copy(), offsets
