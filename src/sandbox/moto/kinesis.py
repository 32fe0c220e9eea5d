"""Kinesis: tags at creation and by ARN, streams with consumers, pages of AWS's length, shards
that end, and what a shard takes in a second."""

from base64 import b64decode
from collections import OrderedDict
from hashlib import md5
from threading import Lock
from time import time

from moto.core.responses import ActionResult, EmptyResult
from moto.kinesis.models import KinesisBackend, Shard, Stream
from moto.kinesis.responses import KinesisResponse
from moto.kinesis.utils import decompose_shard_iterator

from patch import refusing, replaces

refuse = refusing("kinesis")


@replaces(KinesisResponse)
def create_stream(old, self):
    """https://docs.aws.amazon.com/kinesis/latest/APIReference/API_CreateStream.html"""
    answer = old(self)
    stream = self.kinesis_backend.streams[self._get_param("StreamName")]
    stream.tags.update(self._get_param("Tags") or {})
    return answer


@replaces(KinesisResponse)
def delete_stream(old, self):
    """https://docs.aws.amazon.com/kinesis/latest/APIReference/API_DeleteStream.html"""
    name, arn = self._get_param("StreamName"), self._get_param("StreamARN")
    stream = self.kinesis_backend.describe_stream(arn, name)
    if stream.consumers and not self._get_param("EnforceConsumerDeletion"):
        refuse(
            "ResourceInUseException",
            f"Stream {stream.stream_name} under account {stream.account_id} has enhanced fan-out consumers registered.",
        )
    return old(self)


@replaces(KinesisBackend)
def register_stream_consumer(old, self, stream_arn, consumer_name):
    """https://docs.aws.amazon.com/kinesis/latest/APIReference/API_RegisterStreamConsumer.html"""
    stream = self.describe_stream(stream_arn, None)
    if any(it.consumer_name == consumer_name for it in stream.consumers):
        refuse(
            "ResourceInUseException",
            f"Consumer {consumer_name} under stream {stream.stream_name} already exists.",
        )
    return old(self, stream_arn, consumer_name)


@replaces(KinesisBackend)
def deregister_stream_consumer(old, self, stream_arn, consumer_name, consumer_arn):
    """https://docs.aws.amazon.com/kinesis/latest/APIReference/API_DeregisterStreamConsumer.html"""
    if not stream_arn:
        return old(self, stream_arn, consumer_name, consumer_arn)
    stream = self.describe_stream(stream_arn, None)
    kept = [it for it in stream.consumers if it.consumer_name != consumer_name]
    if len(kept) == len(stream.consumers):
        refuse("ResourceNotFoundException", f"Consumer {consumer_name} not found.")
    stream.consumers = kept


@replaces(Stream)
def to_json_summary(old, self):
    """https://docs.aws.amazon.com/kinesis/latest/APIReference/API_StreamDescriptionSummary.html"""
    answer = old(self)
    answer["StreamDescriptionSummary"]["ConsumerCount"] = len(self.consumers)
    return answer


def list_tags_for_resource(old, self):
    """https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ListTagsForResource.html"""
    stream = self.kinesis_backend.describe_stream(self._get_param("ResourceARN"), None)
    tags = [{"Key": key, "Value": stream.tags[key]} for key in sorted(stream.tags)]
    return ActionResult({"Tags": tags})


def tag_resource(old, self):
    """https://docs.aws.amazon.com/kinesis/latest/APIReference/API_TagResource.html"""
    stream = self.kinesis_backend.describe_stream(self._get_param("ResourceARN"), None)
    stream.tags.update(self._get_param("Tags") or {})
    return EmptyResult()


def untag_resource(old, self):
    """https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UntagResource.html"""
    stream = self.kinesis_backend.describe_stream(self._get_param("ResourceARN"), None)
    for key in self._get_param("TagKeys") or []:
        stream.tags.pop(key, None)
    return EmptyResult()


for action in (list_tags_for_resource, tag_resource, untag_resource):
    replaces(KinesisResponse)(action)


@replaces(KinesisResponse)
def list_streams(old, self):
    """https://docs.aws.amazon.com/kinesis/latest/APIReference/API_ListStreams.html"""
    names = sorted(self.kinesis_backend.streams)
    after = self._get_param("NextToken") or self._get_param("ExclusiveStartStreamName") or ""
    names = [name for name in names if name > after]
    page = names[: self._get_param("Limit") or 100]
    more = len(names) > len(page)
    streams = [self.kinesis_backend.streams[name] for name in page]
    return ActionResult(
        {
            "HasMoreStreams": more,
            "StreamNames": page,
            "NextToken": page[-1] if more else None,
            "StreamSummaries": [it.to_json_summary()["StreamDescriptionSummary"] for it in streams],
        }
    )


# Requests come at once, and a number is given to one record.
numbering = Lock()


@replaces(Shard)
def put_record(old, self, *args):
    with numbering:
        return old(self, *args)


@replaces(Shard)
def get_records(old, self, *args):
    with numbering:
        return old(self, *args)


@replaces(Stream)
def get_shard_for_key(old, self, partition_key, explicit_hash_key):
    """A closed shard takes no records; the hash keys of a shard go up to its last one, that included:
    https://docs.aws.amazon.com/kinesis/latest/APIReference/API_HashKeyRange.html"""
    old(self, partition_key, explicit_hash_key)
    digest = explicit_hash_key or int(md5(partition_key.encode()).hexdigest(), 16)
    key = int(digest)
    return next(it for it in self.shards.values() if it.is_open and it.starting_hash <= key <= it.ending_hash)


# Of one shard, in a second: https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
MOST_RECORDS, MOST_BYTES = 1000, 1 << 20


class Full(str):
    """In the place of a sequence number: the shard has no room in this second."""


def has_room(shard, size):
    second = int(time())
    since, records, taken = getattr(shard, "taken", (second, 0, 0))
    if since != second:
        records, taken = 0, 0
    if records and (records == MOST_RECORDS or taken + size > MOST_BYTES):
        return False
    shard.taken = (second, records + 1, taken + size)
    return True


def put_into_room(old, self, partition_key, explicit_hash_key, data):
    shard = self.get_shard_for_key(partition_key, explicit_hash_key)
    size = len(partition_key) + len(b64decode(data))
    with numbering:
        room = self.stream_mode.get("StreamMode") == "ON_DEMAND" or has_room(shard, size)
    if room:
        return old(self, partition_key, explicit_hash_key, data)
    place = f"shard {shard.shard_id} in stream {self.stream_name} under account {self.account_id}"
    return Full(f"Rate exceeded for {place}."), shard.shard_id


put_into_room.__name__ = "put_record"
replaces(Stream)(put_into_room)

EXCEEDED = "ProvisionedThroughputExceededException"


def put_one(old, self, *args):
    sequence, shard = old(self, *args)
    if isinstance(sequence, Full):
        refuse(EXCEEDED, str(sequence))
    return sequence, shard


put_one.__name__ = "put_record"
replaces(KinesisBackend)(put_one)


@replaces(KinesisBackend)
def put_records(old, self, *args):
    """https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html: some may fail, and others not.
    Gap: the metrics IncomingRecords and IncomingBytes count those that failed, too."""
    answer = old(self, *args)
    for record in answer["Records"]:
        sequence = record["SequenceNumber"]
        if isinstance(sequence, Full):
            record.clear()
            record.update(ErrorCode=EXCEEDED, ErrorMessage=str(sequence))
            answer["FailedRecordCount"] += 1
    return answer


def leaving_records(old, self, names, *args):
    """Records stay in the shard that took them, and are read there before those of its children:
    https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html"""
    shards = [self.shards[name] for name in names if name in self.shards]
    records = [shard.records for shard in shards]
    for shard in shards:
        shard.records = OrderedDict()
    try:
        old(self, *args)
    finally:
        for shard, kept in zip(shards, records):
            shard.records = kept


@replaces(Stream)
def split_shard(old, self, shard, new_starting_hash_key):
    leaving_records(old, self, [shard], shard, new_starting_hash_key)


@replaces(Stream)
def merge_shards(old, self, shard, adjacent):
    leaving_records(old, self, [shard, adjacent], shard, adjacent)


def read_to_its_end(old, self, stream_arn, shard_iterator, limit):
    """https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html: a closed shard has no next
    iterator when all of it was read."""
    following, records, behind = old(self, stream_arn, shard_iterator, limit)
    name, shard_id, last = decompose_shard_iterator(following)
    shard = self.describe_stream(stream_arn, name).get_shard(shard_id)
    ended = not shard.is_open and int(last) >= shard.get_max_sequence_number()
    return None if ended else following, records, behind


read_to_its_end.__name__ = "get_records"
replaces(KinesisBackend)(read_to_its_end)
