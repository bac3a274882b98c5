"""Whether an answer is of the published API: the message of its method, narrowed to what `fields=` selects.

Stricter than what a request may hold: 64-bit numbers are strings, nothing is null, `kind` is the published one, a time
is RFC 3339. A refusal is Google's envelope. Knows no simulator.
"""

import re
import urllib.parse

from discovery import PREFIX, Discovery

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")
REFUSAL = {"code": int, "message": str, "errors": list, "status": str, "details": list}
REFUSAL_ITEM = {"domain": str, "reason": str, "message": str, "location": str, "locationType": str, "debugInfo": str}


class Selection:
    """`fields=`: members below members. An empty one selects everything below."""

    def __init__(self, text=""):
        self.inner, self.rest = {}, text
        if text:
            self._list()
            if self.rest:
                raise ValueError(f"fields: {self.rest!r} is left over")

    def _list(self):
        self._path()
        while self._take(","):
            self._path()

    def _path(self):
        name, self.rest = re.match(r"([^,()/]+)(.*)", self.rest).groups()
        below = self.inner.setdefault(name, Selection())
        if self.rest[:1] in ("/", "("):
            close = self.rest[0] == "("
            below.rest = self.rest[1:]
            below._list() if close else below._path()
            self.rest = below.rest
            if close and not self._take(")"):
                raise ValueError("fields: a ) is missing")

    def _take(self, sign):
        found = self.rest.startswith(sign)
        self.rest = self.rest[1:] if found else self.rest
        return found

    def below(self, name):
        return self.inner.get(name) or self.inner.get("*")

    def outside(self, value, at):
        """Members of `value` that were not selected."""
        if not self.inner:
            return
        if isinstance(value, list):
            for number, item in enumerate(value):
                yield from self.outside(item, f"{at}[{number}]")
        elif isinstance(value, dict):
            for name, member in value.items():
                inner = self.below(name)
                if inner is None:
                    yield f"{at}.{name} was not selected"
                else:
                    yield from inner.outside(member, f"{at}.{name}")


class Answers(Discovery):
    def check_answer(self, verb, url, status, answer):
        """Every way in which the answer is not of the published API, as texts."""
        parsed = urllib.parse.urlsplit(url)
        if status >= 400:
            return self._check_refusal(status, answer)
        method = self.method(verb, parsed.path.removeprefix(PREFIX))
        if method is None:
            return ["an answer where there is no method"]
        if "response" not in method:
            return [] if answer in (None, "", {}) else ["a body where the method answers none"]
        selected = dict(urllib.parse.parse_qsl(parsed.query)).get("fields", "")
        return [*self.check_value(answer, method["response"], "answer"), *Selection(selected).outside(answer, "answer")]

    def check_value(self, value, spec, at):
        return [f"{at}: null"] if value is None else super().check_value(value, spec, at)

    def _check_object(self, value, spec, at):
        errors = super()._check_object(value, spec, at)
        for name, field in spec.get("properties", {}).items() if isinstance(value, dict) else ():
            if name == "kind" and "default" in field and value.get(name, field["default"]) != field["default"]:
                errors.append(f"{at}.kind: {value[name]!r} is not {field['default']}")
        return errors

    def _check_scalar(self, value, spec, at):
        if spec.get("format") in ("int64", "uint64") and not isinstance(value, str):
            return [f"{at}: {value!r} is a 64-bit number and no string"]
        if spec["type"] == "string" and "RFC3339" in spec.get("description", "") and not TIME.match(str(value)):
            return [f"{at}: {value!r} is no RFC 3339 time"]
        return super()._check_scalar(value, spec, at)

    @staticmethod
    def _check_refusal(status, answer):
        if not isinstance(answer, dict) or set(answer) != {"error"} or not isinstance(answer["error"], dict):
            return [f"a refusal ({status}) without Google's envelope: {answer!r}"]
        refusal = answer["error"]
        errors = [f"error.{n}: {v!r}" for n, v in refusal.items() if not isinstance(v, REFUSAL.get(n, ()))]
        errors += [f"error.{n} is missing" for n in ("code", "message", "errors") if n not in refusal]
        if refusal.get("code") != status:
            errors.append(f"error.code: {refusal.get('code')} in an answer of status {status}")
        for item in refusal.get("errors") or [{}]:
            errors += [f"error.errors: {n}: {v!r}" for n, v in item.items() if not isinstance(v, REFUSAL_ITEM.get(n, ()))]
            errors += [f"error.errors: {n} is missing" for n in ("domain", "reason", "message") if n not in item]
        return errors
