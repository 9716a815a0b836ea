"""Takes what is known of the recording machine out of a recording."""

import getpass
import os
import re
import socket
import tempfile
from pathlib import Path

import environments
from scenario import HOME_PREFIX

# Attributes of a resource that tell about the machine; those that RESOURCE sets are the same everywhere.
MACHINE_KEYS = re.compile(r"^(process|os|container)\.|^host\.(?!name$)")
# Coding agents tell these with each event.
MACHINE_FACTS = ("os_release",)
HOMES = re.compile(f"(?:{re.escape(tempfile.gettempdir())}/)?{HOME_PREFIX}[a-z0-9_-]+")
SITE_PACKAGES = re.compile(r"/[^\s\"']*?/(site-packages|node_modules|lib/python3\.\d+)/")
# Scenarios in JavaScript are run from where their packages lie.
FILES = re.compile(f"({re.escape(str(environments.HERE))}|{re.escape(str(environments.TOOLS))}/[^/]+)/")


def scrub(request):
    """Changes an export request in place: shortens paths, drops attributes of the machine. Raises if one is left."""
    for resource in resources(request):
        kept = [attribute for attribute in resource.attributes if not MACHINE_KEYS.search(attribute.key)]
        del resource.attributes[:]
        resource.attributes.extend(kept)
    for record in records(request):
        kept = [attribute for attribute in record.attributes if attribute.key not in MACHINE_FACTS]
        del record.attributes[:]
        record.attributes.extend(kept)
    shorten(request)
    left = [word for word in machine_words() if word.encode() in request.SerializeToString()]
    if left:
        raise ValueError(f"the recording tells about this machine: {left}")


def resources(request):
    groups = getattr(request, "resource_spans", None) or getattr(request, "resource_logs", None) or ()
    return [group.resource for group in groups]


def records(request):
    scopes = [scope for group in getattr(request, "resource_logs", ()) for scope in group.scope_logs]
    return [record for scope in scopes for record in scope.log_records]


def shorten(message):
    """Cuts the paths in every text of a message down to what does not depend on the machine."""
    for field, value in message.ListFields():
        many = isinstance(value, (list, tuple)) or hasattr(value, "append")
        if field.type == field.TYPE_MESSAGE:
            for inner in value if many else [value]:
                shorten(inner)
        elif field.type == field.TYPE_STRING:
            if many:
                value[:] = [shortened(text) for text in value]
            else:
                setattr(message, field.name, shortened(value))


def shortened(text):
    return HOMES.sub("home", FILES.sub("genai/", SITE_PACKAGES.sub(r"\1/", text)))


def machine_words():
    """What must not stand in a recording. A short name of a host or user would be found by chance."""
    words = [str(environments.REPOSITORY), str(environments.TOOLS), f"{Path.home()}/", socket.gethostname()]
    words.append(getpass.getuser())
    return [word for word in words if len(word) > 4 or word.startswith("/") and word != os.sep]
