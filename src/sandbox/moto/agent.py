"""What the agent of ECS does for a task: images, secrets and logs, with the execution role's rights.

It asks the sandbox's front as the role, so that what the role may not do fails as it fails in AWS.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html
"""

import base64
import json
import os
import queue
import threading
import time
import urllib.request
from datetime import datetime

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from docker.errors import APIError, ImageNotFound

import tasks

FRONT = os.environ["TIDEWALK_FRONT"]
# Where containers find AWS's services; empty when they cannot.
INSIDE = os.environ.get("TIDEWALK_INSIDE", "")
REGISTRY = os.environ["TIDEWALK_REGISTRY"]
USER_AGENT = "amazon-ecs-agent"
RETRIED = "service call has been retried 1 time(s)"
made = threading.Lock()


def credentials(role, session):
    """Temporary ones of a role."""
    asked = json.dumps({"role": role.rsplit("/", 1)[-1], "session": session}).encode()
    request = urllib.request.Request(f"{FRONT}/_sandbox/session", asked, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def client(life, service):
    """A client that has the rights of the execution role."""
    role = getattr(life.definition, "execution_role_arn", None)
    if not role:
        raise NoRole
    return as_role(role, life.task.id, life.backend.region_name, service)


def as_role(role, session, region, service):
    """A client that has the rights of a role."""
    given = credentials(role, session)
    # Making one is not safe in threads: https://boto3.amazonaws.com/v1/documentation/api/latest/guide/session.html
    with made:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=FRONT,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["Token"],
            config=Config(user_agent=USER_AGENT, retries={"total_max_attempts": 3}),
        )


class NoRole(Exception):
    """The task definition names no execution role."""

    def __str__(self):
        return "the task definition has no execution role"


def environment(life):
    """What every container is told of where it is.

    In AWS the credentials of the task role come from an address on the link; here they are
    variables, since containers of one bridge cannot be told apart there.
    """
    told = {"AWS_REGION": life.backend.region_name, "AWS_DEFAULT_REGION": life.backend.region_name}
    if INSIDE:
        told["AWS_ENDPOINT_URL"] = INSIDE
    role = getattr(life.definition, "task_role_arn", None)
    if role:
        given = credentials(role, life.task.id)
        told["AWS_ACCESS_KEY_ID"] = given["AccessKeyId"]
        told["AWS_SECRET_ACCESS_KEY"] = given["SecretAccessKey"]
        told["AWS_SESSION_TOKEN"] = given["Token"]
    return told


def secrets(life, wanted):
    """Values of a container's secrets, by the name of the variable.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-ssm-paramstore.html
    """
    values = {}
    for secret in wanted.get("secrets", []):
        where = secret["valueFrom"]
        manager = ":secretsmanager:" in where
        store = "asm" if manager else "ssm"
        try:
            values[secret["name"]] = from_manager(life, where) if manager else from_store(life, where)
        except (ClientError, NoRole) as error:
            raise tasks.Failed(
                "ResourceInitializationError",
                "unable to pull secrets or registry auth: execution resource retrieval failed: "
                f"unable to retrieve {'secret' if manager else 'secrets'} from {store}: {RETRIED}: {why(error)}",
            ) from None
    return values


def why(error):
    if isinstance(error, ClientError):
        told = error.response["Error"]
        return f"{told.get('Code')}: {told.get('Message')}"
    return str(error)


def from_store(life, where):
    name = where.split(":parameter", 1)[1] if where.startswith("arn:") else where
    told = client(life, "ssm").get_parameters(Names=[name], WithDecryption=True)
    if told.get("InvalidParameters"):
        error = {"Error": {"Code": "ParameterNotFound", "Message": f"invalid ssm parameters: {name}"}}
        raise ClientError(error, "GetParameters")
    return told["Parameters"][0]["Value"]


def from_manager(life, where):
    """`ARN:json-key:version-stage:version-id`, of which all but the ARN may be missing."""
    parts = where.split(":")
    key, stage, version = (parts[7:10] + ["", "", ""])[:3]
    asked = {"SecretId": ":".join(parts[:7])}
    asked.update({name: value for name, value in (("VersionStage", stage), ("VersionId", version)) if value})
    value = client(life, "secretsmanager").get_secret_value(**asked)["SecretString"]
    return str(json.loads(value)[key]) if key else value


def image(life, wanted):
    """The image's id, pulled where that is needed."""
    name, told = wanted["image"], life.told(wanted["name"])
    try:
        got = pulled(life, name)
    except ClientError as error:
        raise tasks.Failed(
            "ResourceInitializationError",
            "unable to pull secrets or registry auth: execution resource retrieval failed: "
            f"unable to retrieve ecr registry auth: {RETRIED}: {why(error)}",
        ) from None
    except NoRole as error:
        raise tasks.Failed("CannotPullECRContainerError", f"{error}", wanted["name"]) from None
    except APIError as error:
        raise tasks.Failed(
            "CannotPullContainerError",
            f"pull image manifest has been retried 1 time(s): failed to resolve ref {name}: {error.explanation}",
            wanted["name"],
        ) from None
    digests = got.attrs.get("RepoDigests") or []
    if digests:
        told.image_digest = digests[0].rsplit("@", 1)[-1]
    return got.id


def pulled(life, name):
    if not name.startswith(f"{REGISTRY}/"):
        try:
            return tasks.engine.images.get(name)
        except ImageNotFound:
            return tasks.engine.images.pull(*parted(name))
    ecr = client(life, "ecr")
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = base64.b64decode(token).decode().partition(":")
    repository, tag = parted(name)
    # What the pull of its layers asks for.
    ecr.batch_get_image(repositoryName=repository.split("/", 2)[-1], imageIds=[identifier(tag)])
    return tasks.engine.images.pull(repository, tag, auth_config={"username": user, "password": password})


def identifier(tag):
    return {"imageDigest": tag} if ":" in tag else {"imageTag": tag}


def parted(name):
    """Repository, and tag or digest."""
    if "@" in name:
        return tuple(name.split("@", 1))
    repository, colon, tag = name.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (name, "latest")


def stream(life, wanted):
    """Group and stream that a container writes to, if it does."""
    logs = wanted.get("logConfiguration") or {}
    options = logs.get("options") or {}
    if logs.get("logDriver") != "awslogs":
        return None
    return options["awslogs-group"], f"{options.get('awslogs-stream-prefix', 'ecs')}/{wanted['name']}/{life.task.id}", options


def open_logs(life, all_wanted):
    """Makes the log streams; without them, no container starts."""
    for wanted in all_wanted:
        place = stream(life, wanted)
        if not place:
            continue
        group, name, options = place
        try:
            logs = client(life, "logs")
            if options.get("awslogs-create-group") == "true":
                try:
                    logs.create_log_group(logGroupName=group)
                except logs.exceptions.ResourceAlreadyExistsException:
                    pass
            logs.create_log_stream(logGroupName=group, logStreamName=name)
        except (ClientError, NoRole) as error:
            raise tasks.Failed(
                "ResourceInitializationError",
                "failed to validate logger args: create stream has been retried 1 times: "
                f"failed to create Cloudwatch log stream: {why(error)} : exit status 1",
            ) from None


def ship(life, wanted, container):
    """Sends what a container prints to its log stream."""
    group, name, _ = stream(life, wanted)
    logs = client(life, "logs")
    lines = queue.Queue()

    def read():
        rest = b""
        try:
            for piece in tasks.engine.api.logs(container, stream=True, follow=True, timestamps=True):
                *whole, rest = (rest + piece).split(b"\n")
                for line in whole:
                    lines.put(line)
        finally:
            if rest:
                lines.put(rest)
            lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    open_ = True
    while open_:
        batch = []
        while len(batch) < tasks.LINES:
            try:
                line = lines.get(timeout=tasks.QUIET if batch else None)
            except queue.Empty:
                break
            if line is None:
                open_ = False
                break
            batch.append(event(line))
        if batch:
            batch.sort(key=lambda it: it["timestamp"])
            send(logs, group, name, batch, life)


def send(logs, group, name, batch, life):
    for _ in range(5):
        try:
            logs.put_log_events(logGroupName=group, logStreamName=name, logEvents=batch)
            return
        except ClientError as error:
            problem = why(error)
            time.sleep(0.5)
    tasks.say(f"task {life.task.id}: its output is lost: {problem}")


def event(line):
    """A line of the engine's: a time, and what was printed then."""
    text = line.decode(errors="replace").rstrip("\r")
    when, _, message = text.partition(" ")
    seconds = datetime.fromisoformat(when[:19] + "+00:00").timestamp()
    fraction = when[20:].rstrip("Z")[:3].ljust(3, "0")
    return {"timestamp": int(seconds) * 1000 + int(fraction), "message": message or " "}
