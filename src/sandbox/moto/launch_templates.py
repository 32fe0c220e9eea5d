"""Launch templates: versions can be deleted, tags can be changed."""

from moto.core.responses import ActionResult
from moto.ec2.models import EC2Backend
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.responses.launch_templates import LaunchTemplates

from patch import refusing, replaces

refuse = refusing("ec2")

# moto remembers the tags that a template was made with.
LaunchTemplate.tags = property(lambda self: self.get_tags(), lambda self, value: None)


@replaces(LaunchTemplates)
def delete_launch_template_versions(old, self):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplateVersions.html"""
    template = self.ec2_backend.get_launch_template(self._get_param("LaunchTemplateId"))
    gone = template.__dict__.setdefault("gone", set())
    done, failed = [], []
    for number in map(int, self._get_param("Versions", [])):
        said = {
            "LaunchTemplateId": template.id,
            "LaunchTemplateName": template.name,
            "VersionNumber": number,
        }
        known = 0 < number <= len(template.versions) and number not in gone
        if not known or number == template.default_version_number:
            code = "launchTemplateVersionDoesNotExist" if not known else "unexpectedError"
            failed.append(said | {"ResponseError": {"Code": code, "Message": code}})
        else:
            gone.add(number)
            done.append(said)
    return ActionResult(
        {
            "SuccessfullyDeletedLaunchTemplateVersions": done,
            "UnsuccessfullyDeletedLaunchTemplateVersions": failed,
        }
    )


@replaces(EC2Backend)
def describe_launch_template_versions(old, self, *args, **kwargs):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLaunchTemplateVersions.html"""
    told = old(self, *args, **kwargs | {"max_results": 200})
    return [(it, version) for it, version in told if version.number not in getattr(it, "gone", ())]


@replaces(EC2Backend)
def describe_launch_templates(old, self, template_names=None, template_ids=None, filters=None):
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLaunchTemplates.html"""
    for wanted in template_ids or []:
        if wanted not in self.launch_templates:
            refuse(
                "InvalidLaunchTemplateId.NotFound",
                f"The specified launch template, with template ID {wanted}, does not exist.",
            )
    return old(self, template_names, template_ids, filters)
