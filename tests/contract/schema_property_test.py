"""The published JSON Schema and `nbform validate` agree, judged by somebody else's validator (PyPI jsonschema).

Whatever validate accepts, the schema accepts, so whatever the schema refuses, validate refuses. Checked on the
examples, on every manifest of the unit cases, and on mutants: each value of a manifest that uses every key is
replaced by values of other types, by null, by a variable of the same value, and each map gets an unknown key.

Needs NBFORM_BIN (the directory with nbform), PyYAML and jsonschema. Prints its figures.
"""
import copy
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
NBFORM = pathlib.Path(os.environ.get("NBFORM_BIN", ROOT / "build/bin")) / "nbform"

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4 me"

# Every key that this version lets pass, in a long form where there is one.
EVERY_KEY = f"""
nbform: 1
stack: {{name: demo, id: 3f9a1c2e}}
requires: ">=0.1"
clouds:
  gcp: {{project: acme-ml, bucket: acme-ml-nbform, impersonate: deploy@acme-ml.iam.gserviceaccount.com}}
  aws: {{region: us-west-2, account: "123456789012", bucket: acme-nbform, profile: lab}}
  aws-lab: {{type: aws, region: us-east-1, assume_role: "arn:aws:iam::210987654321:role/nb"}}
variables:
  team: {{default: research, description: label on every notebook, secret: false}}
defaults:
  labels: {{team: research}}
  power: {{idle_stop: 60m}}
profiles:
  cheap: {{spot: {{market: auto, restart: true}}}}
notebooks:
  everything:
    service: gce
    cloud: gcp
    where: [us-central1-b, us-central1]
    machine: {{type: n1-standard-4, min_cpu_platform: Intel Skylake}}
    gpu: {{model: t4, count: 2, driver: image}}
    image: {{family: common-cu129-ubuntu-2404-nvidia-580, project: deeplearning-platform-release, track: pinned}}
    disks:
      boot: {{size: 200GB, type: balanced, keep: never}}
      data: {{size: 1TB, type: hyperdisk-balanced, keep: until-destroy, iops: 3000, throughput: 140, source: "snapshot:old", moved_from: scratch, kms_key: projects/p/key, mount: /data}}
    mounts: {{/data/gcs: {{source: "gs://my-super-bucket/notebook_data", mode: rw, implicit_dirs: true, cache: 10GB, required: false}}}}
    spot: {{market: spot, on_preemption: stop, restart: true}}
    power: {{state: running, max_uptime: 12h, schedule: {{start: "08:00", stop: "19:00", days: mon-fri, timezone: Europe/Berlin}}}}
    access: {{tunnel: "9999:8888", ssh: {{user: nbform, keys: ["{KEY}"], allow_from: me, port: 22}}, jupyter: {{port: 8888}}, colab: true, public: [443]}}
    identity: {{service_account: nb@acme-ml.iam.gserviceaccount.com, scopes: [cloud-platform]}}
    network: {{network: ml-vpc, subnet: ml-subnet, public_ip: true, address: ephemeral, tags: [dl]}}
    security: {{secure_boot: false, vtpm: true, integrity_monitoring: true, deletion_protection: false}}
    setup: {{packages: {{apt: [ffmpeg], pip: ["torch==2.7"]}}, repos: ["https://github.com/acme/nb.git"], env: {{MODE: offline, TOKEN: {{secret: projects/p/secrets/s}}}}, upload_to: "gs://acme-ml-nbform"}}
    metadata: {{title: demo, ratio: 1.10}}
    labels: {{cost: "12"}}
    protect: true
    name: vision
    moved_from: old-key
    adopt: projects/p/zones/z/instances/i
  class:
    each: {{alice: {{}}, bob: {{machine: n1-standard-4, gpu: t4, use: [cheap]}}}}
    service: gce
    where: europe-west4-a
    image: pytorch
    disks: {{boot: 300GB}}
    use: [cheap]
  ec2:
    service: ec2
    where: us-west-2a
    machine: g4dn.xlarge
    image: {{name: "Deep Learning Base *", owner: amazon}}
    spot: {{market: spot, max_price: $1.20}}
    access: {{ssh: {{keys: ["{KEY}"], allow_from: [203.0.113.7/32]}}}}
    identity: {{role: nb-s3-read}}
    network: {{security_groups: [sg-0123456789abcdef0]}}
  ssm: {{service: ec2, where: us-west-2a, image: {{ssm: /aws/service/x/latest/ami-id}}, spot: false, power: stopped}}
  ami: {{service: ec2, where: us-west-2a, image: {{ami: ami-0123456789abcdef0}}, spot: true}}
  wb: {{service: workbench, where: us-central1-a, image: {{container: "gcr.io/x/y:latest"}}, access: {{owners: [me@example.com], proxy: false}}}}
  sm: {{service: sagemaker, where: us-west-2, machine: ml.t3.medium, identity: nb-role, disks: {{data: 100GB}}}}
"""


class CoreLoader(yaml.SafeLoader):
    """YAML 1.2 core typing, no octal; keys are texts."""

    yaml_implicit_resolvers = {}

    def construct_mapping(self, node, deep=False):
        return {key.value: self.construct_object(value, deep=True) for key, value in node.value}


CoreLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
CoreLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
CoreLoader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789"))
CoreLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$"), list("-+.0123456789"))
CoreLoader.add_constructor("tag:yaml.org,2002:map", lambda loader, node: loader.construct_mapping(node, deep=True))


class Plain(str):
    """A text written without quotes."""


class Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True


Dumper.add_representer(Plain, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style=""))


def dump(tree):
    return yaml.dump(tree, Dumper=Dumper, default_flow_style=False, sort_keys=False, width=10**6)


def nodes(tree, path=()):
    yield path, tree
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield from nodes(value, path + (key,))


def replaced(tree, path, value):
    if not path:
        return value
    out = copy.deepcopy(tree)
    at = out
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return out


def bases(tree):
    """The manifest in parts: everything but the notebooks, and each notebook by itself, so that each run is short."""
    head = {k: v for k, v in tree.items() if k != "notebooks"}
    yield head, ()
    for name, notebook in tree["notebooks"].items():
        yield {**head, "notebooks": {name: notebook}}, ("notebooks", name)


def mutants(tree):
    for base, below in bases(tree):
        yield from mutants_of(base, below)


def mutants_of(base, below):
    """(name, text) of manifests that differ from `base` in one place."""
    for path, value in nodes(base):
        if path[: len(below)] != below:
            continue
        where = ".".join(map(str, path)) or "the file"
        scalar = not isinstance(value, (dict, list))
        if isinstance(value, dict):
            yield where + ": unknown key", dump(replaced(base, path, {**value, "zzz": 1}))
        if not path:
            continue
        for name, other in (("null", None), ("list", ["a", 1]), ("map", {"a": 1}), ("number", 7), ("boolean", True), ("text", "Not & legal!")):
            yield f"{where}: {name}", dump(replaced(base, path, other))
        if scalar and path[0] not in ("nbform", "stack", "requires", "variables"):
            text = str(value).lower() if isinstance(value, bool) else str(value)
            varied = replaced(base, path, "${var.v}")
            varied["variables"] = {**varied.get("variables", {}), "v": {"default": text}}
            yield f"{where}: variable", dump(varied)


class Agreement(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.schema = json.loads((ROOT / "schemas/notebook.schema.json").read_text())
        jsonschema.Draft202012Validator.check_schema(cls.schema)
        cls.validator = jsonschema.Draft202012Validator(cls.schema)
        cls.scratch = tempfile.TemporaryDirectory()
        cls.environment = {k: v for k, v in os.environ.items() if k != "CI" and not k.startswith("NBFORM_VAR_")}

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def schema_accepts(self, text):
        return self.validator.is_valid(yaml.load(text, CoreLoader))

    def schema_says(self, text):
        return "; ".join(e.message[:200] for e in self.validator.iter_errors(yaml.load(text, CoreLoader)))

    def validate_accepts(self, directory):
        run = subprocess.run([NBFORM, "validate", "-C", str(directory)], capture_output=True, text=True, env=self.environment)
        self.assertIn(run.returncode, (0, 1), run.stderr)
        self.said = run.stderr
        return run.returncode == 0

    def validate_accepts_text(self, text):
        directory = pathlib.Path(self.scratch.name)
        (directory / "a.nb.yaml").write_text(text)
        return self.validate_accepts(directory)

    def test_examples(self):
        stacks = sorted({p.parent for p in (ROOT / "examples").rglob("*.nb.yaml")})
        self.assertTrue(stacks)
        for stack in stacks:
            self.assertTrue(self.validate_accepts(stack), self.said)
            for file in stack.glob("*.nb.yaml"):
                text = file.read_text()
                self.assertTrue(self.schema_accepts(text), f"{file}: {self.schema_says(text)}")

    def test_a_manifest_with_every_key(self):
        self.assertTrue(self.validate_accepts_text(EVERY_KEY), self.said)
        self.assertTrue(self.schema_accepts(EVERY_KEY), self.schema_says(EVERY_KEY))

    def test_mutants(self):
        tried = both_refuse = only_validate = varied = 0
        for name, text in mutants(yaml.load(EVERY_KEY, CoreLoader)):
            with self.subTest(name):
                schema, validate = self.schema_accepts(text), self.validate_accepts_text(text)
                tried += 1
                both_refuse += not schema and not validate
                only_validate += schema and not validate
                if validate:
                    self.assertTrue(schema, f"validate accepts, the schema refuses: {self.schema_says(text)}")
                if name.endswith(": variable"):
                    varied += 1
                    self.assertTrue(validate, f"a variable of the same value: {self.said}")
        print(f"mutants {tried}, refused by both {both_refuse}, by validate only {only_validate}, with a variable {varied}", file=sys.stderr)
        self.assertGreaterEqual(both_refuse, 60)

    def test_manifests_of_the_unit_cases(self):
        tried = accepted = 0
        for cases in sorted((ROOT / "tests/unit/manifest/cases").glob("*.txt")):
            for case in cases.read_text().split("==== ")[1:]:
                sections = re.split(r"^-- (.*) --\n", case, flags=re.M)
                files = {n: t for n, t in zip(sections[1::2], sections[2::2]) if n.endswith(".nb.yaml") and "/" not in n and " " not in n}
                if set(sections[1::2]) != {*files, "expected"} or len(files) != 1:
                    continue
                text = next(iter(files.values()))
                try:
                    schema = self.schema_accepts(text)
                except yaml.YAMLError:
                    continue
                tried += 1
                if self.validate_accepts_text(text):
                    accepted += 1
                    self.assertTrue(schema, f"{case.splitlines()[0]}: {self.schema_says(text)}")
        print(f"manifests of the unit cases {tried}, accepted {accepted}", file=sys.stderr)
        self.assertGreaterEqual(tried, 20)


if __name__ == "__main__":
    unittest.main()
