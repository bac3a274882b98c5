"""Checks logged requests, and their answers, against the published description of Compute v1.

    python3 check_requests.py FILE.jsonl...

Each line is {"method", "url", "body", "status", "answer"}, as `nbsim --log` and nbform's --log-requests write them.
Requests to other services (tokens, metadata, /_nbsim/) are counted and passed over, as are requests without an answer
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

from answers import Answers
from discovery import PREFIX, Discovery

OTHERS = ("/token", "/v1/token", "/oauth2/", "/v1/projects/-/serviceAccounts/", "/computeMetadata/", "/_nbsim/")


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
        self.others = self.unanswered = self.scripted = self.unfit = 0
        self.errors = []

    def log(self, name):
        with open(name, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                record = json.loads(line)
                where = f"{name}:{number}: {record['method']} {record['url']}"
                self.errors += [f"{where}: {error}" for error in self.line(record)]

    def line(self, record):
        path = urllib.parse.urlsplit(record["url"]).path
        if path == "/" or path.startswith(OTHERS):
            self.others += 1
            return []
        method = self.published.method(record["method"], path.removeprefix(PREFIX))
        name = method["id"] if method else "?"
        self.asked[name] += 1
        wrong = []
        if self.requests:
            wrong += self.asked_of.check_request(record["method"], record["url"], decoded(record.get("body")))
        return wrong + self.answer(record, name)

    def answer(self, record, name):
        if record.get("scripted"):
            self.scripted += 1
        elif not record.get("status"):
            self.unanswered += 1
        else:
            self.answered[name] += 1
            answer = decoded(record.get("answer"))
            wrong = self.published.check_answer(record["method"], record["url"], record["status"], answer)
            self.unfit += bool(wrong)
            return wrong
        return []

    def figures(self):
        total = sum(self.answered.values())
        return {"requests": sum(self.asked.values()), "methods": len(self.asked), "answers": total,
                "answers_that_fit_percent": round(100 * (total - self.unfit) / total, 3) if total else 0,
                "violations": len(self.errors), "to_other_services": self.others, "without_answer": self.unanswered,
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
