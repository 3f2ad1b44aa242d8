"""What an export needs of this machine and its packages, checked before any work."""

from itertools import chain

from roadseg.exporting.onnx_model import check_versions
from roadseg.exporting.options import ExportOptions
from roadseg.exporting.quantization import import_quantization
from roadseg.exporting.runtime_process import check_runtime
from roadseg.exporting.tensorflow_graph import check_backend


def check_requirements(options: ExportOptions) -> None:
    """Refuses what can't be written or proved here.

    Raises:
        RoadSegError: If the package of a format or of a runtime is missing, or Keras runs on a backend that can't write
            a format.
        InputError: If a version is none that onnx can write.
    """
    if "onnx" in options.formats:
        check_versions(options.onnx)
        if options.precision == "int8":
            import_quantization()
    if {"litert", "saved_model"} & set(options.formats):
        check_backend()
    for runtime in chain(*options.runtimes.values()):
        check_runtime(runtime)
