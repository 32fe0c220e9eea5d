"""Auto Scaling groups: an instance tells the version of the template that it was made from, and has
a disk of the image's size where the template gives none. All of that version counts."""

import threading

from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState
from moto.ec2.models import EC2Backend
from moto.ec2.models.instances import Instance

from patch import replaces


@replaces(InstanceState)
def __init__(old, self, *args, **kwargs):
    old(self, *args, **kwargs)
    group = self.auto_scaling_group
    template = group.ec2_launch_template
    self.made_from = template and {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "Version": str(template.get_version(group.launch_template_version).number),
    }


# https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Instance.html
InstanceState.launch_template = property(lambda self: self.made_from)


@replaces(Instance)
def add_block_device(old, self, size, device_path, snapshot_id, *args, **kwargs):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EbsBlockDevice.html

    Without a size, the disk is as large as the image's.
    """
    if size is None and snapshot_id is None:
        size = 8
    return old(self, size, device_path, snapshot_id, *args, **kwargs)


# The version that instances are being made from, in this thread.
making = threading.local()


@replaces(EC2Backend)
def _get_template_from_args(old, self, args):
    return getattr(making, "version", None) or old(self, args)


@replaces(FakeAutoScalingGroup)
def replace_autoscaling_group_instances(old, self, count, tags):
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/launch-templates.html

    All of the version counts, not what stands in the default one; its instance profile, too.
    """
    template = self.ec2_launch_template
    version = making.version = template and template.get_version(self.launch_template_version)
    before = len(self.instance_states)
    try:
        old(self, count, tags)
    finally:
        making.version = None
    profile = version and version.data.get("IamInstanceProfile")
    for made in self.instance_states[before:] if profile else ():
        self.autoscaling_backend.ec2_backend.associate_iam_instance_profile(
            made.instance.id, profile.get("Name"), profile.get("Arn")
        )
