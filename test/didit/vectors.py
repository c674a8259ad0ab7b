"""Prints signed webhook bodies as Didit's side would make them, independently of our own code.

usage: python3 vectors.py SEED COUNT      (vectors.json is the output of `python3 vectors.py 1 80`)
One JSON object a line: the text as sent, its canonical text, and the hex MAC of each.
"""

import hashlib
import hmac
import json
import random
import struct
import sys

SECRET = "vectors-secret-of-ample-length"
INTERESTING = [0, -1, 2**53 + 1, 12345678901234567890, 92.0, 96.41, -0.0, 1e22, 1e16, 1e-5, 1e-7, 5e-324, 1.5e300]


def shorten(value):
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: shorten(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shorten(item) for item in value]
    return value


def number(rng):
    kind = rng.randrange(4)
    if kind == 0:
        return rng.choice(INTERESTING)
    if kind == 1:
        return rng.randrange(-(10**21), 10**21)
    if kind == 2:
        return round(rng.uniform(0, 100), rng.randrange(4))
    value = struct.unpack("<d", rng.randbytes(8))[0]
    return value if value == value and abs(value) != float("inf") else 0.5


def string(rng):
    ranges = [(0x20, 0x7F), (0x20, 0x7F), (0, 0x20), (0x7F, 0x250), (0x2020, 0x2030), (0x3040, 0x30FF),
              (0xE000, 0xFFFE), (0x1F600, 0x1F650)]
    return "".join(chr(rng.randrange(*rng.choice(ranges))) for _ in range(rng.randrange(8)))


def key(rng):
    return rng.choice([string(rng), str(rng.randrange(120)), rng.choice(["status", "Status", "_", "é", "\ufffd", "😀"])])


def value(rng, depth):
    kind = rng.randrange(8 if depth < 4 else 6)
    if kind < 2:
        return number(rng)
    if kind < 4:
        return string(rng)
    if kind < 6:
        return rng.choice([True, False, None])
    if kind == 6:
        return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {key(rng): value(rng, depth + 1) for _ in range(rng.randrange(5))}


def mac(message):
    return hmac.new(SECRET.encode(), message.encode(), hashlib.sha256).hexdigest()


def main(seed, count):
    rng = random.Random(seed)
    for _ in range(count):
        body = {key(rng): value(rng, 0) for _ in range(rng.randrange(6))}
        body["timestamp"] = 1774970000
        escaped, spaced = rng.random() < 0.5, rng.random() < 0.3
        text = json.dumps(body, ensure_ascii=escaped, separators=(", ", ": ") if spaced else (",", ":"))
        canonical = json.dumps(shorten(body), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        print(json.dumps({"text": text, "canonical": canonical, "raw_mac": mac(text), "canonical_mac": mac(canonical)}))


main(int(sys.argv[1]), int(sys.argv[2]))
