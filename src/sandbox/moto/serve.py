"""Serves moto on a free port of loopback, prints the port, and ends when standard input closes.

So it ends with the process that started it, however that one ended. What moto does not do as AWS
does is put right by the files beside this one. With `--lazy`, a service is loaded when it is first
called.
"""

import os
import sys
import threading

# AWS's own managed policies are there, as in every account.
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

import acm
import applicationautoscaling
import autoscaling
import awake
import dynamodb
import ec2
import ecr
import ecs
import elbv2
import fleets
import gone_tags
import iam
import kinesis
import kms
import launch_templates
import logs
import names
import route53
import s3
import scheduler
import tagging
from cbor import Translated


class Quiet(MotoRequestHandler):
    def log_request(self, *args, **kwargs):
        pass


def end_with_parent():
    sys.stdin.buffer.read()
    os._exit(0)


app = Translated(DomainDispatcherApplication(create_backend_app))
if "--lazy" not in sys.argv:
    awake.wake(app)
server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
print(server.port, flush=True)
threading.Thread(target=end_with_parent, daemon=True).start()
server.serve_forever()
