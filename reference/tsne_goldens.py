"""Golden values of t-SNE, PCA and the scores of a layout, from scikit-learn, on small real data sets.

    python reference/tsne_goldens.py [entities.json]

Writes goldens/tsne.json: for each data set the vectors, labels and start; where scikit-learn's exact t-SNE has the points
after ten iterations from there; its KL divergences in the end, and the trustworthiness at 12; silhouettes of the vectors;
their PCA. t-SNE enlarges rounding: from starts that differ by a millionth scikit-learn's own divergences differ by 6 to
13 % on these data (4 to 7 % on 500 entities), so that they are given for STARTS of them, the start itself first. On the
digits, with smaller steps from a wider start, paths stay together ("steady"); on the others no such settings were found.
The third data set are entity representations of the bundled model on a real corpus: {"vectors": [[...]], "labels": [...]}
as read from entities.json, kept as they are in the golden file when none is given.
"""

import json
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness
from sklearn.manifold._t_sne import _gradient_descent, _joint_probabilities, _kl_divergence
from sklearn.metrics import pairwise_distances, silhouette_score

GOLDEN = Path(__file__).parent / "goldens" / "tsne.json"
PERPLEXITY = 30
STARTS = 16
PATH_ITERATIONS = 10


def purity(vectors, labels, k):
    """Mean share of a point's k nearest neighbours (itself left out) that have its label."""
    square = ((vectors[:, None, :] - vectors[None, :, :]) ** 2).sum(-1)
    np.fill_diagonal(square, np.inf)
    nearest = np.argsort(square, axis=1, kind="stable")[:, :k]
    return float((labels[nearest] == labels[:, None]).mean())


def path(vectors, start):
    """Positions after the first iterations, as TSNE._fit makes them; the class itself returns none before 250."""
    n = len(vectors)
    P = _joint_probabilities(pairwise_distances(vectors, squared=True), PERPLEXITY, 0)
    flat, _, _ = _gradient_descent(
        _kl_divergence, start.ravel(), it=0, max_iter=PATH_ITERATIONS, n_iter_check=50, momentum=0.5,
        learning_rate=max(n / 12 / 4, 50), args=[P * 12, 1, n, 2],
    )
    return [float(f"{value:.9g}") for value in flat]


def golden(vectors, labels, decimals, steady):
    vectors = np.round(np.asarray(vectors, dtype=np.float64), decimals)
    labels = np.asarray(labels)
    components = PCA(n_components=2, svd_solver="full").fit_transform(vectors)
    start = (components / components[:, 0].std() * 1e-4).astype(np.float32)
    random = np.random.default_rng(0)

    def divergences(count, scale, rate):
        layouts, found = [], []
        for jitter in [0] + [1e-6] * (count - 1):
            from_here = (scale * start * (1 + jitter * random.standard_normal(start.shape))).astype(np.float32)
            model = TSNE(init=from_here, method="exact", perplexity=PERPLEXITY, max_iter=1000, learning_rate=rate)
            layouts.append(model.fit_transform(vectors))
            found.append(float(model.kl_divergence_))
        return layouts, found

    layouts, found = divergences(STARTS, 1, "auto")
    return {
        "vectors": vectors.tolist(),
        "labels": labels.tolist(),
        "start": [float(f"{value:.9g}") for value in start.ravel()],
        "pca": np.round(components, 9).ravel().tolist(),
        "path": {"iterations": PATH_ITERATIONS, "positions": path(vectors, start)},
        "klDivergences": found,
        "steady": steady and {**steady, "klDivergences": divergences(3, steady["startScale"], steady["learningRate"])[1]},
        "trustworthiness12": float(trustworthiness(vectors, layouts[0], n_neighbors=12)),
        "pcaTrustworthiness5": float(trustworthiness(vectors, components, n_neighbors=5)),
        "silhouette": {
            metric: float(silhouette_score(vectors, labels, metric=metric)) for metric in ("euclidean", "cosine")
        },
        "purity10": purity(vectors, labels, 10),
    }


def main():
    iris, digits = load_iris(), load_digits()
    if len(sys.argv) > 1:
        entities = json.loads(Path(sys.argv[1]).read_text())
    else:
        entities = json.loads(GOLDEN.read_text())["sets"]["entities"]
    sets = {
        "iris": golden(iris.data, iris.target, 1, None),
        "digits": golden(digits.data[:300], digits.target[:300], 0, {"startScale": 1e4, "learningRate": 20}),
        "entities": golden(entities["vectors"], entities["labels"], 4, None),
    }
    GOLDEN.write_text(json.dumps({"perplexity": PERPLEXITY, "sets": sets}) + "\n")
    for name, values in sets.items():
        print(name, {key: value for key, value in values.items() if key not in ("vectors", "labels", "start", "pca", "path")})


if __name__ == "__main__":
    main()
