"""Makes feature_*.safetensors: what VGG-19, VGG-16, Inception-v3 of FID and LPIPS say about pictures, with the fixtures' weights; names and shapes.

    python3 make_feature_networks.py [vgg19] [vgg16] [inception] [lpips]

torchvision's definitions are the reference (VGG with fewer channels, so that the weights can be made in a test), those of the `lpips` package
for LPIPS. Inception differs from torchvision's in four poolings, as the graph of 2015-12-05 has them: they are replaced here. Weights and
pictures are not stored: fixture_hash makes them on both sides.
"""
import argparse
import json
import pathlib
import warnings

import numpy as np
import torch

import fixture_hash as fixture
import raft_reference  # noqa: F401  (lets torchvision import beside a CPU build)
import torchvision
from torchvision.models import vgg

HERE = pathlib.Path(__file__).parent
BLOCKS = {"vgg19": [2, 2, 4, 4, 4], "vgg16": [2, 2, 3, 3, 3]}


def values(name, shape):
    """The array of an official name: weights within sqrt(3 / fan_in), biases within 0.05, those of norms and variances around 1."""
    if not shape:
        return np.int64(7)
    if len(shape) == 1 and name.endswith((".weight", ".running_var")):
        return fixture.weights(name, shape, 0.25 if name.endswith(".weight") else 0.5, centre=1)
    return fixture.weights(name, shape, np.sqrt(3.0 / np.prod(shape[1:])) if len(shape) > 1 else 0.05)


def loaded(network):
    """The network in float64 and evaluation with the fixture's weights."""
    state = {name: torch.from_numpy(np.array(values(name, tuple(x.shape)))) for name, x in network.state_dict().items()}
    network.load_state_dict(state)
    return network.double().eval()


def pictures(name, shape):
    """Multiples of 1/64 in -1...1, [n, 3, h, w]."""
    return torch.from_numpy(np.floor(fixture.uniform(name, shape, -64, 65)) / 64)


def normalized(x):
    mean, deviation = (torch.tensor(v, dtype=x.dtype).view(1, 3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    return ((x + 1) / 2 - mean) / deviation


def narrow_vgg(name, width, hidden):
    """torchvision's VGG with other numbers of channels."""
    layers = [x for block, count in enumerate(BLOCKS[name]) for x in [width << min(block, 3)] * count + ["M"]]
    network = vgg.VGG(vgg.make_layers(layers), init_weights=False)
    network.classifier[0], network.classifier[3] = torch.nn.Linear(8 * width * 49, hidden), torch.nn.Linear(hidden, hidden)
    network.classifier[6] = torch.nn.Linear(hidden, 10)
    return network


def vgg19():
    """Both maps before relu, the loss, and its gradient with respect to the first picture."""
    network = loaded(narrow_vgg("vgg19", 8, 16)).features
    found, truth = (pictures(f"vgg19/{x}", (2, 3, 48, 56)) for x in ("found", "truth"))
    found.requires_grad_()

    def maps(x):
        kept = {}
        for i, layer in enumerate(network):  # not in place: relu would overwrite what is wanted
            x = torch.relu(x) if isinstance(layer, torch.nn.ReLU) else layer(x)
            kept[i] = x
        return kept[25], kept[34]
    found_maps, truth_maps = maps(normalized(found)), maps(normalized(truth))
    loss = sum(eta * (a - b.detach()).abs().mean() for eta, a, b in zip((0.25, 0.5), found_maps, truth_maps))
    loss.backward()
    return {"conv4": found_maps[0], "conv5": found_maps[1], "loss": loss, "gradient": found.grad}


def vgg16():
    """Features behind the second fully connected layer."""
    network = loaded(narrow_vgg("vgg16", 4, 32))
    images = normalized(pictures("vgg16/images", (2, 3, 96, 80)))
    return {"features": network.classifier[:5](torch.flatten(network.avgpool(network.features(images)), 1))}


def fid_inception():
    """torchvision's Inception-v3 with the poolings of the graph of 2015-12-05."""
    network = torchvision.models.inception_v3(weights=None, aux_logits=False, num_classes=1008, init_weights=False)
    plain, largest = torch.nn.functional.avg_pool2d, torch.nn.functional.max_pool2d

    def patched(block, pooling):
        """The block, with its averages taken otherwise."""
        forward = block._forward

        def run(x):
            torch.nn.functional.avg_pool2d = pooling
            try:
                return forward(x)
            finally:
                torch.nn.functional.avg_pool2d = plain
        block._forward = run
    for name in ("5b", "5c", "5d", "6b", "6c", "6d", "6e", "7b"):
        patched(getattr(network, f"Mixed_{name}"), lambda x, **how: plain(x, **how, count_include_pad=False))
    patched(network.Mixed_7c, lambda x, **how: largest(x, **how))
    return network


def resized(image):
    """299x299 as TensorFlow 1 does it: pixel i at i * size / 299, without half pixels; then (x - 128) / 128. [h, w, c] -> [299, 299, c]."""
    for axis in (0, 1):
        size = image.shape[axis]
        position = np.minimum(np.arange(299) * size / 299, size - 1)
        low = np.floor(position).astype(int)
        high, weight = np.minimum(low + 1, size - 1), (position - low).reshape([-1, 1, 1] if axis == 0 else [1, -1, 1])
        image = np.take(image, low, axis) * (1 - weight) + np.take(image, high, axis) * weight
    return (image - 128) / 128


def inception():
    """The 2048 features of a picture of odd size, and a small picture at 299x299."""
    network = loaded(fid_inception())
    network.fc = torch.nn.Identity()
    image = np.floor(fixture.uniform("inception/picture", (37, 50, 3), 0, 256))
    with torch.no_grad():
        return {"features": network(pictures("inception/images", (1, 3, 139, 107))), "input": torch.from_numpy(resized(image))}


def lpips():
    """Distances of two pairs."""
    import lpips as package
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = package.LPIPS(net="alex", pretrained=False, pnet_rand=True, verbose=False)
    constants = {name: x for name, x in network.state_dict().items() if name.startswith("scaling_layer.")}
    renamed = {name: name.replace(f"net.slice{i}.", "features.") for i in range(1, 6) for name in network.state_dict() if f"slice{i}." in name}
    state = {}
    for name, x in network.state_dict().items():
        official = renamed.get(name, name.replace("lins.", "lin"))
        state[name] = torch.from_numpy(np.array(values(official, tuple(x.shape))))
        if official.startswith("lin"):
            state[name] = state[name].abs()  # as trained heads are
    network.load_state_dict(state | constants)
    network = network.double().eval()
    for name, exact in (("shift", [-0.030, -0.088, -0.188]), ("scale", [0.458, 0.448, 0.450])):  # stored as float32
        getattr(network.scaling_layer, name).copy_(torch.tensor(exact, dtype=torch.float64).view(1, 3, 1, 1))
    with torch.no_grad():
        return {"distances": network(pictures("lpips/first", (2, 3, 64, 75)), pictures("lpips/second", (2, 3, 64, 75))).flatten()}


def names(network, *left_out):
    return [[name, list(x.shape)] for name, x in network.state_dict().items() if not name.endswith(left_out) and not name.startswith(left_out)]


PUBLISHED = {
    "vgg19": lambda: names(torchvision.models.vgg19(weights=None, init_weights=False), "classifier."),
    "vgg16": lambda: names(torchvision.models.vgg16(weights=None, init_weights=False), "classifier.6."),
    "inception": lambda: names(fid_inception(), ".num_batches_tracked"),
    "lpips": lambda: names(torchvision.models.alexnet(weights=None), "classifier.")
    + [[f"lin{i}.model.1.weight", [1, c, 1, 1]] for i, c in enumerate((64, 192, 384, 256, 256))],
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("networks", nargs="*", default=list(PUBLISHED))
    for name in parser.parse_args().networks:
        watch, tensors = fixture.Stopwatch(120), {}
        for output, x in globals()[name]().items():
            x = x.detach().numpy().astype(np.float64)
            tensors[f"f64/output/{output}"], tensors[f"f64/output.statistics/{output}"] = fixture.elements(x), fixture.statistics(x)
        path = HERE / f"feature_{name}.safetensors"
        fixture.write_tensors(path, tensors, {"names": json.dumps(PUBLISHED[name]()), "made_by": f"make_feature_networks.py, torch {torch.__version__}"})
        watch.report(path)


if __name__ == "__main__":
    main()
