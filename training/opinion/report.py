"""The card and the report of a second opinion, written from what was measured."""

import json
from pathlib import Path

from . import base

NAMES = {"zh": "Chinese", "en": "English"}


def report(found, manifest):
    """`REPORT.md`."""
    lang = manifest["name"]
    lines = [
        f"# Report: {lang} {manifest['version']}", "",
        f"Every {NAMES[lang]} post of the test splits and of evaluation-only sets, scored by this model alone "
        + ("through" if found["scored_by"] == "binary" else "with"),
        ("the Tidegate binary (`tidegate model score`)" if found["scored_by"] == "binary" else "`training/opinion/scorer.py`")
        + ": the cascade asks it about a part of them, `make evaluate` measures",
        "that. F1 is macro-F1 at a score of 0.5 and at the best single threshold of the set; precision, recall and FPR",
        "(false positives) are at the manifest's thresholds; ECE is the expected calibration error in ten bins, both",
        "answers weighted alike. Brackets: 95 % of 200 bootstrap resamples. Yardstick: hashed character 1-4-grams with",
        "logistic regression (macro-F1 at 0.5 / AUC).", "",
        "| set | rows | positive | AUC | AUPRC | F1 | best F1 | precision | recall | FPR | ECE | yardstick |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, line in found["sets"].items():
        yardstick = f"{line['yardstick_macro_f1']:.2f} / {line['yardstick_auc']:.2f}" if "yardstick_auc" in line else "–"
        precision = "–" if line["precision"] is None else f"{line['precision']:.2f}"
        lines.append(
            f"| {name} | {line['rows']} | {line['positive']} | {line['auc']:.3f} {span(line['auc_interval'])} "
            f"| {line['auprc']:.3f} | {line['macro_f1']:.3f} {span(line['macro_f1_interval'])} "
            f"| {line['macro_f1_best']:.3f} | {precision} | {line['recall']:.2f} "
            f"| {line['false_positive_rate']:.3f} | {line['calibration_error']:.2f} | {yardstick} |")
    lines += decent(found, manifest) + bands(found, manifest) + groups(found)
    lines += kinds(found) + evasion(found) + quantising(found)
    return "\n".join(lines)


def span(two):
    return f"[{two[0]:.2f}, {two[1]:.2f}]"


def number(value, digits=3):
    return "–" if value is None else f"{value:.{digits}f}"


def decent(found, manifest):
    labels = manifest["labels"]
    lines = ["", "## Decent posts over a threshold", "", "| set | rows | any | " + " | ".join(labels) + " |",
             "|---|---|---|" + "---|" * len(labels)]
    for name, line in found["benign"].items():
        shares = " | ".join(f"{line[label]:.3f}" for label in labels)
        lines.append(f"| {name} | {line['rows']} | {line['any']:.3f} | {shares} |")
    return lines


def bands(found, manifest):
    lines = ["", "## How often it is asked", "",
             "Bands of the core model's score: " + "; ".join(f"{label} {low} to {high}" for label, (low, high)
                                                         in manifest["bands"].items()) + ".",
             "Share of held-out posts inside one of them (whether an answer could change a verdict comes on top):", "",
             "| posts | share |", "|---|---|"]
    for name, value in found["asked"].items():
        lines.append(f"| {name} | {number(value)} |")
    return lines


def groups(found):
    lines = ["", "## Naming a group", "",
             "False positives among posts that annotators let pass, by the group that they name (told by words; a post",
             "may name several). What is above the last line of a block is what naming the group costs.", ""]
    for where, by_label in found["groups"].items():
        for label, by_group in by_label.items():
            lines += [f"{where}, {label}:", "", "| group | rows | over the threshold | over 0.5 |", "|---|---|---|---|"]
            for name, line in by_group.items():
                lines.append(f"| {name} | {line['rows']} | {number(line['over'])} | {number(line['over_at_half'])} |")
            lines.append("")
    return lines


def kinds(found):
    if not found["kinds"]:
        return []
    lines = ["## Functional tests by kind of sentence", "",
             "The files that these sets were read from do not name the functionality of a row, so kinds are told by",
             "surface: what a sentence contains. Recall and false positives at 0.5.", ""]
    for name, by_kind in found["kinds"].items():
        lines += [f"{name}:", "", "| a sentence that … | hateful | harmless | AUC | recall | false positives |",
                  "|---|---|---|---|---|---|"]
        for kind, line in by_kind.items():
            lines.append(f"| {kind} | {line['hateful']} | {line['harmless']} | {line['auc']:.3f} "
                         f"| {number(line['recall_at_half'], 2)} | {number(line['false_positives_at_half'], 2)} |")
        lines.append("")
    return lines


def evasion(found):
    lines = ["## What disguised spelling costs", "",
             "The same posts with leet, letters apart, repeated letters or capitals in a third of the words (Chinese:",
             "signs between characters), before the matcher's own views undo anything.", "",
             "| set | spelling | rows | AUC | F1 at 0.5 | recall at 0.5 |", "|---|---|---|---|---|---|"]
    for name, by in found["evasion"].items():
        for spelling, line in by.items():
            lines.append(f"| {name} | {spelling} | {line['rows']} | {line['auc']:.3f} | {line['macro_f1']:.3f} "
                         f"| {number(line['recall_at_half'], 2)} |")
    return lines


def quantising(found):
    cost = found["quantising"]
    lines = ["", "## What 8 bits cost", "",
             f"On {cost['rows']} held-out posts raw outputs move by {cost['moved_mean']} in the mean and by at most",
             f"{cost['moved_99_in_100']} in 99 of 100. AUC in floats and as shipped:", "",
             "| category | floats | 8 bits |", "|---|---|---|"]
    lines += [f"| {label} | {before:.4f} | {after:.4f} |" for label, (before, after) in cost["auc"].items()]
    times = ", ".join(f"{took} ms for {tokens} tokens" for tokens, took in found["milliseconds"].items())
    return [*lines, "", f"One inference on one core, where the model was made: {times}.", ""]


def card(found, manifest, folder):
    """`README.md`: what the model is for, what it was trained on, where it fails."""
    lang = manifest["name"]
    start, made = base.BASES[lang], found["made"]
    described = json.loads((Path(folder) / "MANIFEST.json").read_text("utf-8"))
    lines = [
        f"# {lang}: a second opinion on {NAMES[lang]} posts", "",
        f"Version {manifest['version']}. A BERT encoder of {made['layers']} layers of {made['size']}, fine-tuned from",
        f"{start.about} ({start.licence}), with weights in 8 bits. It knows {made['vocabulary']:,} word pieces; each emoji",
        "is one of its own, started from its Unicode name. It reads the standard view of a text in windows of",
        f"{manifest['encoder']['window']} tokens, at most {manifest['encoder']['windows']}, one inference a window.", "",
        "## What it is for", "",
        f"The core model scores every post; this one is asked about {NAMES[lang]} posts whose core score lies in a band and",
        "only when the answer could change a verdict. The mean of both models' log odds then stands; it is evidence for policies",
        "that ask a person to review; a score may block only under a threshold of its own for a language with evidence.", "",
        "It must not be relied on alone to punish people, to find illegal acts, to judge a person, or for",
        "emergencies such as self-harm. Schools, employers and authorities must not use it to watch what people write.", "",
        "| category | evidence |", "|---|---|",
        *[f"| {label} | {'yes' if manifest['evidence'][label] else 'none: ask for review at most'} |"
          for label in manifest["labels"]], "",
        "Evidence: a set that it was not trained on with 50 posts of each kind or more and an AUC of 0.70 or more.", "",
        "## Where it fails", "", *weak(found), "",
        "Figures set by set, by named group and by kind of sentence: [REPORT.md](REPORT.md).", "",
        "## Scores, thresholds, bands", "",
        "Scores are Platt-calibrated on the validation split, as if harmful and harmless posts were equally frequent;",
        "in categories with fewer than 20 held-out positives a score of 0.3 is what 1 in 200 other posts reach. Thresholds",
        "are reached by at most 1 in 100 neutral validation posts, 5 in 100 posts that annotators let pass (10 in 100 of any",
        "one set), and are never below 0.5 (0.3 in those categories). Bands were chosen on the validation split so that",
        "under 1 in 100 decent posts is asked, its sources weighted alike.", "",
        "## Training data", "",
        "Weights only; no text of these sets is here. Sets marked * ask for attribution and the same licence on",
        "adapted material, or pass on use restrictions; they were used and are named for that.", "",
        "| set | source | licence | rows |", "|---|---|---|---|",
    ]
    own = {"own-sentences": f"our own sentences, `training/sentences/{lang}.yaml`, Apache-2.0",
           "templates": "our own sentences, `training/templates.yaml`, Apache-2.0"}
    for name, count in sorted(made["sources"].items()):
        about = described.get(name, {})
        star = "*" if about.get("group") == "trainsa" else ""
        if name in own:
            lines.append(f"| {name} | {own[name]} | | {count} |")
        else:
            lines.append(f"| {name}{star} | {about.get('repo', '')} | {about.get('licence', '')} | {count} |")
    lines += ["", f"Rows include copies with disguised spelling; {made['steps']} steps of 32 rows, at most 64 tokens of each.",
              "Our own sentences teach what labelled posts seldom show: negation, quoting, opposing, swearing without",
              "malice, things instead of people. They are in no evaluation, but functional tests use such frames too, so",
              "those tests flatter the model.", "", "## Licence", "",
              f"The encoder it started from is {start.licence}; the fine-tuned weights are Apache-2.0 as far as we hold",
              "rights in them; see the sets above.", ""]
    return "\n".join(lines)


def weak(found):
    sets = found["sets"]
    lowest = sorted((line["auc"], name) for name, line in sets.items())[:3]
    lines = ["- It was trained on short posts of a few platforms and years; irony, in-jokes and new words escape it.",
             "- Worst sets: " + ", ".join(f"{name} (AUC {value:.2f})" for value, name in lowest) + "; 0.5 is a coin."]
    for where, by_label in found["groups"].items():
        for label, by_group in by_label.items():
            worst = max(by_group, key=lambda one: by_group[one]["over_at_half"] or 0)
            if worst == "no group named":
                continue
            lines.append(f"- Harmless posts that name {worst} are scored over 0.5 for {label} most often "
                         f"({100 * by_group[worst]['over_at_half']:.0f} in 100 in the {where}; "
                         f"{100 * (by_group['no group named']['over_at_half'] or 0):.0f} where no group is named).")
    plain = [by for by in found["evasion"].values()]
    for by in plain:
        lines.append(f"- Disguised spelling costs {by['as published']['auc'] - by['disguised']['auc']:.2f} of AUC.")
    return lines
