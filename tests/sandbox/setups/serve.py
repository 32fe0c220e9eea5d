"""Stands in for RStudio Server, Shiny Server and Jenkins: what matters of them to who configures
them. serve.py rstudio|shiny|jenkins
"""

import base64
import glob
import hashlib
import http.server
import os
import re
import subprocess
import sys

WHAT = sys.argv[1]


def setting(path, pattern, default):
    try:
        found = re.search(pattern, open(path).read(), re.M)
    except OSError:
        found = None
    return found.groups() if found else default


if WHAT == "rstudio":
    (port,) = setting("/etc/rstudio/rserver.conf", r"^www-port=(\d+)$", ("8787",))
    (address,) = setting("/etc/rstudio/rserver.conf", r"^www-address=(\S+)$", ("0.0.0.0",))
    prefix = ""
elif WHAT == "shiny":
    port, address = setting(
        "/etc/shiny-server/shiny-server.conf", r"^ *listen (\d+) (\S+);$", ("3838", "0.0.0.0")
    )
    prefix = ""
else:
    port = os.environ.get("JENKINS_PORT", "8080")
    address = os.environ.get("JENKINS_LISTEN_ADDRESS") or "0.0.0.0"
    prefix = os.environ.get("JENKINS_PREFIX", "")


def page():
    if WHAT == "rstudio":
        return "RStudio"
    if WHAT == "shiny":
        return "Shiny apps: " + " ".join(sorted(os.listdir("/srv/shiny-server")))
    casc = "".join(open(path).read() for path in glob.glob(os.environ["CASC_JENKINS_CONFIG"] + "/*"))
    groups = subprocess.run(["id", "-nG"], capture_output=True, text=True).stdout
    plugins = sorted(os.listdir("plugins")) if os.path.isdir("plugins") else []
    jobs = sorted(os.listdir("jobs")) if os.path.isdir("jobs") else []
    return f"Jenkins\ngroups {groups}plugins {plugins}\njobs {jobs}\n{casc}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        key = self.headers.get("Sec-WebSocket-Key")
        if key and self.headers.get("Upgrade", "").lower() == "websocket":
            return self.echo(key)
        if not self.path.startswith(prefix + "/"):
            return self.answer(404, f"not under {prefix}")
        self.answer(200, page())

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def echo(self, key):
        """One short message comes back (RFC 6455)."""
        guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1((key + guid).encode()).digest()).decode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept)
        self.end_headers()
        first, length = self.rfile.read(2)
        mask = self.rfile.read(4)
        text = bytes(byte ^ mask[i % 4] for i, byte in enumerate(self.rfile.read(length & 127)))
        self.wfile.write(bytes([first, len(text)]) + text)
        self.close_connection = True


http.server.ThreadingHTTPServer((address, int(port)), Handler).serve_forever()
