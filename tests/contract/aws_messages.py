"""Whether a request, or its answer, is of AWS's published API: the service models that ship inside botocore.

A request is read back into the parameters that a caller of botocore would have given; botocore must accept them and
write the same request from them. An answer holds no member that its model does not know, every value is of its type,
and botocore's own parser reads it. Knows no simulator.
"""

import base64
import functools
import json
import re
import urllib.parse
import xml.etree.ElementTree as ElementTree

import botocore.parsers
import botocore.serialize
import botocore.session
import botocore.validate

# What says which service a request is for: the version of a form, the prefix of X-Amz-Target.
BY_VERSION = {"2016-11-15": "ec2", "2011-06-15": "sts"}
BY_TARGET = {"AmazonSSM": "ssm", "ServiceQuotasV20190624": "service-quotas"}

# What the documentation says and the model does not: "the state is available when attached to a VPC".
BEYOND_MODEL = {("DescribeInternetGateways.internetGatewaySet.item.attachmentSet.item.state", "available")}

TEXTS = {  # how a scalar is written in XML
    "boolean": r"true|false", "integer": r"-?\d+", "long": r"-?\d+", "double": r"-?\d+(\.\d+)?(e[+-]?\d+)?",
    "float": r"-?\d+(\.\d+)?(e[+-]?\d+)?", "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z",
}
GIVEN = {  # how one is written in a form, and what a caller gave for it
    "boolean": (r"true|false", lambda text: text == "true"), "integer": (r"-?\d+", int), "long": (r"-?\d+", int),
    "double": (r"-?[\d.]+", float), "float": (r"-?[\d.]+", float), "blob": (r"[A-Za-z0-9+/]*=*", base64.b64decode),
    "timestamp": (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", str),
}


@functools.cache
def service_model(service):
    return botocore.session.Session().get_service_model(service)


@functools.cache
def serializer(protocol):
    return botocore.serialize.create_serializer(protocol, include_validation=True)


def form_of(record):
    """Its parameters, from the query or a form; none where it is neither."""
    query = urllib.parse.urlsplit(record["url"]).query
    body = record.get("body")
    return urllib.parse.parse_qsl("&".join(t for t in (query, body) if isinstance(t, str)), keep_blank_values=True)


def operation(record):
    """(service, name of the operation, its model or None), or None where the request is not for AWS."""
    if prefix := BY_TARGET.get((target := record.get("target", "").split("."))[0]):
        service, name = prefix, target[-1]
    elif urllib.parse.urlsplit(record["url"]).path in ("", "/") and (form := dict(form_of(record))).get("Action"):
        service, name = BY_VERSION.get(form.get("Version"), "ec2"), form["Action"]
    else:
        return None
    model = service_model(service)
    return service, name, model.operation_model(name) if name in model.operation_names else None


# --- requests


def tree(pairs):
    """A.1.B=x as {"A": {"1": {"B": x}}}."""
    root = {}
    for name, text in pairs:
        *above, last = name.split(".")
        at = root
        for part in above:
            at = at.setdefault(part, {})
            if not isinstance(at, dict):
                raise ValueError(f"{name}: a value and members")
        if last in at:
            raise ValueError(f"{name} is given twice")
        at[last] = text
    return root


class Form:
    """Reads a form back into parameters. `errors`: where it is none of the operation's."""

    def __init__(self, protocol):
        self.ec2, self.errors = protocol == "ec2", []

    def name(self, member, default):
        if not self.ec2:
            return member.serialization.get("name", default)
        given = member.serialization.get("name")
        return member.serialization.get("queryName") or (given[0].upper() + given[1:] if given else default)

    def read(self, shape, node, at=""):
        kind = shape.type_name
        if kind == "structure":
            return self.structure(shape, node, at)
        if kind == "list":
            return self.list(shape, node, at)
        return self.scalar(shape, node, at)

    def structure(self, shape, node, at):
        if not isinstance(node, dict):
            self.errors.append(f"{at[:-1]}: {node!r} is no structure")
            return {}
        known = {self.name(member, name): (name, member) for name, member in shape.members.items()}
        self.errors += [f"unknown parameter {at}{name}" for name in node if name not in known]
        return {known[name][0]: self.read(known[name][1], below, f"{at}{name}.")
                for name, below in node.items() if name in known}

    def list(self, shape, node, at):
        if not self.ec2 and not shape.serialization.get("flattened"):
            item = shape.member.serialization.get("name", "member")
            node = node[item] if isinstance(node, dict) and set(node) == {item} else {"": node}
        if not isinstance(node, dict) or sorted(node) != sorted(str(n + 1) for n in range(len(node))):
            self.errors.append(f"{at} is no list from 1 on: {node!r}")
            return []
        return [self.read(shape.member, node[str(n + 1)], f"{at}{n + 1}.") for n in range(len(node))]

    def scalar(self, shape, node, at):
        pattern, convert = GIVEN.get(shape.type_name, (r"(?s).*", str))
        if not isinstance(node, str) or not re.fullmatch(pattern, node):
            self.errors.append(f"{at[:-1]}: {node!r} is no {shape.type_name}")
            return None
        return convert(node)


def enums(shape, value, at=""):
    """Values that are not of their enumeration, where that is closed: botocore leaves them to the service."""
    if shape.type_name == "structure":
        for name, member in value.items():
            yield from enums(shape.members[name], member, f"{at}.{name}")
    elif shape.type_name == "list":
        for number, member in enumerate(value):
            yield from enums(shape.member, member, f"{at}[{number}]")
    elif shape.type_name == "string" and shape.enum and value not in shape.enum and shape.name not in OPEN_ENUMS:
        yield f"{at}: {value!r} is not one of {', '.join(shape.enum[:20])}"


OPEN_ENUMS = {"InstanceType"}  # new ones every month


def check_parameters(model, given):
    if model.input_shape is None:
        return ["parameters where the operation has none"] if given else []
    report = botocore.validate.ParamValidator().validate(given, model.input_shape)
    return [report.generate_report()] if report.has_errors() else list(enums(model.input_shape, given))


def as_written(model, given):
    body = serializer(model.service_model.resolved_protocol).serialize_to_request(given, model)["body"]
    return sorted((name, str(value)) for name, value in body.items())


def check_form(model, pairs):
    protocol = model.service_model.resolved_protocol
    form = Form(protocol)
    try:
        node = tree((name, text) for name, text in pairs if name not in ("Action", "Version"))
    except ValueError as error:
        return [str(error)]
    given = form.read(model.input_shape, node) if model.input_shape else node
    if errors := form.errors or check_parameters(model, given):
        return errors
    written = as_written(model, given)
    return [] if written == sorted(pairs) else [f"botocore would write {written}"]


def check_request(record, model):
    """Every way in which the request is not of the published API, as texts."""
    if model is None:
        return ["no such operation"]
    if record.get("target"):
        body = record.get("body")
        return check_parameters(model, body) if isinstance(body, dict) else ["a body that is no JSON object"]
    return check_form(model, form_of(record))


# --- answers


def local(tag):
    return tag.rsplit("}", 1)[-1]


class Answer:
    """Holds the elements of an answer against shapes. `seen`: the members that it had."""

    def __init__(self, seen):
        self.seen, self.errors = seen, []

    def say(self, at, what):
        self.errors.append(f"{at}: {what}")

    def xml(self, shape, element, at):
        if shape.type_name == "structure":
            self.structure(shape, element, at)
        elif shape.type_name == "list":
            item = shape.member.serialization.get("name", "member")
            for child in element:
                if local(child.tag) != item:
                    self.say(at, f"<{local(child.tag)}> in a list of <{item}>")
                self.xml(shape.member, child, f"{at}.{item}")
        elif len(element):
            self.say(at, "elements in a scalar")
        else:
            self.text(shape, element.text or "", at)

    def structure(self, shape, element, at):
        names = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        tags = [local(child.tag) for child in element]
        if (element.text or "").strip() or len(tags) != len(set(tags)):
            self.say(at, f"text, or a member twice: {tags}")
        for name, child in zip(tags, element):
            if name not in names:
                self.say(at, f"unknown member {name}; known: {sorted(names)}")
                continue
            self.seen.add(f"{at}.{name}")
            self.xml(names[name], child, f"{at}.{name}")

    def text(self, shape, text, at):
        kind = shape.type_name
        if kind in TEXTS and not re.fullmatch(TEXTS[kind], text):
            self.say(at, f"{text!r} is no {kind}")
        elif kind == "string" and shape.enum and text and text not in shape.enum and (at, text) not in BEYOND_MODEL:
            self.say(at, f"{text!r} is not one of {shape.enum}")

    def json(self, shape, value, at):
        kind = shape.type_name
        if kind == "structure":
            for name, member in value.items():
                if name not in shape.members:
                    self.say(at, f"unknown member {name}")
                    continue
                self.seen.add(f"{at}.{name}")
                self.json(shape.members[name], member, f"{at}.{name}")
        elif kind == "list":
            for member in value:
                self.json(shape.member, member, f"{at}[]")
        elif kind in ("string", "timestamp") and isinstance(value, str) != (kind == "string"):
            self.say(at, f"{value!r} is no {kind} of JSON's")
        elif kind == "string" and shape.enum and value not in shape.enum:
            self.say(at, f"{value!r} is not one of {shape.enum}")

    # the roots

    def ec2(self, model, root):
        ids = [child for child in root if local(child.tag) == "requestId"]
        if local(root.tag) != f"{model.name}Response" or len(ids) != 1:
            return self.say(local(root.tag), "not the root, or no requestId")
        root.remove(ids[0])
        if model.output_shape is not None:
            return self.xml(model.output_shape, root, model.name)
        if [(local(child.tag), child.text) for child in root] != [("return", "true")]:
            self.say(model.name, "a void operation answers <return>true</return>")

    def query(self, model, root):
        if [local(child.tag) for child in root] != [f"{model.name}Result", "ResponseMetadata"]:
            return self.say(local(root.tag), "not <Result> and <ResponseMetadata>")
        self.xml(model.output_shape, root[0], model.name)


def tags(element):
    return [local(child.tag) for child in element]


def check_refusal(protocol, status, answer):
    if protocol == "json":
        fits = isinstance(answer, dict) and set(answer) == {"__type", "message"}
    else:
        root = ElementTree.fromstring(answer)
        fits = (tags(root) == ["Errors", "RequestID"] and tags(root[0][0]) == ["Code", "Message"] if protocol == "ec2"
                else local(root.tag) == "ErrorResponse" and sorted(tags(root)) == ["Error", "RequestId"]
                and sorted(tags(root[0]) + tags(root[1])) == ["Code", "Message", "Type"])
    return [] if fits else [f"a refusal ({status}) without the envelope of {protocol}: {answer!r}"]


def parsed(model, protocol, status, answer):
    body = json.dumps(answer) if isinstance(answer, dict) else answer or ""
    parser = botocore.parsers.create_parser(protocol)
    return parser.parse({"body": body.encode(), "headers": {}, "status_code": status}, model.output_shape)


def check_answer(model, status, answer, seen):
    """Every way in which the answer is not of the published API, as texts. Adds the members it had to `seen`."""
    protocol = model.service_model.resolved_protocol
    judge = Answer(seen)
    try:
        read = parsed(model, protocol, status, answer)
        if status >= 300:
            return check_refusal(protocol, status, answer) if read.get("Error") else ["a refusal without a code"]
        if protocol == "json":
            judge.json(model.output_shape, answer, model.name)
        else:
            getattr(judge, protocol)(model, ElementTree.fromstring(answer))
    except (botocore.parsers.ResponseParserError, ElementTree.ParseError, TypeError, AttributeError) as error:
        return [f"not to be parsed: {error!r}"]
    return judge.errors
