"""The model card and the report, written from what was measured."""

import json
from pathlib import Path

from .augment import languages
from .opinion import report as parts


def report(found, manifest):
    """`REPORT.md`: every set, then the decent posts."""
    lines = [
        "# Report: core " + manifest["version"], "",
        "Measured through the Tidegate binary on sets that the model never saw: the test splits of its own",
        "sources and evaluation-only sets. Of several runs the one with the highest mean AUC on them ships, which",
        "flatters these figures a little (`training/README.md`). F1 is macro-F1 at a score of 0.5, and at the best single threshold",
        "of the set; precision, recall and FPR are at the manifest's threshold of the language that the text",
        "was *taken for*; ECE is the expected calibration error in ten bins, both answers weighted alike. Yardstick: hashed character",
        "1-4-grams with logistic regression, at 0.5 (macro-F1 / AUC). Brackets: 95 % of 200 bootstrap resamples.", "",
        "| set | rows | positive | AUC | AUPRC | F1 | best F1 | precision | recall | FPR | ECE | yardstick |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, line in found["sets"].items():
        yardstick = "–"
        if "yardstick_auc" in line:
            yardstick = f"{line['yardstick_macro_f1']:.2f} / {line['yardstick_auc']:.2f}"
        precision = "–" if line["precision"] is None else f"{line['precision']:.2f}"
        lines.append(
            f"| {name} | {line['rows']} | {line['positive']} | {line['auc']:.3f} "
            f"{parts.span(line['auc_interval'])} | {line['auprc']:.3f} "
            f"| {line['macro_f1']:.3f} {parts.span(line['macro_f1_interval'])} | {line['macro_f1_best']:.3f} | {precision} | {line['recall']:.2f} "
            f"| {line['false_positive_rate']:.3f} | {line['calibration_error']:.2f} | {yardstick} |")
    lines += ["", "## Decent posts over a threshold", "",
              "Shares over the manifest's thresholds; `any` is any category.", ""]
    for name, by in found["benign"].items():
        labels = manifest["labels"]
        lines += [f"### {name}", "", "| language | rows | any | " + " | ".join(labels) + " |",
                  "|---|---|---|" + "---|" * len(labels)]
        for lang, line in by.items():
            shares = " | ".join(f"{line[label]:.3f}" for label in labels)
            lines.append(f"| {lang} | {line['rows']} | {line['any']:.3f} | {shares} |")
        lines.append("")
    return "\n".join(lines + parts.groups(found) + parts.kinds(found) + [*parts.evasion(found), ""])


def card(found, manifest, folder, state):
    """`README.md`: what the model is for, what it was trained on, where it fails."""
    sets = found["sets"]
    rows = state["rows"]
    made = ["templates", "own-sentences", "listed-words"]
    lines = [
        "# core: the model that scores every post", "",
        f"Version {manifest['version']}. Hashed character n-grams and words of {len(state['vocabulary']):,} kinds, an",
        f"embedding of {state['table'].shape[1]} numbers each in 8 bits, summed and maximised, and a small network on top.",
        "One model for all languages; it reads n-grams, not meaning.", "",
        "## What it is for", "",
        "A first score for every post, in microseconds: evidence beside rules, for policies that ask a person to",
        "review. A score may block only where a policy says so for one language that is listed below.", "",
        "It must not be relied on alone to punish people, to find illegal acts, to judge a person, or for",
        "emergencies such as self-harm; it was trained to tell some kinds of posts from others, no more.", "",
        "## What it offers", "",
        "| category | languages with evidence |", "|---|---|",
    ]
    for label in manifest["labels"]:
        lines.append(f"| {label} | {', '.join(manifest['evidence'][label]) or 'none: ask for review at most'} |")
    lines += [
        "", "Evidence: a held-out set of the language with 50 posts of each kind or more and an AUC of 0.70 or more.",
        "In any other language a score may at most ask for a review. Left out, because held-out sets are too small",
        "or show too little worth: harassment (apart from profanity), illegal_goods.", "",
        "## Where it fails", "",
        "- It reads words, not who speaks: quoted abuse, counter-speech, reclaimed words and irony are often",
        "  scored high; hatred without hateful words is often missed.",
        f"- Functional tests say so plainly: AUC {auc(sets, 'hatecheck en hate')} on HateCheck (English), "
        f"{auc(sets, 'mhc-open de hate')} German,",
        f"  {auc(sets, 'mhc-open fr hate')} French, {auc(sets, 'mhc-open it hate')} Italian, "
        f"{auc(sets, 'mhc-open nl hate')} Dutch, {auc(sets, 'mhc-open pl hate')} Polish; 0.5 is a coin.",
        "- English sets contain much African American English that annotators marked; expect more false positives there.",
        "- Languages outside the table have word lists and sentences of our own at best.",
        "- `violence`, `spam`, `sexual` and `self_harm` were learned from few posts and from sentences of ours; what they",
        "  miss is in the report. `self_harm` was checked on 23 posts, `violence` on some 60 in English: they may ask a",
        "  person to look, no more.",
        "- A text over 400 characters is read at up to eight windows of 400.", "",
        "Figures set by set: [REPORT.md](REPORT.md).", "",
        "## Scores and thresholds", "",
        "Scores are Platt-calibrated by category and language on the validation split, as if harmful and harmless",
        "posts were equally frequent, since how frequent they are in a data set says nothing of a platform. Where",
        "harm is rare, 0.8 is far from eight in ten: act on the thresholds, whose error rates are known.",
        "Where held-out posts of a category are too few for a curve, its score of 0.3 is what 1 in 200 other posts reach.",
        "The thresholds in `model.yaml` are reached by at most 1 in 100 neutral validation posts of the language",
        "and 5 in 100 posts that annotators of its sets let pass (10 in 100 of any one set). None is below 0.5, or 0.3",
        "for `violence`, `spam`, `sexual` and `self_harm`. In a language without evidence, or without harmless posts to set",
        "a threshold by, none is below 0.95, or 0.8 for those four in a language without evidence: a few neutral",
        "sentences say too little of how people write there.", "",
        "Measured on decent tweets the worst language is " + worst(found) + ".", "",
        "## Training data", "",
        "Weights only; no text of these sets is here. Sets marked * ask for attribution and the same licence on",
        "adapted material, or pass on use restrictions; they were used and are named for that.", "",
        "| set | source | licence | rows |", "|---|---|---|---|",
    ]
    described = json.loads((Path(folder) / "MANIFEST.json").read_text("utf-8"))
    for name in sorted(set(rows.sources) - set(made)):
        about = described.get(name, {})
        star = "*" if about.get("group") == "trainsa" else ""
        count = int(((rows.sources == name) & (rows.splits == "train")).sum())
        lines.append(f"| {name}{star} | {about.get('repo', '')} | {about.get('licence', '')} | {count} |")
    for name, about in [("templates", "our own sentences in 14 languages, `training/templates.yaml`, Apache-2.0"),
                        ("own-sentences", f"our own sentences in {len(languages())} languages, `training/sentences/`, Apache-2.0"),
                        ("listed-words", "words of LDNOOBW (CC-BY-4.0) in neutral sentences, 20 languages")]:
        lines.append(f"| {name} | {about} | | {int((rows.sources == name).sum())} |")
    lines += ["", "Rows include copies with disguised spelling." + distilled(state),
              "Our own sentences were written for these models; native speakers have yet to review them. They are in no",
              "evaluation; they use frames such as functional tests use, so those tests flatter it a little.", "",
              "## Licence", "", "Apache-2.0 for the weights as far as we hold rights in them; see the sets above.", ""]
    return "\n".join(lines)


def distilled(state):
    count = state.get("taught", 0)
    return f" For {count:,} rows the goal is partly what the second opinion of their language says." if count else ""


def auc(sets, name):
    return f"{sets[name]['auc']:.2f}" if name in sets else "–"


def worst(found):
    """The language whose decent tweets are most often over a threshold."""
    tweets = {lang: line for lang, line in found["benign"]["fpr-tweets-open"].items() if lang != "all"}
    lang = max(tweets, key=lambda lang: tweets[lang]["any"])
    return f"`{lang}`: {100 * tweets[lang]['any']:.0f} in 100 are over some threshold"
