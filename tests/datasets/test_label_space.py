import pytest
from kedro.io import DatasetError

from data.table import DATA_SETS
from roadseg.datasets.label_space import SHIPPED, LabelSpaceDataset
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


SPACES = sorted({space for each in DATA_SETS.values() for space in each.classes})


@pytest.mark.parametrize("space", SPACES)
def test_raw_classes_become_their_classes_and_no_others_have_an_entry(space):
    label_space = LabelSpaceDataset(name=space).load()
    names = {index: each.name for index, each in enumerate(label_space.classes)} | {VOID: None}
    expected = {}
    for each in DATA_SETS.values():
        classes = each.classes.get(space, {})
        assert expected | classes == classes | expected  # a name means the same in each data set
        expected |= classes
    assert {raw: names[class_id] for raw, class_id in label_space.class_ids.items()} == expected


def test_every_shipped_label_space_is_of_a_data_set():
    assert {path.stem for path in SHIPPED.glob("*.yml")} == set(SPACES)


def test_every_raw_class_that_is_drawn_has_an_entry(seven_classes):
    assert set(RAW_CLASSES.values()) <= set(seven_classes.class_ids)


def test_camvid_has_a_label_space_of_its_eleven_classes():
    space = LabelSpaceDataset(name="camvid_classes").load()
    assert [(each.name, each.colour) for each in space.classes] == [*CAMVID_COLOURS.items()]


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
        (OWN.replace("[sky, car]", "[sky, road]"), r"each raw class may occur once .*\['road'\]"),
        (OWN.replace("rest", "ground"), r"each class may occur once .*\['ground'\]"),
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
        (OWN.replace("void:", "classes:"), "line 5: the key 'classes' occurs twice"),
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
