from roadseg.reporting.caption import describe_record


def test_record_is_described_with_versions_and_flat_parameters_but_those_of_evaluations():
    record = {
        "run": "v3",
        "learnt_from": {"prepared_scenes": {"version": "v1"}, "split_table": {"version": "v2"}},
        "parameters": {
            "seed": 1,
            "train": {"epochs": 2, "augmentation": {"flip": True}},
            "limit": None,
            "evaluate": {"resolution": "native"},
        },
    }
    assert describe_record(record) == (
        "segnet_model v3, prepared_scenes v1, split_table v2. "
        "Parameters: seed=1, train.epochs=2, train.augmentation.flip=True, limit=None."
    )
