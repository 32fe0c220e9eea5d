"""CBOR for services that are asked in it: moto speaks the JSON of the same operations.

https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
"""

import io
import json

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import RpcV2CBORParser, create_parser
from botocore.serialize import RpcV2CBORSerializer

# The name in a path, and the service's in botocore.
SERVICES = {"GraniteServiceVersion20100801": "cloudwatch"}
models = {}


def model_of(name):
    if name not in models:
        models[name] = ServiceModel(Loader().load_service_model(SERVICES[name], "service-2"))
    return models[name]


def encoded(value, shape):
    out = bytearray()
    RpcV2CBORSerializer()._serialize_data_item(out, value, shape)
    return bytes(out)


def plain(value):
    """What JSON has for it."""
    if hasattr(value, "timestamp"):
        return value.timestamp()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def text(value):
    return bytes([0x7A]) + len(value.encode()).to_bytes(4, "big") + value.encode()


class Translated:
    """The application with CBOR in front of it."""

    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        if environ.get("HTTP_SMITHY_PROTOCOL") != "rpc-v2-cbor" or not path.startswith("/service/"):
            return self.app(environ, start_response)
        _, _, service, _, operation = path.split("/")
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        asked = RpcV2CBORParser().parse_data_item(io.BufferedReader(io.BytesIO(body))) if body else {}
        sent = json.dumps(plain(asked)).encode()
        inner = environ | {
            "PATH_INFO": "/",
            "RAW_URI": "/",
            "REQUEST_URI": "/",
            "CONTENT_TYPE": "application/x-amz-json-1.0",
            "CONTENT_LENGTH": str(len(sent)),
            "HTTP_X_AMZ_TARGET": f"{service}.{operation}",
            "wsgi.input": io.BytesIO(sent),
        }
        inner.pop("HTTP_SMITHY_PROTOCOL")
        told = {}

        def start(status, headers, *rest):
            told.update(status=status, headers=headers)

        answer = b"".join(self.app(inner, start))
        status = int(told["status"].split()[0])
        headers = [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]
        if status >= 400:
            said = json.loads(answer)
            code = said.get("__type", "InternalFailure").split("#")[-1]
            message = said.get("message") or said.get("Message") or ""
            headers.append(("x-amzn-query-error", f"{code};Sender"))
            out = b"\xa2" + text("__type") + text(code) + text("message") + text(message)
        else:
            shape = model_of(service).operation_model(operation).output_shape
            given = {"body": answer or b"{}", "headers": {}, "status_code": 200}
            value = create_parser("json").parse(given, shape) if shape else {}
            value.pop("ResponseMetadata", None)
            out = encoded(value, shape) if shape else b"\xa0"
        start_response(told["status"], [*headers, ("Content-Length", str(len(out)))])
        return [out]
