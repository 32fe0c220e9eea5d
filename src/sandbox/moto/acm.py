"""ACM: a certificate that is requested is issued at once, since nobody is there to validate it.

https://docs.aws.amazon.com/acm/latest/userguide/domain-ownership-validation.html
"""

from moto import settings

settings.ACM_VALIDATION_WAIT = -1
