"""Route 53: change batches that are done whole or not at all, and changes that take a while.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
"""

import threading

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random
from moto.route53.exceptions import DnsNameInvalidForZone
from moto.route53.models import HostedZoneIdentifier, RecordSet, Route53Backend
from moto.route53.responses import Route53
from moto.route53.utils import validate_domain_name

from patch import refusing, replaces

refuse = refusing("route53")

one_at_a_time = threading.Lock()

# Changes that were not asked for yet: GetChange says PENDING once, then INSYNC.
pending = {}


def change_info():
    change = "C" + "".join(mock_random.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") for _ in range(20))
    pending[change] = utcnow()
    return {"Id": f"/change/{change}", "Status": "PENDING", "SubmittedAt": pending[change]}


@replaces(Route53, "change_resource_record_sets", "create_hosted_zone", "delete_hosted_zone")
def answered(old, self):
    answer = old(self)
    answer.result["ChangeInfo"] = change_info()
    return answer


@replaces(Route53)
def get_change(old, self):
    """https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetChange.html"""
    change = self._get_param("Id").split("/")[-1]
    submitted = pending.pop(change, None)
    status = "PENDING" if submitted else "INSYNC"
    info = {"Id": f"/change/{change}", "Status": status, "SubmittedAt": submitted or utcnow()}
    return ActionResult({"ChangeInfo": info})


@replaces(HostedZoneIdentifier)
def generate(old, self, *args, **kwargs):
    """Ids of zones begin with Z."""
    return "Z" + old(self, *args, **kwargs)[1:]


def place(record):
    return record.name.lower(), record.type, record.set_identifier


def content(record):
    alias = record.alias_target or {}
    target = (alias.get("HostedZoneId"), (alias.get("DNSName") or "").rstrip("."))
    return str(record.ttl), sorted(record.records or []), target


@replaces(Route53Backend)
def change_resource_record_sets(old, self, zoneid, change_list):
    # Two at once would each put back what the other has taken away.
    with one_at_a_time:
        zone = self.get_hosted_zone(zoneid)
        zone.rrsets = changed(zone, change_list)


def changed(zone, change_list):
    """The records of a zone after a batch of changes."""
    records = {place(record): record for record in zone.rrsets}
    for change in change_list:
        given = dict(change["ResourceRecordSet"])
        validate_domain_name(given["Name"], code="InvalidChangeBatch")
        name = given["Name"].rstrip(".")
        if not f".{name}".endswith("." + zone.name.strip(".")):
            raise DnsNameInvalidForZone(name=name, zone_name=zone.name)
        given["Name"] = name + "."
        given["ResourceRecords"] = [it["Value"] for it in given.get("ResourceRecords") or []]
        record = RecordSet(given)
        known = records.get(place(record))
        words = f"resource record set [name='{record.name}', type='{record.type}']"
        action = change["Action"]
        if action == "CREATE" and known:
            refuse("InvalidChangeBatch", f"[Tried to create {words} but it already exists]")
        if action == "DELETE" and not known:
            refuse("InvalidChangeBatch", f"[Tried to delete {words} but it was not found]")
        if action == "DELETE" and content(known) != content(record):
            refuse(
                "InvalidChangeBatch",
                f"[Tried to delete {words} but the values provided do not match the current values]",
            )
        if action == "DELETE":
            del records[place(record)]
        else:
            records[place(record)] = record
    return list(records.values())


@replaces(Route53Backend)
def create_hosted_zone(old, self, *args, **kwargs):
    """https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHostedZone.html"""
    reference = kwargs.get("caller_reference")
    if any(zone.caller_reference == reference for zone in self.zones.values()):
        refuse("HostedZoneAlreadyExists", "A hosted zone has already been created with the specified caller reference.")
    zone = old(self, *args, **kwargs)
    for record in zone.rrsets:
        record.records = [it["Value"] if isinstance(it, dict) else it for it in record.records]
    return zone


@replaces(Route53Backend)
def delete_hosted_zone(old, self, id_):
    zone = old(self, id_)
    self.resource_tags.pop(id_.split("/")[-1], None)
    return zone
