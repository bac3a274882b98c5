"""Holds what nbsim answers as AWS against botocore's service models: every element known, every value of its type.

Registered on a boto3 client, it looks at the raw bytes of every answer before anybody has thrown away what they do not
know. COVERED collects which operations and members were seen.
"""

import json
import re
import xml.etree.ElementTree as ElementTree

COVERED = {}

# What the documentation says and the model does not: "the state is available when attached to a VPC".
BEYOND_MODEL = {("DescribeInternetGateways.internetGatewaySet.item.attachmentSet.item.state", "available")}

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$")


def local(tag):
    return tag.rsplit("}", 1)[-1]


def check_scalar(shape, text, at):
    text = text or ""
    kind = shape.type_name
    if kind == "boolean":
        assert text in ("true", "false"), f"{at}: '{text}' is no boolean"
    elif kind in ("integer", "long"):
        assert re.fullmatch(r"-?\d+", text), f"{at}: '{text}' is no integer"
    elif kind in ("double", "float"):
        float(text)
    elif kind == "timestamp":
        assert TIMESTAMP.match(text), f"{at}: '{text}' is no timestamp"
    elif kind == "string" and shape.enum and text:
        assert text in shape.enum or (at, text) in BEYOND_MODEL, f"{at}: {text} is not one of {shape.enum}"


def check_xml(shape, element, at, seen):
    kind = shape.type_name
    if kind == "structure":
        names = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        assert not (element.text or "").strip(), f"{at}: text in a structure"
        tags = [local(child.tag) for child in element]
        assert len(tags) == len(set(tags)), f"{at}: repeated members in {tags}"
        for child in element:
            name = local(child.tag)
            assert name in names, f"{at}: unknown member {name}; known: {sorted(names)}"
            seen.add(f"{at}.{name}")
            check_xml(names[name], child, f"{at}.{name}", seen)
    elif kind == "list":
        item = shape.member.serialization.get("name", "member")
        for child in element:
            assert local(child.tag) == item, f"{at}: <{local(child.tag)}> in a list of <{item}>"
            check_xml(shape.member, child, f"{at}.{item}", seen)
    else:
        assert len(element) == 0, f"{at}: elements in a scalar"
        check_scalar(shape, element.text, at)


def check_json(shape, value, at):
    if shape.type_name == "structure":
        for name, member in value.items():
            assert name in shape.members, f"{at}: unknown member {name}"
            check_json(shape.members[name], member, f"{at}.{name}")
    elif shape.type_name == "list":
        for member in value:
            check_json(shape.member, member, f"{at}[]")
    elif shape.type_name == "string" and shape.enum:
        assert value in shape.enum, f"{at}: {value}"


def check_ec2(model, root, seen):
    assert local(root.tag) == f"{model.name}Response"
    ids = [child for child in root if local(child.tag) == "requestId"]
    assert len(ids) == 1, f"{model.name}: no requestId"
    root.remove(ids[0])
    if model.output_shape is None:
        assert [(local(c.tag), c.text) for c in root] == [("return", "true")], f"{model.name}: void"
    else:
        check_xml(model.output_shape, root, model.name, seen)


def check_query(model, root, seen):
    assert [local(child.tag) for child in root] == [f"{model.name}Result", "ResponseMetadata"]
    check_xml(model.output_shape, root[0], model.name, seen)


def check_error(protocol, content, status):
    if protocol == "json":
        assert {"__type", "message"} == set(json.loads(content))
        return
    root = ElementTree.fromstring(content)
    if protocol == "ec2":
        assert local(root.tag) == "Response" and [local(c.tag) for c in root] == ["Errors", "RequestID"]
        assert [local(c.tag) for c in root[0][0]] == ["Code", "Message"]
    else:
        assert local(root.tag) == "ErrorResponse"
        assert sorted(local(c.tag) for c in root) == ["Error", "RequestId"]


def check(http_response, model, **_):
    protocol = model.service_model.metadata["protocol"]
    content, status = http_response.content, http_response.status_code
    assert http_response.headers.get("Date") and http_response.headers.get("x-amzn-RequestId")
    if status >= 300:
        return check_error(protocol, content, status)
    seen = COVERED.setdefault(f"{model.service_model.service_name}.{model.name}", set())
    if protocol == "json":
        return check_json(model.output_shape, json.loads(content), model.name)
    root = ElementTree.fromstring(content)
    return check_ec2(model, root, seen) if protocol == "ec2" else check_query(model, root, seen)


def watch(client):
    client.meta.events.register("after-call", check)
    return client
