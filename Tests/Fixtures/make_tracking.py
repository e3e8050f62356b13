"""Makes tracking.json: small tracking sequences as files of the MOTChallenge, with the metrics of TrackEval and of py-motmetrics."""
import contextlib
import io
import json
import logging
import pathlib
import random
import tempfile
import warnings

import numpy as np

np.asfarray = lambda a, dtype=float: np.asarray(a, dtype=dtype)  # gone from NumPy 2, which py-motmetrics 1.4 does not know

import motmetrics  # noqa: E402
import trackeval  # noqa: E402

CLASSES = [1, 1, 1, 1, 1, 2, 3, 6, 7, 8, 12, 13]
SIZES = {"a": (24, 8), "b": (12, 14), "empty": (6, 3), "nobody": (6, 3)}  # frames, objects


def sequence(benchmark, name, source):
    """The texts of gt.txt and of a result: objects that cross, leave, are missed, change their number and are found where nobody is."""
    frames, count = SIZES[name]
    objects = []
    for number in range(1, count + 1):
        start = source.randint(1, frames)
        objects.append({
            "id": number, "start": start, "end": min(frames, start + source.randint(1, frames)), "track": 10 * number,
            "x": source.randint(0, 150), "y": source.randint(0, 80), "w": source.randint(15, 60), "h": source.randint(30, 120),
            "dx": source.randint(-3, 3), "dy": source.randint(-1, 1), "class": source.choice(CLASSES)})
    truth, result = [], []
    tracks = 10000
    for frame in range(1, frames + 1):
        found = {}
        for item in objects:
            if not item["start"] <= frame <= item["end"] or source.random() < 0.05:
                continue
            x = item["x"] + item["dx"] * (frame - item["start"])
            y = item["y"] + item["dy"] * (frame - item["start"])
            flag = int(item["class"] == 1 and source.random() > 0.03 and name != "nobody")
            tail = f"{flag},-1,-1,-1" if benchmark == "MOT15" else f"{flag},{item['class']},{round(source.random(), 2)}"
            truth.append(f"{frame},{item['id']},{x},{y},{item['w']},{item['h']},{tail}")
            if source.random() < 0.06:
                item["track"], tracks = tracks, tracks + 1
            if source.random() < 0.1:
                other = source.choice(objects)
                item["track"], other["track"] = other["track"], item["track"]
            if source.random() < 0.8:
                shift = source.choice([1, 3, 8])
                box = [x + source.gauss(0, shift), y + source.gauss(0, shift), item["w"] * source.uniform(0.8, 1.2), item["h"]]
                found.setdefault(item["track"], box)
        for number in range(source.randint(0, 2)):
            found.setdefault(20000 + 10 * source.randint(0, 3) + number, [source.randint(0, 150), source.randint(0, 80), 30, 60])
        result += [f"{frame},{track}," + ",".join(f"{value:.1f}" for value in box) + ",1,-1,-1,-1" for track, box in found.items()]
    source.shuffle(result)
    return "\n".join(truth) + "\n", "" if name == "empty" else "\n".join(result) + "\n"


def official(benchmark, root):
    """TrackEval's metrics by sequence, COMBINED_SEQ for all of them."""
    names = sorted(path.name for path in (root / f"gt/{benchmark}-train").iterdir())
    settings = {"GT_FOLDER": str(root / "gt"), "TRACKERS_FOLDER": str(root / "found"), "BENCHMARK": benchmark, "SPLIT_TO_EVAL": "train",
                "TRACKERS_TO_EVAL": ["tracker"], "PRINT_CONFIG": False, "SEQ_INFO": {name: None for name in names}}
    quiet = {"PRINT_RESULTS": False, "PRINT_CONFIG": False, "OUTPUT_SUMMARY": False, "OUTPUT_DETAILED": False, "PLOT_CURVES": False,
             "TIME_PROGRESS": False, "LOG_ON_ERROR": None}
    silent = {"PRINT_CONFIG": False}
    metrics = [trackeval.metrics.HOTA(), trackeval.metrics.CLEAR(silent), trackeval.metrics.Identity(silent)]
    with contextlib.redirect_stdout(io.StringIO()):
        scores, _ = trackeval.Evaluator(quiet).evaluate([trackeval.datasets.MotChallenge2DBox(settings)], metrics)
    rows = {}
    for name, score in scores["MotChallenge2DBox"]["tracker"].items():
        hota, clear, identity = (score["pedestrian"][key] for key in ("HOTA", "CLEAR", "Identity"))
        ratios = [np.mean(hota[key]) for key in ("HOTA", "DetA", "AssA", "DetRe", "DetPr", "AssRe", "AssPr", "LocA")]
        ratios += [hota["HOTA(0)"], hota["LocA(0)"]]
        ratios += [clear[key] for key in ("MOTA", "MOTP", "MODA", "CLR_Re", "CLR_Pr", "CLR_F1", "MOTAL", "sMOTA")]
        ratios += [identity[key] for key in ("IDF1", "IDP", "IDR")]
        counts = [clear[key] for key in ("CLR_TP", "CLR_FN", "CLR_FP", "IDSW", "Frag", "MT", "PT", "ML")]
        counts += [identity[key] for key in ("IDTP", "IDFN", "IDFP")]
        rows[name] = {"ratios": [float(value) for value in ratios], "counts": [int(value) for value in counts],
                      "hota": [float(value) for value in hota["HOTA"]]}
    return rows


def pymotmetrics(benchmark, folder, result):
    """py-motmetrics' numbers; none where there is nothing to divide by."""
    motmetrics.lap.default_solver = "scipy"
    if benchmark == "MOT15":
        truth = motmetrics.io.loadtxt(folder / "gt/gt.txt", fmt="mot15-2D", min_confidence=1)
        accumulator = motmetrics.utils.compare_to_groundtruth(truth, motmetrics.io.loadtxt(result, fmt="mot15-2D"), "iou", distth=0.5)
    else:
        truth = motmetrics.io.loadtxt(folder / "gt/gt.txt", fmt="mot16", min_confidence=-1)
        found = motmetrics.io.loadtxt(result, fmt="mot16")
        accumulator, _ = motmetrics.utils.CLEAR_MOT_M(truth, found, folder / "seqinfo.ini", "iou", distth=0.5)
    ratios = ["idf1", "idp", "idr", "recall", "precision", "mota", "motp"]
    counts = ["num_false_positives", "num_misses", "num_switches", "num_fragmentations", "mostly_tracked", "partially_tracked",
              "mostly_lost", "num_transfer", "num_ascend", "num_migrate"]
    score = motmetrics.metrics.create().compute(accumulator, metrics=ratios + counts, return_dataframe=False)
    values = [float(score[key]) for key in ratios]
    return {"ratios": values, "counts": [int(score[key]) for key in counts]} if np.isfinite(values).all() else None


def main():
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    source = random.Random(5)
    sequences, combined = [], {}
    with tempfile.TemporaryDirectory() as place:
        root = pathlib.Path(place)
        for benchmark in ("MOT15", "MOT16", "MOT17", "MOT20"):
            entries = []
            for name in SIZES:
                title = f"{benchmark}-{name}"
                folder, found = root / f"gt/{benchmark}-train/{title}", root / f"found/{benchmark}-train/tracker/data"
                (folder / "gt").mkdir(parents=True)
                found.mkdir(parents=True, exist_ok=True)
                truth, result = sequence(benchmark, name, source)
                (folder / "gt/gt.txt").write_text(truth)
                (folder / "seqinfo.ini").write_text(f"[Sequence]\nname={title}\nseqLength={SIZES[name][0]}\n")
                (found / f"{title}.txt").write_text(result)
                entry = {"benchmark": benchmark.lower(), "name": title, "length": SIZES[name][0], "truth": truth, "result": result}
                if name in ("a", "b"):
                    entry["pymotmetrics"] = pymotmetrics(benchmark, folder, found / f"{title}.txt")
                entries.append(entry)
            rows = official(benchmark, root)
            for entry in entries:
                entry["official"] = rows[entry["name"]]
            combined[benchmark.lower()] = rows["COMBINED_SEQ"]
            sequences += entries
    versions = {"numpy": np.__version__, "motmetrics": motmetrics.__version__, "trackeval": "1.3.0"}
    text = json.dumps({"versions": versions, "sequences": sequences, "combined": combined}, indent=0)
    pathlib.Path(__file__).with_name("tracking.json").write_text(text + "\n")
    print(f"{len(sequences)} sequences, {len(text)} bytes")


main()
