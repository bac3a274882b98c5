"""Compute v1 as its discovery document describes it: which request fits, which value fits a message.

The document ships inside google-api-python-client. One decision is ours: `returnPartialSuccess` is accepted on every
list. It is absent from newer (dated) documents, but requests without X-Goog-Api-Version stay on the undated channel,
where it is still a parameter; nbform sends it for that reason.
"""

import base64
import json
import pathlib
import re
import urllib.parse

import googleapiclient

PREFIX = "/compute/v1/"
INT_RANGES = {"int32": (-(2**31), 2**31 - 1), "uint32": (0, 2**32 - 1)}
SCALARS = {"string": str, "boolean": bool, "integer": int, "number": (int, float), "any": object}


def load():
    path = pathlib.Path(googleapiclient.__file__).parent / "discovery_cache/documents/compute.v1.json"
    return json.loads(path.read_text())


def all_methods(resources):
    for resource in resources.values():
        yield from resource.get("methods", {}).values()
        yield from all_methods(resource.get("resources", {}))


class Discovery:
    def __init__(self):
        self.document = load()
        self.methods = [(self._pattern(m["path"]), m) for m in all_methods(self.document["resources"])]

    @staticmethod
    def _pattern(path):
        return re.compile(re.sub(r"\\?\{\w+\\?\}", "[^/]+", re.escape(path)) + "$")

    def method(self, verb, path):
        """The method of `path` (after /compute/v1/) with the most fixed segments, or None."""
        found = [m for pattern, m in self.methods if m["httpMethod"] == verb and pattern.match(path)]
        return max(found, key=lambda m: len(re.findall(r"/(?!\{)", m["path"])), default=None)

    def check_request(self, verb, url, body):
        """Every way in which the request is not of the published API, as texts."""
        parsed = urllib.parse.urlsplit(url)
        if not parsed.path.startswith(PREFIX):
            return [f"path {parsed.path} is not below {PREFIX}"]
        method = self.method(verb, parsed.path[len(PREFIX) :])
        if method is None:
            return [f"no method {verb} {parsed.path}"]
        errors = self._check_query(method, urllib.parse.parse_qsl(parsed.query, keep_blank_values=True))
        if "request" in method:
            errors += self.check_value(body, method["request"], "body") if body is not None else ["the body is missing"]
        elif body not in (None, {}):
            errors.append("a body where the method has none")
        return errors

    def _check_query(self, method, query):
        known = {**self.document["parameters"], **method["parameters"]}
        if "maxResults" in known:
            known["returnPartialSuccess"] = {"type": "boolean"}
        errors = []
        for name, text in query:
            if name not in known:
                errors.append(f"unknown query parameter {name}")
            else:
                errors += self._check_text(text, known[name], f"query {name}")
        given = {name for name, _ in query}
        for name, spec in method["parameters"].items():
            if spec.get("required") and spec["location"] == "query" and name not in given:
                errors.append(f"query parameter {name} is missing")
        return errors

    def _check_text(self, text, spec, at):
        if spec["type"] == "boolean":
            return [] if text.lower() in ("true", "false") else [f"{at}: {text!r} is no boolean"]
        value = int(text) if spec["type"] == "integer" and re.fullmatch(r"-?\d+", text) else text
        if "pattern" in spec and not re.search(spec["pattern"], text):
            return [f"{at}: {text!r} does not match {spec['pattern']}"]
        return self.check_value(value, spec, at)

    def check_value(self, value, spec, at):
        if value is None:  # a null member means absent
            return []
        if "$ref" in spec:
            return self._check_object(value, self.document["schemas"][spec["$ref"]], at)
        kind = spec["type"]
        if kind == "array":
            if not isinstance(value, list):
                return [f"{at}: {value!r} is no list"]
            return [e for i, v in enumerate(value) for e in self.check_value(v, spec["items"], f"{at}[{i}]")]
        if kind == "object":
            return self._check_object(value, spec, at)
        return self._check_scalar(value, spec, at)

    def _check_object(self, value, spec, at):
        if not isinstance(value, dict):
            return [f"{at}: {value!r} is no object"]
        fields, other, errors = spec.get("properties", {}), spec.get("additionalProperties"), []
        for name, member in value.items():
            if name in fields:
                errors += self.check_value(member, fields[name], f"{at}.{name}")
            elif other is not None:
                errors += self.check_value(member, other, f"{at}.{name}")
            else:
                errors.append(f"{at}: unknown field {name}")
        return errors

    def _check_scalar(self, value, spec, at):
        kind, form = spec["type"], spec.get("format")
        if form in ("int64", "uint64") and isinstance(value, int) and not isinstance(value, bool):
            return []  # both forms are accepted on input
        if not isinstance(value, SCALARS[kind]) or (kind != "boolean" and kind != "any" and isinstance(value, bool)):
            return [f"{at}: {value!r} is no {kind}"]
        if form in INT_RANGES and not INT_RANGES[form][0] <= value <= INT_RANGES[form][1]:
            return [f"{at}: {value!r} is no {form}"]
        if form in ("int64", "uint64") and not re.fullmatch(r"-?\d+", value):
            return [f"{at}: {value!r} is no {form}"]
        if form == "byte":
            return self._check_bytes(value, at)
        if "enum" in spec and value not in spec["enum"]:
            return [f"{at}: {value!r} is not one of {', '.join(spec['enum'])}"]
        return []

    @staticmethod
    def _check_bytes(value, at):
        try:
            base64.b64decode(value, validate=True)
            return []
        except ValueError:
            return [f"{at}: {value!r} is not base64"]
