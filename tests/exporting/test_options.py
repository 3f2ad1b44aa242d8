from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from roadseg.exporting.options import ExportOptions

SHIPPED = yaml.safe_load((Path(__file__).parents[2] / "conf/base/parameters_export.yml").read_text("utf-8"))["export"]


def test_a_licence_is_none_or_an_id_of_model_hubs():
    assert ExportOptions(**SHIPPED).licence is None
    for licence in ("apache-2.0", "other", "cc-by-nc-4.0"):
        assert ExportOptions(**SHIPPED | {"licence": licence}).licence == licence
    for licence in ("", "My Licence", "Apache-2.0", "a\nb"):
        with pytest.raises(
            ValidationError, match=r"expected the id that model hubs have for a licence, such as apache"
        ):
            ExportOptions(**SHIPPED | {"licence": licence})
