"""Auto Scaling groups: an instance tells the version of the template that it was made from, and has
a disk of the image's size where the template gives none."""

from moto.autoscaling.models import InstanceState
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
