#!/usr/bin/env python3
"""Made by tidewalk: fetches this machine's configuration and the program that applies it, and runs it."""
import datetime, hashlib, hmac, json, os, subprocess, sys, time, urllib.error, urllib.parse, urllib.request

WANTED = json.loads(r'''@WANTED@''')
FOLDER = "/var/lib/tidewalk/bootstrap"
METADATA = "http://169.254.169.254/latest/"
PATIENCE = 300  # seconds: a network, a role or an object may be there a little later


def ask(method, url, headers):
    request = urllib.request.Request(url, method=method, headers=headers)
    return urllib.request.build_opener(urllib.request.ProxyHandler({}) if url.startswith("http:") else
                                       urllib.request.ProxyHandler()).open(request, timeout=60)


def metadata(path):
    token = ask("PUT", METADATA + "api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "300"}).read().decode()
    return ask("GET", METADATA + path, {"X-aws-ec2-metadata-token": token}).read().decode()


def credentials():
    path = "meta-data/iam/security-credentials/"
    try:
        role = metadata(path).split()[0]
    except urllib.error.HTTPError as error:
        if error.code == 404:
            raise RuntimeError("this instance has no instance profile: it needs one that allows s3:GetObject")
        raise
    told = json.loads(metadata(path + role))
    return told["AccessKeyId"], told["SecretAccessKey"], told["Token"]


def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def fetch(key, path):
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html"""
    bucket, region = WANTED["bucket"], WANTED["region"]
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    name = urllib.parse.quote("/" + key, safe="/-_.~")
    if endpoint:
        base, name = endpoint.rstrip("/"), "/" + bucket + name
    else:
        domain = "s3." + region + ".amazonaws.com" + (".cn" if region.startswith("cn-") else "")
        if "." in bucket:  # no certificate covers that as a host name
            base, name = "https://" + domain, "/" + bucket + name
        else:
            base = "https://" + bucket + "." + domain
    access, secret, token = credentials()
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    headers = {
        "host": urllib.parse.urlsplit(base).netloc,
        "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
        "x-amz-date": now,
        "x-amz-security-token": token,
    }
    names = ";".join(sorted(headers))
    lines = "".join(header + ":" + headers[header] + "\n" for header in sorted(headers))
    asked = "\n".join(["GET", name, "", lines, names, "UNSIGNED-PAYLOAD"])
    scope = "/".join([now[:8], region, "s3", "aws4_request"])
    text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(asked.encode()).hexdigest()])
    signing = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        signing = sign(signing, part)
    signature = hmac.new(signing, text.encode(), hashlib.sha256).hexdigest()
    headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s" % (
        access, scope, names, signature)
    digest = hashlib.sha256()
    with ask("GET", base + name, headers) as answer, open(path + ".part", "wb") as out:
        while True:
            chunk = answer.read(1 << 20)
            if not chunk:
                break
            digest.update(chunk)
            out.write(chunk)
    # What is in the bucket now may be another's: only what this user data names is run.
    if digest.hexdigest() not in key:
        raise RuntimeError("s3://%s/%s is not what was put there" % (bucket, key))
    os.rename(path + ".part", path)


def soon(what, *arguments):
    deadline, pause = time.monotonic() + PATIENCE, 1
    while True:
        try:
            return what(*arguments)
        except (OSError, RuntimeError) as error:
            said = str(error)
            if isinstance(error, urllib.error.HTTPError):
                said += ": " + error.read(500).decode(errors="replace")
            if time.monotonic() + pause > deadline:
                sys.exit("tidewalk: %s" % said)
            print("tidewalk: %s; trying again" % said, flush=True)
            time.sleep(pause)
            pause = min(pause * 2, 20)


os.makedirs(FOLDER, mode=0o700, exist_ok=True)
program, bundle = FOLDER + "/tidewalk", FOLDER + "/bundle.json"
soon(fetch, WANTED["program"], program)
soon(fetch, WANTED["bundle"], bundle)
os.chmod(program, 0o700)
sys.exit(subprocess.call([program, "configure", bundle]))
