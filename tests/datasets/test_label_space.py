import pytest
from kedro.io import DatasetError

from roadseg.datasets import camvid, cityscapes, idd, idd_lite
from roadseg.datasets.label_space import LabelSpaceDataset
from roadseg.drawing.scene import RAW_CLASSES
from roadseg.scenes.labels import VOID

# Names and order: IDD level 1; colours: IDD-Lite viewer.
SEVEN_CLASSES = [
    ("drivable", (128, 64, 18)),
    ("non-drivable", (244, 35, 232)),
    ("living things", (220, 20, 60)),
    ("vehicles", (0, 0, 230)),
    ("road-side objects", (220, 190, 40)),
    ("far objects", (70, 70, 70)),
    ("sky", (70, 130, 180)),
]
# IDD level 1, as published.
IDD = {
    "road": 0,
    "parking": 0,
    "drivable fallback": 0,
    "sidewalk": 1,
    "rail track": 1,
    "non-drivable fallback": 1,
    "person": 2,
    "animal": 2,
    "rider": 2,
    "motorcycle": 3,
    "bicycle": 3,
    "autorickshaw": 3,
    "car": 3,
    "truck": 3,
    "bus": 3,
    "caravan": 3,
    "trailer": 3,
    "train": 3,
    "vehicle fallback": 3,
    "curb": 4,
    "wall": 4,
    "fence": 4,
    "guard rail": 4,
    "billboard": 4,
    "traffic sign": 4,
    "traffic light": 4,
    "pole": 4,
    "polegroup": 4,
    "obs-str-bar-fallback": 4,
    "building": 5,
    "bridge": 5,
    "tunnel": 5,
    "vegetation": 5,
    "sky": 6,
    "fallback background": 6,
    "unlabeled": VOID,
    "ego vehicle": VOID,
    "rectification border": VOID,
    "out of roi": VOID,
    "license plate": VOID,
}
CAMVID = {
    "sky": 6,
    "building": 5,
    "pole": 4,
    "road": 0,
    "pavement": 1,
    "tree": 5,
    "sign or symbol": 4,
    "fence": 4,
    "car": 3,
    "pedestrian": 2,
    "bicyclist": 2,
    "unlabelled": VOID,
}
IDD_LITE = {name: class_id for class_id, (name, _) in enumerate(SEVEN_CLASSES)} | {"unlabeled": VOID}
# The labels that IDD has too become what they are there; a vegetated strip beside the road is not for driving.
CITYSCAPES = {"static": VOID, "dynamic": VOID, "other ground": VOID, "terrain": 1}
ALL = IDD | CAMVID | IDD_LITE | CITYSCAPES
CAMVID_COLOURS = {
    "sky": (128, 128, 128),
    "building": (128, 0, 0),
    "pole": (192, 192, 128),
    "road": (128, 64, 128),
    "pavement": (60, 40, 222),
    "tree": (128, 128, 0),
    "sign or symbol": (192, 128, 128),
    "fence": (64, 64, 128),
    "car": (64, 0, 128),
    "pedestrian": (64, 64, 0),
    "bicyclist": (0, 128, 192),
}
OWN = """
classes:
  - {name: ground, colour: [1, 2, 3], raw: [road]}
  - {name: rest, colour: [4, 5, 6], raw: [sky, car]}
void: [unlabelled]
"""


@pytest.fixture
def seven_classes():
    return LabelSpaceDataset(name="seven_classes").load()


def write(tmp_path, text):
    path = tmp_path / "own.yml"
    path.write_text(text)
    return path


def load_own(tmp_path, text):
    return LabelSpaceDataset(filepath=str(write(tmp_path, text))).load()


def test_seven_classes_have_their_names_and_colours_in_order(seven_classes):
    assert [(each.name, each.colour) for each in seven_classes.classes] == SEVEN_CLASSES


def test_raw_classes_become_their_classes_and_no_others_have_an_entry(seven_classes):
    assert seven_classes.class_ids == ALL


@pytest.mark.parametrize(
    "raw_names",
    [camvid.CLASS_NAMES, idd.LABELS, idd_lite.CLASS_NAMES, cityscapes.CLASS_NAMES, RAW_CLASSES.values()],
    ids=["camvid", "idd", "idd_lite", "cityscapes", "drawn"],
)
def test_every_raw_class_of_a_shipped_reader_has_an_entry(seven_classes, raw_names):
    assert set(raw_names) <= set(seven_classes.class_ids)


def test_camvid_has_a_label_space_of_its_eleven_classes():
    space = LabelSpaceDataset(name="camvid_classes").load()
    assert {each.name: each.colour for each in space.classes} == CAMVID_COLOURS
    assert space.class_ids == {name: index for index, name in enumerate(CAMVID_COLOURS)} | {"unlabelled": VOID}


def test_own_file_is_read(tmp_path):
    space = load_own(tmp_path, OWN)
    assert [(each.name, each.colour, each.raw) for each in space.classes] == [
        ("ground", (1, 2, 3), ("road",)),
        ("rest", (4, 5, 6), ("sky", "car")),
    ]
    assert space.void == ("unlabelled",)


def test_missing_file_is_named_with_the_shipped_ones(tmp_path):
    with pytest.raises(DatasetError, match=rf"no label space file '{tmp_path}/own.yml'; shipped ones: .*seven_classes"):
        LabelSpaceDataset(filepath=str(tmp_path / "own.yml")).load()


def test_unknown_name_is_named_with_the_shipped_ones():
    with pytest.raises(DatasetError, match=r"no label space file '.*eight_classes.yml'; shipped ones: .*seven_classes"):
        LabelSpaceDataset(name="eight_classes").load()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "classes: Field required; void: Field required$"),
        (OWN.replace("void: [unlabelled]", ""), "void: Field required$"),
        (OWN.replace("[1, 2, 3]", "[1, 2, 300]"), r"classes\.0\.colour\.2: Input should be .* 255, received 300$"),
        (OWN.replace("[sky, car]", "[sky, road]"), r"each raw class stands once .*\['road'\]"),
        (OWN.replace("rest", "ground"), r"each class stands once .*\['ground'\]"),
        (OWN + "vod: []", "vod"),
        (OWN.replace("raw: [road]", "raws: [road]"), "raws"),
    ],
)
def test_broken_file_is_named_with_its_fault(tmp_path, text, words):
    with pytest.raises(DatasetError, match=rf"^label space file '{tmp_path}/own.yml' is not valid: .*{words}"):
        load_own(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("classes: [", "line 1: .*, while parsing a flow node"),
        ("- a\n- b", "line 1: expected keys with values, such as 'seed: 1', found a list"),
        (OWN.replace("void:", "classes:"), "line 5: the key 'classes' stands twice"),
    ],
)
def test_file_that_is_no_yaml_is_named_with_the_line(tmp_path, text, words):
    with pytest.raises(DatasetError, match=rf"^label space file '{tmp_path}/own.yml', {words}"):
        load_own(tmp_path, text)


@pytest.mark.parametrize("arguments", [{}, {"name": "seven_classes", "filepath": "own.yml"}])
def test_either_name_or_filepath_is_needed(arguments):
    with pytest.raises(DatasetError, match="either the 'name' of a shipped one or the 'filepath' of your own"):
        LabelSpaceDataset(**arguments)


def test_label_space_exists_when_its_file_does(tmp_path):
    assert LabelSpaceDataset(name="seven_classes").exists()
    assert not LabelSpaceDataset(name="eight_classes").exists()
    assert LabelSpaceDataset(filepath=str(write(tmp_path, OWN))).exists()


def test_label_space_is_not_saved():
    with pytest.raises(DatasetError, match="read only"):
        LabelSpaceDataset(name="seven_classes").save(object())
