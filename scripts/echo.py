"""Says a short text into a websocket (RFC 6455) and prints what comes back. Run by the demo.

    python echo.py ws://HOST/PATH TEXT
"""

import os
import socket
import sys
import urllib.parse

url, text = urllib.parse.urlsplit(sys.argv[1]), sys.argv[2].encode()
with socket.create_connection((url.hostname, url.port or 80), timeout=20) as connection:
    connection.sendall(
        f"GET {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    answer = connection.makefile("rb")
    status = answer.readline()
    if b" 101 " not in status:
        sys.exit(f"no websocket: {status.decode().strip()}")
    while answer.readline().strip():
        pass
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(text))
    connection.sendall(bytes([0x81, 0x80 | len(text)]) + mask + masked)
    _, length = answer.read(2)
    print(answer.read(length).decode())
