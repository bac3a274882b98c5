#!/usr/bin/env python3
"""The shape of the source tree: who may include whom, what stands where, what is generated and formatted.

Each rule is a function that yields the places that break it; docs/architecture.md says why the rules are. Sizes are
reported, and only a file of more than 600 lines is an error. Knows no C++ beyond #include lines and braces.
"""

import argparse
import pathlib
import re
import shutil
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

TOP_LEVEL = {"CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md", "docs", "examples", "schemas", "src",
             "tests"}

# layer -> what it may include beside itself: a whole layer, or one header of it.
MAY_INCLUDE = {
    "base": [],
    "manifest": ["base"],
    "core": ["base"],
    "net": ["base"],
    "guest": ["base", "manifest/notebook.h"],
    "price": ["base", "manifest/notebook.h", "core"],
    "policy": ["base", "manifest/notebook.h", "core", "price"],
    "cloud": ["base", "core"],
    "engine": ["base", "core", "net", "cloud/cloud.h"],
    "connect": ["base", "net", "engine", "cloud/cloud.h", "cloud/key_way.h", "cloud/opening.h",
                "cloud/ssh_access.h"],
    "cli": ["base", "manifest", "core", "net", "guest", "price", "policy", "cloud/cloud.h", "engine", "connect",
            "sim/cloud.h", "sim/names.h", "sim/sim_env.h"],
    # base's primitives only: what the client signs and encodes with proves nothing when it also judges.
    "sim": ["base", "net/env.h"],
}
# Typed manifests become resources in these files only; cloud.h declares that they do.
LOWERING = re.compile(r"src/cloud/((\w+/)?lower\w*\.(cc|h)|cloud\.h)$")
# A service's folder is its own: others meet it through these.
CLOUD_COMMON = {"cloud/attributes.h", "cloud/cloud.h", "cloud/ingress.h", "cloud/key_way.h", "cloud/labels.h", "cloud/lowering.h", "cloud/opening.h", "cloud/ssh_access.h"}
CLOUD_REGISTRY = "src/cloud/registry.cc"

# Third-party headers, each behind one file (OpenSSL's errors: behind the two that make them).
THIRD_PARTY = {
    "yaml-cpp/": "src/manifest/yaml.cc",
    "simdjson": "src/base/json.cc",
    "pugixml": "src/base/xml.cc",
    "openssl/err.h": "src/base/crypto.cc src/net/tls_stream.cc",
    "openssl/ssl.h": "src/net/tls_stream.cc",
    "openssl/x509v3.h": "src/net/tls_stream.cc",
    "openssl/": "src/base/crypto.cc",
    "curl/": "src/net/exchanges.cc",
    "libssh2": "src/net/ssh_session.cc",
    "CLI/": "src/cli/options.cc",
    "httplib": "src/sim/server.cc",
    "catch2/": "tests/support/catch.h",
}
SYSTEM = re.compile(r"(sys|netinet|arpa|net|fmt|sanitizer)/[\w/]+\.h$|[a-z_0-9]+(\.h)?$")

# Hosts that packages come from (the build downloads nothing, and people have their own mirrors), and places that
# exist on one machine only.
FORBIDDEN = re.compile(
    r"\b(registry|proxy|index|files|deb|pypi|crates|rubygems)\.(?!example)([a-z]+\.)?(org|io|com)\b"
    r"|\.\./shared\b|/work/(main|shared)\b|/tmp/build[-]")

GENERATED = {}  # path -> arguments of nbform that print it; filled by --nbform


def tracked():
    out = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT,
                         capture_output=True, text=True)
    if out.returncode == 0:
        names = [n for n in out.stdout.split("\0") if n]
    else:  # an unpacked archive
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*") if p.is_file()]
        names = [n for n in names if not n.startswith(("build", "."))]
    return sorted(n for n in set(names) if (ROOT / n).is_file())


def text(name):
    return (ROOT / name).read_text(encoding="utf-8", errors="replace")


def lines_of(name):
    return list(enumerate(text(name).splitlines(), 1))


def is_cpp(name):
    return name.endswith((".cc", ".h"))


def includes(name, form):
    for number, line in lines_of(name):
        if found := re.match(r"\s*#\s*include\s*" + form, line):
            yield number, found[1]


def top_level(files):
    for entry in sorted({n.split("/")[0] for n in files}):
        if not entry.startswith(".") and entry not in TOP_LEVEL:
            yield f"{entry}: not one of the top-level entries"


def allowed(name, header):
    layer, target = name.split("/")[1], header.split("/")[0]
    if layer == "cloud":
        folder = name.split("/")[2] if name.count("/") > 2 else ""
        if target == "cloud":
            own = folder and header.startswith(f"cloud/{folder}/")
            return header in CLOUD_COMMON or own or name == CLOUD_REGISTRY
        if target in ("manifest", "guest"):
            return bool(LOWERING.match(name))
    return target == layer or any(header == rule or target == rule for rule in MAY_INCLUDE.get(layer, []))


def include_rules(files):
    for name in files:
        if not (name.startswith("src/") and is_cpp(name)):
            continue
        if name.split("/")[1] not in MAY_INCLUDE:
            yield f"{name}: a layer that the rules don't know"
            continue
        for number, header in includes(name, '"([^"]+)"'):
            if not (ROOT / "src" / header).is_file():
                yield f"{name}:{number}: \"{header}\" is not below src/"
            elif not allowed(name, header):
                yield f"{name}:{number}: may not include {header}"


def third_party(files):
    for name in files:
        if not (name.startswith(("src/", "tests/")) and is_cpp(name)):
            continue
        for number, header in includes(name, "<([^>]+)>"):
            home = next((h for prefix, h in THIRD_PARTY.items() if header.startswith(prefix)), None)
            if home is None and not SYSTEM.match(header):
                yield f"{name}:{number}: <{header}> has no home among the third-party headers"
            if home is not None and name not in home.split():
                yield f"{name}:{number}: <{header}> is included by {home} only"


def headers_introduce_themselves(files):
    for name in files:
        if name.startswith("src/") and name.endswith(".h"):
            if not text(name).startswith("//"):
                yield f"{name}: a header begins with a paragraph that says what it is"
            if "#pragma once" not in text(name):
                yield f"{name}: no #pragma once"


def strict_warnings(files):
    for name in files:
        if not re.match(r"src/\w+/CMakeLists\.txt$", name):
            continue
        words = re.sub(r"#.*", "", text(name))
        linked = " ".join(re.findall(r"target_link_libraries\(([^)]*)\)", words))
        for target in re.findall(r"add_(?:library|executable)\(\s*(\w+)", words):
            strict = any(re.match(rf"\s*{target}\b[^)]*\bnb_options\b", call)
                         for call in re.findall(r"target_link_libraries\(([^)]*)\)", words))
            if not strict:
                yield f"{name}: {target} is built without nb_options (-Wall -Wextra -Werror); links {linked.strip()}"
    if not re.search(r"-Wall -Wextra -Werror", text("CMakeLists.txt")):
        yield "CMakeLists.txt: nb_options lost -Wall -Wextra -Werror"


def forbidden_words(files):
    for name in files:
        if name.endswith((".gz", ".png", ".pem")):
            continue
        for number, line in lines_of(name):
            if found := FORBIDDEN.search(line):
                yield f"{name}:{number}: '{found[0]}'"


def no_try_in_a_list(files):
    """g++ 12 leaks the members made before a return out of a braced list, and NB_TRY returns."""
    for name in files:
        if name.startswith(("src/", "tests/")) and is_cpp(name):
            whole = text(name)
            for found in re.finditer(r"\{[^\s{};][^{};]*\bNB_TRY\(", whole):
                yield f"{name}:{whole.count(chr(10), 0, found.start()) + 1}: NB_TRY inside a braced list leaks (g++ 12)"


def clang_format(files):
    sources = [n for n in files if n.startswith(("src/", "tests/")) and is_cpp(n)]
    program = shutil.which("clang-format-14") or shutil.which("clang-format")
    if program is None:
        print("SKIP clang-format: not installed (clang-format 14 of Debian 12)")
        return
    version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    if " 14." not in version:
        print(f"SKIP clang-format: {version.strip()}; its taste differs from 14's")
        return
    run = subprocess.run([program, "--dry-run", "--ferror-limit=1", "-Werror", *sources], cwd=ROOT,
                         capture_output=True, text=True)
    for name in sorted({m[1] for m in re.finditer(r"^(\S+?):\d+:\d+: error: code should be clang-formatted",
                                                  run.stderr, re.M)}):
        yield f"{name}: not as clang-format writes it (clang-format -i {name})"


def generated_current(_):
    for name, command in GENERATED.items():
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode != 0:
            yield f"{name}: {' '.join(command)} failed: {run.stderr.strip()}"
        elif not (ROOT / name).is_file():
            yield f"{name}: is missing; {' '.join(command)} prints it"
        elif text(name) != run.stdout:
            yield f"{name}: not what {' '.join(command)} prints now"


def functions(name):
    """(line, name, length) of each function, as clang-format lays them out."""
    begin = re.compile(r"^(\s{0,2})[\w:~<].*\)[^;=]*\{$")
    found, open_at = [], None
    for number, line in lines_of(name):
        if open_at is None:
            match = begin.match(line)
            if match and not re.match(r"\s*(if|for|while|switch|else|namespace|struct|class|enum|do)\b", line):
                open_at = (number, line, match[1] + "}")
            elif re.match(r"^\s{0,2}[\w:~<].*\).*\{.*\}$", line):
                found.append((number, line.strip(), 1))
        elif line.startswith(open_at[2]):
            found.append((open_at[0], open_at[1].strip(), number - open_at[0] + 1))
            open_at = None
    return found


def sizes(files):
    sources = [n for n in files if n.startswith("src/") and is_cpp(n)]
    lengths = {n: len(lines_of(n)) for n in sources}
    all_functions = [(length, f"{n}:{at}", what) for n in sources for at, what, length in functions(n)]
    counts = sorted(length for length, _, _ in all_functions)
    if not counts:
        return
    print(f"sizes: {len(sources)} files, median {statistics.median(lengths.values()):.0f} lines; "
          f"{len(counts)} functions, median {statistics.median(counts):.0f} lines, "
          f"{100 * sum(c <= 40 for c in counts) / len(counts):.1f} % of at most 40")
    for length, place, what in sorted(all_functions, reverse=True)[:12]:
        if length > 40:
            print(f"  {length:4} lines  {place}  {what[:70]}")
    for name, count in sorted(lengths.items()):
        if count > 600:
            yield f"{name}: {count} lines; more than 600 are two subjects"
        elif count > 450:
            print(f"  {count:4} lines  {name}")


def proof_exists(name):
    """A path, or a ctest name: the suite, and in it a folder, a file or a script of the part's name."""
    suite, _, part = name.partition("_")
    places = (name, f"tests/{suite}/{part}", f"tests/{suite}/{part}.py", f"tests/{suite}/test_{part}.py", f"tests/{suite}/{part}.cc",
              f"tests/{suite}/{part}_test.cc", f"tests/{suite}/{part}_fuzz.cc")
    return any((ROOT / p).exists() for p in places if not p.endswith("/"))


def promises_have_proofs(files):
    """docs/promises.md names in backticks what proves a promise, and in quotes the titles of single tests."""
    sources = "".join(text(n) for n in files if re.match(r"tests/.*\.(cc|py)$", n) and "/layout/" not in n)
    sources = re.sub(r'"\s*\n\s*"', "", sources)  # a title over two lines
    for number, line in lines_of("docs/promises.md"):
        cells = line.split(" | ")
        if not re.match(r"\| \d+$", cells[0]):
            continue
        named, titles = re.findall("`([^`]+)`", cells[2]), re.findall('"([^"]+)"', cells[2])
        if not named:
            yield f"docs/promises.md:{number}: a promise without a proof"
        for name in named:
            if not proof_exists(name):
                yield f"docs/promises.md:{number}: there is no test `{name}`"
        for title in titles:
            if title not in sources:
                yield f"docs/promises.md:{number}: no test says \"{title}\""


def golden_cases_are_listed(files):
    """tests/golden/README.md says which rule each folder shows, and each folder shows one."""
    folders = {n.split("/")[2] for n in files if re.match(r"tests/golden/[^/]+/case\.toml$", n)}
    rows = [line.split(" | ")[-1].strip(" |") for line in (ROOT / "tests/golden/README.md").read_text().splitlines()
            if line.startswith("| ") and not line.startswith("| rule")]
    named = {name for row in rows for name in row.split()}
    for name in sorted(named - folders):
        yield f"tests/golden/README.md: there is no folder {name}"
    for name in sorted(folders - named):
        yield f"tests/golden/README.md: no rule names {name}"


RULES = [top_level, include_rules, third_party, headers_introduce_themselves, strict_warnings, forbidden_words,
         no_try_in_a_list, promises_have_proofs, golden_cases_are_listed, clang_format, generated_current, sizes]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nbform", help="the program that prints the generated files")
    nbform = parser.parse_args().nbform
    if nbform:
        GENERATED["schemas/notebook.schema.json"] = [nbform, "schema"]
    else:
        print("SKIP generated files: no --nbform")
    files = tracked()
    broken = 0
    for rule in RULES:
        for place in rule(files):
            print(f"{rule.__name__}: {place}")
            broken += 1
    print(f"layout: {len(RULES)} rules over {len(files)} files, {broken} violations")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
