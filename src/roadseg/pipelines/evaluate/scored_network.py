"""Which network an evaluation scores: that of the model in Keras, or the file that was exported from it."""

from roadseg.datasets.provenance import Provenance
from roadseg.errors import advising
from roadseg.exporting.onnx_network import import_onnxruntime
from roadseg.exporting.saved_export import SavedExport, find_export, open_export
from roadseg.pipelines.advice import export_at_own_size, leave_out_samples
from roadseg.scenes.seed import Seed
from roadseg.scoring.measures import EvaluateOptions
from roadseg.segnet import keras
from roadseg.segnet.dropout_samples import NoDropoutError
from roadseg.segnet.model_record import ModelRecord
from roadseg.segnet.predictor import Predictor
from roadseg.segnet.trained import TrainedSegNet


def make_predictor(model: TrainedSegNet, options: EvaluateOptions, seed: Seed, provenance: Provenance) -> Predictor:
    """Returns what predicts the scenes.

    Raises:
        InputError: If the runtime is `onnx` and nothing was exported from the model, or if dropout samples are asked
            for of a model without dropout.
    """
    network = None
    if options.runtime == "onnx":
        network = open_export(_find_export(model.record, provenance))
    with advising(leave_out_samples("evaluate"), NoDropoutError):
        return Predictor(model, batch_size=options.batch_size, samples=options.samples, seed=seed.root, network=network)


def describe_runtime(record: ModelRecord, options: EvaluateOptions, provenance: Provenance) -> dict[str, str]:
    """Returns `name` and `version` of what runs the network, of an exported one also `exported_model` and `precision`.

    Raises:
        InputError: If the runtime is `onnx` and nothing was exported from the model.
    """
    if options.runtime == "keras":
        return {"name": "keras", "version": keras.__version__}
    export = _find_export(record, provenance)
    return {
        "name": "onnxruntime",
        "version": import_onnxruntime().__version__,
        "exported_model": export.version,
        "precision": export.precision,
    }


def _find_export(record: ModelRecord, provenance: Provenance) -> SavedExport:
    # One that is made while this run scores would be used by the last nodes alone.
    with advising(export_at_own_size(record)):
        return find_export(provenance.folders["exported_models_folder"], record, before=provenance.run)
