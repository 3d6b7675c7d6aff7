"""A web of one server, at 127.0.0.1 and by https, whose folders behave in as many ways as servers do.

/ok/FILE is as it should be; what the other folders do is said at each function. All but FILE's whose name begins with
`train-images`, or that are alone in their set, are always as they should be. What was asked for is in `requests`.
"""
import http.server
import os
import re
import socket
import ssl
import subprocess
import threading
from urllib.parse import urlsplit


class Request:
    def __init__(self, handler, folder, name):
        self.folder, self.name = folder, name
        self.range, self.authorization = handler.headers.get("Range"), handler.headers.get("Authorization")
        self.query = urlsplit(handler.path).query
        self.sent = 0  # bytes of a body


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        web = self.server.web
        folder, name = urlsplit(self.path).path.strip("/").split("/", 1)
        self.request_ = Request(self, folder, name)
        web.requests.append(self.request_)
        self.body = web.files.get(name, b"")
        try:
            (getattr(self, folder) if name.startswith(web.odd) else self.ok)()
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True

    def head(self, status, **headers):
        self.send_response(status)
        for field, value in headers.items():
            self.send_header(field.replace("_", "-"), str(value))
        self.end_headers()

    def send(self, data):
        self.wfile.write(data)
        self.request_.sent += len(data)

    def first(self):
        asked = re.fullmatch(r"bytes=(\d+)-", self.request_.range or "")
        return int(asked[1]) if asked else 0

    def part(self):
        """The head of an answer with what was asked for, and that."""
        first, size = self.first(), len(self.body)
        if first and first >= size:
            self.head(416, Content_Range=f"bytes */{size}", Content_Length=0)
            return b""
        if first:
            self.head(206, Content_Range=f"bytes {first}-{size - 1}/{size}", Content_Length=size - first)
        else:
            self.head(200, Content_Length=size, Accept_Ranges="bytes")
        return self.body[first:]

    def ok(self):
        if self.request_.name not in self.server.web.files:
            return self.missing()
        return self.send(self.part())

    def pauses(self):
        """In the middle, for as long as a line of progress takes."""
        data = self.part()
        self.send(data[: len(data) // 2])
        self.server.web.over.wait(0.5)
        self.send(data[len(data) // 2:])

    def knows_no_ranges(self):
        self.head(200, Content_Length=len(self.body))
        self.send(self.body)

    def cuts_off(self):
        data = self.part()
        self.send(data[: len(data) // 2])
        self.close_connection = True

    def waits(self):
        """After half of it, until the test is over."""
        data = self.part()
        self.send(data[: len(data) // 2])
        self.wfile.flush()
        self.server.web.over.wait()
        self.close_connection = True

    def silent(self):
        self.server.web.over.wait()
        self.close_connection = True

    def promises_more(self):
        self.head(200, Content_Length=len(self.body) + 1000)
        self.send(self.body)
        self.close_connection = True

    def says_no_length(self):
        self.head(200, Connection="close")
        self.send(self.body)
        self.close_connection = True

    def page(self):
        text = b"<html>Please log in</html>"
        self.head(200, Content_Type="text/html; charset=utf-8", Content_Length=len(text))
        self.send(text)

    def other(self):
        """As long, and not the same."""
        self.body = bytes(255 - one for one in self.body)
        self.ok()

    def zeros(self):
        self.head(200, Content_Length=self.server.web.zeros)
        self.send(bytes(self.server.web.zeros))

    def another_part(self):
        size = len(self.body)
        self.head(206, Content_Range=f"bytes 0-{size - 1}/{size}", Content_Length=size)
        self.send(self.body)

    def missing(self):
        self.head(404, Content_Length=9)
        self.send(b"not found")

    def unavailable(self):
        self.head(503, Content_Length=0)

    def chunks(self):
        while not self.server.web.over.is_set():
            self.send(b"10000\r\n" + bytes(65536) + b"\r\n")

    def endless(self):
        self.head(200, Transfer_Encoding="chunked")
        self.chunks()

    def endless_redirect(self):
        self.head(302, Location=f"/ok/{self.request_.name}", Transfer_Encoding="chunked")
        self.chunks()

    def redirected(self):
        self.head(302, Location=f"/ok/{self.request_.name}?token=of-the-redirect", Content_Length=0)

    def redirected_to_http(self):
        self.head(301, Location=f"http://127.0.0.1:{self.server.web.http_port}/ok/{self.request_.name}", Content_Length=0)

    def circle(self):
        self.head(302, Location=f"/circle/{self.request_.name}", Content_Length=0)


class Web:
    """folder: for the certificate, which clients have to be told of. files: by their names."""

    def __init__(self, folder, files, odd=("train-images", "gzip.zip", "cifar")):
        self.files, self.odd, self.requests, self.zeros = files, odd, [], 0
        self.over = threading.Event()
        self.certificate, key = os.path.join(folder, "certificate.pem"), os.path.join(folder, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", key, "-out", self.certificate], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        # One by http, which is asked for nothing.
        self.plain = self.serve(None)
        self.secure = self.serve(context)
        self.http_port, self.port = self.plain.server_port, self.secure.server_port

    def serve(self, context):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.web, server.daemon_threads = self, True
        server.handle_error = lambda *_: None  # who does not trust the certificate says so itself
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server

    def url(self, folder):
        return f"https://127.0.0.1:{self.port}/{folder}/"

    def close(self):
        self.over.set()
        for server in (self.plain, self.secure):
            server.shutdown()
            server.server_close()


class Proxy:
    """Of CONNECT alone; `asked` is whom for."""

    def __init__(self):
        self.asked, self.sockets = [], []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            self.sockets.append(client)
            threading.Thread(target=self.connect, args=(client,), daemon=True).start()

    def connect(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        host = head.split()[1].decode()
        self.asked.append(host)
        try:
            there = socket.create_connection(host.split(":"))
        except OSError:
            return
        self.sockets.append(there)
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for one, other in ((client, there), (there, client)):
            threading.Thread(target=self.copy, args=(one, other), daemon=True).start()

    @staticmethod
    def copy(one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.socket.close()
        for one in self.sockets:
            one.close()
