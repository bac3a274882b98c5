"""Checks logged requests against the published description of Compute v1.

    python3 check_requests.py FILE.jsonl...

Each line is {"method", "url", "body"}, as `nbsim --log` and the goldens write them. Requests to other services (tokens,
metadata, /_nbsim/) are counted and passed over. Prints every violation; exit 1 when there is one, 2 when there was
nothing to check.
"""

import collections
import json
import sys
import urllib.parse

from discovery import PREFIX, Discovery

OTHERS = ("/token", "/v1/token", "/oauth2/", "/v1/projects/-/serviceAccounts/", "/computeMetadata/", "/_nbsim/")


def body_of(record):
    body = record.get("body")
    return json.loads(body) if isinstance(body, str) and body else body or None


def main(files):
    discovery, seen, others, wrong = Discovery(), collections.Counter(), 0, 0
    for name in files:
        with open(name, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                record = json.loads(line)
                path = urllib.parse.urlsplit(record["url"]).path
                if path == "/" or path.startswith(OTHERS):
                    others += 1
                    continue
                for error in discovery.check_request(record["method"], record["url"], body_of(record)):
                    print(f"{name}:{number}: {record['method']} {record['url']}: {error}")
                    wrong += 1
                method = discovery.method(record["method"], path.removeprefix(PREFIX))
                seen[method["id"] if method else "?"] += 1
    total = sum(seen.values())
    print(f"{total} requests of {len(seen)} methods checked, {others} to other services, {wrong} violations")
    return 1 if wrong else 0 if total else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
