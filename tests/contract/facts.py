"""The facts of a request, by name: what two clients would have to agree on. Spelling is not a fact: a reference is its
last segment, a set has no order, a fingerprint is whatever was read last, a null member or an empty map says nothing."""

import re
import urllib.parse

FINGERPRINTS = {"fingerprint", "labelFingerprint"}


def short(value):
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    reference = re.search(r"(^|/)projects/|^zones/", text)
    if text.lower() in ("true", "false"):
        return text.lower()
    return text.rsplit("/", 1)[1] if reference else text


def name_in_list(item, number):
    """The items of these lists have names; the others go by their place."""
    if "key" in item and "value" in item:
        return item["key"]
    if "autoDelete" in item and "deviceName" in item or "boot" in item:
        return "boot" if item.get("boot") else item["deviceName"]
    return number


def flat(value, at=""):
    if isinstance(value, dict):
        for name, member in value.items():
            yield from flat("(as last read)" if name in FINGERPRINTS else member, f"{at}.{name}" if at else name)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for number, item in enumerate(value):
            whole = at.removesuffix(".items").replace("items", "metadata") if set(item) == {"key", "value"} else at
            name = f"{whole}[{name_in_list(item, number)}]"
            yield from flat(item["value"], name) if set(item) == {"key", "value"} else flat(item, name)
    elif isinstance(value, list):
        yield at, ", ".join(sorted(map(short, value)))
    elif value is not None:
        yield at, short(value)


def facts(url, body):
    """Name -> value of a request's members and, with a question mark, query parameters."""
    query = urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query)
    found = {f"?{name}": "(a new id)" if name == "requestId" else short(value) for name, value in query if name not in ("alt", "prettyPrint")}
    found.update(flat(body or {}))
    if "items" in found and "fingerprint" in found:  # tags alone and within an instance
        found["tags"] = found.pop("items")
    return found


def place(method, url):
    """METHOD and path after the project, operations without their number: the call, as both clients make it."""
    path = urllib.parse.urlsplit(url).path.split("/projects/", 1)[-1].split("/", 1)[-1]
    return f"{method} {path}"
