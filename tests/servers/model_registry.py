"""A registry of models for Ollama to pull from, over TLS: MODELS PORT DATA_PORT FOLDER.

MODELS is the models folder of an Ollama that has the model `tiny`. FOLDER holds `certificate.pem` and `key.pem`.
As registries do, it sends those who want data to another host. Of the data of the model itself it sends the half that is
wanted, and the rest once there is a file `gate` in FOLDER; if the client leaves before that, it makes a file `left` there.
"""
import pathlib
import re
import socket
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

models, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[4])
port, data_port = int(sys.argv[2]), int(sys.argv[3])
LARGE = 100_000


def blob(digest):
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        return None
    path = models / "blobs" / digest.replace(":", "-")
    return path if path.is_file() else None


class Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def empty(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()


class Registry(Quiet):
    def do_HEAD(self):
        path = blob(self.path.rsplit("/", 1)[-1])
        if path is None:
            return self.empty(404)
        self.send_response(200)
        self.send_header("Content-Length", str(path.stat().st_size))
        self.end_headers()

    def do_GET(self):
        if self.path == "/v2/library/tiny/manifests/latest":
            body = (models / "manifests/registry.ollama.ai/library/tiny/latest").read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            return self.wfile.write(body)
        digest = self.path.rsplit("/", 1)[-1]
        if blob(digest) is None:
            return self.empty(404)
        return self.empty(307, Location=f"http://localhost:{data_port}/{digest}")


class Data(Quiet):
    def do_GET(self):
        path = blob(self.path.lstrip("/"))
        if path is None:
            return self.empty(404)
        data = path.read_bytes()
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        first, last = (int(wanted[1]), int(wanted[2])) if wanted else (0, len(data) - 1)
        piece = data[first : last + 1]
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(piece)))
        self.end_headers()
        half = len(piece) // 2 if len(data) > LARGE else len(piece)
        self.wfile.write(piece[:half])
        self.wfile.flush()
        if half < len(piece) and self.wait_for_gate():
            self.wfile.write(piece[half:])

    def wait_for_gate(self):
        while not (folder / "gate").exists():
            self.connection.settimeout(0.05)
            try:
                if self.connection.recv(1, socket.MSG_PEEK) == b"":
                    (folder / "left").touch()
                    self.close_connection = True
                    return False
            except TimeoutError:
                pass
        self.connection.settimeout(None)
        return True


registry = ThreadingHTTPServer(("127.0.0.1", port), Registry)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
registry.socket = context.wrap_socket(registry.socket, server_side=True)
data = ThreadingHTTPServer(("127.0.0.1", data_port), Data)
for server in (registry, data):
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
(folder / "ready").touch()
while True:
    time.sleep(3600)
