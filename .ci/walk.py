"""The commands of the README and of docs/walkthrough.md, with their answers compared with the text."""

import json
import re
import sys
from urllib.parse import urlsplit

# Requests that the text expects to be refused, in the order of the walk. Everything else succeeds.
REFUSED = [
    ("POST", "/v1/appropriations/{id}/decision", 409),
    ("POST", "/v1/claims/{id}/approval", 412),
    ("POST", "/v1/disbursements/{id}/release", 409),
    ("POST", "/v1/disbursements/{id}/submissions/{part}/resolution", 404),
    ("POST", "/v1/disbursements", 409),
    ("GET", "/v1/ledgers/{jurisdiction}/closings/{period}", 404),
    ("POST", "/v1/ledgers/{jurisdiction}/checkpoint/cosignatures", 409),
    ("POST", "/v1/samples/{id}/draw", 422),
    ("POST", "/v1/programme-drafts/{id}/decision", 409),
]
# Answers with a result for each item: the bank's result without a payment.
REFUSED_LINES = 1

# Values that the README shows and that differ with each claim.
OF_ITS_OWN = {"id", "receipt"}

# Other printed lines.
PRINTED = [
    r"goes on from the bundle before",
    # huanxin verify, verify_bundle.py, and huanxin verify on the forged bundle.
    r"审计包成立 The bundle of \S+ holds",
    r"\nThe bundle of \S+ holds: \d+ counties",
    r"does not hold",
    r'"status":"approved","etag"',
    r"found 发现改动",
    r'"status":"waitlisted"',
    r'"status":"clawback_due"',
    r'"status":"withdrawn"',
    r'"outcome":"returned"',
    r'"standing":"dismissed"',
]


def commands(pages):
    """The shell blocks of the README's section "One claim" and of the walkthrough, in this order."""
    readme, walkthrough = (open(page, encoding="utf-8").read() for page in pages)
    one_claim = readme[readme.index("## One claim") : readme.index("## The commands of")]
    return "".join(re.findall(r"^```sh\n(.*?)^```$", one_claim + walkthrough, re.M | re.S))


def differences(shown, answered, place=""):
    """Differences between an answer and the README. The README leaves members and most rules out."""
    if isinstance(shown, dict) and isinstance(answered, dict):
        for name, value in shown.items():
            if name not in answered:
                yield f"{place}/{name} is missing"
            elif name not in OF_ITS_OWN:
                yield from differences(value, answered[name], f"{place}/{name}")
    elif isinstance(shown, list) and isinstance(answered, list):
        for value in shown:
            if not any(not list(differences(value, item)) for item in answered):
                yield f"{place} has no item {value}"
    elif shown != answered:
        yield f"{place} is {answered!r}, not {shown!r}"


def called(lines, paths):
    """Method, path of the contract and status of every call."""
    matchers = [(re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)) + "$"), path) for path in paths]
    # A path that is spelled out comes before one with a parameter in the same place.
    matchers.sort(key=lambda it: it[1].count("{"))
    for line in lines:
        words = line.split()
        if len(words) != 3 or not words[2].isdigit():
            sys.exit(f"walk: curl said: {line.strip()}")
        method, url, status = words
        path = urlsplit(url).path
        template = next((path_ for matcher, path_ in matchers if matcher.match(path)), None)
        if template is None:
            sys.exit(f"walk: {path} is not in the contract")
        yield method, template, int(status)


def check(contract, calls, log, readme, answer):
    paths = json.load(open(contract, encoding="utf-8"))["paths"]
    made = list(called(open(calls, encoding="utf-8"), paths))
    wrong = []
    refused = [call for call in made if call[2] >= 400]
    if refused != REFUSED:
        wrong += [f"refused, and the text does not say so: {call}" for call in refused if call not in REFUSED]
        wrong += [f"not refused, or not in this order: {call}" for call in REFUSED if call not in refused]
        wrong = wrong or [f"refused in another order or number: {refused}"]
    operations = {
        (method.upper(), path)
        for path, item in paths.items()
        for method in item
        if method in ("get", "put", "post", "delete", "patch")
    }
    never = operations - {(method, path) for method, path, _ in made}
    wrong += [f"not in the walk: {method} {path}" for method, path in sorted(never, key=lambda it: it[1])]
    # `cut` may end within a character.
    printed = open(log, encoding="utf-8", errors="replace").read()
    wrong += [f"not printed: {words}" for words in PRINTED if not re.search(words, printed)]
    lines = re.findall(r'"status":4\d\d,"problem"', printed)
    if len(lines) != REFUSED_LINES:
        wrong.append(f"{len(lines)} lines of answers were refused, and the text says {REFUSED_LINES}")
    shown = re.search(r"^```json\n(.*?)^```$", open(readme, encoding="utf-8").read(), re.M | re.S).group(1)
    answered = json.load(open(answer, encoding="utf-8"))
    wrong += [f"the README's answer: {it}" for it in differences(json.loads(shown), answered)]
    if wrong:
        print(printed)
        sys.exit("\n".join(["walk: the README or docs/walkthrough.md does not hold", *wrong]))
    print(f"walk: {len(made)} calls, all {len(operations)} operations, {len(refused)} of them refused as the text says")


if __name__ == "__main__":
    if sys.argv[1] == "commands":
        print(commands(sys.argv[2:]))
    else:
        check(*sys.argv[2:])
