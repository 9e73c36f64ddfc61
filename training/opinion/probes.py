"""What a mean over a set hides: naming a group, disguised spelling, and what kind of sentence is misread."""

import re

import numpy as np

from .. import augment
from ..data import LABELS, UNKNOWN
from ..measures import auc, macro_f1

GROUPS = {
    "en": {"women": r"\b(women|woman|girls?|females?)\b", "men": r"\b(men|man|boys?|males?)\b",
           "gay and lesbian people": r"\b(gays?|lesbians?|homosexuals?)\b", "trans people": r"\btrans(gender)?\b",
           "Black people": r"\b(blacks?|africans?)\b", "white people": r"\bwhites?\b",
           "Muslims": r"\b(muslims?|islam)\b", "Jews": r"\b(jews?|jewish)\b", "Christians": r"\bchristians?\b",
           "Asians": r"\b(asians?|chinese|indians?)\b", "Arabs": r"\barabs?\b", "Latin Americans": r"\b(mexicans?|latin[oa]s?)\b",
           "migrants": r"\b(immigrants?|migrants?|refugees?|foreigners?)\b",
           "disabled people": r"\b(disabled|disability|blind|deaf|autistic|wheelchair)\b"},
    "zh": {"women": "女人|女性|女生|女孩", "men": "男人|男性|男生", "gay people": "同性恋|同志", "Black people": "黑人|非洲",
           "foreigners": "外国人|老外", "Muslims": "穆斯林|回族|伊斯兰", "regions of China": "河南|东北|上海|广东|北京|外地",
           "minorities": "少数民族|藏族|维吾尔|蒙古", "feminists": "女权"},
}
KINDS = {
    "says not, never, no": r"\b(not|never|no|nobody|cannot)\b|n['’]t\b", "quotes": "[\"“”]", "asks": r"\?",
    "swears": r"\b(fuck\w*|shit\w*|bitch\w*|damn|ass|crap|bastards?)\b", "speaks of killing, beating": r"\b(kill|shoot|die|dead|hang|burn|gas|beat|hurt|murder)\w*",
    "speaks of love, respect": r"\b(love|respect|proud|great|wonderful|admire|equal)\w*",
    "odd spelling": r"\w*[a-z][0-9@$*][a-z0-9]*\w*|\b(\w )(\w )+\w\b", "up to six words": r"^\S+( \S+){0,5}$",
    "has an emoji": "[☀-➿\U0001f300-\U0001faff]",
}
MOST = 1200


def by_group(rows, values, cuts, offered, lang):
    """False positives at the thresholds among harmless posts that name a group, beside those that name none."""
    found = {}
    named = np.zeros(len(rows), bool)
    patterns = {name: re.compile(one, re.I) for name, one in GROUPS[lang].items()}
    for column, label in enumerate(offered):
        if label not in ("toxic", "hate"):
            continue
        harmless = (rows.labels[:, LABELS.index(label)] == 0) & ~rows.clean
        over = values[:, column] >= cuts[label]
        lines = {}
        for name, pattern in patterns.items():
            mine = np.array([bool(pattern.search(text)) for text in rows.texts])
            named |= mine
            if (mine & harmless).sum() >= 30:
                lines[name] = {"rows": int((mine & harmless).sum()), "over": share(over[mine & harmless]),
                               "over_at_half": share(values[mine & harmless, column] >= 0.5)}
        rest = harmless & ~named
        lines["no group named"] = {"rows": int(rest.sum()), "over": share(over[rest]),
                                   "over_at_half": share(values[rest, column] >= 0.5)}
        found[label] = lines
    return found


def by_kind(rows, values, column, label, cut):
    """How sentences of one functional set are read, told apart by their surface: the set names no functions."""
    truth = rows.labels[:, LABELS.index(label)] == 1
    found = {}
    for name, pattern in [*KINDS.items(), ("all", "")]:
        one = re.compile(pattern, re.I)
        mine = np.array([bool(one.search(text)) for text in rows.texts])
        yes, no = mine & truth, mine & ~truth
        if min(yes.sum(), no.sum()) < 10:
            continue
        found[name] = {"hateful": int(yes.sum()), "harmless": int(no.sum()), "auc": round(auc(truth[mine], values[mine, column]), 3),
                       "recall": share(values[yes, column] >= cut), "false_positives": share(values[no, column] >= cut),
                       "recall_at_half": share(values[yes, column] >= 0.5),
                       "false_positives_at_half": share(values[no, column] >= 0.5)}
    return found


def evasion(rows, score, label, column, seed=7):
    """The same posts as they are and with disguised spelling: AUC, macro-F1 at 0.5 and recall at 0.5."""
    known = np.flatnonzero(rows.labels[:, LABELS.index(label)] != UNKNOWN)[:MOST]
    part = rows.take(np.isin(np.arange(len(rows)), known))
    truth = part.labels[:, LABELS.index(label)] == 1
    found = {}
    for name in ("as published", "disguised"):
        if name == "disguised":
            rng = np.random.default_rng(seed)
            part.texts = [augment._disguise(text, rng) for text in part.texts]
        part.raw_texts = part.texts
        values = score(part)[:, column]
        found[name] = {"rows": len(part), "auc": round(auc(truth, values), 3),
                       "macro_f1": round(macro_f1(truth, values >= 0.5), 3), "recall_at_half": share(values[truth] >= 0.5)}
    return found


def share(hits):
    return round(float(np.mean(hits)), 3) if len(hits) else None
