"""Writes src/sim/compute_api.cc from the published discovery document of Compute v1.

    python3 compute_api.py > ../../src/sim/compute_api.cc

The document ships inside the google-api-python-client package (requirements.txt). Only the methods that the simulator
serves are written, with every message they reach, so that unknown paths, parameters and fields can be refused.
"""

import json
import pathlib
import re
import textwrap

import googleapiclient

METHODS = """
instances: insert get list aggregatedList delete start stop reset setLabels setMetadata setTags setMachineType
  setMachineResources setMinCpuPlatform setScheduling setServiceAccount updateShieldedInstanceConfig
  setDeletionProtection attachDisk detachDisk setDiskAutoDelete addAccessConfig deleteAccessConfig
  testIamPermissions getSerialPortOutput getGuestAttributes
disks: insert get list aggregatedList delete resize setLabels testIamPermissions
diskTypes: get list aggregatedList
images: get getFromFamily list
imageFamilyViews: get
machineTypes: get list aggregatedList
acceleratorTypes: get list aggregatedList
zones: get list
regions: get list
projects: get
networks: get list
firewalls: insert get list patch update delete
subnetworks: get list
zoneOperations: get list wait delete
regionOperations: get list wait delete
globalOperations: get list wait delete aggregatedList
"""


def document():
    path = pathlib.Path(googleapiclient.__file__).parent / "discovery_cache/documents/compute.v1.json"
    return json.loads(path.read_text())


def wanted():
    for group, names in re.findall(r"^(\w+): ((?:.|\n )*)", METHODS, re.M):
        for name in names.split():
            yield group, name


class Table:
    def __init__(self, doc):
        self.doc = doc
        self.messages = {}
        self.lines = []

    def type_of(self, field, name):
        if "$ref" in field:
            self.add(field["$ref"])
            return field["$ref"]
        kind = field["type"]
        if kind == "array":
            return "[" + self.type_of(field["items"], name + "Item") + "]"
        if kind == "object" and "additionalProperties" in field:
            return "{" + self.type_of(field["additionalProperties"], name + "Value") + "}"
        if kind == "object":
            return self.nested(field, name)
        if kind == "string":
            if "enum" in field and not name.endswith(("WarningCode", "WarningsItemCode", "QuotaMetric")):
                return "=" + "|".join(field["enum"])
            return {"int64": "int64", "uint64": "int64", "byte": "bytes"}.get(field.get("format"), "string")
        return {"integer": "int32", "number": "double", "boolean": "bool", "any": "any"}[kind]

    def nested(self, field, name):
        if name.endswith("Warning") or name.endswith("WarningsItem"):
            name = "Warning"
        if name not in self.messages:
            self.define(name, field)
        return name

    def define(self, name, schema):
        self.messages[name] = None
        fields = sorted(schema.get("properties", {}).items())
        self.messages[name] = " ".join(
            f"{key}:{self.type_of(field, name + key[0].upper() + key[1:])}" for key, field in fields
        )

    def add(self, name):
        if name not in self.messages:
            self.define(name, self.doc["schemas"][name])

    def method(self, group, name):
        entry = self.doc["resources"][group]["methods"][name]
        refs = [entry.get(side, {}).get("$ref", "-") for side in ("request", "response")]
        for ref in refs:
            if ref != "-":
                self.add(ref)
        query = [
            key + ("!" if value.get("required") else "")
            for key, value in sorted(entry["parameters"].items())
            if value["location"] == "query"
        ]
        # Absent from dated documents, still a parameter of the undated v1 channel that header-less requests use.
        if "maxResults" in query:
            query.append("returnPartialSuccess")
        self.lines.append(" ".join([f"{group}.{name}", entry["httpMethod"], entry["path"], *refs, *query]))


def main():
    doc = document()
    table = Table(doc)
    for group, name in wanted():
        table.method(group, name)
    print(f"// Compute v1 as published: discovery document revision {doc['revision']}. Written by")
    print("// tests/contract/compute_api.py; not edited by hand. api.h says how it is read.")
    print('#include "sim/api.h"\n\nnamespace nbform::sim {\n')
    for symbol, entries in (
        ("kComputeMethods", table.lines),
        ("kComputeMessages", [f"{n} {f}" for n, f in sorted(table.messages.items())]),
    ):
        print(f"const std::string_view {symbol} = R\"api(")
        for entry in entries:
            print("\n".join(textwrap.wrap(entry + " ;", 118, subsequent_indent="  ", break_long_words=False,
                                          break_on_hyphens=False)))
        print(')api";\n')
    print("}  // namespace nbform::sim")


if __name__ == "__main__":
    main()
