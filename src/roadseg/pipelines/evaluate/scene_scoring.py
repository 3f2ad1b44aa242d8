"""The scoring of scenes: a network predicts them, and only what is counted in each comes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from roadseg.datasets.provenance import Provenance
from roadseg.errors import RoadSegError
from roadseg.pipelines.evaluate.scored_network import make_predictor
from roadseg.predicting.prediction_files import write_predictions
from roadseg.reading.batches import Killed
from roadseg.reading.cluster import Share
from roadseg.scenes.prepared import PreparedScenes
from roadseg.scenes.seed import Seed
from roadseg.scoring.measures import EvaluateOptions, SceneMeasures, measure_scene
from roadseg.scoring.prediction import ReadTruth
from roadseg.scoring.resolution import predict_at
from roadseg.segnet.predictor import Predictor
from roadseg.segnet.trained import TrainedSegNet


@dataclass(frozen=True)
class SceneScoring:
    """What it takes to score scenes, in this process or in workers, each of which makes the network ready once.

    Attributes:
        model: A trained model.
        scenes: Prepared scenes, with labels.
        read_truth: Reads annotations.
        provenance: Says where exported networks are, and where predictions are written.
        options: How to score.
        seed: Of dropout samples.
        in_flight: How many scenes are read at the same time.
    """

    model: TrainedSegNet
    scenes: PreparedScenes
    read_truth: ReadTruth
    provenance: Provenance
    options: EvaluateOptions
    seed: Seed
    in_flight: int = 1

    @cached_property
    def _predictor(self) -> Predictor:
        return make_predictor(self.model, self.options, self.seed, self.provenance)

    def measure(self, ids: Sequence[str]) -> list[SceneMeasures]:
        """Returns what is counted in scenes, and writes their predictions if they are asked for."""
        num_classes = len(self.scenes.classes)
        predictions = predict_at(
            self._predictor, self.scenes, ids, self.options, self.read_truth, in_flight=self.in_flight
        )
        if self.options.prediction_files.written:
            folder = self.provenance.folders["predictions_folder"] / self.provenance.run
            predictions = write_predictions(predictions, folder, num_classes, self.options.prediction_files)
        return [measure_scene(each, num_classes, self.options) for each in predictions]

    def have_measured(self, ids: Sequence[str], share: Share) -> list[SceneMeasures]:
        """Returns what workers count, each in the scenes that go through the network together, as they would here.

        Raises:
            RoadSegError: If scenes ended each worker that scored them.
        """
        size = self.options.batch_size
        lists = [ids[start : start + size] for start in range(0, len(ids), size)]
        measures: list[SceneMeasures] = []
        for scenes, measured in zip(lists, share(self.measure, lists, 1), strict=True):
            if isinstance(measured, Killed):
                raise RoadSegError(
                    f"each of {measured.workers} workers that scored {', '.join(scenes)} ended, as for lack of memory; "
                    f"try a smaller evaluate.batch_size"
                )
            measures += measured
        return measures
