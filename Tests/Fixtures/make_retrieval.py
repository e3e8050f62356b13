"""Makes retrieval.json: rank-k and mean average precision of random distances by the rules of Market-1501, step by step as its evaluation
describes them: junk leaves the ranking, recall and precision grow along it, the area under their curve is summed by the trapezoidal rule.

Distances are floor(levels fraction("<case>/distance", i)) / levels (ties keep the order of the gallery), identities and cameras likewise.
"""
import json
import pathlib

import numpy as np

import fixture_hash as fixture

HERE = pathlib.Path(__file__).parent
CASES = [  # name, queries, gallery, identities, cameras, levels of the distances
    ("plain", 8, 40, 6, 3, 1 << 20),
    ("ties", 10, 60, 5, 2, 16),
    ("rare", 12, 30, 40, 4, 1 << 20),
]


def whole(name, count, levels):
    return np.floor(levels * fixture.fractions(name, np.arange(count))).astype(int)


def judged(distances, good, junk):
    """First hit of the ranking and average precision of one query; None if there is nothing to find."""
    if not good.any():
        return None
    first, average, recall, precision, found, place = None, 0.0, 0.0, 1.0, 0, 0
    for index in np.argsort(distances, kind="stable"):
        if junk[index]:
            continue
        if good[index]:
            found += 1
            first = place if first is None else first
        new_recall, new_precision = found / good.sum(), found / (place + 1)
        average += (new_recall - recall) * (precision + new_precision) / 2
        recall, precision, place = new_recall, new_precision, place + 1
    return first, average


def main():
    watch, cases = fixture.Stopwatch(30), {}
    for case, queries, gallery, identities, cameras, levels in CASES:
        distances = (whole(f"{case}/distance", queries * gallery, levels) / levels).reshape(queries, gallery)
        query = [whole(f"{case}/query.{name}", queries, count) for name, count in [("identity", identities), ("camera", cameras)]]
        others = [whole(f"{case}/gallery.{name}", gallery, count) for name, count in [("identity", identities), ("camera", cameras)]]
        results = []
        for row in range(queries):
            same = others[0] == query[0][row]
            seen = others[1] == query[1][row]
            results.append(judged(distances[row], same & ~seen, same & seen))
        counted = [result for result in results if result]
        cases[case] = {
            "distances": distances.ravel().tolist(), "queryIdentity": query[0].tolist(), "queryCamera": query[1].tolist(),
            "galleryIdentity": others[0].tolist(), "galleryCamera": others[1].tolist(), "unmatched": len(results) - len(counted),
            "ranks": [float(np.mean([first < k for first, _ in counted])) for k in (1, 5, 10)],
            "meanAveragePrecision": float(np.mean([average for _, average in counted])),
            "averagePrecision": [result[1] if result else None for result in results]}
    path = HERE / "retrieval.json"
    path.write_text(json.dumps(cases, separators=(",", ":")) + "\n")
    watch.report(path)


if __name__ == "__main__":
    main()
