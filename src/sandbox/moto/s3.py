"""S3: a new bucket as it is made since 2023, with the tags that it is given at once.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html
"""

import xmltodict
from moto.s3.models import FakeDeleteMarker, PublicAccessBlock, S3Backend
from moto.s3.responses import S3Response

from patch import replaces

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
ENCRYPTION = {"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": "false"}}

# The marker of a bucket whose versioning is suspended holds nothing that must be let go of.
FakeDeleteMarker.dispose = lambda self: None


@replaces(S3Backend)
def create_bucket(old, self, *args, **kwargs):
    bucket = old(self, *args, **kwargs)
    bucket.public_access_block = PublicAccessBlock("true", "true", "true", "true")
    bucket.encryption = ENCRYPTION
    bucket.ownership_rule = "BucketOwnerEnforced"
    return bucket


@replaces(S3Backend)
def delete_bucket(old, self, bucket_name):
    """Its tags go with it."""
    known = self.buckets.get(bucket_name)
    gone = old(self, bucket_name)
    if known and gone:
        self.tagger.delete_all_tags_for_resource(known.arn)
    return gone


@replaces(S3Backend)
def delete_bucket_encryption(old, self, bucket_name):
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketEncryption.html"""
    self.get_bucket(bucket_name).encryption = ENCRYPTION


@replaces(S3Response, "_bucket_response_put")
def put(old, self, *args, **kwargs):
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucketConfiguration.html"""
    answer = old(self, *args, **kwargs)
    if self.data.get("Action") == "CreateBucket" and self.body:
        given = xmltodict.parse(self.body, force_list=["Tag"]).get("CreateBucketConfiguration") or {}
        tags = (given.get("Tags") or {}).get("Tag") or []
        if tags:
            self.backend.put_bucket_tagging(self.bucket_name, {tag["Key"]: tag.get("Value") or "" for tag in tags})
    return answer


@replaces(S3Response)
def get_bucket_versioning(old, self):
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html"""
    status, headers, body = old(self)
    text = body.decode() if isinstance(body, bytes) else body
    return status, headers, text.replace("GetBucketVersioningResponse", "VersioningConfiguration")
