"""A stand-in for the server that Knowhost replaces: it logs users in and verifies tokens by that server's rules, on the same database.

    python old_server.py DATABASE PORT

Rules: HMAC tokens under one published secret; claims with sorted keys; the text of each token must stand in auth_tokens, and its first
row must not be revoked; a logout revokes that row. Every answer carries `X-Served-By: old`.
"""
import base64
import datetime
import hashlib
import hmac
import http.server
import json
import sqlite3
import sys
import time
import uuid

import bcrypt

SECRET = b"your-secret-key"
HASHES = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
DATABASE = sys.argv[1]


def database():
    return sqlite3.connect(DATABASE, timeout=10, isolation_level=None)


def to_text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_text(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def issue(db, user, kind, seconds):
    now = int(time.time())
    claims = {"user_id": user["id"], "iat": now, "exp": now + seconds, "type": kind}
    if kind == "access":
        claims |= {"email": user["email"], "tenant_id": user["tenant_id"]}
    parts = [to_text(json.dumps(part, sort_keys=True, separators=(",", ":")).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    signed = ".".join(parts)
    token = signed + "." + to_text(hmac.new(SECRET, signed.encode(), hashlib.sha256).digest())
    moment = datetime.datetime.now(datetime.timezone.utc)
    column = lambda at: at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    expires = column(moment + datetime.timedelta(seconds=seconds))
    db.execute(
        "insert into auth_tokens (id, user_id, token, token_type, expires_at, is_revoked, created_at, updated_at) values (?, ?, ?, ?, ?, 0, ?, ?)",
        (str(uuid.uuid4()), user["id"], token, kind + "_token", expires, column(moment), column(moment)),
    )
    return token


def verify(db, token):
    """The user of a token, or None."""
    try:
        head, body, signature = token.split(".")
        digest = HASHES[json.loads(from_text(head))["alg"]]
        good = hmac.compare_digest(from_text(signature), hmac.new(SECRET, f"{head}.{body}".encode(), digest).digest())
        claims = json.loads(from_text(body))
    except (ValueError, KeyError):
        return None
    if not good or claims.get("exp", time.time() + 1) <= time.time() or claims.get("nbf", 0) > time.time():
        return None
    row = db.execute("select is_revoked from auth_tokens where token = ? order by id limit 1", (token,)).fetchone()
    if row is None or row[0] or not isinstance(claims.get("user_id"), str):
        return None
    return find_user(db, "id", claims["user_id"])


def find_user(db, column, value):
    row = db.execute(f"select id, username, email, tenant_id, password_hash from users where {column} = ?", (value,)).fetchone()
    return dict(zip(("id", "username", "email", "tenant_id", "password_hash"), row)) if row else None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Served-By", "old")
        self.end_headers()
        self.wfile.write(data)

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, db = self.path.split("?")[0], database()
        if path == "/health":
            return self.answer(200, {"status": "ok"})
        if path == "/api/v1/auth/login":
            asked = json.loads(body)
            user = find_user(db, "email", asked["email"])
            if not user or not bcrypt.checkpw(asked["password"].encode(), user["password_hash"].encode()):
                return self.answer(401, {"success": False, "message": "Invalid email or password"})
            tokens = {"token": issue(db, user, "access", 86_400), "refresh_token": issue(db, user, "refresh", 604_800)}
            return self.answer(200, {"success": True, **tokens})
        scheme, _, token = (self.headers.get("Authorization") or "").partition(" ")
        user = verify(db, token) if scheme == "Bearer" else None
        if not user:
            return self.answer(401, {"error": "Unauthorized: missing authentication"})
        if path == "/api/v1/auth/logout":
            db.execute("update auth_tokens set is_revoked = 1 where token = ?", (token,))
            return self.answer(200, {"success": True, "message": "Logout successful"})
        self.answer(200, {"success": True, "data": {"user": {"email": user["email"], "tenant_id": user["tenant_id"]}}})

    do_GET = do_POST = do_PUT = do_DELETE = serve

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
