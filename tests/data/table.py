"""All data sets that are drawn for tests: each file beside this one with a `DATA_SET` is a row.

In the folder `tests`, `python -m data.table camvid FOLDER` draws one.
"""

import sys
from importlib import import_module
from pathlib import Path

from data.data_set import DataSet

OTHERS = ("data_set", "table")
"""Files here that are no data set."""

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in OTHERS)

DATA_SETS: dict[str, DataSet] = {name: import_module(f"data.{name}").DATA_SET for name in NAMES}
"""Name -> data set."""

ENVIRONMENTS: dict[str, DataSet] = {name: each for each in DATA_SETS.values() for name in each.environments}
"""Environment in `conf` -> its data set."""

if __name__ == "__main__":
    DATA_SETS[sys.argv[1]].draw(Path(sys.argv[2]))
