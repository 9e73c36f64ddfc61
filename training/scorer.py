"""Scores texts with the exported files, as the Rust side does: windows, highest raw output by label."""

import numpy as np
import onnxruntime

from . import vocabulary

BATCH = 64


class Scorer:
    def __init__(self, folder, encoder):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options,
                                                    providers=["CPUExecutionProvider"])
        self.known = np.frombuffer((folder / "ngrams.bin").read_bytes(), "<u4")
        self.encoder = encoder

    def ids(self, texts):
        """(ids, offsets, owners) of all windows."""
        hashes, offsets, owners = self.encoder.encode(texts)
        ids, offsets = vocabulary.number(self.known, hashes, offsets)
        return ids, offsets, owners

    def raw(self, texts):
        """The highest raw output of each text, label by label."""
        ids, offsets, owners = self.ids(texts)
        lengths = np.diff(offsets)
        order = np.argsort(lengths, kind="stable")
        out = None
        for first in range(0, len(order), BATCH):
            chosen = order[first : first + BATCH]
            padded = np.zeros((max(len(chosen), 2), max(int(lengths[chosen].max()), 1)), np.int32)
            for row, window in enumerate(chosen):
                padded[row, : lengths[window]] = ids[offsets[window] : offsets[window + 1]]
            scores = self.session.run(None, {"ids": padded})[0][: len(chosen)]
            if out is None:
                out = np.zeros((len(texts), scores.shape[1]), np.float32)
            np.maximum.at(out, owners[chosen], scores)
        return out
