"""Standard views of texts.

The true ones come out of the Tidegate binary; `approximate` stands in for
experiments without it and is never used for a model that ships.
"""

import json
import subprocess
import unicodedata

_DROP = dict.fromkeys(
    [0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFEFF, 0xFFA0]
    + list(range(0x180B, 0x1810)) + list(range(0x200B, 0x2010)) + list(range(0x202A, 0x202F))
    + list(range(0x2060, 0x2070)) + list(range(0xFE00, 0xFE10)) + list(range(0xE0000, 0xE1000))
)


def approximate(texts):
    fold, normal = str.casefold, unicodedata.normalize
    return [normal("NFKC", fold(normal("NFKC", text))).translate(_DROP) for text in texts]


def standard(texts, tidegate=None):
    """The views that the binary gives, or approximate ones without it."""
    if tidegate is None:
        return approximate(texts)
    posts = "".join(json.dumps({"id": str(i), "text": text}) + "\n" for i, text in enumerate(texts))
    done = subprocess.run([tidegate, "model", "encode"], input=posts.encode(), stdout=subprocess.PIPE, check=True)
    views = [json.loads(line)["text"] for line in done.stdout.decode().splitlines()]
    if len(views) != len(texts):
        raise RuntimeError(f"{len(texts)} texts gave {len(views)} views")
    return views
