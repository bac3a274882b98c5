"""What the golden cases print for programs fits the schemas that we publish."""

import json
import pathlib
import tomllib

import jsonschema
import pytest

ROOT = pathlib.Path(__file__).parents[2]
CASES = {path.parent.name: tomllib.loads(path.read_text()) for path in sorted(ROOT.glob("tests/golden/*/case.toml"))}


def schema(name):
    text = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(text)
    return text


def validator(name):
    return jsonschema.Draft202012Validator(schema(name))


def golden(case, name):
    path = ROOT / "tests/golden" / case / name
    return path.read_text() if path.exists() else ""


PLANS = [name for name, case in CASES.items() if case.get("plan", "plan").startswith("plan") and golden(name, "plan.json")]
STREAMS = [name for name, case in CASES.items() if "--json" in case.get("apply", "")]


@pytest.mark.parametrize("case", PLANS)
def test_plans(case):
    validator("plan").validate(json.loads(golden(case, "plan.json")))


@pytest.mark.parametrize("case", STREAMS)
def test_events(case):
    events = [json.loads(line) for line in golden(case, "apply.txt").splitlines() if line.startswith("{")]
    assert events and events[-1]["event"] == "end"
    for event in events:
        validator("events").validate(event)
        if event["event"] == "plan":
            validator("plan").validate(event["plan"])


def test_the_schema_refuses_something():
    plan = json.loads(golden(PLANS[0], "plan.json"))
    with pytest.raises(jsonschema.ValidationError):
        validator("plan").validate({**plan, "format": "one"})
    with pytest.raises(jsonschema.ValidationError):
        validator("plan").validate({k: v for k, v in plan.items() if k != "notebooks"})
