"""Makes pose.safetensors, pose.json and mpii_heads.mat: crops, targets and decoding as HRNet's authors' pose repository computes them.

Written from the description of its rules; warping is OpenCV's own, with 8-bit pictures. Every number follows from the name of its case
through fixture_hash.
"""
import json
import pathlib

import cv2
import numpy as np
import scipy.io

import fixture_hash as fixture
from make_coco import Source

HERE = pathlib.Path(__file__).parent
PAIRS = [(place, place + 1) for place in range(1, 16, 2)]


def affine(center, scale, rotation, size, inverse=False):
    """The matrix from picture to crop, or back; sizes as (width, height)."""
    center, extent = np.float32(center), np.float32(scale) * np.float32(200)
    turn = np.pi * rotation / 180
    up = float(extent[0]) * -0.5
    source, target = np.zeros((3, 2), np.float32), np.zeros((3, 2), np.float32)
    source[0] = center
    source[1] = center + np.array([-up * np.sin(turn), up * np.cos(turn)])
    target[0] = [size[0] * 0.5, size[1] * 0.5]
    target[1] = target[0] + np.array([0, size[0] * -0.5], np.float32)
    for points in (source, target):
        d = points[0] - points[1]
        points[2] = points[1] + np.array([-d[1], d[0]], np.float32)
    return cv2.getAffineTransform(target, source) if inverse else cv2.getAffineTransform(source, target)


def box_to_crop(box, aspect, padding=1.25):
    x, y, w, h = box
    center = np.array([x + w * 0.5, y + h * 0.5], np.float32)
    if w > aspect * h:
        h = w / aspect
    elif w < aspect * h:
        w = h * aspect
    return center, np.array([w / 200, h / 200], np.float32) * np.float32(padding)


def targets(points, visible, size, sigma):
    """Heatmaps [k, h, w] and weights; size of the heatmaps as (width, height)."""
    maps = np.zeros((len(points), size[1], size[0]), np.float32)
    weights = np.array(visible, np.float32)
    reach = int(sigma * 3)
    grid = np.arange(0, 2 * reach + 1, 1, np.float32)
    gauss = np.exp(-((grid[None] - reach) ** 2 + (grid[:, None] - reach) ** 2) / (2 * sigma ** 2))
    for k, (x, y) in enumerate(points):
        mx, my = int(x / 4 + 0.5), int(y / 4 + 0.5)
        left, top, right, bottom = mx - reach, my - reach, mx + reach + 1, my + reach + 1
        if left >= size[0] or top >= size[1] or right < 0 or bottom < 0:
            weights[k] = 0
            continue
        if weights[k] > 0.5:
            maps[k, max(0, top):min(bottom, size[1]), max(0, left):min(right, size[0])] = gauss[
                max(0, -top):min(bottom, size[1]) - top, max(0, -left):min(right, size[0]) - left]
    return maps, weights


def decode(maps, center, scale):
    """Keypoints in the picture and their scores."""
    count, height, width = maps.shape
    flat = maps.reshape(count, -1)
    best, score = flat.argmax(1), flat.max(1)
    points = np.stack([best % width, best // width], 1).astype(np.float32) * (score > 0)[:, None]
    for k in range(count):
        x, y = int(np.floor(points[k, 0] + 0.5)), int(np.floor(points[k, 1] + 0.5))
        if 1 < x < width - 1 and 1 < y < height - 1:
            h = maps[k]
            points[k] += 0.25 * np.sign([h[y, x + 1] - h[y, x - 1], h[y + 1, x] - h[y - 1, x]])
    matrix = affine(center, scale, 0, (width, height), inverse=True)
    return np.concatenate([points, np.ones((count, 1))], 1) @ matrix.T, score


def flip_back(maps, shift):
    maps = maps[:, :, ::-1].copy()
    for a, b in PAIRS:
        maps[[a, b]] = maps[[b, a]]
    if shift:
        maps[:, :, 1:] = maps[:, :, :-1].copy()
    return maps


def make_crops(arrays, cases):
    sizes = [((192, 256), 2), ((288, 384), 3), ((96, 128), 2), ((256, 256), 2)]
    for number in range(16):
        source, name = Source(f"crop {number}"), f"crop{number}"
        (size, sigma), height, width = sizes[number % 4], source.integer(60, 140), source.integer(60, 140)
        # Smooth, so that a place that is wrong by a thirty-second shows by a level or two only.
        coarse = fixture.fractions(f"picture {number}", np.arange(8 * 9 * 3)).reshape(8, 9, 3)
        picture = cv2.resize((255 * coarse).astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
        box = [round(source.fraction() * width * 0.5 - 10, 2), round(source.fraction() * height * 0.5 - 10, 2),
               round(20 + source.fraction() * width, 2), round(20 + source.fraction() * height, 2)]
        center, scale = box_to_crop(box, size[0] / size[1])
        rotation = 0.0 if number % 3 == 0 else round(180 * source.fraction() - 90, 3)
        matrix = affine(center, scale, rotation, size)
        points = [[round(box[0] + (1.6 * source.fraction() - 0.3) * box[2], 2), round(box[1] + (1.6 * source.fraction() - 0.3) * box[3], 2)]
                  for _ in range(17)]
        visible = [source.choice([0, 1, 1, 1]) for _ in range(17)]
        moved = [list(matrix @ [*point, 1]) if seen else point for point, seen in zip(points, visible)]
        cells = (size[0] // 4, size[1] // 4)
        maps, weights = targets(moved, visible, cells, sigma)
        # The sign of equal neighbours is not defined after rounding: noise of its own in every cell.
        noise = fixture.fractions(f"noise {number}", np.arange(maps.size)).reshape(maps.shape).astype(np.float32)
        answer = (maps * 0.8 + noise * 0.1 - 0.02).astype(np.float32)
        answer[3] = -noise[3]
        back = flip_back(answer, shift=number % 2 == 0)
        found, scores = decode((answer + back) * np.float32(0.5), center, scale)
        arrays |= {f"{name}/picture": picture, f"{name}/warped": cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR)[::8].copy()}
        cases.append({
            "name": name, "size": size, "sigma": sigma, "box": box, "center": center.astype(float).tolist(),
            "scale": scale.astype(float).tolist(), "rotation": rotation, "matrix": matrix.tolist(), "points": points, "visible": visible,
            "moved": [list(map(float, point)) for point in moved], "weights": weights.tolist(), "sums": maps.sum((1, 2)).astype(float).tolist(),
            "moments": [[float((m * np.arange(m.size).reshape(m.shape)).sum()), float((m.astype(float) ** 2).sum())] for m in maps],
            "shift": number % 2 == 0, "found": found.tolist(), "scores": scores.astype(float).tolist()})


def make_halves():
    """Crops of half a body: labelled points, a normal number, and center and scale, or none."""
    cases = []
    for number in range(24):
        source = Source(f"half {number}")
        points = [[round(300 * source.fraction(), 1), round(400 * source.fraction(), 1)] for _ in range(17)]
        share = source.choice([0.05, 0.2, 0.6, 1])
        visible = [int(source.fraction() < share) for _ in range(17)]
        draw = round(4 * source.fraction() - 2, 3)
        upper = [point for k, point in enumerate(points) if visible[k] and k <= 10]
        lower = [point for k, point in enumerate(points) if visible[k] and k > 10]
        chosen = upper if draw < 0.5 and len(upper) > 2 else (lower if len(lower) > 2 else upper)
        case = {"points": points, "visible": visible, "draw": draw}
        if len(chosen) >= 2:
            chosen = np.array(chosen, np.float32)
            w, h = (chosen.max(0) - chosen.min(0)).astype(float)
            _, scale = box_to_crop([0, 0, w, h], 0.75, 1.5)
            case |= {"center": chosen.mean(0).astype(float).tolist(), "scale": scale.astype(float).tolist()}
        cases.append(case)
    return cases


if __name__ == "__main__":
    watch = fixture.Stopwatch(60)
    arrays, cases = {}, []
    make_crops(arrays, cases)
    fixture.write_tensors(HERE / "pose.safetensors", arrays, {})
    watch.report(HERE / "pose.safetensors")
    (HERE / "pose.json").write_text(json.dumps({"crops": cases, "halves": make_halves()}, separators=(",", ":")) + "\n")
    watch.report(HERE / "pose.json")
    boxes = np.array([[[10 * n, 20 + n], [40 * n + 7, 90.5]] for n in range(1, 4)], float).transpose(1, 2, 0)
    joints = np.array([[name] for name in ["rank", "rkne"]], dtype=object)
    scipy.io.savemat(HERE / "mpii_heads.mat", {"dataset_joints": joints, "jnt_missing": np.ones((16, 3), np.uint8), "headboxes_src": boxes},
                     do_compression=True)
    watch.report(HERE / "mpii_heads.mat")
