"""A small server of HTTP on loopback that stands for Jupyter, with something to download and to upload to."""

import contextlib
import hashlib
import http.server
import json
import threading

VERSION = "6.4.12"
BIG = bytes(range(251)) * 20_000


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(BIG if self.path == "/big" else json.dumps({"version": VERSION, "path": self.path}).encode())

    def do_POST(self):
        self.answer(hashlib.sha256(self.rfile.read(int(self.headers["Content-Length"]))).hexdigest().encode())

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve(case, port=0):
    """Until the test case is over; the port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    case.addCleanup(server.server_close)
    case.addCleanup(server.shutdown)
    return server.server_port
