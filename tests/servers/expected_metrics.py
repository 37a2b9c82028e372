#!/usr/bin/env python3
"""Random rankings and texts, and what trec_eval, sacrebleu and rouge-score say of them.

    expected_metrics.py SEED COUNT

Prints {"rankings": [{retrieved, relevant, expected}], "texts": [{answer, reference, expected}]}.
"""

import json
import random
import re
import sys

import pytrec_eval
from rouge_score import rouge_scorer
from sacrebleu.metrics import BLEU

MEASURES = {
    "precision": "set_P",
    "recall": "set_recall",
    "ndcg3": "ndcg_cut_3",
    "ndcg10": "ndcg_cut_10",
    "mrr": "recip_rank",
    "map": "map",
}
WORDS = (
    "the a of harbour light green red ferry gate storm window it's re-use 3.14 1,000 2-3 U.S. e.g. (see) [1] 50% & "
    "a/b x=y \"quoted\" “curly” – … naïve Größe вода тест 港口 的 灯 是 绿色 的 。 ， 图书馆 每周一 闭馆 かな カナ 😀 №5 $9.99 C++ &amp; ... ,5 5. -"
).split()
BLANKS = [" ", " ", " ", "", "\n", "\t", "\u3000", "\x1d", "\u00a0"]
TEXTS = [
    ("", "something"),
    (" \n", "something"),
    ("Green.", "green."),
    ("same words here", "same words here"),
    ("words in another order entirely", "entirely order another in words"),
    ("the the the the the the the", "the cat is on the mat"),
    ("nothing shared", "no common term"),
    ("港口的灯是绿色的。", "港口的灯是绿色的。"),
    ("图书馆每周一闭馆", "图书馆星期一不开放"),
    ("...", "..."),
    ("3.14,15", "3.14, 15"),
]


class Words:
    """Lower-cased runs of letters and digits; Chinese characters and kana one by one."""

    ALONE = "\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"

    def tokenize(self, text):
        return re.findall(f"[{self.ALONE}]|[^\\W_{self.ALONE}]+", text.lower())


def rankings(source, count):
    cases = []
    for _ in range(count):
        pool = source.randint(1, 40)
        retrieved = source.sample(range(pool), source.randint(1, pool))
        relevant = source.sample(range(pool + 5), source.randint(1, min(pool + 5, source.choice([1, 3, 12, 45]))))
        cases.append((retrieved, relevant))
    qrels = {str(n): {str(passage): 1 for passage in relevant} for n, (_, relevant) in enumerate(cases)}
    run = {str(n): {str(passage): 1000.0 - place for place, passage in enumerate(retrieved)} for n, (retrieved, _) in enumerate(cases)}
    measured = pytrec_eval.RelevanceEvaluator(qrels, {"set_P", "set_recall", "ndcg_cut.3,10", "recip_rank", "map"}).evaluate(run)
    return [
        {"retrieved": retrieved, "relevant": relevant, "expected": {name: measured[str(n)][theirs] for name, theirs in MEASURES.items()}}
        for n, (retrieved, relevant) in enumerate(cases)
    ]


def a_text(source, length):
    return "".join(source.choice(WORDS) + source.choice(BLANKS) for _ in range(length))


def a_pair(source):
    reference = a_text(source, source.randint(1, 40))
    if source.random() < 0.2:
        return a_text(source, source.randint(0, 40)), reference
    # An answer that shares something: pieces of the reference, some exchanged, some moved.
    pieces = re.findall(r"\S+\s*", reference)
    answer = [piece if source.random() < 0.7 else source.choice(WORDS) + " " for piece in pieces if source.random() < 0.9]
    cut = source.randint(0, len(answer))
    return "".join(answer[cut:] + answer[:cut]), reference


def texts(source, count):
    bleu = {f"bleu{n}": BLEU(lowercase=True, tokenize="zh", smooth_method="none", max_ngram_order=n, effective_order=True) for n in (1, 2, 4)}
    kinds = ["rouge1", "rouge2", "rougeL"]
    words, ascii_words = rouge_scorer.RougeScorer(kinds, tokenizer=Words()), rouge_scorer.RougeScorer(kinds)
    cases = []
    for answer, reference in TEXTS + [a_pair(source) for _ in range(count)]:
        if not reference.strip():
            continue
        # Of texts in ASCII the words are those of rouge-score itself.
        scorer = ascii_words if (answer + reference).isascii() else words
        expected = {name: metric.sentence_score(answer, [reference]).score / 100 for name, metric in bleu.items()}
        expected |= {kind.lower(): score.fmeasure for kind, score in scorer.score(reference, answer).items()}
        cases.append({"answer": answer, "reference": reference, "expected": expected})
    return cases


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    source = random.Random(seed)
    print(json.dumps({"rankings": rankings(source, count), "texts": texts(source, count)}))


main()
