from model_records import model_record
from roadseg.reporting.caption import describe_model, name_export


def test_a_model_is_described_with_versions_and_flat_parameters_but_those_that_no_training_uses():
    parameters = {
        "seed": 1,
        "train": {"epochs": 2, "augmentation": {"flip": True}},
        "limit": None,
        "evaluate": {"resolution": "native"},
        "export": {"opset": 17},
        "predict": {"samples": 0},
        "pictures": {"palette": "safe"},
        "card": {"licence": "mit"},
    }
    assert describe_model(model_record(parameters=parameters)) == (
        "segnet_model v3, prepared_scenes v1, split_table v2. "
        "Parameters: seed=1, train.epochs=2, train.augmentation.flip=True, limit=None."
    )


def test_only_an_exported_file_is_named():
    runtime = {"name": "onnxruntime", "version": "1.32.0", "exported_model": "v9", "precision": "int8"}
    assert name_export(runtime) == "onnxruntime 1.32.0 from the export v9 (int8)"
    assert name_export({"name": "keras", "version": "3.15.1"}) == name_export(None) == ""
