from pathlib import Path

import numpy as np
import pytest
import yaml
from kedro.io import AbstractDataset
from PIL import Image

from roadseg.datasets.camvid_original import CamVidOriginalDataset, find_split
from roadseg.datasets.label_space import LabelSpaceDataset
from roadseg.reading.colour_list import read_colours
from roadseg.scenes.faults import FaultKind
from roadseg.scenes.preprocessing import PrepareOptions, plan_preparation


def load(folder):
    return CamVidOriginalDataset(filepath=str(folder)).load()


def load_space(name):
    return LabelSpaceDataset(name=name).load()


def test_the_split_of_all_701_frames_is_that_of_the_tutorial():
    frames = [("0001TP", f"{number:06}") for number in range(6690, 10_381, 30)]
    frames += [("0006R0", f"f{number:05}") for number in range(930, 3931, 30)]
    frames += [("0016E5", f"{number:05}") for number in (*range(390, 2401, 30), *range(4350, 7921, 30))]
    frames += [("0016E5", f"{number:05}") for number in (*range(7959, 8160, 2), *range(8190, 8641, 30))]
    frames += [("Seq05VD", f"f{number:05}") for number in range(0, 5101, 30)]
    splits = [find_split(*frame) for frame in frames]
    assert len(set(frames)) == 701
    assert [splits.count(split) for split in ("train", "validation", "test")] == [367, 101, 233]


def test_colours_are_those_of_the_list_that_comes_with_the_data(camvid_original_folder):
    scenes = load(camvid_original_folder)
    names = {name for scene in scenes.values() for name in scene.raw_names.values()}
    listed = read_colours(camvid_original_folder / "label_colors.txt")
    assert len(listed) == 32
    assert names == set(listed.values())
    assert (
        set(load_space("camvid_original_eleven").class_ids)
        == set(load_space("camvid_original_seven").class_ids)
        == names
    )


@pytest.mark.parametrize(
    ("space", "like"), [("camvid_original_seven", "seven_classes"), ("camvid_original_eleven", "camvid_classes")]
)
def test_classes_are_those_of_the_other_data_sets_so_that_models_serve_both(space, like):
    classes, others = ([(each.name, each.colour) for each in load_space(name).classes] for name in (space, like))
    assert classes == others


ALIKE = {
    "seven_classes": {
        **{"Animal": "animal", "Bicyclist": "bicyclist", "Bridge": "bridge", "Building": "building", "Car": "car"},
        **{"Child": "person", "Column_Pole": "pole", "Fence": "fence", "Misc_Text": "billboard"},
        **{"MotorcycleScooter": "motorcycle", "OtherMoving": "vehicle fallback", "Pedestrian": "pedestrian"},
        **{"Road": "road", "Sidewalk": "sidewalk", "SignSymbol": "sign or symbol", "Sky": "sky"},
        **{"SUVPickupTruck": "car", "TrafficLight": "traffic light", "Train": "train", "Tree": "tree"},
        **{
            "Truck_Bus": "bus",
            "Tunnel": "tunnel",
            "VegetationMisc": "vegetation",
            "Void": "unlabelled",
            "Wall": "wall",
        },
    },
    "camvid_classes": {
        **{"Bicyclist": "bicyclist", "Building": "building", "Car": "car", "Column_Pole": "pole", "Fence": "fence"},
        **{"Pedestrian": "pedestrian", "Road": "road", "Sidewalk": "pavement", "SignSymbol": "sign or symbol"},
        **{"Sky": "sky", "Tree": "tree", "Void": "unlabelled"},
    },
}


@pytest.mark.parametrize(
    ("space", "like"), [("camvid_original_seven", "seven_classes"), ("camvid_original_eleven", "camvid_classes")]
)
def test_the_same_thing_becomes_the_same_class_as_in_other_data_sets(space, like):
    ids, others = load_space(space).class_ids, load_space(like).class_ids
    assert {name: ids[name] for name in ALIKE[like]} == {name: others[other] for name, other in ALIKE[like].items()}


@pytest.mark.parametrize("environment", ["camvid_original", "camvid_original_11"])
def test_a_stray_colour_is_noted_in_the_environments(camvid_original_folder, environment):
    conf = Path(__file__).parents[2] / "conf" / environment
    entries = yaml.safe_load((conf / "catalog.yml").read_text())
    given = yaml.safe_load((conf / "parameters.yml").read_text())["prepare"]
    path = camvid_original_folder / "LabeledApproved_full/0016E5_07959_L.png"
    pixels = np.array(Image.open(path))
    pixels[:, :6] = (1, 2, 3)
    Image.fromarray(pixels).save(path)
    raw_scenes = AbstractDataset.from_config(
        "raw_scenes", entries["raw_scenes"] | {"filepath": str(camvid_original_folder)}
    ).load()
    space = AbstractDataset.from_config("label_space", entries["label_space"]).load()
    options = PrepareOptions(unusable_share=0.0, workers=1, **given)
    prepared = plan_preparation(raw_scenes, list(raw_scenes), space, options).prepare("0016E5/07959")
    (fault,) = prepared.faults
    assert (fault.kind, fault.detail) == (FaultKind.UNKNOWN_LABEL, "colour (1, 2, 3) (144 pixels)")
    assert (prepared.label_map[:, : prepared.label_map.shape[1] // 8] == 255).all()
