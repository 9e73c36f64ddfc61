"""A platform that shares no line with Tidegate: it writes posts, then reads what became of them.

It holds decisions and dead letters against the published schemas, and checks that each post has one end,
that keys and headers are what docs/wire.md promises, and that the order of an author's posts is kept.

    client.py write BROKERS POSTS LEDGER
    client.py read BROKERS DECISIONS DEAD_LETTERS LEDGER SCHEMAS
"""

import json
import sys
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition
from jsonschema import Draft202012Validator

POSTS = 600
AUTHORS = 23
TRACE = ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
# What is no post, and the code that docs/wire.md gives it.
BROKEN = [
    (b"not json", "invalid_json"),
    (b'{"id": "cut', "invalid_json"),
    (b'{"id": 7, "text": "a number"}', "invalid_schema"),
    (b'{"text": "no id"}', "invalid_schema"),
    (b'{"id": "u", "text": "\xff"}', "invalid_utf8"),
    (b'{"id": "e", "operation": "edit", "text": "x"}', "missing_revision"),
    (None, "empty"),
]
TEXTS = ["good morning", "加 微 信 abc123 带你投资", "please buy now", "Sieg Heil!", "おはよう"]


def write(brokers, topic, ledger):
    """Produces posts with keys and headers; the ledger holds what was acknowledged."""
    producer = Producer({"bootstrap.servers": brokers, "enable.idempotence": True})
    acknowledged = []

    def report(number, key, post_id, code):
        def take(error, message):
            if error is not None:
                sys.exit(f"post {number} was not stored: {error}")
            place = [message.partition(), message.offset()]
            acknowledged.append({"place": place, "key": key, "post": post_id, "code": code})

        return take

    for number in range(POSTS):
        key = f"author-{number * 7 % AUTHORS}"
        headers = [TRACE, ("platform", b"foreign"), ("number", str(number).encode())]
        if number % 20 == 3:
            value, code = BROKEN[number // 20 % len(BROKEN)]
            post_id = None
        else:
            post_id, code = f"post-{number}", None
            text = f"{TEXTS[number % len(TEXTS)]} {number}"
            post = {"id": post_id, "text": text, "audience": ["DE", "US"], "surface": "comment"}
            value = json.dumps(post, ensure_ascii=number % 2 == 0).encode()
        producer.produce(
            topic, value, key, headers=headers, on_delivery=report(number, key, post_id, code)
        )
        producer.poll(0)
    producer.flush(60)
    if len(acknowledged) != POSTS:
        sys.exit(f"{len(acknowledged)} of {POSTS} posts were stored")
    Path(ledger).write_text(json.dumps(acknowledged))


def read_all(brokers, topic):
    """Every record of a topic, in the order of its partitions."""
    settings = {
        "bootstrap.servers": brokers,
        "group.id": "foreign-reader",
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
    }
    consumer = Consumer(settings)
    partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    records = []
    for partition in sorted(partitions):
        first, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=30)
        if first == end:
            continue
        consumer.assign([TopicPartition(topic, partition, first)])
        while True:
            record = consumer.poll(30)
            if record is None or record.error():
                sys.exit(f"{topic}: {record and record.error()}")
            records.append(record)
            if record.offset() >= end - 1:
                break
    consumer.close()
    return records


class Check:
    """Collects what is wrong, so that one run tells all of it."""

    def __init__(self, schemas):
        self.wrong = []
        load = lambda name: json.loads(Path(schemas, name).read_text())
        self.validators = {
            name: Draft202012Validator(load(f"{name}.json")) for name in ("decision", "dead-letter")
        }

    def that(self, holds, text):
        if not holds:
            self.wrong.append(text)

    def schema(self, name, value, place):
        for error in self.validators[name].iter_errors(value):
            self.wrong.append(f"{place} against {name}: {error.json_path}: {error.message[:200]}")


def decisions(check, records, posts):
    """Checks the decisions; gives the places they are about."""
    ended, last = [], {}
    for record in records:
        decision = json.loads(record.value())
        source = decision["source"]
        place = (source["partition"], source["offset"])
        ended.append(place)
        check.schema("decision", decision, place)
        post = posts.get(place)
        if post is None:
            check.that(False, f"{place} was never written")
            continue
        check.that(post["code"] is None, f"{place} should be a dead letter")
        check.that(record.key() == post["key"].encode(), f"{place} has the key {record.key()!r}")
        check.that(decision["post_id"] == post["post"], f"{place} is {decision['post_id']}")
        check.that(TRACE in (record.headers() or []), f"{place} has lost its trace")
        author = (record.partition(), record.key())
        check.that(last.get(author, -1) < place[1], f"{place} comes after {last.get(author)}")
        last[author] = place[1]
    return ended


def dead_letters(check, records, posts):
    """Checks the dead letters; gives the places they are about."""
    ended = []
    for record in records:
        headers = record.headers() or []
        texts = {name: value.decode() for name, value in headers if value is not None}
        place = (int(texts["tidegate.source.partition"]), int(texts["tidegate.source.offset"]))
        ended.append(place)
        own = ("tidegate.", "__connect.errors.")
        check.schema("dead-letter", {k: v for k, v in texts.items() if k.startswith(own)}, place)
        post = posts.get(place)
        if post is None:
            check.that(False, f"{place} was never written")
            continue
        code = texts["tidegate.error.code"]
        check.that(code == post["code"], f"{place} is {code}, not {post['code']}")
        check.that(record.key() == post["key"].encode(), f"{place} has the key {record.key()!r}")
        check.that(texts.get("platform") == "foreign", f"{place} has lost the platform's header")
        check.that(TRACE in headers, f"{place} has lost its trace")
    return ended


def read(brokers, decided, dead, ledger, schemas):
    """Reads both topics and says everything that is not as promised."""
    posts = {tuple(entry["place"]): entry for entry in json.loads(Path(ledger).read_text())}
    check = Check(schemas)
    ended = decisions(check, read_all(brokers, decided), posts)
    letters = dead_letters(check, read_all(brokers, dead), posts)
    both = ended + letters
    check.that(sorted(both) == sorted(posts), f"{len(both)} ends of {len(posts)} posts")
    if check.wrong:
        sys.exit("\n".join(check.wrong[:50]))
    print(json.dumps({"decisions": len(ended), "dead_letters": len(letters)}))


if __name__ == "__main__":
    {"write": write, "read": read}[sys.argv[1]](*sys.argv[2:])
