"""EventBridge Scheduler: what is there already, what is not there."""

from moto.scheduler.exceptions import ScheduleGroupNotFound
from moto.scheduler.models import EventBridgeSchedulerBackend

from patch import refusing, replaces

refuse = refusing("scheduler")


@replaces(EventBridgeSchedulerBackend)
def create_schedule_group(old, self, name, tags):
    """https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateScheduleGroup.html"""
    if name in self.schedule_groups:
        refuse("ConflictException", f"Schedule group {name} already exists.")
    return old(self, name=name, tags=tags or [])


@replaces(EventBridgeSchedulerBackend)
def create_schedule(old, self, *args, **kwargs):
    """https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html"""
    self.get_schedule_group(kwargs.get("group_name"))
    return old(self, *args, **kwargs)


@replaces(EventBridgeSchedulerBackend)
def update_schedule(old, self, *args, **kwargs):
    """https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html

    What is not given gets its default.
    """
    kwargs["state"] = kwargs.get("state") or "ENABLED"
    return old(self, *args, **kwargs)


@replaces(EventBridgeSchedulerBackend)
def delete_schedule_group(old, self, name):
    """https://docs.aws.amazon.com/scheduler/latest/APIReference/API_DeleteScheduleGroup.html"""
    if name == "default":
        refuse("ValidationException", "Default schedule group cannot be deleted.")
    if name not in self.schedule_groups:
        raise ScheduleGroupNotFound(name)
    self.tagger.delete_all_tags_for_resource(self.schedule_groups[name].arn)
    return old(self, name)
