"""Writes the network as ONNX with an 8-bit table, and the vocabulary.

The table is summed and maximised as whole numbers, which floats hold exactly, and its scales are folded
into the matrices behind it: a text's score cannot depend on padding or on the order of additions.
"""

import hashlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 18, 9


def quantise(table):
    """int8 rows and one scale a column, chosen for the least squared error."""
    scales = np.empty(table.shape[1], np.float32)
    for column in range(table.shape[1]):
        values = table[1:, column]
        top = np.abs(values).max()
        errors = []
        for part in np.linspace(0.15, 1.0, 18):
            scale = top * part / 127
            rounded = np.clip(np.round(values / scale), -127, 127) * scale
            errors.append((float(((values - rounded) ** 2).sum()), scale))
        scales[column] = min(errors)[1]
    rows = np.clip(np.round(table / scales), -127, 127).astype(np.int8)
    rows[0] = 0
    return rows, scales


def columns(dense, kept):
    """The dense part with only the kept labels."""
    return {**dense, "v": dense["v"][:, kept], "u": dense["u"][:, kept], "c": dense["c"][kept]}


def graph(rows, scales, dense):
    """The ONNX model: `ids` int32 [windows, n-grams] to `scores` float32 [windows, labels]."""
    both = np.concatenate([scales, scales]).astype(np.float32)[:, None]
    constants = {
        "table": rows, "axis": np.array([1], np.int64), "one": np.array(1.0, np.float32),
        "w": dense["w"] * both, "b": dense["b"], "v": dense["v"], "u": dense["u"] * both, "c": dense["c"],
    }
    node = helper.make_node
    nodes = [
        node("Gather", ["table", "ids"], ["small"]),
        node("Cast", ["small"], ["rows"], to=TensorProto.FLOAT),
        node("ReduceSum", ["rows", "axis"], ["sum"], keepdims=0),
        node("ReduceMax", ["rows", "axis"], ["highest"], keepdims=0),
        node("Relu", ["highest"], ["max"]),
        node("Cast", ["ids"], ["known"], to=TensorProto.BOOL),
        node("Cast", ["known"], ["ones"], to=TensorProto.FLOAT),
        node("ReduceSum", ["ones", "axis"], ["count"], keepdims=1),
        node("Max", ["count", "one"], ["atleast"]),
        node("Sqrt", ["atleast"], ["root"]),
        node("Div", ["sum", "root"], ["mean"]),
        node("Concat", ["mean", "max"], ["pooled"], axis=1),
        node("Gemm", ["pooled", "w", "b"], ["inner"]),
        node("Relu", ["inner"], ["hidden"]),
        node("Gemm", ["hidden", "v", "c"], ["deep"]),
        node("MatMul", ["pooled", "u"], ["wide"]),
        node("Add", ["deep", "wide"], ["logits"]),
        node("Sigmoid", ["logits"], ["scores"]),
    ]
    described = helper.make_graph(
        nodes, "hashed_ngrams",
        [helper.make_tensor_value_info("ids", TensorProto.INT32, ["windows", "ngrams"])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["windows", dense["v"].shape[1]])],
        [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()])
    model = helper.make_model(described, opset_imports=[helper.make_opsetid("", OPSET)],
                              ir_version=IR_VERSION, producer_name="tidegate-training")
    onnx.checker.check_model(model)
    return model


def write(folder, state, kept):
    """Writes `model.onnx` and `ngrams.bin`; returns their SHA-256."""
    rows, scales = quantise(state["table"])
    content = {
        "model.onnx": graph(rows, scales, columns(state["dense"], kept)).SerializeToString(),
        "ngrams.bin": state["vocabulary"].astype("<u4").tobytes(),
    }
    for name, data in content.items():
        (folder / name).write_bytes(data)
    return {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
