"""IAM: pages, tags of instance profiles, what may not be deleted yet."""

from moto.core.responses import ActionResult
from moto.iam.exceptions import DeleteConflictException, NotFoundException
from moto.iam.models import IAMBackend, ManagedPolicy
from moto.iam.responses import IamResponse

from patch import replaces


def page(response, items):
    """One page of a listing by Marker and MaxItems, and where the next one begins.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html
    """
    start = int(response._get_param("Marker") or 0)
    end = start + int(response._get_param("MaxItems") or 100)
    more = end < len(items)
    return items[start:end], {"IsTruncated": more, "Marker": str(end) if more else None}


@replaces(IamResponse)
def get_account_authorization_details(old, self):
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html"""
    answer = old(self).result
    lists = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
    for policy in answer["Policies"]:
        policy.policy_name, policy.policy_id = policy.name, policy.id
    everything = [(name, item) for name in lists for item in answer[name]]
    shown, pages = page(self, everything)
    details = {name: [item for list_, item in shown if list_ == name] for name in lists}
    return ActionResult(details | pages)


@replaces(IamResponse)
def list_roles(old, self):
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html"""
    prefix = self._get_param("PathPrefix") or "/"
    roles = [role for role in self.backend.roles.values() if role.path.startswith(prefix)]
    shown, pages = page(self, sorted(roles, key=lambda role: role.name))
    return ActionResult({"Roles": shown} | pages)


@replaces(IamResponse)
def list_instance_profiles(old, self):
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfiles.html"""
    prefix = self._get_param("PathPrefix") or "/"
    profiles = [it for it in self.backend.get_instance_profiles() if it.path.startswith(prefix)]
    shown, pages = page(self, sorted(profiles, key=lambda it: it.name))
    return ActionResult({"InstanceProfiles": shown} | pages)


@replaces(IamResponse)
def list_instance_profile_tags(old, self):
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfileTags.html"""
    profile = self.backend.get_instance_profile(self._get_param("InstanceProfileName"))
    shown, pages = page(self, list(profile.tags))
    return ActionResult({"Tags": shown} | pages)


@replaces(IAMBackend)
def delete_policy(old, self, policy_arn):
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html"""
    policy = self.get_policy(policy_arn)
    holders = [*self.roles.values(), *self.users.values(), *self.groups.values()]
    if any(policy_arn in holder.managed_policies for holder in holders):
        raise DeleteConflictException("Cannot delete a policy attached to entities.")
    if len(policy.versions) > 1:
        raise DeleteConflictException(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy."
        )
    return old(self, policy_arn)


@replaces(IAMBackend)
def remove_role_from_instance_profile(old, self, profile_name, role_name):
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveRoleFromInstanceProfile.html"""
    profile = self.get_instance_profile(profile_name)
    if self.get_role(role_name) not in profile.roles:
        raise NotFoundException(
            f"Role {role_name} in Instance Profile {profile_name} cannot be found."
        )
    return old(self, profile_name, role_name)


@replaces(ManagedPolicy)
def attach_to(old, self, holder):
    """Attaching a policy again changes nothing.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html
    """
    if self.arn not in holder.managed_policies:
        old(self, holder)
