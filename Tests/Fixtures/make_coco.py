"""Makes coco_masks.json, coco_evaluation.json and coco_keypoints.json: run-length masks and average precision as pycocotools computes them.

Every number follows from the name of its case through fixture_hash, so there are no seeds.
"""
import contextlib
import io
import json
import pathlib

import numpy as np
from pycocotools import mask as masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import fixture_hash as fixture

HERE = pathlib.Path(__file__).parent


class Source:
    """Numbers in turn, made from a name."""

    def __init__(self, name):
        self.name, self.place = name, 0

    def fraction(self):
        self.place += 1
        return float(fixture.fractions(self.name, np.array([self.place]))[0])

    def integer(self, low, high):
        """From low to high, both included."""
        return low + int(self.fraction() * (high - low + 1))

    def choice(self, values):
        return values[self.integer(0, len(values) - 1)]


# Masks

def polygon(source, height, width, kind):
    """Corners as [x0, y0, x1, y1, ...]; most are simple, some leave the image, cross themselves or have no area."""
    margin = {"inside": 0, "outside": 20, "far": 300}.get(kind, 3)
    count = source.integer(3, 9)
    digits = source.choice([0, 1, 2, 2])
    corners = []
    for _ in range(count):
        x = round(-margin + source.fraction() * (width + 2 * margin), digits)
        y = round(-margin + source.fraction() * (height + 2 * margin), digits)
        corners += [x, y]
    if kind == "thin":
        corners[1::2] = [round(height / 3 + 0.3 * source.fraction(), 2) for _ in range(count)]
    elif kind == "upright":
        corners[0::2] = [round(width / 3 + 0.6 * source.fraction(), 2) for _ in range(count)]
    elif kind == "repeated":
        corners = corners[:4] + corners[2:4] + corners[4:] + corners[:2]
    elif kind == "point":
        corners = corners[:2] * 3
    elif kind == "halves":
        corners = [round(2 * value) / 2 for value in corners]
    return corners


def make_masks(path):
    kinds = ["inside", "outside", "far", "thin", "upright", "repeated", "point", "halves", "near"]
    cases = []
    for number in range(180):
        source = Source(f"mask {number}")
        height, width = source.integer(1, 60), source.integer(1, 60)
        polygons = [polygon(source, height, width, source.choice(kinds)) for _ in range(source.choice([1, 1, 2, 3]))]
        mask = masks.merge(masks.frPyObjects(polygons, height, width))
        cases.append({"size": [height, width], "polygons": polygons, "counts": mask["counts"].decode(), "area": int(masks.area(mask)),
                      "box": [float(value) for value in masks.toBbox(mask)]})
    pairs = []
    for number in range(60):
        source = Source(f"pair {number}")
        height, width = source.integer(1, 20), source.integer(1, 20)
        density = source.choice([0.1, 0.5, 0.9, 1.0])
        a, b = ((fixture.fractions(f"pair {number} {side}", np.arange(height * width)).reshape(width, height).T < density) for side in "ab")
        first, second = (masks.encode(np.asfortranarray(x.astype(np.uint8))) for x in (a, b))
        pairs.append({"size": [height, width], "a": first["counts"].decode(), "b": second["counts"].decode(),
                      "union": masks.merge([first, second])["counts"].decode(),
                      "intersection": masks.merge([first, second], intersect=True)["counts"].decode(),
                      "iou": float(masks.iou([first], [second], [0])[0, 0]), "crowd": float(masks.iou([first], [second], [1])[0, 0]),
                      "box": [float(value) for value in masks.toBbox(first)],
                      "rows": "".join("01"[int(value)] for value in a.reshape(-1))})
    path.write_text(json.dumps({"polygons": cases, "pairs": pairs}, separators=(",", ":")) + "\n")


# Evaluation

def shape(source, size, scale):
    """A box with sides in twentieths, so that shrunk copies have an IoU exactly at a threshold."""
    w, h = 20 * source.integer(1, scale), 20 * source.integer(1, scale)
    return [source.integer(0, max(0, size - w)), source.integer(0, max(0, size - h)), w, h]


def detected(source, box):
    """A copy of an object's box that is exact, shrunk to a whole number of twentieths, or moved."""
    x, y, w, h = box
    kind = source.choice(["exact", "shrunk", "shrunk", "moved", "moved", "grown"])
    if kind == "shrunk":
        return [x, y, w * source.integer(9, 19) // 20, h]
    if kind == "moved":
        return [x + source.integer(-w // 6, w // 6), y + source.integer(-h // 6, h // 6), w, h]
    if kind == "grown":
        return [x - 2, y - 3, w + source.integer(0, 9), h + source.integer(0, 9)]
    return [x, y, w, h]


def outline(source, box):
    """A quadrilateral, one corner of the box cut."""
    x, y, w, h = box
    return [x, y, x + w, y + source.integer(0, h // 3), x + w, y + h, x, y + h]


def make_case(number):
    source = Source(f"evaluation {number}")
    is_masks, size = number % 3 == 2, 240
    images = sorted({source.integer(1, 40) for _ in range(source.integer(1, 5))})
    categories = sorted({source.integer(1, 90) for _ in range(source.integer(1, 4))})
    scores = source.choice([[0.5], [0.1, 0.5, 0.9], [k / 100 for k in range(100)], [k / 100 for k in range(100)]])
    crowds, copies = source.choice([0, 0.1, 0.4]), source.choice([1, 1, 2, 4])
    limit, empty = (45 if number % 40 == 7 else 6), number % 25 == 11
    truths, detections = [], []
    for image in images:
        for _ in range(source.integer(0, limit) if source.fraction() > 0.15 else 0):
            box, category = shape(source, size, source.choice([1, 3, 8])), source.choice(categories)
            area = source.choice([box[2] * box[3], box[2] * box[3] * 0.8, 1024, 9216])
            truths.append([image, category, int(source.fraction() < crowds), area] + (outline(source, box) if is_masks else box))
            for _ in range(source.integer(0, copies)):
                wrong = source.fraction() < 0.15
                score, copy = source.choice(scores), detected(source, box)
                label = source.choice(categories) if wrong else category
                detections.append([image, label, score] + (outline(source, copy) if is_masks else copy))
        for _ in range(source.integer(0, 3)):
            box = shape(source, size, source.choice([1, 4]))
            detections.append([image, source.choice(categories), source.choice(scores)] + (outline(source, box) if is_masks else box))
    if number % 60 == 31:  # more than the limit of 100 detections of one category in one image
        for _ in range(130):
            box = detected(source, truths[source.integer(0, len(truths) - 1)][4:8]) if truths and not is_masks else shape(source, size, 3)
            detections.append([images[0], categories[0], source.choice(scores)] + (outline(source, box) if is_masks else box))
    if empty:
        truths, detections = (truths, []) if number % 2 else ([], detections)
    return {"kind": "masks" if is_masks else "boxes", "size": size, "images": images, "categories": categories, "truths": truths,
            "detections": detections}


def dataset(case, annotations):
    coco = COCO()
    coco.dataset = {"images": [{"id": image, "height": case["size"], "width": case["size"]} for image in case["images"]],
                    "categories": [{"id": category} for category in case["categories"]], "annotations": annotations}
    coco.createIndex()
    return coco


def evaluate(case):
    """The twelve numbers, the sums of the arrays of precision, recall and scores, and AP by category."""
    is_masks, size = case["kind"] == "masks", case["size"]
    truths = [{"id": number + 1, "image_id": image, "category_id": category, "iscrowd": crowd, "area": area,
               **({"segmentation": [place]} if is_masks else {"bbox": place})}
              for number, (image, category, crowd, area, *place) in enumerate(case["truths"])]
    results = [{"image_id": image, "category_id": category, "score": score,
                **({"segmentation": masks.frPyObjects([place], size, size)[0]} if is_masks else {"bbox": place})}
               for image, category, score, *place in case["detections"]]
    truth = dataset(case, truths)
    found = truth.loadRes(results) if results else dataset(case, [])
    evaluation = COCOeval(truth, found, "segm" if is_masks else "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    arrays = evaluation.eval
    by_category = []
    for place in range(len(case["categories"])):
        precision = arrays["precision"][:, :, place, 0, 2]
        by_category.append(float(np.mean(precision[precision > -1])) if (precision > -1).any() else -1.0)
    return {"summary": [float(value) for value in evaluation.stats],
            "sums": [float(arrays[name].sum()) for name in ["precision", "recall", "scores"]], "categories": by_category}


def make_evaluation(path, count):
    cases = []
    for number in range(count):
        case = make_case(number)
        with contextlib.redirect_stdout(io.StringIO()):
            case["expected"] = evaluate(case)
        cases.append(case)
    path.write_text("[" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "]\n")


# Keypoints

def body(source, size, count, category, image, scales):
    """An annotated body: image, category, whether a crowd, area, box, then x, y, visibility of each keypoint."""
    width, height = [source.choice(scales) * (0.5 + source.fraction()) for _ in range(2)]
    x, y = source.fraction() * (size - width), source.fraction() * (size - height)
    points = []
    hidden = source.choice([0, 0, 0, 0.5, 1])
    for _ in range(count):
        visible = 0 if source.fraction() < hidden else source.choice([1, 2, 2])
        points += [round(x + source.fraction() * width, 1), round(y + source.fraction() * height, 1), visible] if visible else [0, 0, 0]
    area = round(width * height * (0.4 + 0.4 * source.fraction()), 2)
    crowd = int(source.fraction() < 0.1)
    return [image, category, crowd, area, round(x, 1), round(y, 1), round(width, 1), round(height, 1)] + points


def found(source, truth, spread, score, wrong):
    """A result near an annotated body: image, category, score, then x, y of each keypoint."""
    x, y, width, height = truth[4:8]
    points = []
    for place in range(8, len(truth), 3):
        px, py, visible = truth[place:place + 3]
        if not visible:
            px, py = x + (3 * source.fraction() - 1) * width, y + (3 * source.fraction() - 1) * height
        reach = spread * max(width, height)
        points += [round(px + (source.fraction() - 0.5) * reach, 1), round(py + (source.fraction() - 0.5) * reach, 1)]
    return [truth[0], wrong or truth[1], score] + points


def make_body_case(number):
    source = Source(f"bodies {number}")
    size = source.choice([100, 400, 1000])
    count = 17 if number % 4 else source.choice([1, 5, 21])
    images = list(range(1, source.integer(1, 5) + 1))
    categories = [1] if number % 3 else [2, 9]
    scales = [[20, 40], [40, 80, 150], [90, 200, 400]][source.integer(0, 2)]
    scales = [min(scale, size / 2) for scale in scales]
    scores = [0.9, 0.5, 0.5, 0.3] if number % 5 == 0 else [round(0.01 * place, 2) for place in range(1, 100)]
    truths, results = [], []
    for image in images:
        for _ in range(source.integer(0, 5)):
            truths.append(body(source, size, count, source.choice(categories), image, scales))
            for _ in range(source.choice([0, 1, 1, 2])):
                wrong = source.choice(categories) if source.fraction() < 0.1 else None
                results.append(found(source, truths[-1], source.choice([0, 0.03, 0.1, 0.3]), source.choice(scores), wrong))
        for _ in range(source.integer(0, 2)):
            results.append(found(source, body(source, size, count, source.choice(categories), image, scales), 0.1, source.choice(scores), None))
    if number % 20 == 11 and truths:  # more than the limit of 20 results
        results += [found(source, truths[0], source.choice([0.05, 0.2]), source.choice(scores), None) for _ in range(30)]
    sigmas = [] if count == 17 else [round(0.02 + 0.1 * source.fraction(), 3) for _ in range(count)]
    return {"size": size, "count": count, "images": images, "categories": categories, "sigmas": sigmas, "truths": truths, "results": results}


def evaluate_bodies(case):
    """The ten numbers, the sums of the arrays of precision, recall and scores, and OKS of the first image and category."""
    truths = [{"id": number + 1, "image_id": image, "category_id": category, "iscrowd": crowd, "area": area, "bbox": numbers[:4],
               "keypoints": numbers[4:], "num_keypoints": sum(value > 0 for value in numbers[6::3])}
              for number, (image, category, crowd, area, *numbers) in enumerate(case["truths"])]
    results = [{"image_id": image, "category_id": category, "score": score,
                "keypoints": [value for place in range(0, len(points), 2) for value in [*points[place:place + 2], 1]]}
               for image, category, score, *points in case["results"]]
    truth = dataset(case, truths)
    evaluation = COCOeval(truth, truth.loadRes(results) if results else dataset(case, []), "keypoints")
    if case["sigmas"]:
        evaluation.params.kpt_oks_sigmas = np.array(case["sigmas"])
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    first = evaluation.ious[case["images"][0], case["categories"][0]]
    return {"summary": [float(value) for value in evaluation.stats],
            "sums": [float(evaluation.eval[name].sum()) for name in ["precision", "recall", "scores"]],
            "similarity": [float(value) for value in np.asarray(first).reshape(-1)]}


def make_bodies(path, count):
    cases = []
    for number in range(count):
        case = make_body_case(number)
        with contextlib.redirect_stdout(io.StringIO()):
            case["expected"] = evaluate_bodies(case)
        cases.append(case)
    path.write_text("[" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "]\n")


if __name__ == "__main__":
    for name, make in [("coco_masks.json", make_masks), ("coco_evaluation.json", lambda path: make_evaluation(path, 200)),
                       ("coco_keypoints.json", lambda path: make_bodies(path, 120))]:
        watch = fixture.Stopwatch(60)
        make(HERE / name)
        watch.report(HERE / name)
