"""A small BERT encoder with a head of independent categories, in torch. It knows nothing of files or labels."""

import torch
from torch import nn
from torch.nn import functional

EPSILON = 1e-12
_LAYER = {"attention.output.dense": "mixed", "attention.output.LayerNorm": "norm1",
          "intermediate.dense": "wide", "output.dense": "narrow", "output.LayerNorm": "norm2"}


class Layer(nn.Module):
    def __init__(self, size, inner, heads, dropout):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.joint = nn.Linear(size, 3 * size)  # query, key, value
        self.mixed = nn.Linear(size, size)
        self.norm1 = nn.LayerNorm(size, EPSILON)
        self.wide = nn.Linear(size, inner)
        self.narrow = nn.Linear(inner, size)
        self.norm2 = nn.LayerNorm(size, EPSILON)

    def forward(self, x, mask):
        rows, tokens, size = x.shape
        parts = self.joint(x).view(rows, tokens, 3, self.heads, size // self.heads).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(parts[0], parts[1], parts[2], attn_mask=mask)
        seen = self.mixed(seen.transpose(1, 2).reshape(rows, tokens, size))
        x = self.norm1(x + functional.dropout(seen, self.dropout, self.training))
        deep = self.narrow(functional.gelu(self.wide(x)))
        return self.norm2(x + functional.dropout(deep, self.dropout, self.training))


class Network(nn.Module):
    """`ids` and `mask` [rows, tokens] to logits [rows, labels]."""

    def __init__(self, vocabulary, size, inner, layers, heads, positions, labels, pooling, dropout=0.1):
        super().__init__()
        self.pooling, self.dropout = pooling, dropout
        self.words = nn.Embedding(vocabulary, size, sparse=True)
        self.places = nn.Parameter(torch.zeros(positions, size))
        self.norm = nn.LayerNorm(size, EPSILON)
        self.layers = nn.ModuleList(Layer(size, inner, heads, dropout) for _ in range(layers))
        self.head = nn.Linear(size, size)
        self.out = nn.Linear(size, labels)

    def forward(self, ids, mask):
        x = self.norm(self.words(ids) + self.places[: ids.shape[1]])
        x = functional.dropout(x, self.dropout, self.training)
        seen = torch.zeros(mask.shape, dtype=x.dtype).masked_fill(mask == 0, -1e9)[:, None, None, :]
        for layer in self.layers:
            x = layer(x, seen)
        if self.pooling == "cls":
            pooled = x[:, 0]
        else:
            share = mask.to(x.dtype)[:, :, None]
            pooled = (x * share).sum(1) / share.sum(1)
        pooled = functional.dropout(functional.gelu(self.head(pooled)), self.dropout, self.training)
        return self.out(pooled)


def load(base, weights, extra_words, labels):
    """The network with an encoder's weights, `extra_words` being rows for words that it did not know."""
    words = torch.cat([torch.from_numpy(weights["embeddings.word_embeddings.weight"]), extra_words])
    places = torch.from_numpy(weights["embeddings.position_embeddings.weight"]
                              + weights["embeddings.token_type_embeddings.weight"][0])
    inner = weights["encoder.layer.0.intermediate.dense.weight"].shape[1]
    network = Network(len(words), words.shape[1], inner, base.layers, base.heads, len(places), labels, base.pooling)
    state = network.state_dict()
    state |= {"words.weight": words, "places": places}
    for ending in ("weight", "bias"):
        state[f"norm.{ending}"] = torch.from_numpy(weights[f"embeddings.LayerNorm.{ending}"])
    for number in range(base.layers):
        old, new = f"encoder.layer.{number}.", f"layers.{number}."
        three = [weights[f"{old}attention.self.{part}.weight"].T for part in ("query", "key", "value")]
        state[new + "joint.weight"] = torch.cat([torch.from_numpy(part.copy()) for part in three])
        state[new + "joint.bias"] = torch.cat([
            torch.from_numpy(weights[f"{old}attention.self.{part}.bias"]) for part in ("query", "key", "value")])
        for theirs, ours in _LAYER.items():
            matrix = weights[f"{old}{theirs}.weight"]
            state[f"{new}{ours}.weight"] = torch.from_numpy(matrix.T.copy() if matrix.ndim == 2 else matrix)
            state[f"{new}{ours}.bias"] = torch.from_numpy(weights[f"{old}{theirs}.bias"])
    network.load_state_dict(state)
    return network
