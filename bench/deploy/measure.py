"""measure.py: deploys one service again and again, by tidewalk and by the usual four commands, and writes a
table of the seconds. Both services are alike: two copies, the same load balancer settings, the same image."""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

DIR = Path(os.environ["BENCH_DIR"])
REPOSITORY = Path(__file__).resolve().parents[2]
TIDEWALK = os.environ["TIDEWALK"]
AWS = DIR / "venv/bin/aws"
REGION = "eu-west-1"
DOCKERFILE = 'FROM scratch\nCOPY server /\nCOPY version /\nCMD ["/server"]\n'
TOOLS = ("tidewalk", "four commands", "four commands, no pause")
CASES = ("nothing changed", "one line changed")


def run(command, **more):
    done = subprocess.run([str(word) for word in command], cwd=DIR, stdin=subprocess.DEVNULL, capture_output=True, text=True, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


# The app is a small one, not the API in R: its image says what runs, and this path is always well.
SMALL = ("--var", "command=[]", "--var", "health_path=/stats")


def app(folder):
    path = DIR / folder
    path.mkdir(exist_ok=True)
    shutil.copy(DIR / "server", path / "server")
    (path / "Dockerfile").write_text(DOCKERFILE)
    (path / "version").write_text("0\n")


class Tidewalk:
    def __init__(self):
        app("ours")
        shutil.copy(REPOSITORY / "playbooks/btc-api.yml", DIR / "ours.yml")
        self.deploy()

    def change(self, version):
        (DIR / "ours/version").write_text(f"{version}\n")

    def deploy(self):
        return run([TIDEWALK, "apply", "ours.yml", "--sandbox", "--yes", "--var", "app=ours", *SMALL])


class FourCommands:
    """The service is made by tidewalk, too; it runs `latest`, whatever that is."""

    def __init__(self, aws):
        app("theirs")
        self.aws = aws
        told = json.loads(run([*aws, "ecr", "create-repository", "--repository-name", "peer"]))
        self.image = told["repository"]["repositoryUri"] + ":latest"
        login = run([*aws, "ecr", "get-login-password"])
        registry = self.image.split("/")[0]
        subprocess.run(["docker", "login", "-u", "AWS", "--password-stdin", registry], input=login, text=True, check=True, capture_output=True, env=self.env())
        self.push()
        text = (REPOSITORY / "playbooks/btc-api.yml").read_text()
        begin, end = text.index("repositories:"), text.index("clusters:")
        text = text[:begin] + text[end:]
        for old, new in (("image: btc-report-api", 'image: "{{ vars.app }}"'), ("btc-api", "peer"), ("BTC_API", "PEER")):
            text = text.replace(old, new)
        (DIR / "theirs.yml").write_text(text)
        run([TIDEWALK, "apply", "theirs.yml", "--sandbox", "--yes", "--var", f"app={self.image}", *SMALL])

    def env(self):
        # A configuration of its own, so that the user's stays as it is. Not everywhere has the command BuildKit.
        return {**os.environ, "DOCKER_CONFIG": str(DIR / "docker"), "DOCKER_BUILDKIT": "0"}

    def push(self):
        run(["docker", "build", "-q", "-t", self.image, "theirs"], env=self.env())
        run(["docker", "push", "-q", self.image], env=self.env())

    def change(self, version):
        (DIR / "theirs/version").write_text(f"{version}\n")

    def deploy(self):
        self.push()
        run([*self.aws, "ecs", "update-service", "--cluster", "PEER", "--service", "peer", "--force-new-deployment"])
        run([*self.aws, "ecs", "wait", "services-stable", "--cluster", "PEER", "--services", "peer"])


class WithoutPause:
    """The same four, the wait as it could be: `aws ecs wait` looks every 15 seconds only."""

    def __init__(self, theirs):
        self.theirs, self.change = theirs, theirs.change

    def deploy(self):
        aws = self.theirs.aws
        self.theirs.push()
        run([*aws, "ecs", "update-service", "--cluster", "PEER", "--service", "peer", "--force-new-deployment"])
        look = [*aws, "ecs", "describe-services", "--cluster", "PEER", "--services", "peer"]
        stable = lambda it: len(it["deployments"]) == 1 and it["runningCount"] == it["desiredCount"]
        while not stable(json.loads(run(look))["services"][0]):
            pass


def measured(reps):
    # One that an interrupted run left.
    subprocess.run([TIDEWALK, "sandbox", "down"], capture_output=True)
    run([TIDEWALK, "sandbox", "up"])
    status = json.loads(run([TIDEWALK, "sandbox", "status", "--json"]))
    os.environ.update(
        AWS_ENDPOINT_URL=status["sandbox"]["running"]["endpoint"], AWS_REGION=REGION, AWS_DEFAULT_REGION=REGION,
        AWS_ACCESS_KEY_ID="bench", AWS_SECRET_ACCESS_KEY="bench",
    )
    theirs = FourCommands([AWS, "--output", "json"])
    tools = dict(zip(TOOLS, (Tidewalk(), theirs, WithoutPause(theirs))))
    seconds = {(tool, case): [] for tool in TOOLS for case in CASES}
    for rep in range(1, reps + 1):
        for case in CASES:
            for name, tool in tools.items():
                if case == CASES[1]:
                    tool.change(f"{rep} {name}")
                begun = time.monotonic()
                tool.deploy()
                seconds[name, case].append(time.monotonic() - begun)
                print(f"{rep}/{reps} {case}, {name}: {seconds[name, case][-1]:.1f} s", file=sys.stderr)
    return seconds


def table(seconds, reps):
    print(f"Medians of {reps}, seconds; in brackets the fastest and the slowest.\n")
    print("| a deploy in which | **tidewalk** | the four commands | the same, looking without a pause |\n| --- | --: | --: | --: |")
    for case in CASES:
        cell = lambda all: f"{statistics.median(all):.1f} ({min(all):.1f}–{max(all):.1f})"
        ours, *others = (seconds[tool, case] for tool in TOOLS)
        times = lambda all: f"{cell(all)}, {statistics.median(all) / statistics.median(ours):.1f}×"
        print(f"| {case} | **{cell(ours)}** | {' | '.join(map(times, others))} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reps", type=int, default=5, help="how often each deploy is done (%(default)s)")
    reps = parser.parse_args().reps
    os.environ["TIDEWALK_SANDBOX_DIR"] = str(DIR / "sandbox")
    try:
        seconds = measured(reps)
    finally:
        subprocess.run([TIDEWALK, "sandbox", "down"], capture_output=True)
    table(seconds, reps)


main()
