"""Scores standard views with an exported model, as the Rust side does: windows, one inference each, highest output."""

import time

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

LONGEST, HALF = 20_000, 10_000  # code points of a text that are read: its first and its last half


class Scorer:
    def __init__(self, graph, tokenizer, window, windows, threads=1):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self.tokenizer = Tokenizer.from_str(tokenizer)
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.first, self.last = (self.tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]"))
        self.room, self.windows = window - 2, windows

    def ids(self, text):
        """Token ids of each window that is read."""
        if len(text) > LONGEST:
            text = text[:HALF] + "\n" + text[-HALF:]
        words = self.tokenizer.encode(text, add_special_tokens=False).ids
        count = max(1, -(-len(words) // self.room))
        kept = min(count, self.windows)
        places = [0] if kept == 1 else [i * (count - 1) // (kept - 1) for i in range(kept)]
        return [[self.first, *words[at * self.room : (at + 1) * self.room], self.last] for at in places]

    def logits(self, texts):
        """The highest logit of each label, text by text."""
        found = []
        for text in texts:
            best = None
            for window in self.ids(text):
                ids = np.array([window], np.int64)
                out = self.session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0]
                best = out if best is None else np.maximum(best, out)
            found.append(best)
        return np.array(found, np.float64)

    def milliseconds(self, tokens, times=100):
        """What one inference of so many tokens takes on one thread: the best of the tries, since other programs only add."""
        ids = np.random.default_rng(5).integers(1000, 20000, (1, tokens))
        took = []
        for _ in range(times):
            began = time.perf_counter()
            self.session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
            took.append(time.perf_counter() - began)
        return round(1000 * min(took), 2)
