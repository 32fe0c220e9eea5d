"""ECR: a login that is still valid, images at the sandbox's own registry; what an absent setting means."""

import hashlib
import os
from datetime import datetime, timedelta, timezone

from moto.ecr.models import ECRBackend, Image, Repository
from moto.ecr.responses import ECRResponse

from patch import replaces

REGISTRY = os.environ["TIDEWALK_REGISTRY"]


@replaces(ECRResponse)
def get_authorization_token(old, self):
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html"""
    answer = old(self)
    for login in answer.result["authorizationData"]:
        login["expiresAt"] = datetime.now(timezone.utc) + timedelta(hours=12)
        login["proxyEndpoint"] = f"http://{REGISTRY}"
    return answer


@replaces(Repository, "__init__")
def made(old, self, account_id, region_name, repository_name, *args, **kwargs):
    """The region is in the registry's name in AWS; here it is in the repository's."""
    old(self, account_id, region_name, repository_name, *args, **kwargs)
    self.uri = f"{REGISTRY}/{region_name}/{repository_name}"


@replaces(Image)
def _create_digest(old, self):
    """What a registry says of a manifest, byte for byte."""
    self._image_digest = f"sha256:{hashlib.sha256(self.image_manifest.encode()).hexdigest()}"


@replaces(ECRBackend)
def put_image_scanning_configuration(old, self, image_scan_config, **kwargs):
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageScanningConfiguration.html"""
    return old(self, image_scan_config={"scanOnPush": False, **image_scan_config}, **kwargs)
