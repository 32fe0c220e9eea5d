"""Auto Scaling: names, limits, groups that still have instances, refreshes."""

from moto.autoscaling.models import AutoScalingBackend
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random

from patch import refusing, replaces

refuse = refusing("autoscaling")

# Refreshes, the newest first, by group.
refreshes = {}


@replaces(AutoScalingBackend)
def create_auto_scaling_group(old, self, name, *args, **kwargs):
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html"""
    if name in self.autoscaling_groups:
        refuse(
            "AlreadyExists",
            "AutoScalingGroup by this name already exists - A group with the name " + name + " already exists",
        )
    return old(self, name, *args, **kwargs)


def within(group, wanted):
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_SetDesiredCapacity.html"""
    for limit, bound, fits in (
        ("above max value", group.max_size, wanted <= group.max_size),
        ("below min value", group.min_size, wanted >= group.min_size),
    ):
        if not fits:
            refuse(
                "ValidationError",
                f"New SetDesiredCapacity value {wanted} is {limit} {bound} for the AutoScalingGroup.",
            )


@replaces(AutoScalingResponse)
def set_desired_capacity(old, self):
    name = self._get_param("AutoScalingGroupName")
    group = self.autoscaling_backend.autoscaling_groups.get(name)
    if group is None:
        refuse("ValidationError", f"AutoScalingGroup name not found - {name}")
    within(group, int(self._get_param("DesiredCapacity")))
    return old(self)


@replaces(AutoScalingResponse)
def delete_auto_scaling_group(old, self):
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html"""
    name = self._get_param("AutoScalingGroupName")
    group = self.autoscaling_backend.autoscaling_groups.get(name)
    force = str(self._get_param("ForceDelete")).lower() == "true"
    if group and group.active_instances() and not force:
        refuse(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.",
        )
    refreshes.pop(name, None)
    return old(self)


@replaces(AutoScalingResponse)
def start_instance_refresh(old, self):
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_StartInstanceRefresh.html"""
    name = self._get_param("AutoScalingGroupName")
    group = self.autoscaling_backend.autoscaling_groups.get(name)
    if group is None:
        refuse("ValidationError", f"AutoScalingGroup name not found - {name}")
    wanted = group.desired_capacity
    group.set_desired_capacity(0)
    group.set_desired_capacity(wanted)
    refresh = {
        "InstanceRefreshId": str(mock_random.uuid4()),
        "AutoScalingGroupName": name,
        "Status": "Successful",
        "StartTime": utcnow(),
        "EndTime": utcnow(),
        "PercentageComplete": 100,
        "InstancesToUpdate": 0,
    }
    refreshes.setdefault(name, []).insert(0, refresh)
    return ActionResult({"InstanceRefreshId": refresh["InstanceRefreshId"]})


@replaces(AutoScalingResponse)
def describe_instance_refreshes(old, self):
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeInstanceRefreshes.html"""
    ids = self._get_param("InstanceRefreshIds", [])
    known = refreshes.get(self._get_param("AutoScalingGroupName"), [])
    shown = [it for it in known if not ids or it["InstanceRefreshId"] in ids]
    return ActionResult({"InstanceRefreshes": shown})
