"""Stands in for the Amazon Kinesis Agent: puts the lines of files into a stream, each once, as it is
configured in /etc/aws-kinesis/agent.json. agent.py [CONFIGURATION]

Files may be renamed and emptied as they grow. How far the stream has taken each is noted after every
request, so that a restart goes on there; only what was taken without an answer comes twice.
https://docs.aws.amazon.com/streams/latest/dev/writing-with-agents.html
"""

import base64
import glob
import hashlib
import hmac
import http.client
import json
import os
import random
import re
import signal
import sys
import time
import urllib.error
import urllib.request
from collections import deque, namedtuple
from datetime import datetime
from urllib.parse import urlsplit

# A setting: what it is if not given, and what else it may be.
SETTINGS = {
    "filePattern": (None, None),
    "kinesisStream": (None, None),
    "initialPosition": ("END_OF_FILE", ("START_OF_FILE", "END_OF_FILE")),
    "partitionKeyOption": ("RANDOM", ("RANDOM", "DETERMINISTIC")),
    "maxBufferAgeMillis": (60_000, range(1_000, 900_001)),
    "maxBufferSizeRecords": (500, range(1, 501)),
    "maxBufferSizeBytes": (5 << 20, range(1, (5 << 20) + 1)),
}
USER_AGENT = "aws-kinesis-agent/99.0"
METADATA = "http://169.254.169.254/latest"
# New credentials are fetched so many seconds before the old ones end.
OVERLAP = 300
# A record with its key, in bytes: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
LONGEST_RECORD = 1 << 20
# Bytes that are read of a file at once.
CHUNK = 5 << 20
# With so many records waiting, nothing more is read.
FULL = 50_000
# Seconds.
POLL, FIRST_PAUSE, LONGEST_PAUSE, TIMEOUT = 0.1, 0.1, 10, 10

# What a request may end with, beside an answer.
FAILURES = (OSError, ValueError, KeyError, http.client.HTTPException)

# Neither service is behind a proxy.
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
said = None


def say(message):
    """Once, however often it is so."""
    global said
    if message != said:
        print(message, file=sys.stderr, flush=True)
    said = message


def ask(method, url, headers, body=None):
    request = urllib.request.Request(url, body, headers, method=method)
    with opener.open(request, timeout=TIMEOUT) as answer:
        return answer.read().decode()


class Role:
    """The role of this instance, as the metadata service (version 2) tells of it."""

    def __init__(self):
        self.known = None

    def credentials(self):
        if not self.known or self.known["ends"] < time.time() + OVERLAP:
            try:
                self.known = self.fetched()
            except FAILURES as error:
                if not self.known or self.known["ends"] < time.time():
                    raise OSError(f"no credentials: {error}") from None
        return self.known

    def forget(self):
        self.known = None

    @staticmethod
    def fetched():
        token = ask("PUT", f"{METADATA}/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
        folder = f"{METADATA}/meta-data/iam/security-credentials/"
        header = {"X-aws-ec2-metadata-token": token}
        name = ask("GET", folder, header).split("\n")[0]
        told = json.loads(ask("GET", folder + name, header))
        return {**told, "ends": datetime.fromisoformat(told["Expiration"]).timestamp()}


class Kinesis:
    """The service, as an instance's role may use it."""

    def __init__(self, endpoint):
        # The agent's SDK takes the region from the endpoint, too.
        region = re.search(r"\b[a-z]{2}(-[a-z]+)+-\d\b", endpoint)
        self.region = region.group() if region else "us-east-1"
        # AWS may be elsewhere for all of a host, as in a sandbox.
        for name in ("AWS_ENDPOINT_URL_KINESIS", "AWS_ENDPOINT_URL"):
            if os.environ.get(name):
                endpoint = os.environ[name]
                break
        endpoint = endpoint or f"kinesis.{self.region}.amazonaws.com"
        self.url = endpoint if "://" in endpoint else f"https://{endpoint}"
        self.role = Role()

    def put(self, stream, records):
        """Why each of the records was refused; None for those that were taken."""
        entries = [{"Data": base64.b64encode(it.data).decode(), "PartitionKey": it.key} for it in records]
        body = json.dumps({"StreamName": stream, "Records": entries}).encode()
        headers = self.signed("Kinesis_20131202.PutRecords", body)
        try:
            answers = json.loads(ask("POST", self.url, headers, body))["Records"]
        except urllib.error.HTTPError as error:
            why = error.read().decode(errors="replace")
            # Perhaps they were taken back.
            if re.search("ExpiredToken|UnrecognizedClient|InvalidSignature", why):
                self.role.forget()
            raise OSError(f"{error.code}: {why}") from None
        if len(answers) != len(records):
            raise ValueError(f"{len(answers)} answers to {len(records)} records")
        return [it.get("ErrorCode") for it in answers]

    def signed(self, target, body):
        """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"""
        given = self.role.credentials()
        when = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        scope = f"{when[:8]}/{self.region}/kinesis/aws4_request"
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "host": urlsplit(self.url).netloc,
            "x-amz-date": when,
            "x-amz-security-token": given["Token"],
            "x-amz-target": target,
        }
        names = ";".join(headers)
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        text = f"AWS4-HMAC-SHA256\n{when}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = f"AWS4{given['SecretAccessKey']}".encode()
        for part in (*scope.split("/"), text):
            key = hmac.digest(key, part.encode(), "sha256")
        credential = f"{given['AccessKeyId']}/{scope}"
        signature = f"Credential={credential}, SignedHeaders={names}, Signature={key.hex()}"
        return {**headers, "authorization": f"AWS4-HMAC-SHA256 {signature}", "user-agent": USER_AGENT}


# A line; `times` and `start` say where it is: how often its file was emptied before, and the byte.
Record = namedtuple("Record", "data key file times start read")


class File:
    """A file, by whatever name, and how far it is read: to the end of a line.

    It is known by its inode alone: a container's disk has another number after each start.
    """

    def __init__(self, path, offset=0):
        self.open = open(path, "rb")
        self.id = str(os.fstat(self.open.fileno()).st_ino)
        self.offset = offset
        self.times = 0

    def lines(self):
        """The next lines that are whole, with where each begins."""
        if os.fstat(self.open.fileno()).st_size < self.offset:
            self.offset = 0
            self.times += 1
        self.open.seek(self.offset)
        chunk = self.open.read(CHUNK)
        whole = chunk[: chunk.rfind(b"\n") + 1]
        # What has no end within a chunk is no line: it ends there.
        if not whole and len(chunk) == CHUNK:
            whole = chunk
        for line in re.findall(rb"[^\n]*\n|[^\n]+", whole):
            start = self.offset
            self.offset += len(line)
            yield start, line

    def skip(self):
        """To its end."""
        while sum(1 for _ in self.lines()):
            pass


class Flow:
    """The files of a pattern, on their way to a stream."""

    def __init__(self, settings, kinesis, notes):
        self.settings = {name: settings.get(name, usual) for name, (usual, _) in SETTINGS.items()}
        for name in settings.keys() | SETTINGS.keys():
            _, possible = SETTINGS.get(name, (None, ()))
            value = self.settings.get(name)
            if value is None or possible is not None and value not in possible:
                sys.exit(f"in a flow, `{name}` cannot be {json.dumps(settings.get(name))}")
        self.pattern, self.stream = self.settings["filePattern"], self.settings["kinesisStream"]
        self.id = f"kinesis:{self.stream}:{self.pattern}"
        self.kinesis, self.notes = kinesis, notes
        self.files = {}
        self.queue = deque()
        self.pause, self.not_before = FIRST_PAUSE, 0
        self.begin()

    def begin(self):
        """Where it ended the last time; the first time, only the newest file is sent."""
        noted = self.notes.of(self.id)
        found = self.found()
        for path, id in found:
            file = self.opened(path, (noted or {}).get(id, 0))
            if file and noted is None:
                if path != found[-1][0] or self.settings["initialPosition"] == "END_OF_FILE":
                    file.skip()
        self.note()

    def found(self):
        """Path and id of each file, the one that was written last at the end."""
        found = []
        for path in glob.glob(self.pattern):
            try:
                status = os.stat(path)
            except FileNotFoundError:
                continue
            if not path.endswith((".gz", ".bz2", ".zip")):
                found.append((status.st_mtime_ns, path, str(status.st_ino)))
        return [(path, id) for _, path, id in sorted(found)]

    def opened(self, path, offset=0):
        try:
            file = File(path, offset)
        except OSError as error:
            say(f"{path} is not sent: {error}")
            return None
        self.files[file.id] = file
        return file

    def look(self):
        """Takes up the lines that have come."""
        found = self.found()
        for path, id in found:
            if id not in self.files:
                self.opened(path)
        there = {id for _, id in found}
        for id, file in list(self.files.items()):
            if len(self.queue) >= FULL:
                break
            times, offset = file.times, file.offset
            self.take(file)
            if file.times != times:
                self.note()
            if id not in there and file.offset == offset:
                del self.files[id]

    def take(self, file):
        now = time.monotonic()
        for start, line in file.lines():
            if self.settings["partitionKeyOption"] == "RANDOM":
                key = str(random.uniform(0, 1_000_000))
            else:
                key = hashlib.md5(line).hexdigest()
            most = LONGEST_RECORD - len(key)
            data = line if len(line) <= most else line[: most - 1] + b"\n"
            self.queue.append(Record(data, key, file, file.times, start, now))

    def batch(self):
        """The next records, as many as one request has; none while there may still come more."""
        batch, size = [], 0
        for record in self.queue:
            size += len(record.data) + len(record.key)
            full = batch and size > self.settings["maxBufferSizeBytes"]
            if full or len(batch) == self.settings["maxBufferSizeRecords"]:
                return batch
            batch.append(record)
        if len(batch) == self.settings["maxBufferSizeRecords"]:
            return batch
        waited = batch and time.monotonic() - batch[0].read
        return batch if waited * 1_000 >= self.settings["maxBufferAgeMillis"] else []

    def send(self):
        """Whether something was sent, and more may be."""
        if not self.queue or time.monotonic() < self.not_before:
            return False
        batch = self.batch()
        if not batch:
            return False
        try:
            refused = self.kinesis.put(self.stream, batch)
        except FAILURES as error:
            say(f"{self.stream} takes nothing, trying again: {error}")
            return self.wait()
        for _ in batch:
            self.queue.popleft()
        again = [record for record, code in zip(batch, refused) if code]
        self.queue.extendleft(reversed(again))
        self.note()
        if len(again) < len(batch):
            self.pause = FIRST_PAUSE
        if again:
            say(f"{self.stream} refuses records, trying again: {sorted(set(filter(None, refused)))}")
            return self.wait()
        return True

    def wait(self):
        self.not_before = time.monotonic() + self.pause
        self.pause = min(self.pause * 2, LONGEST_PAUSE)
        return False

    def note(self):
        """Of each file, the first line that is still to be sent."""
        offsets = {file.id: file.offset for file in self.files.values()}
        for record in reversed(self.queue):
            if record.times == record.file.times:
                offsets[record.file.id] = record.start
        self.notes.note(self.id, offsets)


class Notes:
    """A file that remembers how far each flow is."""

    def __init__(self, path):
        self.path = path
        try:
            with open(path) as file:
                self.flows = json.load(file)
        except FileNotFoundError:
            self.flows = {}

    def of(self, flow):
        return self.flows.get(flow)

    def note(self, flow, offsets):
        if self.flows.get(flow) == offsets:
            return
        self.flows[flow] = offsets
        draft = f"{self.path}.draft"
        with open(draft, "w") as file:
            json.dump(self.flows, file)
        os.replace(draft, self.path)


def main(path="/etc/aws-kinesis/agent.json"):
    with open(path) as file:
        settings = json.load(file)
    kinesis = Kinesis(settings.get("kinesis.endpoint") or "")
    notes = Notes(settings.get("checkpointFile", "/var/run/aws-kinesis-agent/checkpoints"))
    flows = [Flow(flow, kinesis, notes) for flow in settings.get("flows", [])]
    if not flows:
        sys.exit(f"{path} has no flows")
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    while not ended:
        for flow in flows:
            flow.look()
            while not ended and flow.send():
                pass
        time.sleep(POLL)


main(*sys.argv[1:])
