#!/usr/bin/env python3
"""One golden case: nbform in the sandbox, compared with what stands in the case's folder.

    python3 run_case.py --nbform build/bin/nbform --log FILE.jsonl tests/golden/CASE

A case is a folder with case.toml and manifests in stack/, or where `stack` says (and in other folders, for the world before):

    about  = "what a reader should see"
    before = ["use earlier", "apply -y", "sandbox preempt train"]    # steps, nbform's arguments; "use DIR": the
                                            # manifests of DIR; {run = "...", exit = N} where the exit code is not 0;
                                            # {published = [...]}: added to the simulated world's troubles;
                                            # {edit = "instances/train", set = {"labels/team" = "x"}}: changed by
                                            # somebody else (false: taken away); {clone = "instances/train", as =
                                            # "copy"}; {remove = "disks/train"}; {variants = [...]}: of the cloud;
                                            # {untag = "ec2.instances/dlami", keys = [...]}; {set = {"aws/keys/0/
                                            # account" = "..."}}: of the world's own file
                                            {disown = "ec2.instances/train"}: no tag but Name, no client token, no
                                            name of nbform's on groups: as if made by hand
                                            {spare = "ec2.instances/train"}: it has another root volume, without
                                            tags, and the one before is detached
                                            In manifests @ec2.instances/train@ stands for the id that it has.
    stack  = "../../../examples/ec2-dlami"
    plan   = "plan"          # the command that plan.txt and plan.json (with --json) are about
    apply  = "apply -y"      # the command of apply.txt, requests.txt and world.txt; "" where there is none
    again  = 0               # exit code of `plan --detailed-exitcode` afterwards; 0: nothing is left to do
    env    = {NAME = "..."}

NBFORM_ACCEPT=1 rewrites the expectations that differ, and reports the test as skipped. Every request goes to the log,
which tests/contract/check_requests.py judges.
"""

import argparse
import difflib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
import urllib.parse

SKIPPED = 77
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGdvbGRlbi1rZXktZ29sZGVuLWtleS1nb2xkZW4ta2V5 me@laptop\n"
OFFLINE = {"sandbox", "validate", "show", "schema", "explain", "version"}
# What the simulated cloud adds and nobody set.
NOISE = {"id", "kind", "selfLink", "creationTimestamp", "fingerprint", "labelFingerprint", "etag", "cpuPlatform",
         "lastStartTimestamp", "lastStopTimestamp", "lastAttachTimestamp", "lastDetachTimestamp", "sizeGb",
         "physicalBlockSizeBytes", "diskSizeGb", "zone", "name", "startRestricted", "shieldedInstanceIntegrityPolicy",
         "licenses", "licenseCodes", "guestOsFeatures", "architecture", "interface", "resourceStatus", "index",
         "satisfiesPzi", "satisfiesPzs", "sourceImageId", "sourceDiskId", "enableConfidentialCompute", "type", "mode", "users"}


class Failure(Exception):
    pass


class Case:
    def __init__(self, folder, nbform, log):
        self.folder, self.nbform, self.log = folder, nbform, log
        self.spec = tomllib.loads((folder / "case.toml").read_text())
        unknown = set(self.spec) - {"about", "stack", "before", "plan", "apply", "again", "env"}
        if unknown:
            raise Failure(f"case.toml: {', '.join(sorted(unknown))} means nothing")
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="nbform-golden-"))
        self.stack = self.home / "stack"
        (self.home / ".ssh").mkdir()
        (self.home / ".ssh/id_ed25519.pub").write_text(KEY)
        self.requests = self.home / "requests.jsonl"
        self.ids = {}

    def use(self, name):
        """The manifests of one folder take the place of those before; .nbform, the world, stays."""
        self.stack.mkdir(exist_ok=True)
        for entry in self.stack.iterdir():
            if entry.name != ".nbform":
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        shutil.copytree(self.folder / name, self.stack, dirs_exist_ok=True)
        for manifest in self.stack.glob("*.nb.yaml"):
            text = manifest.read_text()
            if "@ec2." in text:
                manifest.write_text(re.sub(r"@(ec2\.[\w-]+/[\w-]+)@", lambda m: self.id_of(m[1]), text))

    def id_of(self, path):
        return found(json.loads((self.stack / ".nbform/sandbox.json").read_text()), path)["key"]["name"]

    def run(self, command):
        arguments = shlex.split(command)
        if arguments[0] not in OFFLINE:
            arguments += ["--sandbox", "--log-requests", str(self.requests)]
        env = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "TZ": "UTC", "LC_ALL": "C.UTF-8", "TERM": "dumb",
               **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}, **self.spec.get("env", {})}
        if "--sandbox" in arguments:  # which needs no project of anybody's, in CI neither
            env.setdefault("CI", "true")
        return subprocess.run([self.nbform, *arguments], cwd=self.stack, env=env, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=120)

    def step(self, step):
        if isinstance(step, dict) and "run" not in step:
            return self.change_world(step)
        command, code = (step["run"], step["exit"]) if isinstance(step, dict) else (step, 0)
        if command.startswith("use "):
            return self.use(command.removeprefix("use "))
        done = self.run(command)
        if done.returncode != code:
            raise Failure(f"{command}: exit {done.returncode}, not {code}\n{done.stdout}{done.stderr}")

    def change_world(self, step):
        """What somebody else does to the cloud, and `nbform sandbox` has no verb for."""
        file = self.stack / ".nbform/sandbox.json"
        world = json.loads(file.read_text())
        if "untag" in step:
            tags = found(world, step["untag"])["wire"]["tagSet"]
            tags[:] = [tag for tag in tags if tag["key"] not in step["keys"]]
        elif "disown" in step:
            disown(world, found(world, step["disown"])["wire"])
        elif "spare" in step:
            swap_root(world, found(world, step["spare"])["wire"])
        elif set(step) == {"set"}:
            for path, value in step["set"].items():
                set_path(world, path.split("/"), value)
        elif "edit" in step:
            item = found(world, step["edit"])
            for path, value in step["set"].items():
                set_path(item["wire"], path.split("/"), value)
        elif "clone" in step:
            world[step["clone"].split("/")[0]].append(cloned(found(world, step["clone"]), step["as"]))
        elif "remove" in step:
            shelf = step["remove"].split("/")[0]
            world[shelf].remove(found(world, step["remove"]))
        elif "variants" in step:
            world["options"]["variants"] = step["variants"]
        else:
            for name, items in step.items():
                world["trouble"][name] += items
        file.write_text(json.dumps(world))

    def named(self, text):
        """Ids that EC2 gives out, and the digests in tokens, numbered as they appear in the case."""

        def number(match):
            kinds = self.ids.setdefault(match[1], {})
            return f"{match[1]}-#{kinds.setdefault(match[2], len(kinds) + 1)}"

        text = re.sub(r"\b(i|vol|sg|sgr|eni|sir|key|subnet|vpc)-([0-9a-z]{8}|[0-9a-f]{17})\b", number, text)
        return re.sub(r"\b(nbform-[0-9a-f]{8}-[0-9a-f]{8})-([0-9a-f]{16})\b", number, text)

    def take_requests(self):
        """What was logged since the last call; kept in the case's log as well."""
        if not self.requests.exists():
            return []
        text = self.requests.read_text()
        self.requests.unlink()
        with self.log.open("a") as log:
            log.write(text)
        return [json.loads(line) for line in text.splitlines()]

    def produce(self):
        """File name -> what this nbform makes of the case."""
        before = self.spec.get("before", [])
        stack = self.spec.get("stack", "stack")
        if not before or not str(before[0]).startswith("use "):
            self.use(stack)
        for step in before:
            self.step(step)
        self.use(stack)
        self.take_requests()
        plan = self.spec.get("plan", "plan")
        made = {"plan.txt": screen(plan, self.run(plan))}
        as_json = self.run(plan + " --json").stdout
        made["plan.json"] = stable_json(as_json) if as_json.strip() else ""
        if mutations(self.take_requests()):
            raise Failure(f"{plan} changed the cloud")
        apply = self.spec.get("apply", "apply -y")
        if apply:
            made["apply.txt"] = screen(apply, self.run(apply))
            made["requests.txt"] = Requests().text(self.take_requests())
            made["world.txt"] = self.world()
        return {name: self.named(text) for name, text in made.items()}

    def check_again(self):
        """Whatever was made: the plan after an apply is the one that the case says."""
        if self.spec.get("apply") == "":
            return
        wanted = self.spec.get("again", 0)
        done = self.run("plan --detailed-exitcode")
        if done.returncode != wanted:
            raise Failure(f"the plan after it: exit {done.returncode}, not {wanted}\n{done.stdout}{done.stderr}")
        if mutations(self.take_requests()):
            raise Failure("the plan after it changed the cloud")

    def world(self):
        file = self.stack / ".nbform/sandbox.json"
        if not file.exists():
            return "nothing\n"
        world = json.loads(file.read_text())
        google = [resource(shelf, item) for shelf in ("instances", "disks", "firewalls") for item in world[shelf]
                  if not item["key"]["name"].startswith("default-allow-")]
        return "\n".join([*google, *ec2_world(world)]) or "nothing\n"


def found(world, path):
    """ "instances/train" of a world, wherever it is; "ec2.instances/train" goes by its tag Name."""
    shelf, name = path.split("/")
    if shelf.startswith("ec2."):
        named = [item for item in world["aws"]["shelves"][shelf.removeprefix("ec2.")] if tags_of(item).get("Name") == name]
        return named[-1]
    return next(item for item in world[shelf] if item["key"]["name"] == name)


def disown(world, instance):
    """Leaves an instance, its volumes, groups and key as somebody would have made them by hand."""
    shelves = world["aws"]["shelves"]
    for shelf in ("instances", "volumes", "spot-requests", "security-groups", "security-group-rules", "key-pairs"):
        for item in shelves.get(shelf, []):
            tags = item["wire"].get("tagSet", [])
            tags[:] = [tag for tag in tags if tag["key"] == "Name"]
    instance.pop("clientToken", None)
    interfaces = [nic["groupSet"] for nic in instance.get("networkInterfaceSet", [])]
    groups = [g for held in (instance["groupSet"], *interfaces) for g in held]
    for group in [*groups, *(item["wire"] for item in shelves["security-groups"])]:
        group["groupName"] = group["groupName"].replace("nbform-", "hand-made-")


def swap_root(world, instance):
    mapping = instance["blockDeviceMapping"][0]["ebs"]
    volumes = world["aws"]["shelves"]["volumes"]
    old = next(item for item in volumes if item["wire"]["volumeId"] == mapping["volumeId"])
    new = json.loads(json.dumps(old))
    name = "vol-" + "5" * 17
    new["key"]["name"] = new["wire"]["volumeId"] = mapping["volumeId"] = name
    new["wire"]["tagSet"] = []
    new["wire"]["attachmentSet"][0]["volumeId"] = name
    old["wire"].update(attachmentSet=[], status="available")
    volumes.append(new)


def cloned(item, name):
    copy = json.loads(json.dumps(item))
    copy["key"]["name"] = copy["wire"]["name"] = name
    copy["wire"]["id"] = str(int(copy["wire"]["id"]) + 1)
    copy["wire"]["selfLink"] = copy["wire"]["selfLink"].rsplit("/", 1)[0] + "/" + name
    return copy


def set_path(value, path, new):
    """Sets a member or an item; false takes it away."""
    for step in path[:-1]:
        value = value[int(step)] if isinstance(value, list) else value.setdefault(step, {})
    last = int(path[-1]) if isinstance(value, list) else path[-1]
    if new is False:
        del value[last]
    else:
        value[last] = new


def screen(command, done):
    """What a person sees, and on which stream."""
    parts = [f"$ nbform {command}\n", done.stdout]
    if done.stderr:
        parts += ["--- stderr\n", done.stderr]
    return stable("".join(parts) + f"--- exit {done.returncode}\n")


def stable(text):
    """The one place where what differs from run to run, or from release to release, is made equal."""
    return re.sub(r'("nbform"\s*:\s*|\bnbform )"?\d+\.\d+\.\d+"?', r"\1VERSION", text)


def stable_json(text):
    """As printed, one member per line; several documents (events) one per line."""
    try:
        return stable(json.dumps(json.loads(text), indent=1, ensure_ascii=False)) + "\n"
    except json.JSONDecodeError as error:
        raise Failure(f"--json printed no JSON: {error}\n{text}")


def mutations(requests):
    return [r for r in requests if not is_read(r)]


def is_read(request):
    if ".amazonaws.com/" in request["url"]:
        body = request.get("body", "")
        return isinstance(body, dict) or re.match(r"Action=(Describe|Get)", body) is not None
    return request["method"] == "GET" or request["url"].split("?")[0].endswith("/wait")


class Requests:
    """A log as people read it. Ids that differ by run become #1, #2, ... in order of appearance."""

    def __init__(self):
        self.ids = {}

    def short(self, name):
        return self.ids.setdefault(name, f"#{len(self.ids) + 1}")

    def one(self, record):
        url = urllib.parse.urlsplit(record["url"])
        if url.hostname.endswith(".amazonaws.com"):
            return self.of_aws(url.hostname.removesuffix(".amazonaws.com"), record)
        path = re.sub(r"^/compute/v1/projects/", "", url.path)
        path = re.sub(r"operation-[\w-]+", lambda m: "operation-" + self.short(m[0]), path)
        outcome = record.get("status", record.get("error"))
        lines = [f"{record['method']} {path}  -> {outcome}"]
        for name, value in urllib.parse.parse_qsl(url.query, keep_blank_values=True):
            lines.append(f"    {name} = {self.short(value) if name == 'requestId' else value}")
        if "body" in record:
            lines += ["    " + line for line in json.dumps(record["body"], indent=2, ensure_ascii=False).splitlines()]
        return "\n".join(lines)

    @staticmethod
    def of_aws(host, record):
        body = record.get("body", "")
        fields = list(body.items()) if isinstance(body, dict) else urllib.parse.parse_qsl(body, keep_blank_values=True)
        of_json = "GetServiceQuota" if host.startswith("servicequotas") else "GetParameter"
        action = dict(fields).get("Action", of_json)
        lines = [f"{' '.join(host.split('.'))} {action}  -> {record.get('status', record.get('error'))}"]
        for name, value in fields:
            if name not in ("Action", "Version"):
                lines.append(f"    {name} = {value}")
        return "\n".join(lines)

    def text(self, records):
        out, times = [], []
        for shown in map(self.one, records):
            if out and out[-1] == shown:
                times[-1] += 1
            else:
                out.append(shown)
                times.append(1)
        return "\n".join(s if n == 1 else s.replace("  ->", f"  x{n} ->", 1) for s, n in zip(out, times)) + "\n"


def flat(value, at=""):
    if isinstance(value, dict):
        for key, member in value.items():
            if key not in NOISE:
                yield from flat(member, f"{at}.{key}" if at else key)
    elif isinstance(value, list):
        for number, member in enumerate(value):
            name = f"[{member['key']}]" if isinstance(member, dict) and set(member) == {"key", "value"} else f"[{number}]"
            yield from flat(member["value"], at + name) if name[1:-1] != str(number) else flat(member, at + name)
    else:
        text = value if isinstance(value, str) else json.dumps(value)
        yield at, re.sub(r"^https://www\.googleapis\.com/compute/v1/projects/", "", text).replace("\n", "\\n")


# What of a thing in EC2 somebody set, or a person would look at; a name means all below it.
SHOWN = {
    "instances": ["imageId", "instanceType", "instanceLifecycle", "spotInstanceRequestId", "keyName", "ipAddress",
                  "subnetId", "groupSet", "iamInstanceProfile", "blockDeviceMapping", "metadataOptions.httpTokens",
                  "metadataOptions.httpPutResponseHopLimit", "tagSet"],
    "volumes": ["size", "volumeType", "iops", "throughput", "encrypted", "snapshotId", "attachmentSet", "tagSet"],
    "spot-requests": ["type", "instanceInterruptionBehavior", "spotPrice", "status.code", "instanceId", "tagSet"],
    "security-groups": ["groupName", "vpcId", "tagSet"],
    "security-group-rules": ["groupId", "ipProtocol", "fromPort", "toPort", "cidrIpv4", "cidrIpv6", "tagSet"],
    "key-pairs": ["keyName", "keyType", "tagSet"],
}
UNSHOWN = re.compile(r"groupName$|attachTime$|ebs\.status$|attachmentSet.*(status|volumeId)$")


def tags_of(item):
    return {tag["key"]: tag["value"] for tag in item["wire"].get("tagSet", [])}


def ec2_resource(shelf, item):
    wire = item["wire"]
    state = wire.get("instanceState", {}).get("name") or wire.get("status") or wire.get("state") or ""
    if shelf == "spot-requests":
        state = wire["state"]
    place = wire.get("placement", wire).get("availabilityZone", item["key"]["scope"])
    lines = [f"ec2 {shelf}/{item['key']['name']}  {place}  {state}".rstrip()]
    for path, text in flat(wire):
        wanted = any(path == name or path.startswith((name + ".", name + "[")) for name in SHOWN[shelf])
        if wanted and (shelf.startswith("security") or not UNSHOWN.search(path)) and text != "null":
            lines.append(f"    {path} = {text}")
    return "\n".join(lines[:1] if state in ("terminated", "deleted") else lines) + "\n"


def ec2_world(world):
    """The things of EC2 but those that AWS made by itself, such as the default network."""
    shelves = world.get("aws", {}).get("shelves", {})
    for shelf in SHOWN:
        for item in shelves.get(shelf, []):
            if item["wire"].get("isEgress") is not True and item["wire"].get("groupName") != "default":
                yield ec2_resource(shelf, item)


def resource(shelf, item):
    """One resource: where it is, how big, and each member that somebody set."""
    wire, key = item["wire"], item["key"]
    head = f"{shelf}/{key['name']}  {key['scope'].removeprefix('zones/')}  {wire.get('status', '')}"
    if shelf == "disks":
        users = ", ".join(u.rsplit("/", 1)[1] for u in wire.get("users", [])) or "nobody"
        head += f"  {wire['sizeGb']} GB {wire['type'].rsplit('/', 1)[1]}  used by {users}"
    return "\n".join([head, *(f"    {path} = {text}" for path, text in flat(wire) if path != "status")]) + "\n"


def compare(folder, made, accept):
    """The differences as text, and whether they were accepted."""
    differences = []
    for name, text in made.items():
        file = folder / name
        expected = file.read_text() if file.exists() else ""
        if expected == text:
            continue
        if accept:
            file.write_text(text) if text else file.unlink(missing_ok=True)
        differences += difflib.unified_diff(expected.splitlines(True), text.splitlines(True), f"expected/{name}", f"made/{name}")
    for file in folder.glob("*.txt"):
        if file.name not in made:
            differences.append(f"{file.name} is expected by nobody\n")
            file.unlink() if accept else None
    return "".join(differences)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nbform", required=True, type=lambda p: str(pathlib.Path(p).resolve()))
    parser.add_argument("--log", required=True, type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    given = parser.parse_args()
    given.log.parent.mkdir(parents=True, exist_ok=True)
    given.log.write_text("")
    accept = os.environ.get("NBFORM_ACCEPT") == "1"
    case = Case(given.folder, given.nbform, given.log)
    try:
        differences = compare(given.folder, case.produce(), accept)
        print(differences, end="")
        case.check_again()
    except Failure as failure:
        print(failure)
        return 1
    finally:
        shutil.rmtree(case.home)
    if differences:
        print("accepted: read the diff before you commit it" if accept else "NBFORM_ACCEPT=1 accepts what is made")
    return 0 if not differences else SKIPPED if accept else 1


if __name__ == "__main__":
    sys.exit(main())
