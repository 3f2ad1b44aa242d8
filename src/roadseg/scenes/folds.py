"""k-fold cross-validation over whole drives."""

import numpy as np
import pandas as pd

from roadseg.errors import InputError

FEWEST_FOLDS = 3
"""One tests, another validates, the others train."""


def split_in_folds(drives: pd.Series, folds: int, fold: int, seed: int) -> pd.Series:
    """Returns the split of each scene: one fold of drives tests, the next one validates, the others train.

    After the last fold comes the first, so over all folds each drive tests once and validates once.

    Args:
        drives: Drive of each scene.
        folds: Number of folds, at least `FEWEST_FOLDS`.
        fold: The one that tests, from 0 to `folds` - 1.
        seed: Decides which drives share a fold, 0 to 2^32 - 1.

    Raises:
        InputError: If there are fewer drives than folds.
    """
    names = np.array(sorted(drives.unique()))
    if len(names) < folds:
        enough = len(names) >= FEWEST_FOLDS
        advice = f"split.folds from {FEWEST_FOLDS} to {len(names)}" if enough else "split.method 'drives'"
        raise InputError(
            f"split.method 'k_fold' needs a drive with labelled scenes for each fold: expected at most {len(names)} "
            f"folds, as many as there are such drives, received {folds}; use {advice}"
        )
    from sklearn.model_selection import GroupKFold  # takes a second to import, and no other method needs it

    dealt = [
        names[rows].tolist()
        for _, rows in GroupKFold(folds, shuffle=True, random_state=seed).split(names, groups=names)
    ]
    tests, validates = dealt[fold], dealt[(fold + 1) % folds]
    return drives.map(
        dict.fromkeys(names.tolist(), "train") | dict.fromkeys(validates, "validation") | dict.fromkeys(tests, "test")
    )
