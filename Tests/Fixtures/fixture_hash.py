"""Numbers that PyTorch and Apus both make from a name and an index, and the compact form in which large tensors are stored.

Everything is integer arithmetic modulo 2^64 (SplitMix64 over FNV-1a), so the Swift side reproduces it bit for bit:
see "The hash" and "Compact form" in README.md.
"""
import argparse
import json
import struct
import time

import numpy as np

PROJECTIONS = 4     # Rademacher projections per tensor
WHOLE_LIMIT = 256   # up to this many elements a tensor is stored whole,
SAMPLES = 128       # above it by this many evenly spaced elements


def fnv1a64(data):
    """FNV-1a, 64 bits, of a string's UTF-8 bytes or of bytes, as a Python integer."""
    value = 0xCBF29CE484222325
    for byte in data.encode("utf-8") if isinstance(data, str) else data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def splitmix64(x):
    """The SplitMix64 output for the state x (an array of uint64): add the golden constant, then mix."""
    z = x + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def words(name, indices):
    """splitmix64(fnv1a64(name) + i) for an array of non-negative indices i."""
    return splitmix64(np.asarray(indices).astype(np.uint64) + np.uint64(fnv1a64(name)))


def fractions(name, indices):
    """Uniform in [0, 1): the upper 53 bits of the word, times 2^-53 (exact in float64)."""
    return (words(name, indices) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def uniform(name, shape, low=-1.0, high=1.0):
    """A float64 array, row-major: element i is low + (high - low) * fraction i."""
    count = int(np.prod(shape, dtype=np.int64))
    return (low + (high - low) * fractions(name, np.arange(count))).reshape(shape)


def weights(name, shape, bound, centre=0):
    """Element i is centre + (fraction * 2 - 1) * bound, rounded to float32: both precisions share the very same numbers."""
    count = int(np.prod(shape, dtype=np.int64))
    return (centre + (fractions(name, np.arange(count)) * 2 - 1) * bound).astype(np.float32).reshape(shape)


def signs(j, count):
    """Rademacher signs s_j(i), i < count: +1 where bit 63 of word i of "projection<j>" is 0, -1 where it is 1."""
    return 1.0 - 2.0 * (words(f"projection{j}", np.arange(count)) >> np.uint64(63)).astype(np.float64)


def elements(x, whole_limit=WHOLE_LIMIT, samples=SAMPLES):
    """The stored elements: all if at most whole_limit, else those at floor(k * count / samples), k < samples; precision kept."""
    flat = np.ascontiguousarray(x).reshape(-1)
    if flat.size <= whole_limit:
        return flat.copy()
    return flat[np.arange(samples, dtype=np.int64) * flat.size // samples]


def statistics(x):
    """[p_0, p_1, p_2, p_3, L2 norm, max abs] in float64: signed sums over all elements, and two norms."""
    flat = np.ascontiguousarray(x).reshape(-1).astype(np.float64)
    values = [np.sum(signs(j, flat.size) * flat) for j in range(PROJECTIONS)]
    return np.array(values + [np.sqrt(np.sum(flat * flat)), np.max(np.abs(flat))])


def distance(candidates, truth):
    """[L2 norm, max abs] of candidate - truth over all elements, in float64; of several candidates the largest of each."""
    differences = [x.astype(np.float64) - truth for x in candidates]
    return np.array([max(np.sqrt(np.sum(d * d)) for d in differences), max(np.max(np.abs(d)) for d in differences)])


def write_tensors(path, tensors, metadata):
    """Writes numpy arrays as safetensors with a string map as `__metadata__`, sorted by name and so always the same bytes."""
    dtypes = {"float64": "F64", "float32": "F32", "int64": "I64", "bool": "BOOL", "uint8": "U8"}
    arrays = {name: np.ascontiguousarray(x) for name, x in tensors.items()}
    order = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    header, offset = {"__metadata__": {key: metadata[key] for key in sorted(metadata)}}, 0
    for name in order:
        end = offset + arrays[name].nbytes
        header[name] = {"dtype": dtypes[str(arrays[name].dtype)], "shape": list(tensors[name].shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in order:
            file.write(arrays[name].tobytes())


class Stopwatch:
    """Reports the wall time of a script and fails if it exceeds its limit."""

    def __init__(self, limit):
        self.limit, self.start = limit, time.perf_counter()

    def report(self, path):
        elapsed = time.perf_counter() - self.start
        print(f"{path.name}: {path.stat().st_size / 1024:.1f} KiB, {elapsed:.1f} s (limit {self.limit} s)")
        if elapsed > self.limit:
            raise SystemExit(f"too slow: {elapsed:.1f} s, expected at most {self.limit} s")


def run(cases, load, make, compare_noises, prepare=lambda: None):
    """The command line of a script that makes fixtures, with official code `--official PATH [case ...] [--noise N ...]`.

    load gets PATH; None: no official code is needed. prepare is called before cases are made, and not for --noise.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("cases", nargs="*", default=[case.name for case in cases])
    if load is not None:
        parser.add_argument("--official", required=True)
    parser.add_argument("--noise", nargs="+", type=int)
    options = parser.parse_args()
    if load is not None:
        load(options.official)
    if not options.noise:
        prepare()
    for case in cases:
        if case.name in options.cases:
            compare_noises(case, options.noise) if options.noise else make(case)
