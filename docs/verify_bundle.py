#!/usr/bin/env python3
"""A second verifier of Huanxin's bundles, written from docs/transparency.md with nothing but Python 3.9's standard library.

    python3 verify_bundle.py BUNDLE.tar --key NAME+HASH+BASE64

Checked: every byte of the archive (headers, padding, order, lengths, SHA-256); the log's signatures of the manifest and of each
checkpoint; every line of log.jsonl against the hash that was appended; the tree's root, the root of the bundle before on the way,
the consistency proof; heights, times and balances of all transfers against funds.jsonl; sums of payouts; that no two claims hold
a key at the end. The first thing that does not hold is named in one line on standard error, and the exit code is 1.

Not checked (`huanxin verify` does): decisions made again, the life of claims, four eyes, caps, uniqueness at every height, what
stands in programmes, grants and caps beyond their bytes, signatures of witnesses. A record is held for each fund, payout and key;
all else passes by once.
"""
import argparse, base64, datetime, hashlib, json, re, struct, sys, tarfile

MEBI = 1 << 20
MOST = 999_999_999_999_999  # fen
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
ACCOUNTS = "appropriated available reserved payable in_payment disbursed recoverable advanced".split()
REASONS = {reason: (debit, credit) for reason, debit, credit in map(str.split, """
    appropriate available appropriated;    reserve reserved available;            release available reserved
    approve payable reserved;              release_payable available payable;     instruct in_payment payable
    cancel_instruction payable in_payment; pay disbursed in_payment;              fail_payment payable in_payment
    return_payment payable disbursed;      claw_back_due recoverable disbursed;   claw_back available recoverable
    lapse appropriated available;          waive disbursed recoverable;           instruct_advance in_payment available
    cancel_advance available in_payment;   fail_advance available in_payment;     pay_advance advanced in_payment
    return_advance available advanced;     set_off available advanced;            repay_advance available advanced
    """.strip().replace("\n", ";").split(";"))}
TABLES = {table: tuple(members.split()) for table, members in {
    "funds": "programme " + " ".join(ACCOUNTS),
    "caps": "programme scope ceiling committed",
    "appropriations": "id programme source amount document status maker checker",
    "disbursements": "id programme status claims total payments digest",
    "claims": "claim programme status revision category amount committed keys"}.items()}
here = ["the bundle", 0]  # part and line that are being checked

class Damaged(Exception):
    """What does not hold."""

def need(holds, what):
    if not holds:
        raise Damaged(what)

def sha256(data):
    return hashlib.sha256(data).digest()

def base64_of(text):
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text, "base64 is not canonical")
    return data

def once(pairs):
    members = dict(pairs)
    need(len(members) == len(pairs), "a member stands twice")
    return members

def no_such_number(text):
    raise Damaged(f"{text[:20]} is no integer")

def shaped(members, value):
    need(type(value) is dict and tuple(value) == members, f"its members are not {', '.join(members)}")
    return value

parse = json.JSONDecoder(object_pairs_hook=once, parse_float=no_such_number, parse_constant=no_such_number).decode
canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode

# --- Ed25519 (RFC 8032): points in extended coordinates ---
P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P

def point(data):
    y, odd = int.from_bytes(data, "little") & (1 << 255) - 1, data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    need(len(data) == 32 and y < P and x * x % P == square and (x or not odd), "no point of the curve")
    x = x if x & 1 == odd else P - x
    return x, y, 1, x * y % P

def add(one, other):
    a, b = (one[1] - one[0]) * (other[1] - other[0]), (one[1] + one[0]) * (other[1] + other[0])
    c, d = 2 * one[3] * other[3] * D, 2 * one[2] * other[2]
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P

def times(number, it):
    total = (0, 1, 1, 0)
    for bit in bin(number)[2:]:
        total = add(total, total)
        total = add(total, it) if bit == "1" else total
    return total

def is_signature(public, signature, message):
    r, s, key = signature[:32], int.from_bytes(signature[32:], "little"), point(public)
    k = int.from_bytes(hashlib.sha512(r + public + message).digest(), "little") % ORDER
    x, y, z, _ = add(times(s, BASE), times(k, (P - key[0], key[1], 1, P - key[3])))
    x, y, small = x * pow(z, -1, P) % P, y * pow(z, -1, P) % P, times(8, key)[0] == 0
    return len(signature) == 64 and s < ORDER and not small and (y | (x & 1) << 255).to_bytes(32, "little") == r

BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))

def read_key(text):
    """Name and public key of `name+hash+base64`."""
    name, number, key = text.strip().split("+", 2)
    key = base64_of(key)
    need(len(key) == 33 and key[0] == 1 and sha256(f"{name}\n".encode() + key)[:4].hex() == number, "its hash is another")
    point(key[1:])
    return name, key[1:]

def signed(note, key, of, alone=False):
    """Size and root (base64) of a signed note, once the log's signature holds."""
    origin = f"{key[0]}/{of}"
    text, _, lines = str(note, "utf-8").rpartition("\n\n")
    *lines, end = lines.split("\n")
    head = f"— {origin} "
    signatures = [base64_of(line[len(head):]) for line in lines if line.startswith(head)]
    number = sha256(f"{origin}\n".encode() + b"\1" + key[1])[:4]
    mine = [it[4:] for it in signatures if it[:4] == number]
    need(mine and end == "" and all(line.startswith("— ") for line in lines), f"it is not signed by {origin}")
    need(is_signature(key[1], mine[0], f"{text}\n".encode()), "the signature does not hold")
    need(not alone or len(lines) == 1, "it has another signature beside the log's")
    named, size, root, _made_at = text.split("\n")
    need(named == origin and str(int(size)) == size and len(base64_of(root)) == 32, "it is not a checkpoint of this log")
    return int(size), root

# --- The tree (RFC 6962) ---
def node(left, right):
    return sha256(b"\1" + left + right)

def root_of(peaks):
    root = peaks[-1] if peaks else sha256(b"")
    for peak in reversed(peaks[:-1]):
        root = node(peak, root)
    return base64.b64encode(root).decode()

def begins_with(first, first_root, second, second_root, path):
    """Whether a consistency proof holds (RFC 9162, 2.1.4.2)."""
    if first == second:
        return not path and first_root == second_root
    path = [first_root] * (first & (first - 1) == 0) + path
    if not 0 < first < second or not path:
        return False
    fn, sn, fr, sr = first - 1, second - 1, path[0], path[0]
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    for hashed in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(hashed, fr), node(hashed, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, hashed)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and (fr, sr) == (first_root, second_root)

# --- The archive ---
def header(name, size):
    """The one header that a part of this name and length may have."""
    name, prefix = name.encode(), b""
    if len(name) > 100:
        prefix, name = name.rsplit(b"/", 1)
    length = b"%011o\0" % size if size < 8 << 30 else (1 << 95 | size).to_bytes(12, "big")
    fields = [name, b"0000644", b"0000000", b"0000000", length, b"0" * 11, b" " * 8, b"0", b"", b"ustar\00000", b"", b"", b"", b"", prefix]
    block = bytearray(struct.pack("100s8s8s8s12s12s8s1s100s8s32s32s8s8s155s12x", *fields))
    block[148:156] = b"%07o\0" % sum(block)
    return block

class Archive:
    """The parts of a file, one after another."""

    def __init__(self, file):
        self.file = file

    def open(self, name, size=None):
        here[:] = name, 0
        block = self.file.read(512)
        need(len(block) == 512, "the file is cut off")
        need(block != bytes(512), "it is missing")
        info = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
        need(info.name == name, f"`{info.name}` stands in its place")
        need(block == header(name, info.size), "its header is damaged")
        need(size in (None, info.size), "it is not as long as the manifest says")
        self.size = self.left = info.size
        self.digest = hashlib.sha256()

    def chunks(self):
        while self.left:
            chunk = self.file.read(min(self.left, MEBI))
            need(chunk, "the file is cut off")
            self.left -= len(chunk)
            self.digest.update(chunk)
            yield chunk

    def whole(self):
        need(self.size <= 64 * MEBI, "it is larger than such a part may be")
        return b"".join(self.chunks())

    def lines(self):
        rest = b""
        for chunk in self.chunks():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                here[1] += 1
                yield line
            need(len(rest) < MEBI, "a line is too long")
        need(not rest, "its last line is cut off")

    def rows(self, table):
        return (shaped(TABLES[table], parse(str(line, "utf-8"))) for line in self.lines())

    def close(self, sha256_hex=None):
        here[1] = 0
        need(sha256_hex in (None, self.digest.hexdigest()), "its bytes are not those that were signed")
        need(self.file.read(-self.size % 512) == bytes(-self.size % 512), "the padding after it is damaged")

    def end(self):
        here[:] = "the end", 0
        need(self.file.read(1025) == bytes(1024), "two blocks of zeros and nothing else belong here")

# --- The leaves ---
def matching(pattern, what):
    pattern = re.compile(pattern)

    def check(value):
        need(type(value) is str and pattern.fullmatch(value), f"{str(value)[:80]!r} is not {what}")
        return value
    return check

uuid_text = matching("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "an id")
key_text = matching("0[1-8][0-9a-f]{32}", "a key")
instant_text = matching(r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}\.[0-9]{6}Z", "an instant")

def number(value):
    need(type(value) is int, f"{str(value)[:80]!r} is no integer")
    return struct.pack(">q", value)

def fen(value, least=0):
    need(type(value) is int and least <= value <= MOST, f"{str(value)[:80]!r} is no sum of fen")
    return value

def text(value):
    data = value.encode()
    return struct.pack(">I", len(data)) + data

def uuid(value):
    return bytes.fromhex(uuid_text(value).replace("-", ""))

def instant(value):
    at = datetime.datetime.fromisoformat(instant_text(value)[:-1] + "+00:00")
    return number((at - EPOCH) // datetime.timedelta(microseconds=1))

def keys(value):
    data = bytes.fromhex("".join(map(key_text, value)))
    return struct.pack(">I", len(data)) + data

def receipt(value):
    return sha256(canonical(value).encode())

def optional(encode):
    return lambda value: b"\0" if value is None else b"\1" + encode(value)

LEAVES = {
    "transfer": (1, dict(height=number, programme=text, reason=text, amount=number, claim=optional(uuid),
                         document=optional(uuid), posted_at=instant, actor=text)),
    "decision": (2, dict(claim=uuid, revision=number, outcome=text, receipt=receipt, keys=keys, decided_at=instant)),
    "event": (3, {"id": uuid, "subject": text, "verb": text, "actor": text, "person": text, "at": instant,
                  "revision": optional(number), "from": optional(text), "to": optional(text), "reason": optional(text),
                  "request": optional(text), "detail": optional(text)}),
}

def leaf_bytes(jurisdiction, line):
    kind, members = LEAVES[line["kind"]]
    shaped(("leaf", "kind", *members), line)
    return bytes([1, kind]) + text(jurisdiction) + b"".join([encode(line[name]) for name, encode in members.items()])

class County:
    """What is known of a county while its parts go by."""

    def __init__(self, manifest, key, path, held):
        self.name, self.size, self.root = manifest["jurisdiction"], manifest["size"], manifest["root"]
        self.previous, self.key, self.held = manifest["previous"], key, held
        self.file = open(path, "rb")  # the hashes, read again beside the log
        self.counts, self.funds, self.payouts, self.released = dict.fromkeys(LEAVES, 0), {}, {}, set()
        self.height, self.posted_at = 0, ""

    def checkpoint(self, archive):
        need(signed(archive.whole(), self.key, self.name) == (self.size, self.root), "the manifest names another checkpoint")

    def consistency(self, archive):
        proof = shaped(("from", "from_root", "to", "to_root", "hashes"), parse(str(archive.whole(), "utf-8")))
        first, second = (self.previous["size"], self.previous["root"]), (self.size, self.root)
        trees = (proof["from"], proof["from_root"]), (proof["to"], proof["to_root"])
        need(trees == (first, second), "it is a proof of other trees than the manifest names")
        path = [base64_of(it) for it in proof["hashes"]]
        holds = begins_with(first[0], base64_of(first[1]), second[0], base64_of(second[1]), path)
        need(holds and all(len(it) == 32 for it in path), "the proof does not hold")

    def leaves(self, archive):
        need(archive.size == 32 * self.size, "it has not 32 bytes for each leaf")
        self.file.seek(archive.file.tell())
        peaks, size, before = [], 0, self.previous["size"] if self.previous else None
        for chunk in archive.chunks():
            for place in range(0, len(chunk), 32):
                top, rest = chunk[place:place + 32], size
                while rest & 1:
                    top, rest = node(peaks.pop(), top), rest >> 1
                peaks.append(top)
                size += 1
                if size == before:
                    need(root_of(peaks) == self.previous["root"], f"leaf {size}: up to here it is not the log of the bundle before")
        need(root_of(peaks) == self.root, "the tree over it has not the root that was signed")

    def log(self, archive):
        place = 0
        for place, data in enumerate(archive.lines(), 1):
            line = parse(str(data, "utf-8"))
            leaf = leaf_bytes(self.name, line)
            need(type(line["leaf"]) is int and line["leaf"] == place - 1 < self.size, "its number is not its place")
            need(sha256(b"\0" + leaf) == self.file.read(32), "it is not the leaf that was appended")
            self.counts[line["kind"]] += 1
            if line["kind"] == "transfer":
                self.transfer(line)
            elif line["kind"] == "event" and line["verb"] == "release_disbursement":
                self.released.add(line["subject"][-32:])
            elif line["kind"] == "decision":
                need(f'"receipt":{canonical(line["receipt"])},"keys":'.encode() in data, "its receipt is not canonical")
        here[1] = 0
        need(place == self.size, f"it has {place} leaves and the checkpoint {self.size}")

    def transfer(self, line):
        need(line["height"] == self.height + 1, f"transfer {self.height + 1} is due")
        need(line["posted_at"] >= self.posted_at, "it was posted before the one that it follows")
        self.height, self.posted_at = line["height"], line["posted_at"]
        reason, amount = line["reason"], fen(line["amount"], 1)
        need(reason in REASONS, "there is no such reason")
        fund = self.funds.setdefault(line["programme"], dict.fromkeys(ACCOUNTS, 0))
        for account, moved in zip(REASONS[reason], (amount, -amount)):
            fund[account] += -moved if account == "appropriated" else moved
            need(0 <= fund[account] <= MOST, f"{fund[account]} fen would stand in {account} of {line['programme']}")
        # After the release a payment that is opened again was in the payout before.
        if reason in ("instruct", "instruct_advance") and (line["document"] or "").replace("-", "") not in self.released:
            need((reason == "instruct") == (line["claim"] is not None), f"{reason} of a claim or of none, the other way round")
            need(line["document"] is not None, "it is of no payout")
            payout = self.payouts.setdefault(line["document"], [0, 0])
            payout[0] += reason == "instruct"
            payout[1] += amount

    def table_funds(self, row):
        need(row["programme"] in self.funds, f"nothing ever moved in the fund of {row['programme']}")
        fund = self.funds.pop(row["programme"])
        for account, folded in fund.items():
            said = fen(row[account])
            need(said == folded, f"{said} fen are said to be {account} of {row['programme']}, its transfers make {folded}")

    def table_disbursements(self, row):
        claims, total = self.payouts.pop(uuid_text(row["id"]), (0, 0))
        said = number(row["claims"]) and row["claims"], fen(row["total"])
        need(said == (claims, total), f"{said[0]} claims and {said[1]} fen are said to be in it, transfers make {claims} and {total}")
        parts = [shaped(("id", "amount", "netted", "set_off"), payment) for payment in row["payments"]]
        kept = sum(fen(payment[part]) for payment in parts for part in ("amount", "netted", "set_off"))
        need(kept == total, f"its payments sum up to {kept} fen with what was kept back, and it is of {total}")

    def table_claims(self, row):
        need(uuid_text(row["claim"]) > getattr(self, "claim", ""), "claims are not in order")
        self.claim = row["claim"]
        for key in map(bytes.fromhex, map(key_text, row["keys"])):
            need(key not in self.held, f"claim {self.claim} holds key {key.hex()} that another holds")
            self.held.add(key)

    def tables(self, archive, name):
        check = getattr(self, f"table_{name}", lambda row: None)
        for row in archive.rows(name):
            check(row)
        moved = {programme: fund for programme, fund in self.funds.items() if any(fund.values())}
        left = {"funds": moved, "disbursements": self.payouts}.get(name)
        self.counts[name], here[1] = here[1], 0
        need(not left, f"{next(iter(left or ['']))} is missing")

    def read(self, archive, part):
        single = {"checkpoint": self.checkpoint, "consistency.json": self.consistency, "leaves": self.leaves, "log.jsonl": self.log}
        single[part](archive) if part in single else self.tables(archive, part[:-len(".jsonl")])

def expected_parts(manifest):
    named = [shaped(("name", "bytes", "sha256"), part)["name"] for part in manifest["parts"]]
    counties = [shaped(("jurisdiction", "size", "root", "previous"), it)["jurisdiction"] for it in manifest["counties"]]
    programmes = [name for name in named if re.fullmatch(r"programmes/[^/]+@[0-9]+\.toml", name)]
    need(all(one < other for it in (programmes, counties) for one, other in zip(it, it[1:])), "it is not in order")
    expected = [(None, name) for name in programmes]
    for it in manifest["counties"]:
        number(it["size"])
        if it["previous"] is not None:
            number(shaped(("size", "root"), it["previous"])["size"])
        parts = ["checkpoint", "consistency.json", "leaves", "log.jsonl"] + [f"{table}.jsonl" for table in TABLES]
        parts = [part for part in parts if part != "consistency.json" or it["previous"] is not None]
        expected += [(it["jurisdiction"], f"{it['jurisdiction']}/{part}") for part in parts]
    need([name for _, name in expected] == named, "it names other parts than a bundle has")
    return expected

def verify(path, key):
    """Holds a bundle against itself and the key; lines that say what was checked."""
    with open(path, "rb") as file:
        archive = Archive(file)
        archive.open("manifest.json")
        data = archive.whole()
        archive.close()
        archive.open("manifest.sig")
        size, digest = signed(archive.whole(), key, "bundle", alone=True)
        archive.close()
        here[:] = "manifest.json", 0
        need((size, base64_of(digest)) == (len(data), sha256(data)), "its bytes are not those that were signed")
        manifest = shaped(("format", "made_at", "log", "counties", "parts"), parse(str(data, "utf-8")))
        need(manifest["format"] == "huanxin-bundle/1" and manifest["log"] == key[0], "it is of another format or log")
        held = set()
        counties = {it["jurisdiction"]: County(it, key, path, held) for it in manifest["counties"]}
        for part, (county, name) in zip(manifest["parts"], expected_parts(manifest)):
            archive.open(name, part["bytes"])
            if county is None:
                archive.whole()
            else:
                counties[county].read(archive, name[len(county) + 1:])
            archive.close(part["sha256"])
        archive.end()
    for it in counties.values():
        counts = ", ".join(f"{count} {what}" for what, count in it.counts.items())
        goes_on = f"; goes on from {it.previous['size']} leaves" if it.previous else ""
        yield f"{it.name}: {it.size} leaves, root {it.root}: {counts}{goes_on}"
    yield f"The bundle of {manifest['made_at']} holds: {len(counties)} counties, {len(held)} keys held once, {len(manifest['parts'])} parts."

def main():
    options = argparse.ArgumentParser(description="Checks a bundle of Huanxin against its log's public key.")
    options.add_argument("bundle")
    options.add_argument("--key", required=True, metavar="NAME+HASH+BASE64")
    options = options.parse_args()
    try:
        here[:] = "--key", 0
        key = read_key(options.key)
        here[:] = options.bundle, 0
        print("\n".join(list(verify(options.bundle, key))))
        return 0
    except Exception as why:  # any other error: it is not a bundle
        what = str(why) if isinstance(why, Damaged) else f"not a bundle: {type(why).__name__}: {why}"
        line = f"{here[0]} line {here[1]}: {what}" if here[1] else f"{here[0]}: {what}"
        print("".join(it if it.isprintable() else "?" for it in line).encode("ascii", "backslashreplace").decode(), file=sys.stderr)
        return 1

if __name__ == "__main__":
    sys.exit(main())
