"""Says what the models behind the recorded answers said: PORT. An OpenAI-compatible API and the few routes of Ollama that were asked.

Texts and marks are those of the recording; vectors are counts of words, because the recording does not tell them.
"""
import json
import sys
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PIECES = ["Kno", "whost ", "keeps ", "each tenant ", "apart."]
# The marks of the recording, by what a passage begins with: for its search, and for its questions.
SEARCHED = [
    ("# Knowhost", 0.7129607215389132),
    ("\n\n## Plugins", 0.71),
    ("The quota", 0.6971894188300872),
    ("# 文档名称\nnote.txt", 0.6798372327917082),
]
ASKED = [
    ("# 文档名称\nhandbook.md", 0.8826222296199021),
    ("# Knowhost", 0.7652110893670405),
    ("\n\n## Plugins", 0.76),
    ("# 文档名称\nnote.txt", 0.7009869990827524),
    ("The quota", 0.3),
]


def vector(text):
    found = [0.0] * 384
    for word in text.lower().replace(".", " ").split():
        found[zlib.crc32(word.encode()) % 384] += 1.0
    return found if any(found) else [1.0] * 384


def score(query, passage):
    table = SEARCHED if query == "storage quota" else ASKED
    return next((value for start, value in table if passage.startswith(start)), 0.0)


class Models(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, body, kind="application/json"):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self):
        self.answer(b"")

    def do_GET(self):
        if self.path == "/api/tags":
            self.answer({"models": [{"name": "qwen2:latest", "model": "qwen2:latest"}]})
        elif self.path == "/api/version":
            self.answer({"version": "0.11.4"})
        else:
            self.answer({"object": "list", "data": []})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        if self.path.endswith("/embeddings"):
            texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
            data = [{"object": "embedding", "index": at, "embedding": vector(text)} for at, text in enumerate(texts)]
            self.answer({"object": "list", "model": body["model"], "data": data, "usage": {"prompt_tokens": 1, "total_tokens": 1}})
        elif self.path.endswith("/rerank"):
            ranked = [(score(body["query"], text), at, text) for at, text in enumerate(body["documents"])]
            ranked.sort(reverse=True)
            results = [{"index": at, "relevance_score": value, "document": {"text": text}} for value, at, text in ranked]
            self.answer({"id": "r", "model": body["model"], "results": results, "usage": {"total_tokens": 1}})
        elif body.get("stream"):
            choices = [{"index": 0, "delta": {"role": "assistant", "content": piece}, "finish_reason": None} for piece in PIECES]
            choices.append({"index": 0, "delta": {"content": ""}, "finish_reason": "stop"})
            events = [{"id": "c", "object": "chat.completion.chunk", "model": body["model"], "choices": [choice]} for choice in choices]
            text = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
            self.answer(text.encode(), "text/event-stream")
        else:
            message = {"role": "assistant", "content": "".join(PIECES)}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            self.answer({"id": "c", "object": "chat.completion", "model": body["model"], "choices": [choice], "usage": {}})


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Models).serve_forever()
