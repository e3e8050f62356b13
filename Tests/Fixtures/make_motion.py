"""Makes motion.safetensors: an LSTM with a linear head over displacements, of which some are its own predictions; a perceptron of pairs.

Outputs, losses, gradients, and the weights after three steps of Adam."""
import json
import pathlib

import torch
from torch import nn

import fixture_hash as fixture

HERE = pathlib.Path(__file__).parent
HIDDEN, LAYERS, BATCH, LENGTH, BETA, RATE, STEPS = 6, 2, 3, 8, 0.5, 0.01, 3
PAIRS, INPUTS = 11, 9


class Motion(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, HIDDEN, LAYERS, batch_first=True)
        self.head = nn.Linear(HIDDEN, 4)

    def forward(self, steps, known):
        state, predicted, outputs = None, torch.zeros_like(steps[:, 0]), []
        for k in range(steps.shape[1]):
            mask = known[:, k, None]
            step = mask * steps[:, k] + (1 - mask) * predicted
            output, state = self.lstm(step[:, None], state)
            outputs.append(self.head(output[:, 0]))
            predicted = outputs[-1].detach()
        return torch.stack(outputs, 1)


class Affinity(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(INPUTS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1))

    def forward(self, features):
        return self.layers(features)


def trained(case, network, forward):
    """Runs the optimiser; forward gives output and loss. Tensors by name below the case's."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(torch.from_numpy(fixture.weights(name, parameter.shape, 0.4)).double())
    tensors = {f"{case}/weight/{name}": parameter.detach().clone() for name, parameter in network.named_parameters()}
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE, foreach=False)
    for step in range(STEPS):
        optimizer.zero_grad()
        output, loss = forward(network)
        loss.backward()
        if step == 0:
            tensors |= {f"{case}/output": output.detach(), f"{case}/loss": loss.detach()}
            tensors |= {f"{case}/gradient/{name}": parameter.grad.clone() for name, parameter in network.named_parameters()}
        optimizer.step()
    return tensors | {f"{case}/trained/{name}": parameter.detach().clone() for name, parameter in network.named_parameters()}


def make_motion(path):
    steps = torch.from_numpy(fixture.uniform("steps", (BATCH, LENGTH, 4)))
    target = torch.from_numpy(fixture.uniform("target", (BATCH, LENGTH, 4), -2, 2))
    known = torch.from_numpy((fixture.fractions("known", range(BATCH * LENGTH)) > 0.35).astype("float64")).reshape(BATCH, LENGTH)
    known[:, 0] = 1
    features = torch.from_numpy(fixture.uniform("features", (PAIRS, INPUTS)))
    match = torch.from_numpy((fixture.fractions("match", range(PAIRS)) > 0.6).astype("float64"))

    def motion(network):
        output = network(steps, known)
        return output, nn.functional.smooth_l1_loss(output, target, beta=BETA)

    def affinity(network):
        output = network(features)[:, 0]
        return output, nn.functional.binary_cross_entropy_with_logits(output, match)

    tensors = {"motion/steps": steps, "motion/target": target, "motion/known": known, "affinity/features": features, "affinity/target": match}
    tensors |= trained("motion", Motion().double(), motion)
    tensors |= trained("affinity", Affinity().double(), affinity)
    settings = {"motion": {"hidden": HIDDEN, "layers": LAYERS, "beta": BETA}, "affinity": {"hidden": HIDDEN, "layers": 2, "inputs": INPUTS}}
    metadata = {case: json.dumps(values | {"rate": RATE, "steps": STEPS}) for case, values in settings.items()}
    fixture.write_tensors(path, {name: tensor.numpy() for name, tensor in tensors.items()}, metadata)


if __name__ == "__main__":
    watch = fixture.Stopwatch(60)
    make_motion(HERE / "motion.safetensors")
    watch.report(HERE / "motion.safetensors")
