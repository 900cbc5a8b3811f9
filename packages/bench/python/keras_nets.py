"""The reference nets of the engine benchmark in Keras, as an ordinary user would write them."""

import keras
from keras import layers, ops


class Net(keras.Model):
    """Collects layers under the names of the weights; `x` in compute_loss is a batch by name."""

    def __init__(self, case):
        super().__init__()
        self.case = case
        self.parts = {}
        self.make(case)
        for name, layer in self.parts.items():
            setattr(self, f"part_{name.replace('/', '_')}", layer)

    def norm(self, name, layer):
        self.parts[f"{name}#norm"] = layer

    def __getitem__(self, name):
        return self.parts[name]

    def load(self, batch):
        """Gives the layers the weights of the benchmark."""
        self(batch)
        left = dict(self.case.params)
        for name, layer in self.parts.items():
            base = name.removesuffix("#norm")
            keys = ["embedding"] if isinstance(layer, layers.Embedding) else ["weight", "bias"]
            keys = ["norm_scale", "norm_shift"] if name.endswith("#norm") else keys
            layer.set_weights([left.pop(f"{base}/{key}") for key in keys])
        assert not left, list(left)


class Mlp(Net):
    def make(self, case):
        self.sizes = case.widths()[1:]
        for i, width in enumerate(self.sizes):
            plain = i + 1 in (len(self.sizes), len(self.sizes) // 2)
            self.parts[f"dense{i}"] = layers.Dense(width, activation=None if plain else "relu")

    def call(self, batch):
        h = batch["x"]
        for i in range(len(self.sizes)):
            h = self[f"dense{i}"](h)
        return h

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(ops.square(y_pred - x["x"]))


class Tabular(Net):
    def make(self, case):
        count, width = case.params["code/embedding"].shape
        self.columns = case.data["x"].shape[1]
        hidden = case.params["in/weight"].shape[1]
        self.blocks = sum(name.endswith("/up/weight") for name in case.params)
        self.parts["code"] = layers.Embedding(count, width)
        self.parts["in"] = layers.Dense(hidden)
        for i in range(self.blocks):
            self.norm(f"block{i}", layers.LayerNormalization(epsilon=1e-5))
            self.parts[f"block{i}/up"] = layers.Dense(hidden, activation="gelu")
            self.parts[f"block{i}/down"] = layers.Dense(hidden)
        self.norm("last", layers.LayerNormalization(epsilon=1e-5))
        self.parts["out"] = layers.Dense(self.columns + count)

    def call(self, batch):
        code = self["code"](batch["code"])
        h = self["in"](ops.concatenate([batch["x"] * batch["weight"], batch["weight"], code], 1))
        for i in range(self.blocks):
            h = h + self[f"block{i}/down"](self[f"block{i}/up"](self[f"block{i}#norm"](h)))
        return self["out"](self["last#norm"](h))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        weight = x["weight"]
        squares = ops.square(y_pred[:, : self.columns] - x["x"]) * weight
        cross = keras.losses.sparse_categorical_crossentropy(x["code"], y_pred[:, self.columns :], from_logits=True)
        return ops.sum(squares) / (ops.sum(weight) + 1e-6) + ops.mean(cross)


class Conv(layers.Layer):
    """3×3 with the same padding on all sides, with strides too."""

    def __init__(self, filters, stride=1, **options):
        super().__init__()
        self.pad = layers.ZeroPadding2D(1) if stride > 1 else None
        self.conv = layers.Conv2D(filters, 3, stride, "valid" if self.pad else "same", **options)

    def call(self, x):
        return self.conv(self.pad(x) if self.pad else x)


class ConvAutoencoder(Net):
    def make(self, case):
        latent = case.params["latent/bias"].shape[0]
        self.parts["down1"] = Conv(32, 2, activation="relu")
        self.parts["down2"] = Conv(64, 2, activation="relu")
        self.parts["latent"] = layers.Dense(latent)
        self.parts["back"] = layers.Dense(4096, activation="relu")
        self.parts["up1"] = Conv(32, activation="relu")
        self.parts["up2"] = Conv(3, activation="sigmoid")
        self.flat = layers.Reshape((4096,))
        self.image = layers.Reshape((8, 8, 64))
        self.up = [layers.UpSampling2D(), layers.UpSampling2D()]

    def call(self, batch):
        z = self["latent"](self.flat(self["down2"](self["down1"](batch["x"]))))
        h = self["up1"](self.up[0](self.image(self["back"](z))))
        return self["up2"](self.up[1](h))

    compute_loss = Mlp.compute_loss


class Unet(Net):
    def make(self, case):
        convs = {"in": (32,), "down1": (64, 2), "down2": (64, 2), "up1": (64,), "up2": (32,), "out": (3,)}
        for name, sizes in convs.items():
            self.parts[name] = Conv(*sizes)
        for name, width in {"res32": 32, "res16": 64, "res8": 64, "up16": 64, "up32": 32}.items():
            for i in (1, 2):
                self.norm(f"{name}/{i}", layers.GroupNormalization(8, epsilon=1e-5))
                self.parts[f"{name}/{i}"] = Conv(width)
        self.norm("out", layers.GroupNormalization(8, epsilon=1e-5))
        self.up = [layers.UpSampling2D(), layers.UpSampling2D()]

    def residual(self, name, x):
        h = x
        for i in (1, 2):
            h = self[f"{name}/{i}"](ops.silu(self[f"{name}/{i}#norm"](h)))
        return x + h

    def call(self, batch):
        x = batch["x"] + 0.2 * batch["noise"]
        whole = self.residual("res32", self["in"](x))
        half = self.residual("res16", self["down1"](whole))
        h = self.residual("res8", self["down2"](half))
        h = self.residual("up16", self["up1"](ops.concatenate([self.up[0](h), half], 3)))
        h = self.residual("up32", self["up2"](ops.concatenate([self.up[1](h), whole], 3)))
        return self["out"](ops.silu(self["out#norm"](h)))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(ops.square(y_pred - x["noise"]))


NETS = {"mlp-small": Mlp, "mlp-large": Mlp, "tabular": Tabular, "conv": ConvAutoencoder, "unet": Unet}


def build(case):
    model = NETS[case.net](case)
    model.load({name: values[:2] for name, values in case.data.items()})
    return model
