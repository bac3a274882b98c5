"""Google's own gcloud against nbsim, and against nbform: what both send for the same intent (intents.yaml).

gcloud_requests.json is what gcloud sent; where gcloud is installed the test runs it again and compares, and with
NBFORM_ACCEPT=1 rewrites it, as it does docs/gcloud.md.
"""

import fnmatch
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess

import pytest
import yaml

from check_requests import main as check
from conftest import BIN
from facts import facts, place

HERE = pathlib.Path(__file__).parent
RECORDED = HERE / "gcloud_requests.json"
PAGE = HERE.parents[1] / "docs/gcloud.md"
TABLE = yaml.safe_load((HERE / "intents.yaml").read_text())
INTENTS = TABLE["intents"]
ACCEPT = os.environ.get("NBFORM_ACCEPT") == "1"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGdjbG91ZC1rZXktZ2Nsb3VkLWtleS1nY2xvdWQta2V5 me@laptop\n"


# --- gcloud


def own_request(lines):
    """Of the requests of one command, the one that it is about: the mutation, else the last read."""
    calls = [line for line in lines if not line["url"].split("?")[0].endswith("/wait")]
    mutations = [line for line in calls if line["method"] != "GET"]
    return (mutations or calls)[-1]


def recording(line):
    return {"call": place(line["method"], line["url"]), "facts": facts(line["url"], line["body"])}


@pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not installed here")
def test_gcloud_commands_do_what_they_say(nbsim, tmp_path):
    settings = {"CLOUDSDK_CONFIG": str(tmp_path / "gcloud"), "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
                "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true", "CLOUDSDK_COMPUTE_ZONE": "us-central1-b"}
    env, sent, seen = {**os.environ, **nbsim.env(), **settings}, {}, 0

    def gcloud(command):
        done = subprocess.run(["gcloud", *shlex.split(command)], env=env, capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        return done.stdout + done.stderr

    for intent in INTENTS:
        printed = gcloud(intent["gcloud"])
        for text in intent["shows"]:
            assert re.search(text, printed), f"{intent['gcloud']} printed\n{printed}"
        lines = [json.loads(line) for line in nbsim.log.read_text().splitlines()]
        sent[intent["gcloud"]] = recording(own_request([line for line in lines[seen:] if line["url"].startswith("/compute/v1/")]))
        seen = len(lines)
    assert gcloud("compute instances list --format=value(name)").split() == ["nb-gpu", "notebook-vm-spot"]
    assert gcloud("compute disks describe nb-max-data --format=value(sizeGb,users)").split() == ["300"]
    assert check([nbsim.log]) == 0
    version = json.loads(gcloud("version --format=json"))["core"]
    if ACCEPT:
        RECORDED.write_text(json.dumps({"gcloud core": version, "sent": sent}, indent=1) + "\n")
    recorded = json.loads(RECORDED.read_text())
    if sent != recorded["sent"] and version != recorded["gcloud core"]:
        pytest.skip(f"gcloud core {version} sends something else than {recorded['gcloud core']}; NBFORM_ACCEPT=1 records it")
    assert sent == recorded["sent"]


# --- nbform


def run_nbform(home, command, refused=None):
    arguments = [BIN / "nbform", *shlex.split(command), "--sandbox", "--log-requests", str(home / "requests.jsonl")]
    env = {"HOME": str(home), "PATH": "/usr/bin:/bin", "TZ": "UTC", "TERM": "dumb", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(arguments, cwd=home / "stack", env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    said = f"nbform {command}\n{done.stdout}\n{done.stderr}"
    assert done.returncode == (1 if refused else 0) and (refused or "") in said, said


def declare(home, notebooks):
    stack = {"nbform": 1, "stack": {"name": "research", "id": "3f9a1c2e"}, "notebooks": notebooks}

    class Plain(yaml.SafeDumper):
        ignore_aliases = staticmethod(lambda data: True)

    (home / "stack/main.nb.yaml").write_text(yaml.dump(stack, Dumper=Plain, sort_keys=False))


def sent_by_nbform(home, intent, call):
    """The facts of nbform's request that makes the same call."""
    (home / "stack").mkdir(parents=True)
    (home / ".ssh").mkdir()
    (home / ".ssh/id_ed25519.pub").write_text(KEY)
    if "before" in intent:
        declare(home, intent["before"])
        run_nbform(home, "apply -y")
        (home / "requests.jsonl").unlink()
    declare(home, intent["notebooks"])
    run_nbform(home, intent.get("command", "apply -y"), intent.get("refused"))
    if "refused" in intent:
        return {}
    lines = [json.loads(line) for line in (home / "requests.jsonl").read_text().splitlines()]
    same = [line for line in lines if place(line["method"], line["url"]) == call]
    assert same, f"{call} is not among {[place(x['method'], x['url']) for x in lines]}"
    return facts(same[0]["url"], same[0].get("body"))


def decisions(intent, call):
    """Pattern -> reason, the intent's own first."""
    of_insert = TABLE["insert"] if call == "POST zones/us-central1-b/instances" else {}
    return {**(intent.get("decisions", {})), **of_insert, **TABLE["everywhere"]}


def decided(name, reasons):
    plain = lambda text: text.replace("[", "[[]")
    return next((pattern for pattern in reasons if fnmatch.fnmatchcase(name, plain(pattern))), None)


def rows(intent, home):
    """(name, gcloud's value, nbform's, decision) of every fact; a decision of None where there is no difference."""
    recorded = json.loads(RECORDED.read_text())["sent"][intent["gcloud"]]
    theirs, ours = recorded["facts"], sent_by_nbform(home, intent, recorded["call"])
    reasons, out = decisions(intent, recorded["call"]), []
    for name in sorted({*theirs, *ours}):
        a, b = theirs.get(name), ours.get(name)
        out.append((name, a, b, None if a == b else decided(name, reasons) or "?"))
    return recorded["call"], out


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return [(intent, *rows(intent, tmp_path_factory.mktemp("intent"))) for intent in INTENTS]


def test_every_difference_is_a_decision(table):
    missing = [f"{intent['intent']}: {name}: gcloud {a}, nbform {b}" for intent, _, facts_ in table for name, a, b, d in facts_ if d == "?"]
    assert missing == []


def test_no_decision_is_stale(table):
    used = {(i["intent"] if d in (i.get("decisions", {})) else "", d) for i, _, facts_ in table for *_, d in facts_}
    stale = [(i["intent"], d) for i in INTENTS for d in i.get("decisions", {}) if (i["intent"], d) not in used]
    stale += [("", d) for d in {**TABLE["insert"], **TABLE["everywhere"]} if ("", d) not in used]
    assert stale == []


# --- the page


def cell(value):
    return "" if value is None else f"`{value[:60]}`"


def rendered(table):
    out = ["# The same with gcloud", "",
           "What Google's own `gcloud` sends for a command, and what nbform sends for the manifest that means the same. They are",
           "compared fact by fact (`tests/contract/test_gcloud.py`); each difference is a decision, written here. Made from",
           "`tests/contract/intents.yaml`; not edited by hand. What differs everywhere is said once and not in the tables.", ""]
    same = sum(d is None for _, _, facts_ in table for *_, d in facts_)
    differ = sum(d is not None for _, _, facts_ in table for *_, d in facts_)
    out += [f"{len(table)} intents, {same} facts the same, {differ} different by decision.", "", "## Everywhere", ""]
    out += [f"- `{name}`: {reason}" for name, reason in TABLE["everywhere"].items()]
    out += ["", "## Whenever a VM is created", ""] + [f"- `{name}`: {reason}" for name, reason in TABLE["insert"].items()]
    for intent, call, facts_ in table:
        reasons = decisions(intent, call)
        out += ["", f"## {intent['intent']}", "", f"`gcloud {intent['gcloud']}`", ""]
        shown = [row for row in facts_ if row[3] not in TABLE["everywhere"]]
        out += ["| " + call + " | gcloud | nbform | |", "|---|---|---|---|"] if shown else [call]
        for name, a, b, d in shown:
            why = "" if d is None else reasons[d] if d in intent.get("decisions", {}) else "above"
            out.append(f"| `{name}` | {cell(a)} | {cell(b)} | {why} |")
    return "\n".join(out) + "\n"


def test_the_page_is_up_to_date(table):
    text = rendered(table)
    if ACCEPT:
        PAGE.write_text(text)
    assert PAGE.read_text() == text, "NBFORM_ACCEPT=1 writes docs/gcloud.md"
