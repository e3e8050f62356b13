"""Makes assignment.json: totals of scipy's minimum-cost assignments. Costs are not stored, README.md has their formulas."""
import json
import pathlib

import numpy as np
import scipy
import scipy.optimize

import fixture_hash as fixture

SIZES = [(1, 1), (1, 7), (7, 1), (2, 2), (3, 5), (5, 3), (8, 8), (12, 4), (4, 12), (20, 20), (33, 17), (17, 33), (100, 7), (100, 63)]
SPARSE = [(3, 3, 0.2), (6, 6, 0.3), (8, 5, 0.5), (5, 8, 0.5), (12, 12, 0.6), (12, 12, 0.85), (2, 4, 0.9), (30, 20, 0.8), (20, 30, 0.9),
          (4, 4, 1.1)]  # rows, columns, share of infinite costs


def costs(name, kind, rows, columns, missing):
    """uniform: in [-1, 1); ties: integers 0...3; large: multiples of 1/8 around a million; sparse: uniform, some infinite."""
    fractions = fixture.uniform(name, (rows, columns), 0, 1)
    if kind == "ties":
        return np.floor(4 * fractions)
    if kind == "large":
        return 1e6 + np.floor(800 * fractions) / 8
    absent = fixture.uniform(name + ".missing", (rows, columns), 0, 1) < missing
    return np.where(absent, np.inf, 2 * fractions - 1)


def case(index, kind, rows, columns, missing=0.0):
    """The settings and the result: the total, or none where every assignment has an infinite cost; of small ones the columns."""
    name = f"assignment.{index}"
    matrix = costs(name, kind, rows, columns, missing)
    entry = {"name": name, "kind": kind, "rows": rows, "columns": columns}
    if missing:
        entry["missing"] = missing
    try:
        chosen, found = scipy.optimize.linear_sum_assignment(matrix)
    except ValueError as error:
        assert "infeasible" in str(error)
        return entry | {"total": None}
    entry["total"] = float(matrix[chosen, found].sum())
    if kind in ("uniform", "sparse") and rows * columns <= 150:
        entry["assigned"] = [dict(zip(chosen.tolist(), found.tolist())).get(row) for row in range(rows)]
    return entry


def main():
    cases = [(kind, *size) for kind in ("uniform", "ties", "large") for size in SIZES]
    cases += [("sparse", *size) for size in SPARSE for _ in range(2)]
    entries = [case(i, *item) for i, item in enumerate(cases)]
    print(len(entries), "cases,", sum(entry["total"] is None for entry in entries), "infeasible, scipy", scipy.__version__)
    path = pathlib.Path(__file__).parent / "assignment.json"
    path.write_text("[\n" + ",\n".join("  " + json.dumps(entry) for entry in entries) + "\n]\n")


if __name__ == "__main__":
    main()
