"""How the weights are changed: Muon for convolutions."""

import math

import keras
from keras import ops

from roadseg.segnet.backend import Tensor
from roadseg.segnet.registration import registered


@registered
class ConvolutionMuon(keras.optimizers.Muon):
    """`keras.optimizers.Muon` for the kernels of convolutions; Keras' own leaves these to Adam.

    A kernel (rows, columns, inputs, outputs) counts as the matrix (rows * columns * inputs, outputs): its momentum is
    made orthogonal by Newton-Schulz iterations, so that all directions of the kernel learn, not only the strongest.
    Biases, batch norms and the kernels of `exclude_layers` are left to Adam. Arguments are those of
    `keras.optimizers.Muon`, first of all `learning_rate`, a number or a schedule.

    Examples:
        >>> keras.Sequential([keras.layers.Conv2D(2, 3)]).compile(ConvolutionMuon(0.01, exclude_layers=["classifier"]))

    Reference:
        Jordan et al., https://kellerjordan.github.io/posts/muon; the scale of a step is that of section 2.2 of
        https://arxiv.org/abs/2502.16982.
    """

    def zeropower_via_newtonschulz5(self, x: Tensor, steps: int) -> Tensor:
        """Returns the matrix of a kernel with its singular values moved towards 1, in the kernel's shape.

        Keras multiplies the whole matrix in each iteration. Here the iterations are those of its small Gram matrix,
        with which their factors commute, and the matrix is multiplied once: half the work at three iterations.
        """
        matrix = _matrix(x)
        is_wide = matrix.shape[0] < matrix.shape[1]
        matrix = matrix / (ops.norm(matrix) + 1e-7)
        gram = ops.matmul(matrix, ops.transpose(matrix)) if is_wide else ops.matmul(ops.transpose(matrix), matrix)
        identity = ops.eye(gram.shape[0], dtype=gram.dtype)
        product = identity
        for _ in range(steps):
            factor = self.muon_a * identity + self.muon_b * gram + self.muon_c * ops.matmul(gram, gram)
            product = ops.matmul(product, factor)
            gram = ops.matmul(ops.matmul(factor, gram), factor)
        return ops.reshape(ops.matmul(product, matrix) if is_wide else ops.matmul(matrix, product), x.shape)

    def lr_adjust(self, x: Tensor) -> Tensor:
        """Returns a step scaled by the longer side of the kernel's matrix, so that its size is that of Adam's steps."""
        return ops.reshape(super().lr_adjust(_matrix(x)), x.shape)

    def _should_use_adamw(self, variable: keras.Variable) -> bool:
        return len(variable.shape) != 4 or any(name in variable.path for name in self.exclude_layers)


def _matrix(kernel: Tensor) -> Tensor:
    return ops.reshape(kernel, (math.prod(kernel.shape[:-1]), kernel.shape[-1]))
