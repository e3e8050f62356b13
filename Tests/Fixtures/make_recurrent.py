"""Makes recurrent.safetensors: outputs, last states and gradients of torch.nn.LSTM and torch.nn.GRU, in float64.

Inputs, states, weights and cotangents are fixture_hash.uniform("<case>/<tensor>", shape, -1, 1), the weights within 1 / sqrt(hidden).
Gradients are those of sum(output * cotangent) + sum(hidden * cotangent.hidden) [+ sum(cell * cotangent.cell)].
"""
import json
import pathlib

import torch

import fixture_hash as fixture

HERE = pathlib.Path(__file__).parent
# case, class, inputs, hidden, layers, bidirectional, batch, steps, whether initial states are given
CASES = [
    ("lstm", torch.nn.LSTM, 3, 4, 1, False, 2, 5, True),
    ("lstm_zero", torch.nn.LSTM, 3, 5, 1, False, 3, 4, False),
    ("lstm_deep", torch.nn.LSTM, 4, 3, 2, False, 2, 6, True),
    ("lstm_both", torch.nn.LSTM, 3, 4, 2, True, 2, 5, True),
    ("lstm_step", torch.nn.LSTM, 2, 3, 1, True, 3, 1, True),
    ("gru", torch.nn.GRU, 3, 4, 1, False, 2, 5, True),
    ("gru_zero", torch.nn.GRU, 3, 5, 1, False, 3, 4, False),
    ("gru_deep", torch.nn.GRU, 4, 3, 2, False, 2, 6, True),
    ("gru_both", torch.nn.GRU, 3, 4, 2, True, 2, 5, True),
    ("gru_step", torch.nn.GRU, 2, 3, 1, True, 3, 1, True),
]


def main():
    watch, tensors, cases = fixture.Stopwatch(60), {}, {}
    for case, kind, inputs, hidden, layers, both, batch, steps, has_state in CASES:
        def made(name, shape, bound=1.0):
            return torch.tensor(fixture.uniform(f"{case}/{name}", tuple(shape), -bound, bound), requires_grad=True)

        network = kind(inputs, hidden, layers, batch_first=True, bidirectional=both, dtype=torch.float64)
        weights = {name: made(name, value.shape, hidden**-0.5) for name, value in network.named_parameters()}
        network.load_state_dict({name: value.detach() for name, value in weights.items()})
        memories = ["hidden", "cell"] if kind is torch.nn.LSTM else ["hidden"]
        shape = (layers * (2 if both else 1), batch, hidden)
        x = made("input", (batch, steps, inputs))
        states = {name: made(name, shape) for name in memories} if has_state else {}
        first = tuple(states.values()) if len(states) == 2 else next(iter(states.values()), None)
        output, last = network(x, first)
        results = {"output": output} | dict(zip(memories, last if len(memories) == 2 else [last]))
        cotangents = {name: made(f"cotangent.{name}", value.shape).detach() for name, value in results.items()}
        total = sum((value * cotangents[name]).sum() for name, value in results.items())
        leaves = {"input": x} | states | dict(network.named_parameters())
        gradients = torch.autograd.grad(total, list(leaves.values()))
        stored = leaves | {f"last.{name}": value for name, value in results.items() if name != "output"} | {"output": output}
        stored |= {f"cotangent.{name}": value for name, value in cotangents.items()}
        stored |= {f"grad.{name}": gradient for name, gradient in zip(leaves, gradients)}
        tensors |= {f"{case}/{name}": value.detach().numpy().copy() for name, value in stored.items()}
        cases[case] = json.dumps({
            "operation": kind.__name__.lower(), "inputs": inputs, "hidden": hidden, "layers": layers, "bidirectional": both,
            "names": list(weights)}, separators=(",", ":"))
    path = HERE / "recurrent.safetensors"
    fixture.write_tensors(path, tensors, cases)
    watch.report(path)


if __name__ == "__main__":
    main()
