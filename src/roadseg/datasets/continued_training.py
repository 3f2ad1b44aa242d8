"""The training that a run continues, given as data to the node that trains."""

from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from roadseg.training.continuation import EarlierTraining


class ContinuedTrainingDataset(AbstractDataset[NoReturn, EarlierTraining | None]):
    """Loads as the training that `train.continue_from` names, or None; the project's hooks tell it which.

    Examples:
        ```yaml
        continued_training:
          type: roadseg.datasets.continued_training.ContinuedTrainingDataset
        ```
    """

    def __init__(self, *, metadata: dict[str, Any] | None = None) -> None:
        """Knows of no run yet."""
        self.metadata = metadata
        self._is_told = False
        self._training: EarlierTraining | None = None

    def tell(self, training: EarlierTraining | None) -> None:
        """Tells which training this run continues."""
        self._training, self._is_told = training, True

    def load(self) -> EarlierTraining | None:
        """Returns the training.

        Raises:
            DatasetError: If nothing was told, as outside a run.
        """
        if not self._is_told:
            raise DatasetError("which training is continued is known only inside a run")
        return self._training

    def save(self, data: NoReturn) -> NoReturn:
        """Refuses: a model keeps its training."""
        raise DatasetError("continued_training is read only")

    def _describe(self) -> dict[str, Any]:
        return {"training": self._training.run if self._training else None}

    def _exists(self) -> bool:
        return True
