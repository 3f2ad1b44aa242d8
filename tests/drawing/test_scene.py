import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import confusion_matrix

from roadseg.drawing.canvas import Air, Camera, Canvas
from roadseg.drawing.scene import RAW_CLASSES, DrawingOptions, draw_scene
from roadseg.drawing.shapes import RAW_IDS, front, rectangle, shape_of
from roadseg.drawing.street import street_of
from roadseg.drawing.things import swing

SEVEN = (
    ("road", "parking"),
    ("sidewalk", "non-drivable fallback"),
    ("person", "rider", "animal"),
    ("motorcycle", "bicycle", "autorickshaw", "car", "truck", "bus"),
    ("wall", "fence", "billboard", "traffic sign", "traffic light", "pole"),
    ("building", "vegetation"),
    ("sky",),
)
VOID_NAMES = {"ego vehicle"}


def options(seed: int = 3, size: tuple[int, int] = (120, 240)) -> DrawingOptions:
    return DrawingOptions(size=size, drives=16, frames_per_drive=40, seed=seed)


def seven_classes(label_map: NDArray[np.integer]) -> NDArray[np.uint8]:
    table = np.full(len(RAW_CLASSES), 255, np.uint8)
    for class_id, names in enumerate(SEVEN):
        table[[RAW_IDS[name] for name in names]] = class_id
    return table[label_map]


def plain_canvas() -> Canvas:
    camera = Camera(size=(100, 200), focal=100.0, horizon=50.0, altitude=1.0, lateral=0.0, curvature=0.0)
    return Canvas(camera, Air(np.ones(5, np.float32), np.zeros(3, np.float32), haze_distance=1e9))


def panel(name: str, colour: tuple[int, int, int]):
    return shape_of([front(rectangle(-1, 0, 1, 1), 0, colour, name)])


def test_same_options_give_the_same_bytes_whatever_was_drawn_before():
    first = draw_scene(options(), 2, 5)
    street_of.cache_clear()
    draw_scene(options(), 2, 9)
    again = draw_scene(options(), 2, 5)
    assert first.image.tobytes() == again.image.tobytes()
    assert first.label_map.tobytes() == again.label_map.tobytes()


def test_more_drives_and_frames_leave_the_others_as_they_were():
    more = options().model_copy(update={"drives": 30, "frames_per_drive": 90})
    np.testing.assert_array_equal(draw_scene(options(), 1, 7).image, draw_scene(more, 1, 7).image)


@pytest.mark.parametrize(("seed", "drive", "frame"), [(4, 2, 5), (3, 1, 5), (3, 2, 6)])
def test_seed_drive_and_frame_each_change_the_scene(seed, drive, frame):
    scene, other = draw_scene(options(), 2, 5), draw_scene(options(seed), drive, frame)
    assert (scene.image != other.image).any()
    assert (scene.label_map != other.label_map).any()


@pytest.mark.parametrize("size", [(97, 131), (32, 64), (240, 480)])
def test_scene_has_the_asked_size(size):
    scene = draw_scene(options(size=size), 0, 3)
    assert (scene.image.shape, scene.image.dtype) == ((*size, 3), np.uint8)
    assert (scene.label_map.shape, scene.label_map.dtype) == (size, np.uint8)


def test_raw_class_names_are_all_sorted_into_the_seven_classes_or_void():
    assert sorted(RAW_CLASSES) == list(range(len(RAW_CLASSES)))
    assert {name for names in SEVEN for name in names} | VOID_NAMES == set(RAW_CLASSES.values())


def test_every_raw_class_is_drawn_somewhere():
    seen = {
        raw_id
        for drive in range(16)
        for frame in (0, 20)
        for raw_id in np.unique(draw_scene(options(), drive, frame).label_map).tolist()
    }
    assert {RAW_CLASSES[raw_id] for raw_id in seen} == set(RAW_CLASSES.values())


def test_every_drive_shows_all_seven_classes():
    for drive in range(4):
        label_maps = [draw_scene(options(), drive, frame).label_map for frame in (0, 20)]
        assert set(range(7)) <= set(np.unique(seven_classes(np.stack(label_maps))).tolist())


def test_frames_of_one_drive_are_more_alike_than_drives():
    images = {
        (drive, frame): draw_scene(options(), drive, frame).image.astype(float)
        for drive in range(4)
        for frame in (10, 11)
    }
    within = [np.abs(images[drive, 10] - images[drive, 11]).mean() for drive in range(4)]
    across = [
        np.abs(images[drive, 10] - images[other, 10]).mean()
        for drive in range(4)
        for other in range(4)
        if other != drive
    ]
    assert max(within) < min(across)


def test_sky_is_only_seen_above_the_ground():
    label_map = draw_scene(options(), 1, 4).label_map
    sky_rows, road_rows = (np.nonzero(label_map == RAW_IDS[name])[0] for name in ("sky", "road"))
    assert sky_rows.max() < road_rows.min()


def test_point_projects_by_the_pinhole_formula():
    camera = Camera(size=(100, 200), focal=80.0, horizon=40.0, altitude=1.5, lateral=0.5, curvature=0.01)
    # sideways 2 - 0.5 + 0.01 * 10^2 / 2 = 2 m, so column 100 + 80 * 2 / 10; up 1.5 - 0.5 = 1 m below, row 40 + 80 / 10
    np.testing.assert_allclose(camera.project(np.array([[2.0, 0.5, 10.0]], np.float32)), [[116.0, 48.0]])


def test_ground_rows_invert_the_projection():
    camera = Camera(size=(100, 200), focal=80.0, horizon=40.0, altitude=1.5, lateral=0.5, curvature=0.01)
    first, ahead, lateral = camera.ground()
    on_ground = np.array([lateral[20, 150], 0.0, ahead[20, 0]], np.float32)
    np.testing.assert_allclose(camera.project(on_ground), [150, first + 20], rtol=1e-5)


def test_nearer_shape_hides_the_farther_one_and_leaves_the_rest():
    canvas = plain_canvas()
    canvas.paint(panel("wall", (10, 20, 30)), lateral=0, ahead=4)  # columns 75..125, rows 50..75
    canvas.paint(panel("car", (200, 100, 50)), lateral=1, ahead=5)  # columns 100..140, rows 50..70
    assert canvas.layers[60, 90].tolist() == [10, 20, 30, RAW_IDS["wall"]]
    assert canvas.layers[60, 110].tolist() == [200, 100, 50, RAW_IDS["car"]]
    assert canvas.layers[73, 110].tolist() == [10, 20, 30, RAW_IDS["wall"]]
    assert canvas.layers[60, 150].tolist() == [0, 0, 0, 0]


def test_face_is_not_seen_from_behind():
    canvas = plain_canvas()
    shape = panel("car", (200, 100, 50))
    turned = shape_of([front(rectangle(-1, 0, 1, 1), 0, (9, 9, 9), "car")._replace(corners=shape.points[::-1])])
    canvas.paint(turned, lateral=0, ahead=5)
    assert not canvas.layers.any()


def test_haze_hides_the_far():
    camera = plain_canvas().camera
    canvas = Canvas(camera, Air(np.ones(5, np.float32), np.full(3, 200, np.float32), haze_distance=10.0))
    canvas.paint(panel("car", (0, 0, 0)), lateral=0, ahead=10)
    assert abs(int(canvas.layers[55, 100, 0]) - 200 * (1 - np.exp(-1))) <= 1


@pytest.mark.parametrize(("moved", "place"), [(0, 0), (4, 4), (6, 2), (8, 0), (12, -4), (16, 0), (-4, -4)])
def test_swing_goes_to_and_fro(moved, place):
    assert swing(moved, 4.0) == place


@pytest.mark.parametrize(("drive", "frame"), [(16, 0), (-1, 0), (0, 40), (0, -1)])
def test_scene_outside_the_options_is_refused(drive, frame):
    with pytest.raises(ValueError, match=f"received drive {drive}, frame {frame}"):
        draw_scene(options(), drive, frame)


@pytest.mark.parametrize("wrong", [{"size": (16, 240)}, {"drives": 0}, {"frames_per_drive": 0}, {"seed": -1}])
def test_impossible_options_are_refused(wrong):
    with pytest.raises(ValidationError):
        DrawingOptions(**{**options().model_dump(), **wrong})


def pixels(drives: range, seed: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    rng = np.random.default_rng(0)
    asked = DrawingOptions(size=(240, 480), drives=144, frames_per_drive=5, seed=seed)
    features, labels = [], []
    for drive in drives:
        for frame in (0, 2, 4):
            scene = draw_scene(asked, drive, frame)
            image = cv2.resize(scene.image, (128, 64), interpolation=cv2.INTER_AREA)
            label_map = cv2.resize(scene.label_map, (128, 64), interpolation=cv2.INTER_NEAREST_EXACT)
            rows, columns = rng.integers(0, 64, 1000), rng.integers(0, 128, 1000)
            features.append(np.column_stack([image[rows, columns], rows, columns]))
            labels.append(seven_classes(label_map[rows, columns]))
    labelled = np.concatenate(labels) < 7
    return np.concatenate(features)[labelled], np.concatenate(labels)[labelled]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_colour_and_position_do_not_give_the_classes_away(seed):
    features, truth = pixels(range(101), seed)  # as many drives as the default run trains on
    forest = RandomForestClassifier(n_estimators=50, min_samples_leaf=5, n_jobs=2, random_state=0).fit(features, truth)
    features, truth = pixels(range(101, 122), seed)
    counts = confusion_matrix(truth, forest.predict(features), labels=range(7))
    hits = np.diag(counts)
    iou = hits / (counts.sum(axis=0) + counts.sum(axis=1) - hits)
    assert iou.mean() < 0.55
