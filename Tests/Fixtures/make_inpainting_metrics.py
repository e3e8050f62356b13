"""Makes inpainting_metrics.safetensors: FID, U-IDS, P-IDS, improved precision and recall of given features; PSNR, SSIM and L1 of pictures.

    python3 make_inpainting_metrics.py

The features stand in the file, so that other tools can be compared, too. The references: FID by scipy's sqrtm where there are more vectors than
dimensions, else by the eigenvalues of the product of the covariances; the support vector machine is scikit-learn's LinearSVC(dual=False), solved
to 1e-10 and, as the scores must not depend on that, to its default tolerance; pictures are compared by scikit-image.
"""
import json
import pathlib

import numpy as np
import scipy.linalg
import skimage
import skimage.metrics
import sklearn
import sklearn.svm

import fixture_hash as fixture

HERE = pathlib.Path(__file__).parent
NEIGHBOURS = 3

# name: vectors of the real set, of the found set, dimensions, scale of the found set's own noise, its shift
SETS = {
    "many": (220, 220, 24, 0.9, 0.05),
    "few": (24, 24, 60, 0.9, 0.1),        # fewer vectors than dimensions
    "uneven": (150, 40, 48, 1.2, 0.3),    # one set with fewer
    "equal": (30, 30, 40, 0.0, 0.0),
    "large": (120, 120, 16, 1.0, 0.4),    # values up to 40: the machine is badly conditioned
}


def features(name):
    """Two sets of correlated vectors, not below 0 as those of a network with relu; the found ones under the same names in another order."""
    real_count, found_count, width, noise, shift = SETS[name]
    mixing = fixture.uniform(f"{name}/mixing", (width, width)) / np.sqrt(width)
    base = fixture.uniform(f"{name}/real", (real_count, width))
    own = fixture.uniform(f"{name}/found", (found_count, width))
    share = 1 if noise == 0 else 0.5
    found = share * base[np.arange(found_count) % real_count] + noise * own + shift
    scale = 40 if name == "large" else 1
    real, found = (np.maximum(scale * (x @ mixing + 0.3), 0) for x in (base, found))
    order = np.argsort(fixture.fractions(f"{name}/order", np.arange(found_count)))
    return real, found[order], order


def frechet(real, found):
    """FID with divisor n."""
    means, covariances = [x.mean(0) for x in (real, found)], [np.cov(x, rowvar=False, bias=True) for x in (real, found)]
    product = covariances[0] @ covariances[1]
    if min(len(real), len(found)) > real.shape[1]:
        trace = np.trace(scipy.linalg.sqrtm(product).real)
    else:
        trace = np.sqrt(np.maximum(np.linalg.eigvals(product).real, 0)).sum()
    return float(((means[0] - means[1]) ** 2).sum() + np.trace(covariances[0] + covariances[1]) - 2 * trace)


def discriminative(real, found):
    """U-IDS and P-IDS; found in the order of real."""
    x, labels = np.concatenate([real, found]), np.concatenate([np.ones(len(real)), np.zeros(len(found))])
    scores, machines = [], []
    for settings in (dict(tol=1e-10, max_iter=100_000), dict(max_iter=1000)):
        machine = sklearn.svm.LinearSVC(dual=False, **settings).fit(x, labels)
        decisions = machine.decision_function(x)
        differences = decisions[len(real):] - decisions[:len(real)]
        scores.append((1 - machine.score(x, labels), float(np.mean(differences > 0))))
        machines.append((machine, min(np.abs(decisions).min(), np.abs(differences).min())))
    if scores[0] != scores[1] or machines[0][1] < 1e-5 and not np.array_equal(real, found):
        raise SystemExit(f"the scores depend on rounding: {scores}, margin {machines[0][1]}")
    exact = machines[0][0]
    return scores[0], exact.coef_[0], float(exact.intercept_[0])


def precision_recall(real, found):
    """By all distances, one by one."""
    def inside(points, centres):
        own = np.sqrt(((centres[:, None] - centres[None]) ** 2).sum(-1))
        np.fill_diagonal(own, np.inf)
        radii = np.sort(own, 1)[:, NEIGHBOURS - 1]
        return float(np.mean((np.sqrt(((points[:, None] - centres[None]) ** 2).sum(-1)) <= radii).any(1)))
    return inside(found, real), inside(real, found)


def pictures(name):
    """A smooth picture and a noisy copy."""
    height, width, noise = {"noisy": (40, 33, 40), "smallest": (11, 11, 90), "slight": (57, 64, 2), "equal": (24, 24, 0), "grey": (30, 41, 25)}[name]
    channels = 1 if name == "grey" else 3
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(channels), indexing="ij")
    smooth = 120 + 80 * np.sin(x / 7 + c) * np.cos(y / 5) + y
    first = np.clip(np.rint(smooth), 0, 255)
    second = np.clip(np.rint(first + fixture.uniform(f"{name}/noise", first.shape, -noise, noise)), 0, 255)
    hole = fixture.uniform(f"{name}/hole", (height, width), 0, 1) < 0.4
    return first.astype(np.uint8), second.astype(np.uint8), hole


def similarity(first, second, hole):
    difference = np.abs(first.astype(float) - second) / 255
    equal = np.array_equal(first, second)
    return {
        "psnr": None if equal else float(skimage.metrics.peak_signal_noise_ratio(first, second, data_range=255)),
        "ssim": float(skimage.metrics.structural_similarity(first, second, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
                                                            data_range=255, channel_axis=-1)),
        "l1": float(difference.mean()), "l1_hole": float(difference[hole].mean())}


def main():
    watch, tensors, metadata = fixture.Stopwatch(60), {}, {}
    for name in SETS:
        real, found, order = features(name)
        known = {"operation": "features", "names": [f"picture_{i}" for i in range(len(real))], "found_names": [f"picture_{i}" for i in order],
                 "fid": frechet(real, found)}
        known["precision"], known["recall"] = precision_recall(real, found)
        if len(real) == len(found):
            (known["u_ids"], known["p_ids"]), weights, known["intercept"] = discriminative(real, found[np.argsort(order)])
            tensors[f"{name}/weights"] = weights
        tensors[f"{name}/real"], tensors[f"{name}/found"] = real, found
        metadata[name] = json.dumps(known)
        print(name, {key: round(value, 6) for key, value in known.items() if isinstance(value, float)})
    for name in ("noisy", "smallest", "slight", "equal", "grey"):
        first, second, hole = pictures(name)
        known = similarity(first, second, hole)
        tensors |= {f"{name}_pictures/first": first, f"{name}_pictures/second": second, f"{name}_pictures/hole": hole.astype(np.uint8)}
        metadata[f"{name}_pictures"] = json.dumps({"operation": "pictures", "size": list(first.shape)} | {k: v for k, v in known.items() if v is not None})
        print(name, known)
    metadata["made_by"] = json.dumps(f"make_inpainting_metrics.py, scikit-learn {sklearn.__version__}, scikit-image {skimage.__version__}")
    path = HERE / "inpainting_metrics.safetensors"
    fixture.write_tensors(path, tensors, metadata)
    watch.report(path)


if __name__ == "__main__":
    main()
