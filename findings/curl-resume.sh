#!/bin/sh
# curl -C -: a file that is longer than the remote one counts as complete, and a server without ranges is an error.
# Packages: curl, libcurl4 7.88.1-10+deb12u15
# Guess: where the server does not do ranges curl starts again; where nothing is left to fetch it compares the lengths.
# Seen: answered 200 instead of 206: error 33, the file as it was. Answered 416: exit code 0 though the file has 200 bytes
#   and the remote one 100 (its Content-Range says so); with --fail error 22, also of a file that is complete. A file of
#   100 bytes of anything is complete.
# Here: "resume" alone can neither repair a file nor tell that one is done: length and checksum are compared, and after 33 or
#   416 the file is fetched anew.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need curl=7.88.1-10+deb12u15 libcurl4=7.88.1-10+deb12u15
[ -x /usr/bin/python3 ] || cannot "no /usr/bin/python3"

cat >server.py <<'CODE'
import http.server
body = b"x" * 100
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        first = int(self.headers.get("Range", "bytes=0-")[6:].rstrip("-")) if self.path == "/ranges" else 0
        code, part = (200, body) if first == 0 else (206, body[first:]) if first < len(body) else (416, b"")
        self.send_response(code)
        if code != 200:
            self.send_header("Content-Range", f"bytes {first}-99/100" if part else "bytes */100")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
server.timeout = 30
print(server.server_port, flush=True)
for _ in range(5):
    server.handle_request()
CODE
/usr/bin/python3 server.py >port &
wait_until [ -s port ]
# resume BYTES PATH [FLAG]: exit code and size behind it, of a file that has so many bytes before.
resume() {
  head -c "$1" /dev/zero >x
  code=0
  curl --silent --noproxy '*' --max-time 30 -C - -o x ${3+"$3"} "http://127.0.0.1:$(cat port)$2" || code=$?
  echo "$code $(wc -c <x)"
}
expect "30 of 100 bytes, with ranges" "0 100" "$(resume 30 /ranges)"
expect "30 of 100 bytes, without" "33 30" "$(resume 30 /none)"
expect "200 of 100 bytes" "0 200" "$(resume 200 /ranges)"
expect "200 of 100 bytes, --fail" "22 200" "$(resume 200 /ranges --fail)"
expect "100 of 100 bytes, --fail" "22 100" "$(resume 100 /ranges --fail)"
finish
