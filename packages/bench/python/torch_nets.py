"""The reference nets of the engine benchmark in PyTorch, as an ordinary user would write them."""

import torch
from torch import nn
from torch.nn import functional as F


class Mlp(nn.Module):
    def __init__(self, case):
        super().__init__()
        widths = case.widths()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))
        self.latent = (len(widths) - 1) // 2

    def forward(self, batch):
        h = batch["x"]
        for i, layer in enumerate(self.layers):
            h = layer(h)
            if i + 1 < len(self.layers) and i + 1 != self.latent:
                h = F.relu(h)
        return h

    def loss(self, batch):
        return F.mse_loss(self(batch), batch["x"])

    def names(self):
        return {f"dense{i}": layer for i, layer in enumerate(self.layers)}


class Tabular(nn.Module):
    def __init__(self, case):
        super().__init__()
        count, width = case.params["code/embedding"].shape
        self.columns = case.data["x"].shape[1]
        inputs, hidden = case.params["in/weight"].shape
        self.code = nn.Embedding(count, width)
        self.start = nn.Linear(inputs, hidden)
        blocks = sum(name.endswith("/up/weight") for name in case.params)
        self.norms = nn.ModuleList(nn.LayerNorm(hidden) for _ in range(blocks))
        self.ups = nn.ModuleList(nn.Linear(hidden, hidden) for _ in range(blocks))
        self.downs = nn.ModuleList(nn.Linear(hidden, hidden) for _ in range(blocks))
        self.last = nn.LayerNorm(hidden)
        self.out = nn.Linear(hidden, self.columns + count)

    def forward(self, batch):
        h = self.start(torch.cat([batch["x"] * batch["weight"], batch["weight"], self.code(batch["code"])], 1))
        for norm, up, down in zip(self.norms, self.ups, self.downs):
            h = h + down(F.gelu(up(norm(h))))
        return self.out(self.last(h))

    def loss(self, batch):
        out = self(batch)
        weight = batch["weight"]
        squares = (out[:, : self.columns] - batch["x"]).square() * weight
        return squares.sum() / (weight.sum() + 1e-6) + F.cross_entropy(out[:, self.columns :], batch["code"].long())

    def names(self):
        found = {"code": self.code, "in": self.start, "last": self.last, "out": self.out}
        for i, (norm, up, down) in enumerate(zip(self.norms, self.ups, self.downs)):
            found |= {f"block{i}": norm, f"block{i}/up": up, f"block{i}/down": down}
        return found


def conv(inputs, outputs, stride=1):
    return nn.Conv2d(inputs, outputs, 3, stride, 1)


class ConvAutoencoder(nn.Module):
    def __init__(self, case):
        super().__init__()
        self.latent = case.params["latent/bias"].shape[0]
        self.parts = nn.ModuleDict(
            {
                "down1": conv(3, 32, 2),
                "down2": conv(32, 64, 2),
                "latent": nn.Linear(4096, self.latent),
                "back": nn.Linear(self.latent, 4096),
                "up1": conv(64, 32),
                "up2": conv(32, 3),
            }
        )
        self.up = nn.Upsample(scale_factor=2)

    def forward(self, batch):
        p = self.parts
        h = F.relu(p["down2"](F.relu(p["down1"](batch["x"]))))
        # The weights are those of a net whose images are flattened row by row, channels last.
        z = p["latent"](h.permute(0, 2, 3, 1).flatten(1))
        h = F.relu(p["back"](z)).view(-1, 8, 8, 64).permute(0, 3, 1, 2)
        h = F.relu(p["up1"](self.up(h)))
        return torch.sigmoid(p["up2"](self.up(h)))

    def loss(self, batch):
        return F.mse_loss(self(batch), batch["x"])

    def names(self):
        return dict(self.parts)


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norms = nn.ModuleList(nn.GroupNorm(8, width) for _ in range(2))
        self.convs = nn.ModuleList(conv(width, width) for _ in range(2))

    def forward(self, x):
        h = x
        for norm, layer in zip(self.norms, self.convs):
            h = layer(F.silu(norm(h)))
        return x + h


class Unet(nn.Module):
    def __init__(self, case):
        super().__init__()
        convs = {"in": (3, 32), "down1": (32, 64, 2), "down2": (64, 64, 2), "up1": (128, 64), "up2": (96, 32), "out": (32, 3)}
        self.convs = nn.ModuleDict({name: conv(*sizes) for name, sizes in convs.items()})
        widths = {"res32": 32, "res16": 64, "res8": 64, "up16": 64, "up32": 32}
        self.residuals = nn.ModuleDict({name: Residual(width) for name, width in widths.items()})
        self.norm = nn.GroupNorm(8, 32)
        self.up = nn.Upsample(scale_factor=2)

    def forward(self, batch):
        c, r = self.convs, self.residuals
        whole = r["res32"](c["in"](batch["x"]))
        half = r["res16"](c["down1"](whole))
        h = r["res8"](c["down2"](half))
        h = r["up16"](c["up1"](torch.cat([self.up(h), half], 1)))
        h = r["up32"](c["up2"](torch.cat([self.up(h), whole], 1)))
        return c["out"](F.silu(self.norm(h)))

    def loss(self, batch):
        noise = batch["noise"]
        return F.mse_loss(self({"x": batch["x"] + 0.2 * noise}), noise)

    def names(self):
        found = dict(self.convs)
        for name, block in self.residuals.items():
            for i in (0, 1):
                found[f"{name}/{i + 1}"] = [block.norms[i], block.convs[i]]
        found["out"] = [self.norm, self.convs["out"]]
        return found


NETS = {"mlp-small": Mlp, "mlp-large": Mlp, "tabular": Tabular, "conv": ConvAutoencoder, "unet": Unet}


def build(case):
    """The net with the weights the benchmark gives."""
    model = NETS[case.net](case)
    left = dict(case.params)
    with torch.no_grad():
        for name, layers in model.names().items():
            for layer in layers if isinstance(layers, list) else [layers]:
                if isinstance(layer, nn.Embedding):
                    weights = {"embedding": layer.weight}
                elif isinstance(layer, (nn.LayerNorm, nn.GroupNorm)):
                    weights = {"norm_scale": layer.weight, "norm_shift": layer.bias}
                else:
                    weights = {"weight": layer.weight, "bias": layer.bias}
                for part, target in weights.items():
                    value = torch.from_numpy(left.pop(f"{name}/{part}"))
                    if part == "weight":
                        value = value.permute(3, 2, 0, 1) if value.ndim == 4 else value.T
                    assert target.shape == value.shape, (name, part)
                    target.copy_(value)
    assert not left, list(left)
    return model
