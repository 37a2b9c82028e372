"""Scripted servers of three model APIs in one process, as strict as their documentation: Anthropic messages, Voyage rerank, Jina.

Not here: a model. Answers are made of the request, so that a test can say what they must be.
Usage: provider_apis.py PORT. The key is `test-key`; the models `limited` and `overloaded` refuse, `breaks` breaks off in its stream.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "test-key"
MESSAGES_FIELDS = {
    "model", "max_tokens", "messages", "stream", "system", "temperature", "top_p", "stop_sequences", "tools", "tool_choice", "thinking",
}  # fmt: skip
BLOCKS = {"text": "text", "image": "source", "tool_use": "input", "tool_result": "content"}
# Longer pieces would keep characters and events whole.
PIECE_BYTES = 7
COUNTS = {}


class Refused(Exception):
    def __init__(self, status, kind, message):
        super().__init__(message)
        self.status, self.kind, self.message = status, kind, message


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        """How often each path answered with success."""
        self.answer(200, COUNTS)

    def do_POST(self):
        asked = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        routes = {"/v1/messages": self.messages, "/voyage/v1/rerank": self.voyage, "/jina/v1/embeddings": self.embeddings, "/jina/v1/rerank": self.rerank}
        route = routes.get(self.path)
        anthropic = route == self.messages
        try:
            if route is None:
                raise Refused(404, "not_found_error", f"no such path: {self.path}")
            key = self.headers.get("x-api-key") if anthropic else (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            if key != KEY:
                raise Refused(401, "authentication_error", "invalid key")
            try:
                body = json.loads(asked)
            except ValueError:
                raise Refused(400, "invalid_request_error", "the body is no JSON") from None
            if body.get("model") == "limited":
                raise Refused(429, "rate_limit_error", "too many requests")
            if body.get("model") == "overloaded":
                raise Refused(529, "overloaded_error", "Overloaded")
            route(body)
            COUNTS[self.path] = COUNTS.get(self.path, 0) + 1
        except Refused as refused:
            error = {"type": "error", "error": {"type": refused.kind, "message": refused.message}}
            self.answer(refused.status, error if anthropic else {"detail": refused.message}, {"retry-after": "3"} if refused.status in (429, 529) else {})

    def answer(self, status, value, headers=None):
        body = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        for name, text in {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    # ---- Anthropic -----------------------------------------------------

    def messages(self, body):
        def need(fits, message):
            if not fits:
                raise Refused(400, "invalid_request_error", message)

        need(self.headers.get("anthropic-version") == "2023-06-01", "anthropic-version: header is required")
        need(set(body) <= MESSAGES_FIELDS, f"extra inputs are not permitted: {sorted(set(body) - MESSAGES_FIELDS)}")
        need(isinstance(body.get("max_tokens"), int) and body["max_tokens"] > 0, "max_tokens: field required")
        need(0 <= body.get("temperature", 1) <= 1, "temperature: range is 0 to 1")
        need(body.get("stream") is True, "this script only streams")
        turns = body.get("messages") or []
        need(turns and turns[0]["role"] == "user", "messages: first message must use the user role")
        texts, pictures = [], 0
        for turn in turns:
            need(turn["role"] in ("user", "assistant"), f"messages: unknown role {turn['role']}")
            for block in turn["content"]:
                need(block["type"] in BLOCKS and BLOCKS[block["type"]] in block, f"messages: unknown block {block}")
                need(block["type"] != "text" or block["text"].strip(), "messages: text content blocks must be non-empty")
                pictures += block["type"] == "image"
                if block["type"] == "text" and turn["role"] == "user":
                    texts.append(block["text"])
        for tool in body.get("tools", []):
            need(tool.get("name") and isinstance(tool.get("input_schema"), dict), "tools: name and input_schema are required")
        self.stream(self.events(body, texts[-1] if texts else "", pictures))

    def events(self, body, text, pictures):
        yield {"type": "message_start", "message": {"id": "msg_1", "role": "assistant", "content": [], "usage": {"input_tokens": 25, "output_tokens": 1}}}
        yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        yield {"type": "ping"}
        words = f"Grüß dich 你好 😀 ({pictures} pictures): {text}"
        for at in range(0, len(words), 5):
            yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": words[at : at + 5]}}
        if body["model"] == "breaks":
            yield {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
            return
        yield {"type": "content_block_stop", "index": 0}
        stop = "end_turn"
        if body.get("tools") and body.get("tool_choice", {}).get("type") != "none":
            stop, tool = "tool_use", body["tools"][0]["name"]
            yield {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "toolu_1", "name": tool, "input": {}}}
            for piece in ('{"town', '": "Ulm"}'):
                yield {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": piece}}
            yield {"type": "content_block_stop", "index": 1}
        yield {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": {"output_tokens": 15}}
        yield {"type": "message_stop"}

    def stream(self, events):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in events:
            data = f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()
            for at in range(0, len(data), PIECE_BYTES):
                piece = data[at : at + PIECE_BYTES]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    # ---- Voyage and Jina -----------------------------------------------

    def scores(self, query, documents):
        """How many letters of the query a document shares: enough for an order that a test can know."""
        wanted = set(query.lower())
        return [len(wanted & set(text.lower())) / max(len(wanted), 1) for text in documents]

    def ranked(self, body, top):
        documents = body.get("documents")
        if not documents or not all(isinstance(text, str) and text for text in documents) or not body.get("query"):
            raise Refused(422, "", "documents: a list of texts that are not empty is required")
        if top is not None and not 1 <= top <= len(documents):
            raise Refused(422, "", "more documents are wanted than there are")
        found = sorted(enumerate(self.scores(body["query"], documents)), key=lambda pair: -pair[1])
        return [{"index": index, "relevance_score": score} for index, score in found][:top]

    def voyage(self, body):
        extra = set(body) - {"model", "query", "documents", "top_k", "truncation", "return_documents"}
        if extra:
            raise Refused(400, "", f"extra fields: {sorted(extra)}")
        self.answer(200, {"object": "list", "data": self.ranked(body, body.get("top_k")), "model": body["model"], "usage": {"total_tokens": 26}})

    def rerank(self, body):
        self.answer(200, {"model": body["model"], "results": self.ranked(body, body.get("top_n")), "usage": {"total_tokens": 15}})

    def embeddings(self, body):
        texts = body.get("input")
        if not texts or body.get("task") not in (None, "retrieval.query", "retrieval.passage"):
            raise Refused(422, "", "input: a list of texts is required")
        size = body.get("dimensions", 16)
        rows = []
        for index, text in enumerate(texts):
            row = [0.0] * size
            for char in text.lower():
                row[ord(char) % size] += 1.0
            rows.append({"object": "embedding", "index": index, "embedding": row})
        # Out of order, as nobody promised one.
        self.answer(200, {"object": "list", "model": body["model"], "data": rows[::-1], "usage": {"total_tokens": 9, "prompt_tokens": 9}})

    def log_message(self, *arguments):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
