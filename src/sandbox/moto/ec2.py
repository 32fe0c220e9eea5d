"""EC2: what something else still needs, images with their snapshots, volumes on one instance."""

from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidLaunchTemplateNameNotFoundError
from moto.ec2.models import EC2Backend
from moto.ec2.models.amis import Ami
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.instances import Instance
from moto.ec2.models.route_tables import Route
from moto.ec2.responses.amis import AmisResponse
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.responses.launch_templates import LaunchTemplates
from moto.ec2.responses.monitoring import Monitoring
from moto.ec2.utils import parse_user_data

from patch import refusing, replaces

refuse = refusing("ec2")


def held(kind, name):
    refuse("DependencyViolation", f"The {kind} '{name}' has dependencies and cannot be deleted.")


def interfaces(backend, **wanted):
    """Network interfaces that still hold something: not those of instances that are gone."""
    for eni in backend.enis.values():
        gone = eni.instance and eni.instance.state == "terminated"
        if not gone and all(getattr(eni.subnet, key) == value for key, value in wanted.items()):
            yield eni


def forget_interfaces(backend, **of):
    for eni in list(backend.enis.values()):
        if all(getattr(eni.subnet, key) == value for key, value in of.items()):
            backend.enis.pop(eni.id)


@replaces(EC2Backend)
def delete_subnet(old, self, subnet_id):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSubnet.html"""
    self.get_subnet(subnet_id)
    if any(interfaces(self, id=subnet_id)):
        held("subnet", subnet_id)
    forget_interfaces(self, id=subnet_id)
    for table in self.route_tables.values():
        for association, subnet in list(table._associations.items()):
            if subnet == subnet_id:
                table._associations.pop(association)
    return old(self, subnet_id)


@replaces(EC2Backend)
def delete_vpc(old, self, vpc_id):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVpc.html"""
    self.get_vpc(vpc_id)
    gateways = (it for it in self.internet_gateways.values() if it.vpc and it.vpc.id == vpc_id)
    groups = (it for it in self.groups.get(vpc_id, {}).values() if it.name != "default")
    if any(gateways) or any(groups) or any(interfaces(self, vpc_id=vpc_id)):
        held("vpc", vpc_id)
    return old(self, vpc_id)


@replaces(EC2Backend, "delete_internet_gateway", "delete_route_table", "delete_subnet", "delete_vpc")
def forget_tags(old, self, *args, **kwargs):
    """DescribeTags lists no tags of what is gone."""
    told = old(self, *args, **kwargs)
    self.tags.pop((*args, *kwargs.values())[0], None)
    return told


@replaces(EC2Backend)
def run_instances(old, self, *args, **kwargs):
    """The groups of the first interface are the instance's; interfaces have tags of their own.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceNetworkInterfaceSpecification.html
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TagSpecification.html
    """
    tags = (kwargs.get("tags") or {}).get("network-interface") or {}
    reservation = old(self, *args, **kwargs)
    for instance in reservation.instances:
        for interface in instance.nics.values():
            interface.add_tags(tags)
        if not instance.security_groups and 0 in instance.nics:
            instance.security_groups = list(instance.nics[0]._group_set)
    return reservation


def association(self, old=NetworkInterface.association):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceNetworkInterfaceAssociation.html

    An address that is only lent is Amazon's.
    """
    told = old.fget(self)
    if told and not told.get("associationId"):
        told["ipOwnerId"] = "amazon"
    return told


NetworkInterface.association = property(association)


@replaces(EC2Backend)
def replace_iam_instance_profile_association(old, self, association_id, *profile):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceIamInstanceProfileAssociation.html

    The new profile comes with an association of its own.
    """
    instance = old(self, association_id, *profile).instance_id
    self.disassociate_iam_instance_profile(association_id)
    return self.associate_iam_instance_profile(instance, *profile)


@replaces(Monitoring, "monitor_instances", "unmonitor_instances")
def change_monitoring(old, self):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_MonitorInstances.html"""
    wanted, on_the_way = {
        "monitor_instances": ("enabled", "pending"),
        "unmonitor_instances": ("disabled", "disabling"),
    }[old.__name__]
    told = []
    for instance in self.ec2_backend.get_multi_instances_by_id(self._get_param("InstanceIds", [])):
        instance.monitoring_state = wanted
        told.append({"InstanceId": instance.id, "Monitoring": {"State": on_the_way}})
    return ActionResult({"InstanceMonitorings": told})


@replaces(EC2Backend)
def modify_instance_attribute(old, self, instance_id, key, value):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html"""
    if key == "instance_type" and self.get_instance(instance_id).state != "stopped":
        refuse("IncorrectInstanceState", f"The instance '{instance_id}' is not in the 'stopped' state.")
    return old(self, instance_id, key, value)


def state(route):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html"""
    return "blackhole" if route.gateway and not getattr(route.gateway, "vpc", route) else "active"


Route.state = property(state)


@replaces(Instance)
def terminate(old, self):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TerminateInstances.html"""
    return self._state if self.state == "terminated" else old(self)


@replaces(EC2Backend)
def attach_volume(old, self, volume_id, instance_id, *args, **kwargs):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachVolume.html"""
    volume = self.get_volume(volume_id)
    if volume and volume.attachment:
        refuse("VolumeInUse", f"{volume_id} is already attached to an instance")
    return old(self, volume_id, instance_id, *args, **kwargs)


@replaces(EC2Backend)
def detach_volume(old, self, volume_id, instance_id, device_path):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachVolume.html"""
    volume = self.get_volume(volume_id)
    if volume and not volume.attachment:
        refuse("IncorrectState", f"Volume '{volume_id}' is in the 'available' state.")
    if volume:
        instance_id = instance_id or volume.attachment.instance.id
        device_path = device_path or volume.attachment.device
    return old(self, volume_id, instance_id, device_path)


@replaces(EC2Backend)
def delete_launch_template(old, self, name, tid):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplate.html"""
    if name and name not in self.launch_template_name_to_ids:
        raise InvalidLaunchTemplateNameNotFoundError()
    if tid and tid not in self.launch_templates:
        refuse(
            "InvalidLaunchTemplateId.NotFound",
            f"The specified launch template, with template ID {tid}, does not exist.",
        )
    return old(self, name, tid)


@replaces(LaunchTemplates)
def create_launch_template_version(old, self):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplateVersion.html

    A version has what its source has, but for what is given anew.
    """
    answer = old(self)
    made = answer.result["LaunchTemplateVersion"]
    template = self.ec2_backend.get_launch_template(made["LaunchTemplateId"])
    version = template.versions[made["VersionNumber"] - 1]
    source = self._get_param("SourceVersion")
    if source:
        version.data = template.get_version(source).data | version.data
    user_data = version.data.get("UserData")
    if isinstance(user_data, str):
        # moto wants this type where it makes instances from a version.
        version.data["UserData"] = parse_user_data(user_data)
    made["LaunchTemplateData"] = version.data
    return answer


@replaces(InstanceResponse)
def run_instances(old, self):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html

    Every instance of a launch has the profile.
    """
    answer = old(self)
    first, *others = answer.result.instances
    for other in others if first.iam_instance_profile else ():
        self.ec2_backend.associate_iam_instance_profile(
            other.id, None, first.iam_instance_profile["Arn"]
        )
    return answer


@replaces(EC2Backend)
def create_image(old, self, instance_id, name, description, tag_specifications):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateImage.html"""
    for known in self.amis.values():
        if known.name == name and known.owner_id == self.account_id:
            refuse(
                "InvalidAMIName.Duplicate",
                f"AMI name {name} is already in use by AMI {known.id}",
            )
    of_snapshots = [it for it in tag_specifications if it["ResourceType"] == "snapshot"]
    others = [it for it in tag_specifications if it not in of_snapshots]
    image = old(self, instance_id, name, description, others)
    self.snapshots.pop(image.ebs_snapshot.id, None)
    image.root_device_type = "ebs"
    image.taken = {}
    for device, mapped in image.instance.block_device_mapping.items():
        snapshot = self.create_snapshot(
            mapped.volume_id,
            f"Created by CreateImage({instance_id}) for {image.id}",
            self.account_id,
            from_ami=image.id,
        )
        for specification in of_snapshots:
            snapshot.add_tags({tag["Key"]: tag.get("Value", "") for tag in specification["Tags"]})
        image.taken[device] = (snapshot, mapped)
    image.root_device_name = next(iter(image.taken), image.root_device_name)
    return image


def block_device_mappings(self, old=Ami.block_device_mappings):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EbsBlockDevice.html"""
    if not hasattr(self, "taken"):
        return old.fget(self)
    return [
        {
            "DeviceName": device,
            "Ebs": {
                "SnapshotId": snapshot.id,
                "VolumeSize": snapshot.volume.size,
                "DeleteOnTermination": bool(mapped.delete_on_termination),
                "VolumeType": snapshot.volume.volume_type or "gp2",
                "Encrypted": bool(snapshot.volume.encrypted),
            },
        }
        for device, (snapshot, mapped) in self.taken.items()
    ]


Ami.block_device_mappings = property(block_device_mappings)


@replaces(AmisResponse)
def deregister_image(old, self):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeregisterImage.html"""
    image = self.ec2_backend.amis.get(self._get_param("ImageId"))
    answer = old(self)
    if image is None or str(self._get_param("DeleteAssociatedSnapshots")).lower() != "true":
        return answer
    results = []
    for snapshot, _ in getattr(image, "taken", {}).values():
        self.ec2_backend.snapshots.pop(snapshot.id, None)
        results.append({"SnapshotId": snapshot.id, "ReturnCode": "success"})
    return ActionResult({"Return": True, "DeleteSnapshotResults": results})


@replaces(EC2Backend, "delete_security_group", "revoke_security_group_ingress", "revoke_security_group_egress")
def forget_rules(old, self, *args, **kwargs):
    """The tags of a rule go with it."""
    done = old(self, *args, **kwargs)
    groups = [group for some in self.groups.values() for group in some.values()]
    there = {rule.id for group in groups for rule in [*group.ingress_rules, *group.egress_rules]}
    for rule in [it for it in self.tags if it.startswith("sgr-") and it not in there]:
        del self.tags[rule]
    return done
