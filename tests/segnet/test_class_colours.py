from pathlib import Path

import pytest
import yaml

import roadseg
from roadseg.segnet.class_colours import colour_classes, pick_voc_colour

SPACES = sorted((Path(roadseg.__file__).parent / "label_spaces").glob("*.yml"))


@pytest.mark.parametrize("path", SPACES, ids=[path.stem for path in SPACES])
def test_classes_of_a_label_space_of_the_project_have_its_colours(path):
    classes = yaml.safe_load(path.read_text("utf-8"))["classes"]
    names = [each["name"] for each in classes]
    assert [(each.name, list(each.colour)) for each in colour_classes(names)] == [
        (each["name"], each["colour"]) for each in classes
    ]


def test_a_class_that_no_label_space_has_gets_the_voc_colour_of_its_place():
    vehicles, camel = colour_classes(["vehicles", "camel"])
    assert vehicles.colour == (0, 0, 230)
    assert camel.colour == (0, 128, 0)


def test_the_voc_colours_are_those_of_its_development_kit():
    # aeroplane, bicycle, bird, boat, bottle, bus, car, cat ... tvmonitor, as every VOC palette lists them
    known = {0: (128, 0, 0), 1: (0, 128, 0), 2: (128, 128, 0), 3: (0, 0, 128), 6: (128, 128, 128), 7: (64, 0, 0)}
    known |= {14: (192, 128, 128), 19: (0, 64, 128)}
    assert {class_id: pick_voc_colour(class_id) for class_id in known} == known


def test_255_classes_have_255_colours_and_none_is_void():
    colours = {pick_voc_colour(class_id) for class_id in range(255)}
    assert len(colours) == 255
    assert (0, 0, 0) not in colours
