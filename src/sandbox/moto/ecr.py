"""ECR: a login that is still valid; what an absent setting means."""

from datetime import datetime, timedelta, timezone

from moto.ecr.models import ECRBackend
from moto.ecr.responses import ECRResponse

from patch import replaces


@replaces(ECRResponse)
def get_authorization_token(old, self):
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html"""
    answer = old(self)
    for login in answer.result["authorizationData"]:
        login["expiresAt"] = datetime.now(timezone.utc) + timedelta(hours=12)
    return answer


@replaces(ECRBackend)
def put_image_scanning_configuration(old, self, image_scan_config, **kwargs):
    """https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageScanningConfiguration.html"""
    return old(self, image_scan_config={"scanOnPush": False, **image_scan_config}, **kwargs)
