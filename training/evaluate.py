"""Measures a model folder through the Tidegate binary, so that what is measured is what ships."""

import json
import subprocess

import numpy as np

from .data import LABELS, UNKNOWN
from .measures import auc, average_precision, best_macro_f1, calibration_error, interval, macro_f1

# The figures of the yardstick (hashed character 1-4-grams, logistic regression): macro-F1 and AUC.
YARDSTICK = {
    "cold zh toxic": (.78, .87), "k-mhas ko toxic": (.71, .84), "vihos vi toxic": (.79, .87),
    "germeval2018 de toxic": (.62, .67), "hatexplain en toxic": (.65, .75), "swsr zh hate": (.72, .84),
    "told-br pt toxic": (.68, .83), "hatecheck en hate": (.55, .63), "hatemojicheck en hate": (.57, .69),
    "mhc-open de hate": (.53, .64), "mhc-open fr hate": (.26, .55), "mhc-open it hate": (.25, .55),
    "mhc-open nl hate": (.30, .53), "mhc-open pl hate": (.26, .54), "apeach ko hate": (.65, .74),
    "openai-mod-open en hate": (.70, .84), "xhate999 en toxic": (.63, .73), "xhate999 de toxic": (.57, .70),
    "xhate999 ru toxic": (.45, .72), "xhate999 tr toxic": (.36, .59),
}


def scores(tidegate, folder, rows, offered):
    """Calibrated scores [rows, offered] and the language that each text was taken for."""
    posts = "".join(json.dumps({"id": str(i), "text": text}) + "\n" for i, text in enumerate(rows.raw_texts))
    done = subprocess.run([tidegate, "model", "score", "--model", str(folder)],
                          input=posts.encode(), stdout=subprocess.PIPE, check=True)
    lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
    if len(lines) != len(rows):
        raise RuntimeError(f"{len(rows)} texts gave {len(lines)} answers")
    values = np.array([[line["scores"][label] for label in offered] for line in lines])
    return values, np.array([line["language"] or "und" for line in lines])


def cut(thresholds, languages):
    """Each row's threshold: that of the language it was taken for, as a policy would."""
    return np.array([thresholds.get(lang, thresholds["und"]) for lang in languages])


def table(rows, values, languages, offered, thresholds):
    """One line of figures for each set, language and category with both answers."""
    found = {}
    keys = np.char.add(np.char.add(rows.sources.astype(str), " "), rows.langs.astype(str))
    for key in np.unique(keys):
        for column, label in enumerate(offered):
            labels = rows.labels[:, LABELS.index(label)]
            mine = (keys == key) & (labels != UNKNOWN)
            truth = labels[mine] == 1
            if min(truth.sum(), (~truth).sum()) < 20:
                continue
            score = values[mine, column]
            over = score >= cut(thresholds[label], languages[mine])
            line = {
                "rows": int(mine.sum()), "positive": int(truth.sum()),
                "auc": auc(truth, score), "auprc": average_precision(truth, score),
                "macro_f1": macro_f1(truth, score >= 0.5), "macro_f1_best": best_macro_f1(truth, score),
                "precision": float(truth[over].mean()) if over.any() else None,
                "recall": float(over[truth].mean()), "false_positive_rate": float(over[~truth].mean()),
                "calibration_error": calibration_error(truth, score),
            }
            line["auc_interval"] = interval(auc, truth, score)
            line["macro_f1_interval"] = interval(lambda t, p: macro_f1(t, p >= 0.5), truth, score)
            name = f"{key} {label}"
            line = {k: round(float(v), 4) if isinstance(v, (float, np.floating)) else v for k, v in line.items()}
            if name in YARDSTICK:
                line["yardstick_macro_f1"], line["yardstick_auc"] = YARDSTICK[name]
            found[name] = line
    return found


def benign(langs, values, languages, offered, thresholds):
    """Shares of decent posts over the thresholds, by language and in all, any category together too."""
    over = np.stack([values[:, c] >= cut(thresholds[label], languages) for c, label in enumerate(offered)], 1)
    half = values >= 0.5
    found = {}
    for lang in ["all", *np.unique(langs)]:
        mine = np.ones(len(langs), bool) if lang == "all" else langs == lang
        line = {"rows": int(mine.sum()), "any": round(float(over[mine].any(1).mean()), 4)}
        for column, label in enumerate(offered):
            line[label] = round(float(over[mine, column].mean()), 4)
            line[f"{label} at 0.5"] = round(float(half[mine, column].mean()), 4)
        found[str(lang)] = line
    return found
