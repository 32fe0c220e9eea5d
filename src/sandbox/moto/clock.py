"""Schedules that come due, and start their tasks with the rights of their role.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import json
import re
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from croniter import croniter
from moto.scheduler.models import Schedule, scheduler_backends

import agent
from patch import replaces

# Seconds between two looks.
LOOK = 0.5
UNITS = {"minute": 60, "hour": 3600, "day": 86400}
# What AWS lets the tasks say of who started them.
STARTED_BY = "chronos-schedule/"


def say(text):
    print(f"schedules: {text}", file=sys.stderr, flush=True)


def weekday(text):
    """AWS counts from Sunday, 1; the library from Sunday, 0, and writes the last one before its day."""
    text = re.sub(r"(?<![#/\d])\d(?![\d])", lambda it: str(int(it[0]) - 1), text)
    return re.sub(r"(\d|[A-Za-z]{3})L", r"L\1", text)


def next_of(schedule, after):
    """When it is due after a moment; `None` for never."""
    zone = ZoneInfo(schedule.schedule_expression_timezone)
    kind, text = schedule.schedule_expression.rstrip(")").split("(", 1)
    if kind == "at":
        due = datetime.fromisoformat(text).replace(tzinfo=zone)
        return due if due > after else None
    if kind == "rate":
        count, unit = text.split()
        return after + timedelta(seconds=int(count) * UNITS[unit.rstrip("s")])
    minute, hour, day, month, of_week, year = text.split()
    expression = f"{minute} {hour} {day} {month} {weekday(of_week)} 0 {year}".replace("?", "*")
    return croniter(expression, after.astimezone(zone)).get_next(datetime)


def lowered(value):
    """The Scheduler's words as ECS has them."""
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: lowered(it) for key, it in value.items()}
    return [lowered(it) for it in value] if isinstance(value, list) else value


def start(backend, schedule):
    target = schedule.target
    wanted = lowered(target.get("EcsParameters"))
    if not wanted:
        return
    wanted["taskDefinition"] = wanted.pop("taskDefinitionArn")
    wanted["count"] = wanted.pop("taskCount", 1)
    if target.get("Input"):
        wanted["overrides"] = json.loads(target["Input"])
    role = target["RoleArn"].rsplit("/", 1)[-1]
    ecs = agent.as_role(role, schedule.name, backend.region_name, "ecs")
    ecs.run_task(cluster=target["Arn"], startedBy=STARTED_BY + schedule.name, **wanted)


class Clock:
    """All schedules, each with when it is due."""

    def __init__(self):
        # By schedule: what it was when that was found out, and when.
        self.due = {}
        threading.Thread(target=self.go, daemon=True).start()

    def go(self):
        while True:
            time.sleep(LOOK)
            now = datetime.now(timezone.utc)
            try:
                found = {it.arn: (backend, it) for backend, it in schedules()}
            except RuntimeError:  # One was made or deleted meanwhile.
                continue
            for arn in self.due.keys() - found.keys():
                del self.due[arn]
            for arn, (backend, schedule) in found.items():
                self.look(arn, backend, schedule, now)

    def look(self, arn, backend, schedule, now):
        what = (schedule.schedule_expression, schedule.schedule_expression_timezone, schedule.state)
        try:
            if self.due.get(arn, (None, None))[0] != what:
                self.due[arn] = (what, next_of(schedule, now))
            due = self.due[arn][1]
            if schedule.state != "ENABLED" or due is None or due > now:
                return
            self.due[arn] = (what, next_of(schedule, now))
            start(backend, schedule)
        except Exception as error:  # A role without the right, an expression that is not understood.
            say(f"{schedule.name}: {error}")
            self.due.setdefault(arn, (what, None))


def schedules():
    for regions in scheduler_backends.values():
        for backend in regions.values():
            for group in list(backend.schedule_groups.values()):
                for schedule in list(group.schedules.values()):
                    yield backend, schedule


clock = None


@replaces(Schedule, "__init__")
def made(old, self, *args, **kwargs):
    """Nobody looks before there is one."""
    global clock
    old(self, *args, **kwargs)
    clock = clock or Clock()
