"""How the files beside this one put AWS's behaviour in the place of moto's."""

import functools

from moto.core.exceptions import ServiceException


def replaces(owner, *names):
    """Puts a function in the place of a class's methods; it gets the old method first."""

    def put(new):
        for name in names or (new.__name__,):
            old = getattr(owner, name, None)

            def call(*args, old=old, **kwargs):
                return new(old, *args, **kwargs)

            setattr(owner, name, functools.wraps(old or new)(call))
        return new

    return put


def refusing(service):
    """What ends a call with an error of a service's; moto finds the service by the module."""
    refusal = type("Refusal", (ServiceException,), {"__module__": f"moto.{service}.exceptions"})

    def refuse(code, message):
        raise refusal(code, message)

    return refuse


def as_dict(tags, key="Key", value="Value"):
    """A list of tags as a mapping."""
    return {tag[key]: tag.get(value) or "" for tag in tags or []}
