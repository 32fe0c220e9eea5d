"""EC2: the tags of what was deleted are not listed.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTags.html
"""

from moto.ec2.models import EC2Backend

from patch import replaces

THERE = {
    "ami": lambda it: it.amis,
    "eipalloc": lambda it: [address.allocation_id for address in it.addresses],
    "eni": lambda it: [eni.id for eni in it.enis.values() if not (eni.instance and eni.instance.state == "terminated")],
    "key": lambda it: [pair.id for pair in it.key_pairs.values()],
    "igw": lambda it: it.internet_gateways,
    "lt": lambda it: it.launch_templates,
    "rtb": lambda it: it.route_tables,
    "sg": lambda it: [group for some in it.groups.values() for group in some],
    "snap": lambda it: it.snapshots,
    "subnet": lambda it: [subnet for some in it.subnets.values() for subnet in some],
    "vol": lambda it: it.volumes,
    "vpc": lambda it: it.vpcs,
}


@replaces(EC2Backend)
def describe_tags(old, self, filters=None):
    told = old(self, filters)
    # moto itself asks for the tags of one thing, also while it is being made.
    if filters and "resource-id" in filters:
        return told
    kinds = {kind: set(there(self)) for kind, there in THERE.items()}

    def is_there(id):
        ids = kinds.get(id.split("-")[0])
        return ids is None or id in ids

    return [tag for tag in told if is_there(tag["resource_id"])]
