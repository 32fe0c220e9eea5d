"""Stands in for RStudio Server, Shiny Server and Jenkins: what matters of them to who configures
them. serve.py rstudio|shiny|jenkins
"""

import base64
import glob
import hashlib
import html
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


# Opens a websocket beside the page, by whatever way the page came, and shows what comes back.
ECHO = """<p>The websocket says: <output id="echo">nothing yet</output></p>
<script>
  const socket = new WebSocket(new URL("events", location.href.replace(/^http/, "ws")));
  socket.onopen = () => socket.send("tide");
  socket.onmessage = (message) => { document.getElementById("echo").textContent = "back came " + message.data; };
</script>"""


def listed(folder):
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def page():
    if WHAT == "rstudio":
        return "RStudio", ECHO
    if WHAT == "shiny":
        return "Shiny Server", "<p>Shiny apps: " + " ".join(listed("/srv/shiny-server")) + "</p>"
    casc = "".join(open(path).read() for path in glob.glob(os.environ["CASC_JENKINS_CONFIG"] + "/*"))
    groups = subprocess.run(["id", "-nG"], capture_output=True, text=True).stdout
    jobs = [name for name in listed("jobs") if os.path.isfile(f"jobs/{name}/config.xml")]
    told = f"groups {groups}plugins {listed('plugins')}\njobs {jobs}\n{casc}"
    return "Jenkins", f"<pre>{html.escape(told, quote=False)}</pre>"


def document():
    title, body = page()
    return f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>\n<body><h1>{title}</h1>\n{body}\n</body></html>\n'


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        key = self.headers.get("Sec-WebSocket-Key")
        if key and self.headers.get("Upgrade", "").lower() == "websocket":
            return self.echo(key)
        if not self.path.startswith(prefix + "/"):
            return self.answer(404, f"not under {prefix}")
        self.answer(200, document())

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
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
