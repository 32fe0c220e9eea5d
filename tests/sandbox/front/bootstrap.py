#!/usr/bin/python3
"""What an instance does at its first boot, with nothing but the standard library; tells what came of it."""
import datetime
import hashlib
import hmac
import json
import os
import urllib.error
import urllib.request

METADATA = "http://169.254.169.254/latest/"
ENDPOINT = os.environ["AWS_ENDPOINT_URL"]


def ask(url, method="GET", headers=None, data=None):
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def sign(keys, service, path, headers=None, method="GET", data=b"", secret=None, token=None):
    now = datetime.datetime.utcnow().strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(data).hexdigest()
    headers = dict(headers or {}, **{
        "host": ENDPOINT.split("//")[1],
        "x-amz-date": now,
        "x-amz-content-sha256": digest,
        "x-amz-security-token": token or keys["Token"],
    })
    names = sorted(headers)
    lines = "".join(f"{name}:{headers[name]}\n" for name in names)
    request = "\n".join([method, path, "", lines, ";".join(names), digest])
    scope = f"{now[:8]}/{REGION}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = ("AWS4" + (secret or keys["SecretAccessKey"])).encode()
    for part in scope.split("/") + [text]:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={keys['AccessKeyId']}/{scope}, "
        f"SignedHeaders={';'.join(names)}, Signature={key.hex()}"
    )
    return ask(ENDPOINT + path, method, headers, data or None)


def code(answer):
    status, body = answer
    text = body.decode()
    if "<Code>" in text:
        return [status, text.split("<Code>")[1].split("<")[0]]
    return [status, json.loads(text)["__type"] if "__type" in text else text]


ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
status, token = ask(METADATA + "api/token", "PUT", ttl)
said = {"token": status, "endpoint": ENDPOINT}
said["bare"] = ask(METADATA + "meta-data/instance-id")[0]
said["forged"] = ask(METADATA + "meta-data/instance-id", headers={"X-aws-ec2-metadata-token": "x"})[0]
said["without ttl"] = ask(METADATA + "api/token", "PUT")[0]
said["passed on"] = ask(METADATA + "api/token", "PUT", dict(ttl, **{"X-Forwarded-For": "1.1.1.1"}))[0]


def metadata(path):
    status, body = ask(METADATA + path, headers={"X-aws-ec2-metadata-token": token.decode()})
    return body.decode() if status == 200 else status


REGION = metadata("meta-data/placement/region")
for path in ["instance-id", "placement/", "placement/availability-zone", "local-ipv4", "public-ipv4", "nothing"]:
    said[path] = metadata("meta-data/" + path)
said["document"] = json.loads(metadata("dynamic/instance-identity/document"))
said["user data"] = metadata("user-data") == open(__file__).read()
said["info"] = metadata("meta-data/iam/info")
role = metadata("meta-data/iam/security-credentials/")
said["role"] = role
said["unsigned"] = code(ask(ENDPOINT + "/bundles/fleet/bundle%20one"))
if isinstance(role, str):
    keys = json.loads(metadata("meta-data/iam/security-credentials/" + role))
    said["keys"] = [keys["Code"], keys["Type"], keys["Expiration"] > keys["LastUpdated"], keys["AccessKeyId"][:4]]
    said["whole"] = code(sign(keys, "s3", "/bundles/fleet/bundle%20one"))
    said["range"] = code(sign(keys, "s3", "/bundles/fleet/bundle%20one", {"range": "bytes=4-8"}))
    status, body = sign(keys, "s3", "/bundles/fleet/large")
    said["large"] = [status, len(body), hashlib.sha256(body).hexdigest()]
    status, body = sign(keys, "s3", "/bundles/fleet/large", {"range": "bytes=-3"})
    said["end"] = [status, list(body)]
    said["other"] = code(sign(keys, "s3", "/bundles/other/secret"))
    said["missing"] = code(sign(keys, "s3", "/bundles/fleet/missing"))
    said["put"] = code(sign(keys, "s3", "/bundles/fleet/mine", method="PUT", data=b"mine"))
    said["denied"] = code(sign(keys, "s3", "/bundles/fleet/denied"))
    said["wrong secret"] = code(sign(keys, "s3", "/bundles/fleet/bundle%20one", secret="x"))
    said["wrong token"] = code(sign(keys, "s3", "/bundles/fleet/bundle%20one", token="x"))
    target = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "AmazonSSM.GetParameter"}
    said["parameter"] = code(sign(keys, "ssm", "/", target, "POST", b'{"Name":"/x"}'))
    form = {"content-type": "application/x-www-form-urlencoded"}
    status, body = sign(keys, "sts", "/", form, "POST", b"Action=GetCallerIdentity&Version=2011-06-15")
    said["caller"] = body.decode().split("<Arn>")[1].split("<")[0]
with open("/root/draft", "w") as out:
    json.dump(said, out)
os.rename("/root/draft", "/root/said")
