"""Writes src/sim/aws/api_tables.cc from the service models that ship inside the botocore package.

    python3 aws_api.py > ../../src/sim/aws/api_tables.cc

Only the requests of the operations that the simulator serves are written, with every structure they reach, under their
names on the wire, so that unknown parameters, wrong types and unknown values can be refused.
"""

import gzip
import json
import pathlib
import textwrap

import botocore

OPERATIONS = {
    "ec2": """
RunInstances DescribeInstances DescribeInstanceStatus StartInstances StopInstances RebootInstances TerminateInstances
ModifyInstanceAttribute DescribeInstanceAttribute ModifyInstanceMetadataOptions GetConsoleOutput
CreateTags DeleteTags DescribeTags
CreateVolume DescribeVolumes AttachVolume DetachVolume ModifyVolume DescribeVolumesModifications DeleteVolume
ImportKeyPair DescribeKeyPairs DeleteKeyPair
CreateSecurityGroup DescribeSecurityGroups DeleteSecurityGroup AuthorizeSecurityGroupIngress
AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress RevokeSecurityGroupEgress DescribeSecurityGroupRules
ModifySecurityGroupRules
DescribeSpotInstanceRequests CancelSpotInstanceRequests DescribeSpotPriceHistory
DescribeImages DescribeInstanceTypes DescribeInstanceTypeOfferings DescribeAvailabilityZones DescribeRegions
DescribeVpcs DescribeSubnets DescribeRouteTables DescribeInternetGateways DescribeNetworkInterfaces
ModifyNetworkInterfaceAttribute
DescribeIamInstanceProfileAssociations AssociateIamInstanceProfile ReplaceIamInstanceProfileAssociation
DisassociateIamInstanceProfile
""",
    "sts": "GetCallerIdentity AssumeRole AssumeRoleWithWebIdentity",
    "ssm": "GetParameter GetParameters",
    "service-quotas": "GetServiceQuota ListServiceQuotas",
}
LONG_ENUM = 30  # such lists change every month: what is in them is for the handlers to say


def model(service):
    folder = sorted((pathlib.Path(botocore.__file__).parent / "data" / service).iterdir())[-1]
    for name in ("service-2.json", "service-2.json.gz"):
        path = folder / name
        if path.exists():
            return json.loads(gzip.decompress(path.read_bytes()) if name.endswith("gz") else path.read_bytes())
    raise FileNotFoundError(service)


class Table:
    def __init__(self, service, structures):
        self.model = model(service)
        self.prefix = "" if service == "ec2" else f"{service}:"
        self.shapes = self.model["shapes"]
        self.protocol = self.model["metadata"]["protocol"]
        self.structures = structures

    def wire_name(self, name, member):
        if self.protocol != "ec2":
            return member.get("locationName", name)
        if "queryName" in member:
            return member["queryName"]
        given = member.get("locationName")
        return given[0].upper() + given[1:] if given else name

    def type_of(self, shape_name):
        shape = self.shapes[shape_name]
        kind = shape["type"]
        if kind == "list":
            return "[" + self.type_of(shape["member"]["shape"]) + "]"
        if kind == "structure":
            return self.structure(shape_name)
        if kind == "string" and 0 < len(shape.get("enum", [])) <= LONG_ENUM and all(" " not in v for v in shape["enum"]):
            return "=" + "|".join(shape["enum"])
        return {"integer": "int", "long": "int", "float": "double", "timestamp": "time"}.get(kind, kind)

    def members(self, shape_name):
        shape = self.shapes[shape_name]
        required = shape.get("required", [])
        return " ".join(
            f"{self.wire_name(name, member)}{'!' if name in required else ''}:{self.type_of(member['shape'])}"
            for name, member in sorted(shape.get("members", {}).items())
        )

    def structure(self, shape_name):
        name = self.prefix + shape_name
        if name not in self.structures:
            self.structures[name] = ""
            self.structures[name] = self.members(shape_name)
        return name

    def operation(self, name):
        shape = self.model["operations"][name].get("input", {}).get("shape")
        return f"{self.model['metadata']['endpointPrefix']}.{name} {self.members(shape) if shape else ''}".strip()


def main():
    structures, operations = {}, []
    for service, names in OPERATIONS.items():
        table = Table(service, structures)
        operations += [table.operation(name) for name in names.split()]
    print(f"// Requests of AWS services as published: service models of botocore {botocore.__version__}. Written by")
    print("// tests/contract/aws_api.py; not edited by hand. api.h says how it is read.")
    print('#include "sim/aws/api.h"\n\nnamespace nbform::sim::aws {\n')
    for symbol, entries in (
        ("kOperations", operations),
        ("kStructures", [f"{name} {members}" for name, members in sorted(structures.items())]),
    ):
        print(f'const std::string_view {symbol} = R"api(')
        for entry in entries:
            print("\n".join(textwrap.wrap(entry + " ;", 118, subsequent_indent="  ", break_long_words=False,
                                          break_on_hyphens=False)))
        print(')api";\n')
    print("}  // namespace nbform::sim::aws")


if __name__ == "__main__":
    main()
