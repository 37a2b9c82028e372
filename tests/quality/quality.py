#!/usr/bin/env python3
"""How well a running server finds what questions ask for. Standard library only; data is never kept here.

    tests/quality/quality.py --server http://127.0.0.1:8080 --key API_KEY zh=xquad.zh.json en=xquad.en.json

Takes files in the form of SQuAD (`data[].paragraphs[].context`, `qas[].question`), in which the same place holds the same paragraph in each
language. Makes one knowledge base for each language with one paragraph a document, asks every question of every language in every knowledge
base through the public API, and prints Markdown. Without --key it registers a user of its own.
"""
import argparse
import collections
import concurrent.futures
import http.client
import json
import math
import secrets
import sys
import threading
import time
import urllib.parse

EXPANSIONS = {2, 5}  # match types that no path found by itself
PATHS = {"hybrid": None, "vector only": ["vector"], "keyword only": ["keywords"]}


class Server:
    """JSON over kept connections, one for each thread."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            sys.exit(f"{url}: give an address like http://127.0.0.1:8080")
        self.host, self.port, self.headers, self.local = parts.hostname, parts.port or 80, {}, threading.local()

    def call(self, method, path, body=None, content_type="application/json"):
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = dict(self.headers, **({"Content-Type": content_type} if body is not None else {}))
        for attempt in (1, 2):
            connection = getattr(self.local, "connection", None)
            if connection is None:
                connection = self.local.connection = http.client.HTTPConnection(self.host, self.port, timeout=120)
            try:
                connection.request(method, "/api/v1" + path, body, headers)
                answer = connection.getresponse()
                text = answer.read()
                break
            except (http.client.HTTPException, ConnectionError):
                connection.close()
                self.local.connection = None
                # A kept connection may have been closed meanwhile; nothing but searches is sent twice.
                if attempt == 2 or method != "GET":
                    raise
        if answer.status >= 300:
            sys.exit(f"{method} {path}: {answer.status} {text.decode(errors='replace')[:500]}")
        return json.loads(text)

    def upload(self, path, name, text):
        border = secrets.token_hex(16)
        head = f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/plain\r\n\r\n'
        return self.call("POST", path, (head + text + f"\r\n--{border}--\r\n").encode(), f"multipart/form-data; boundary={border}")


def register(server):
    name = "quality-" + secrets.token_hex(4)
    account = {"email": f"{name}@example.com", "password": secrets.token_urlsafe(16)}
    server.call("POST", "/auth/register", dict(account, username=name))
    server.headers["Authorization"] = "Bearer " + server.call("POST", "/auth/login", account)["token"]


def read(path):
    """Paragraphs, and questions with the place of the paragraph that answers them."""
    paragraphs, questions = [], []
    with open(path, encoding="utf-8") as file:
        for article in json.load(file)["data"]:
            for paragraph in article["paragraphs"]:
                questions += [(qa["question"], len(paragraphs)) for qa in paragraph["qas"]]
                paragraphs.append(paragraph["context"])
    return paragraphs, questions


def fill(server, language, paragraphs, model, rerank_model, deadline_s):
    """A knowledge base with one paragraph a document; returns its id and the place of each document."""
    chunking = {"chunk_size": 2000, "chunk_overlap": 0, "separators": ["\n\n"]}
    body = {"name": f"quality {language}", "chunking_config": chunking, "embedding_model_id": model, "rerank_model_id": rerank_model}
    base = server.call("POST", "/knowledge-bases", body)["data"]["id"]
    places = {}
    start = time.monotonic()
    for place, text in enumerate(paragraphs):
        knowledge = server.upload(f"/knowledge-bases/{base}/knowledge/file", f"p{place:05}.txt", text)["data"]
        places[knowledge["id"]] = place
    while True:
        states = collections.Counter()
        for page in range(1, len(paragraphs) // 100 + 2):
            for knowledge in server.call("GET", f"/knowledge-bases/{base}/knowledge?page={page}&page_size=100")["data"]:
                states[knowledge["parse_status"]] += 1
                if knowledge["parse_status"] == "failed":
                    sys.exit(f"{language}: a document failed: {knowledge.get('error_message')}")
        if states["completed"] == len(paragraphs):
            break
        if time.monotonic() - start > deadline_s:
            sys.exit(f"{language}: not ready after {deadline_s} s: {dict(states)}")
        time.sleep(0.2)
    seconds = time.monotonic() - start
    print(f"{language}: {len(paragraphs)} documents in {seconds:.1f} s, {len(paragraphs) / seconds:.0f} a second", file=sys.stderr)
    return base, places


def rank(server, base, places, question, settings):
    """Places in the order of the answer, each once: a paragraph stands where its best chunk stands."""
    hits = server.call("GET", f"/knowledge-bases/{base}/hybrid-search", dict(settings, query_text=question))["data"] or []
    found = [places.get(hit["knowledge_id"]) for hit in hits if hit["match_type"] not in EXPANSIONS]
    return list(dict.fromkeys(found))


def rank_searched(server, base, places, question, _):
    """The same through the search of the chat pipeline, which reranks where the knowledge base names a reranker."""
    hits = server.call("POST", "/knowledge-search", {"query": question, "knowledge_base_id": base})["data"]
    return list(dict.fromkeys(places.get(hit["knowledge_id"]) for hit in hits))


def measure(server, base, places, questions, settings, threads, rank=rank):
    """Means over all questions, one relevant paragraph each; and milliseconds a question."""
    def one(item):
        question, relevant = item
        start = time.perf_counter()
        order = rank(server, base, places, question, settings)
        return (order.index(relevant) if relevant in order else None), time.perf_counter() - start

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        answers = list(pool.map(one, questions))
    ranks = [place for place, _ in answers if place is not None]
    count = len(questions)
    return {
        "nDCG@10": sum(1 / math.log2(place + 2) for place in ranks if place < 10) / count,
        "recall@10": sum(place < 10 for place in ranks) / count,
        "recall@1": sum(place < 1 for place in ranks) / count,
        "ms": 1000 * sum(seconds for _, seconds in answers) / count,
    }


def print_table(title, rows, pairs, figures):
    print(f"\n{title}\n")
    print("| questions -> documents | " + " | ".join(f"{a} -> {b}" for a, b in pairs) + " | mean |")
    print("| --- |" + " --- |" * (len(pairs) + 1))
    for row in rows:
        for figure in figures:
            values = [rows[row][pair][figure] for pair in pairs]
            form = (lambda x: f"{x:.1f}") if figure == "ms" else (lambda x: f"{x:.3f}")
            print(f"| {row}, {figure} | " + " | ".join(map(form, values + [sum(values) / len(values)])) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="+", metavar="LANGUAGE=FILE")
    parser.add_argument("--server", default="http://127.0.0.1:8080")
    parser.add_argument("--key", help="an API key; without it a user is registered")
    parser.add_argument("--model", default="", help="id of the embedding model; empty: the server's default")
    parser.add_argument("--rerank", default="", metavar="ID", help="id of a reranker: compares the search of the chat pipeline with and without it"
                        " (start the server with CONVERSATION_EMBEDDING_TOP_K=20, CONVERSATION_RERANK_TOP_K=10, and the three thresholds 0)")
    parser.add_argument("--questions", type=int, default=0, help="only so many, evenly taken; 0: all")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--deadline", type=int, default=600, metavar="SECONDS", help="for filling one knowledge base")
    parser.add_argument("--keep", action="store_true", help="leave the knowledge bases there")
    options = parser.parse_args()
    server = Server(options.server)
    if options.key:
        server.headers["X-API-Key"] = options.key
    else:
        register(server)
    data = {language: read(path) for language, path in (name.split("=", 1) for name in options.files)}
    if len({len(paragraphs) for paragraphs, _ in data.values()}) > 1:
        sys.exit("the files do not hold the same paragraphs")
    bases = {language: fill(server, language, paragraphs, options.model, "", options.deadline) for language, (paragraphs, _) in data.items()}
    pairs = [(a, b) for a in data for b in data if a == b] + [(a, b) for a in data for b in data if a != b]
    wide = {"vector_threshold": 0, "keyword_threshold": 0, "match_count": 20}
    usual = {"vector_threshold": 0.5, "keyword_threshold": 0.3, "match_count": 10}

    def ask(settings, bases=bases, rank=rank):
        figures = {}
        for pair in pairs:
            questions = data[pair[0]][1]
            questions = questions[:: max(1, len(questions) // options.questions)] if options.questions else questions
            figures[pair] = measure(server, *bases[pair[1]], questions, settings, options.threads, rank)
        return figures

    if options.rerank:
        reranked = {name: fill(server, name, texts, options.model, options.rerank, options.deadline) for name, (texts, _) in data.items()}
        rows = {"as found": ask({}, bases, rank_searched), "reranked": ask({}, reranked, rank_searched)}
        print_table("The search of the chat pipeline:", rows, pairs, ["nDCG@10", "recall@10", "recall@1", "ms"])
        bases |= {f"{name} reranked": base for name, base in reranked.items()}
    rows = {}
    for name, paths in PATHS.items():
        rows[name] = ask(dict(wide, **({"paths": paths} if paths else {})))
        print(f"{name}: done", file=sys.stderr)
    print_table("Thresholds 0, match_count 20, expansions ignored:", rows, pairs, ["nDCG@10", "recall@10", "recall@1", "ms"])
    print_table("Thresholds 0.5 and 0.3, match_count 10:", {"hybrid": ask(usual)}, pairs, ["nDCG@10", "recall@10", "recall@1"])
    if not options.keep:
        for base, _ in bases.values():
            server.call("DELETE", f"/knowledge-bases/{base}")


if __name__ == "__main__":
    main()
