import keras
import numpy as np
import pytest

from roadseg.training.optimizer import ConvolutionMuon

RATE = 0.01


def newton_schulz(matrix, steps):
    """The quintic iteration of https://kellerjordan.github.io/posts/muon, in float64."""
    x = matrix / (np.linalg.norm(matrix) + 1e-7)
    x = x.T if matrix.shape[0] > matrix.shape[1] else x
    for _ in range(steps):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


def moved(optimizer, start, gradients, name="conv/kernel"):
    """Returns where an optimizer takes one variable that meets these gradients one after another."""
    variable = keras.Variable(start, name=name.replace("/", "_"))
    optimizer.build([variable])
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    return keras.ops.convert_to_numpy(variable)


def normal(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def muon(**options):
    return ConvolutionMuon(RATE, ns_steps=3, weight_decay=None, adam_weight_decay=None, **options)


@pytest.mark.parametrize("shape", [(3, 3, 2, 5), (3, 3, 1, 16), (1, 1, 4, 4)])
def test_kernel_moves_along_the_orthogonalised_momentum(shape):
    start, first, second = normal(shape), normal(shape, 1), normal(shape, 2)
    rows, columns = shape[0] * shape[1] * shape[2], shape[3]
    expected, momentum = start.astype("float64"), np.zeros(shape)
    for gradient in (first, second):
        momentum = 0.95 * momentum + gradient
        looked_ahead = (gradient + 0.95 * momentum).reshape(rows, columns)
        step = newton_schulz(looked_ahead, 3) * 0.2 * np.sqrt(max(rows, columns))
        expected -= RATE * step.reshape(shape)
    np.testing.assert_allclose(moved(muon(), start, [first, second]), expected, rtol=1e-4, atol=1e-6)


def test_all_directions_of_a_kernel_learn_though_one_gradient_is_loud():
    loud = normal((3, 3, 4, 1)) * normal((1, 1, 1, 8), 1)  # of rank one
    gradient = 100 * loud + normal((3, 3, 4, 8), 2)
    step = moved(muon(), np.zeros((3, 3, 4, 8), "float32"), [gradient]).reshape(36, 8)
    sizes = np.linalg.svd(step, compute_uv=False)
    before = np.linalg.svd(gradient.reshape(36, 8), compute_uv=False)
    assert before[0] / before[1] > 50 > 10 > sizes[0] / sizes[1]


@pytest.mark.parametrize("shape", [(7,), (5, 6)])
def test_all_but_kernels_move_as_with_adam(shape):
    start, gradients = normal(shape), [normal(shape, seed) for seed in (1, 2, 3)]
    expected = moved(keras.optimizers.Adam(RATE), start, gradients)
    np.testing.assert_allclose(moved(muon(), start, gradients), expected, rtol=1e-5)


def test_excluded_layer_moves_as_with_adam():
    start, gradients = normal((3, 3, 2, 7)), [normal((3, 3, 2, 7), 1)]
    expected = moved(keras.optimizers.Adam(RATE), start, gradients)
    excluding = muon(exclude_layers=["classifier"])
    np.testing.assert_allclose(moved(excluding, start, gradients, "classifier/kernel"), expected, rtol=1e-5)


def test_model_is_saved_and_loaded_with_its_optimizer(tmp_path):
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 3)])
    model.compile(muon(exclude_layers=["classifier"]), "mse")
    model.fit(normal((2, 4, 4, 1)), normal((2, 2, 2, 2)), verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.optimizer, ConvolutionMuon)
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    np.testing.assert_array_equal(loaded.optimizer.variables[2], model.optimizer.variables[2])
