"""Pictures of a Parquet file with Gaussian noise, cleaned by scikit-image's and BM3D's methods at their best settings.

Each setting is tried on the first 24 pictures by pooled PSNR, and the best is run on all: the peers see the truth.
Noise is neither clipped nor rounded; answers are clipped to 0 … 1.
Prints one JSON object: {"noisy": …, "scores": {peer: {"psnr": …, "meanPsnr": …, "ssim": …, "seconds": …, "setting": …}}, "versions": {…}}.
"""

import argparse
import io
import json
import time
import warnings
from importlib.metadata import version

import bm3d
import numpy as np
import pandas as pd
from skimage.io import imread
from skimage.metrics import structural_similarity
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle, denoise_wavelet

TRIAL = 24

parser = argparse.ArgumentParser()
parser.add_argument("pictures", help="Parquet with a column image {bytes, path}")
parser.add_argument("--sigma", type=float, required=True)
parser.add_argument("--count", type=int, required=True)
parser.add_argument("--peers", default="nlm,tv,wavelet,bm3d")
args = parser.parse_args()
warnings.filterwarnings("ignore")
sigma = args.sigma

truth = [
    imread(io.BytesIO(one["bytes"])).astype(np.float64) / 255
    for one in pd.read_parquet(args.pictures, columns=["image"])["image"][: args.count]
]
truth = [one[..., None] if one.ndim == 2 else one[..., :3] for one in truth]
noise = np.random.RandomState(7)
noisy = [one + sigma * noise.standard_normal(one.shape) for one in truth]


def grey(x):
    """scikit-image takes grey pictures without an axis of channels."""
    return x[..., 0] if x.shape[-1] == 1 else x


def axis(x):
    return None if x.shape[-1] == 1 else -1


def nlm(x, h):
    return denoise_nl_means(
        grey(x), patch_size=5, patch_distance=6, h=h * sigma, sigma=sigma, fast_mode=True, channel_axis=axis(x)
    )


def tv(x, weight):
    return denoise_tv_chambolle(grey(x), weight=weight * sigma, channel_axis=axis(x))


def wavelet(x, factor):
    return denoise_wavelet(grey(x), sigma=factor * sigma, channel_axis=axis(x), convert2ycbcr=False)


def block_matching(x, factor):
    return bm3d.bm3d(grey(x), sigma_psd=factor * sigma) if axis(x) is None else bm3d.bm3d_rgb(x, sigma_psd=factor * sigma)


PEERS = {
    "nlm": (nlm, [0.4, 0.6, 0.8, 1.0, 1.2]),
    "tv": (tv, [0.5, 0.7, 0.9, 1.1, 1.4]),
    "wavelet": (wavelet, [0.4, 0.6, 0.8, 1.0]),
    "bm3d": (block_matching, [0.8, 1.0, 1.2]),
}


def psnr(errors):
    return float(-10 * np.log10(np.mean(errors)))


def similarity(a, b):
    # Gaussian weights and population moments, as in Wang et al. 2004.
    return structural_similarity(
        a, b, data_range=1, channel_axis=-1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )


def score(answers):
    errors = [np.mean((a - b) ** 2) for a, b in zip(answers, truth)]
    return {
        "psnr": psnr(errors),
        "meanPsnr": float(np.mean([psnr(one) for one in errors])),
        "ssim": float(np.mean([similarity(a, b) for a, b in zip(answers, truth)])),
    }


def run(peer, setting, count):
    return [np.clip(PEERS[peer][0](x, setting), 0, 1).reshape(x.shape) for x in noisy[:count]]


scores = {}
for peer in filter(None, args.peers.split(",")):
    trials = [(psnr([np.mean((a - b) ** 2) for a, b in zip(run(peer, s, TRIAL), truth)]), s) for s in PEERS[peer][1]]
    best = max(trials)[1]
    start = time.perf_counter()
    answers = run(peer, best, len(noisy))
    scores[peer] = {**score(answers), "seconds": time.perf_counter() - start, "setting": best}
print(
    json.dumps(
        {
            "noisy": psnr([np.mean((a - b) ** 2) for a, b in zip(noisy, truth)]),
            "scores": scores,
            "versions": {name: version(name) for name in ["scikit-image", "bm3d", "numpy"]},
        }
    )
)
