"""Writes a trained network as ONNX with 8-bit weights, operators of the standard alone.

Matrices are 8-bit with one scale a column, multiplied as whole numbers with activations that are quantised as
they come (`DynamicQuantizeLinear`): a scale over the whole tensor, so a text is run alone, without neighbours or
padding, and its scores depend on nothing else. Weights span 7 of the 8 bits, since processors without VNNI add two
products in 16 bits and would overflow. The word table is 8-bit with one scale a row.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 20, 10
SPAN = 63  # 255 * 63 * 2 < 2^15


class Graph:
    """Nodes and constants under fresh names."""

    def __init__(self):
        self.nodes, self.constants, self.count = [], [], 0

    def constant(self, value):
        self.count += 1
        name = f"c{self.count}"
        self.constants.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def add(self, kind, *inputs, outputs=1, **attributes):
        inputs = [one if isinstance(one, str) else self.constant(one) for one in inputs]
        self.count += 1
        names = [f"n{self.count}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def product(self, x, matrix, bias):
        """x · matrix + bias, as whole numbers."""
        whole, scales = by_column(matrix)
        small, scale, zero = self.add("DynamicQuantizeLinear", x, outputs=3)
        sums = self.add("MatMulInteger", small, whole, zero, np.zeros((), np.int8))
        sums = self.add("Cast", sums, to=TensorProto.FLOAT)
        return self.add("Add", self.add("Mul", sums, self.add("Mul", scale, scales)), bias)

    def plain(self, x, matrix, bias):
        return self.add("Add", self.add("MatMul", x, matrix), bias)

    def norm(self, x, weight, bias, epsilon):
        return self.add("LayerNormalization", x, weight, bias, axis=-1, epsilon=epsilon)


def by_column(matrix):
    """int8 matrix [in, out] and float32 scales [out]."""
    scales = np.maximum(np.abs(matrix).max(0), 1e-8) / SPAN
    return np.clip(np.round(matrix / scales), -SPAN, SPAN).astype(np.int8), scales.astype(np.float32)


def by_row(table):
    """int8 table [words, size] and float32 scales [words, 1]."""
    scales = np.maximum(np.abs(table).max(1, keepdims=True), 1e-8) / 127
    return np.round(table / scales).astype(np.int8), scales.astype(np.float32)


def model(state, shape, kept, quantised=True, epsilon=1e-12):
    """The ONNX model: `input_ids`, `attention_mask` int64 [rows, tokens] to `logits` [rows, kept labels]."""
    weights = {name: value.cpu().numpy().astype(np.float32) for name, value in state.items()}
    graph = Graph()
    product = graph.product if quantised else graph.plain
    x = embedded(graph, weights, quantised)
    x = graph.norm(x, weights["norm.weight"], weights["norm.bias"], epsilon)
    mask = graph.add("Cast", "attention_mask", to=TensorProto.FLOAT)
    unseen = graph.add("Mul", graph.add("Sub", np.float32(1), mask), np.float32(-1e4))
    unseen = graph.add("Unsqueeze", unseen, np.array([1, 2], np.int64))
    for number in range(shape["layers"]):
        own = {name.removeprefix(f"layers.{number}."): value for name, value in weights.items()
               if name.startswith(f"layers.{number}.")}
        x = layer(graph, product, x, unseen, own, shape, epsilon)
    if shape["pooling"] == "cls":
        pooled = graph.add("Gather", x, np.array(0, np.int64), axis=1)
    else:
        share = graph.add("Unsqueeze", mask, np.array([2], np.int64))
        sums = graph.add("ReduceSum", graph.add("Mul", x, share), np.array([1], np.int64), keepdims=0)
        pooled = graph.add("Div", sums, graph.add("ReduceSum", share, np.array([1], np.int64), keepdims=0))
    hidden = graph.add("Gelu", graph.plain(pooled, weights["head.weight"].T, weights["head.bias"]))
    logits = graph.plain(hidden, weights["out.weight"].T[:, kept], weights["out.bias"][kept])
    graph.nodes.append(helper.make_node("Identity", [logits], ["logits"]))
    return finished(graph, len(kept))


def embedded(graph, weights, quantised):
    if quantised:
        table, scales = by_row(weights["words.weight"])
        rows = graph.add("Cast", graph.add("Gather", table, "input_ids"), to=TensorProto.FLOAT)
        words = graph.add("Mul", rows, graph.add("Gather", scales, "input_ids"))
    else:
        words = graph.add("Gather", weights["words.weight"], "input_ids")
    length = graph.add("Shape", "input_ids", start=1, end=2)
    places = graph.add("Slice", weights["places"], np.array([0], np.int64), length, np.array([0], np.int64))
    return graph.add("Add", words, places)


def layer(graph, product, x, unseen, own, shape, epsilon):
    heads, size = shape["heads"], shape["size"]
    joint = product(x, own["joint.weight"].T, own["joint.bias"])
    apart = graph.add("Reshape", joint, np.array([0, 0, 3 * heads, size // heads], np.int64))
    apart = graph.add("Transpose", apart, perm=[0, 2, 1, 3])
    query, key, value = graph.add("Split", apart, np.array([heads] * 3, np.int64), outputs=3, axis=1)
    turned = graph.add("Transpose", key, perm=[0, 1, 3, 2])
    scores = graph.add("Mul", graph.add("MatMul", query, turned), np.float32((size // heads) ** -0.5))
    shares = graph.add("Softmax", graph.add("Add", scores, unseen), axis=-1)
    seen = graph.add("Transpose", graph.add("MatMul", shares, value), perm=[0, 2, 1, 3])
    seen = graph.add("Reshape", seen, np.array([0, 0, size], np.int64))
    seen = product(seen, own["mixed.weight"].T, own["mixed.bias"])
    x = graph.norm(graph.add("Add", x, seen), own["norm1.weight"], own["norm1.bias"], epsilon)
    deep = graph.add("Gelu", product(x, own["wide.weight"].T, own["wide.bias"]))
    deep = product(deep, own["narrow.weight"].T, own["narrow.bias"])
    return graph.norm(graph.add("Add", x, deep), own["norm2.weight"], own["norm2.bias"], epsilon)


def finished(graph, labels):
    kinds = [("input_ids", TensorProto.INT64), ("attention_mask", TensorProto.INT64)]
    described = helper.make_graph(
        graph.nodes, "second_opinion",
        [helper.make_tensor_value_info(name, kind, ["rows", "tokens"]) for name, kind in kinds],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["rows", labels])], graph.constants)
    done = helper.make_model(described, opset_imports=[helper.make_opsetid("", OPSET)],
                             ir_version=IR_VERSION, producer_name="tidegate-training")
    onnx.checker.check_model(done)
    return done
