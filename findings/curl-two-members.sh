#!/bin/sh
# curl: a response in Content-Encoding: gzip of two members ends with an error behind the first.
# Packages: curl, libcurl4 7.88.1-10+deb12u15
# Guess: --compressed (CURLOPT_ACCEPT_ENCODING) decodes what gzip does, all members.
# Seen: the first member is written, then error 23 ("Failed writing received data"): no word of gzip, and a file that looks
#   like a shorter one. Without --compressed the two members arrive as they are, and gzip reads them.
# Here: a server that has x.gz of bgzip or pigz -i and sends it as the encoding of x. Data sets are fetched as the bytes they are,
#   without Accept-Encoding, and unpacked by who checks them.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=lib
. "$(dirname -- "$(readlink -f -- "$0")")/lib"
need curl=7.88.1-10+deb12u15 libcurl4=7.88.1-10+deb12u15
[ -x /usr/bin/python3 ] || cannot "no /usr/bin/python3"

cat >server.py <<'CODE'
import gzip, http.server
body = gzip.compress(b"first\n") + gzip.compress(b"second\n")
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
server.timeout = 30
print(server.server_port, flush=True)
for _ in range(2):
    server.handle_request()
CODE
/usr/bin/python3 server.py >port &
wait_until [ -s port ]
get() { curl --silent --noproxy '*' --max-time 30 "$@" "http://127.0.0.1:$(cat port)/x" && echo 0 || echo $?; }
expect "--compressed: written, exit code" "first 23" "$(get --compressed | xargs)"
expect "without: exit code" 0 "$(get -o x.gz)"
expect "what arrived, by gzip" "first second" "$(gzip -dc x.gz | xargs)"
finish
