"""Checks logged requests, and their answers, against what the providers publish: the description of Compute v1, and the
service models of AWS.

    python3 check_requests.py FILE.jsonl...

Each line is {"method", "url", "target", "body", "status", "answer"}, as `nbsim --log` and nbform's --log-requests write them.
`target` is the X-Amz-Target. Requests to other services (tokens, metadata, /_nbsim/) are counted and passed over, as are requests without an answer
and, marked "scripted", answers that a fault script put in place of the simulator's. Prints every violation and, where
NBFORM_REPORT names a directory, writes the figures there; exit 1 when there is a violation, 2 when there was nothing to
check.
"""

import collections
import json
import os
import pathlib
import sys
import urllib.parse

import aws_messages
from answers import Answers
from discovery import PREFIX, Discovery

OTHERS = ("/latest/", "/federation/credentials", "/token", "/v1/token", "/oauth2/", "/v1/projects/-/serviceAccounts/", "/v1/users/", "/computeMetadata/", "/_nbsim/")
REDACTED = "[redacted]"
# Whose envelope a refusal of no known operation is held against.
ANY_OPERATION = {"ec2": "DescribeInstances", "sts": "GetCallerIdentity", "ssm": "GetParameter",
                 "service-quotas": "GetServiceQuota"}


def decoded(text):
    """A body as a log holds it: JSON, or the text of some."""
    try:
        return json.loads(text) if isinstance(text, str) and text else text or None
    except json.JSONDecodeError:
        return text


class Judge:
    """Judges logs and counts. `requests` off: what was asked may be wrong, what was answered may not."""

    def __init__(self, requests=True):
        self.published, self.asked_of, self.requests = Answers(), Discovery(), requests
        self.asked, self.answered = collections.Counter(), collections.Counter()
        self.members = set()  # of AWS's answers
        self.others = self.unanswered = self.scripted = self.unfit = 0
        self.errors = []

    def log(self, name):
        with open(name, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                record = json.loads(line)
                where = f"{name}:{number}: {record['method']} {record['url']}"
                self.errors += [f"{where}: {error}" for error in self.line(record)]

    def line(self, record):
        if aws := aws_messages.operation(record):
            return self.judge(record, *self.of_aws(record, *aws))
        path = urllib.parse.urlsplit(record["url"]).path
        if path == "/" or path.startswith(OTHERS):
            self.others += 1
            return []
        return self.judge(record, *self.of_compute(record, path))

    def of_compute(self, record, path):
        """(name of the method, how its request and how its answer are checked)."""
        method = self.published.method(record["method"], path.removeprefix(PREFIX))

        def check_answer(answer):
            return self.published.check_answer(record["method"], record["url"], record["status"], answer)

        return (method["id"] if method else "?",
                lambda: self.asked_of.check_request(record["method"], record["url"], decoded(record.get("body"))),
                check_answer)

    def of_aws(self, record, service, operation, model):
        name = f"{service}.{operation}" if model else "?"

        def check_answer(answer):
            model_or_any = model or aws_messages.service_model(service).operation_model(ANY_OPERATION[service])
            return aws_messages.check_answer(model_or_any, record["status"], answer, self.members)

        return name, lambda: aws_messages.check_request(record, model), check_answer

    def judge(self, record, name, check_request, check_answer):
        self.asked[name] += 1
        wrong = check_request() if self.requests else []
        if record.get("scripted"):
            self.scripted += 1
        elif not record.get("status") or record.get("answer") == REDACTED:
            self.unanswered += 1
        else:
            self.answered[name] += 1
            unfit = check_answer(decoded(record.get("answer")))
            self.unfit += bool(unfit)
            wrong = wrong + unfit
        return wrong

    def figures(self):
        total = sum(self.answered.values())
        return {"requests": sum(self.asked.values()), "methods": len(self.asked), "answers": total,
                "answers_that_fit_percent": round(100 * (total - self.unfit) / total, 3) if total else 0,
                "members_of_aws_answers": len(self.members), "violations": len(self.errors), "to_other_services": self.others, "without_answer": self.unanswered,
                "answers_of_fault_scripts": self.scripted}

    def words(self):
        f = self.figures()
        return (f"{f['requests']} requests of {f['methods']} methods and {f['answers']} answers checked, {f['answers_that_fit_percent']} % of the answers fit, {f['violations']} violations; "
                f"passed over: {self.others} to other services, {self.unanswered} without an answer, {self.scripted} answers of fault scripts")


def report(name, judge, what, run):
    """One JSON file among the figures of a run, where the environment asks for it."""
    directory = os.environ.get("NBFORM_REPORT")
    if directory:
        entry = {"name": name, "promise": [], "figures": judge.figures(), "input": what, "run": run}
        pathlib.Path(directory, f"{name}.json").write_text(json.dumps(entry, indent=1) + "\n")


def main(files):
    judge = Judge()
    for name in files:
        judge.log(name)
    for error in judge.errors:
        print(error)
    print(judge.words())
    report("contract-logs", judge, f"{len(files)} request logs of golden and e2e", "ctest --test-dir build -L 'golden|e2e|contract'")
    return 1 if judge.errors else 0 if judge.asked else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
