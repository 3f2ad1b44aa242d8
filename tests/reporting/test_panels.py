"""Panels, read back through what they draw."""

import numpy as np

from roadseg.reporting.panels import Example, draw_panels
from roadseg.scenes.labels import VOID, SegmentationClass
from roadseg.scenes.palette import Palette

CLASSES = (
    SegmentationClass(name="road", colour=(128, 64, 18)),
    SegmentationClass(name="car", colour=(0, 0, 230)),
    SegmentationClass(name="sky", colour=(70, 130, 180)),
)


def example(title="drive/7", *, void=False):
    truth = np.array([[0, 0, 1, 1], [2, 2, VOID, VOID]], np.uint8)
    prediction = np.array([[0, 1, 1, 1], [2, 2, 0, 0]], np.uint8)
    image = np.full((2, 4, 3), 100, np.uint8)
    return Example(title, image, np.full_like(truth, VOID) if void else truth, prediction)


def pictures(figure):
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]


def test_panels_colour_truth_prediction_and_errors():
    image, truth, prediction, errors = pictures(draw_panels([example()], Palette(CLASSES)))
    (road, car, sky), void = (each.colour for each in CLASSES), (0, 0, 0)
    red, faint = (213, 0, 0), (200, 200, 200)  # 255 - 0.35 * (255 - 100) = 200.75
    assert image.tolist() == np.full((2, 4, 3), 100).tolist()
    assert truth.tolist() == np.array([[road, road, car, car], [sky, sky, void, void]]).tolist()
    assert prediction.tolist() == np.array([[road, car, car, car], [sky, sky, road, road]]).tolist()
    assert errors.tolist() == np.array([[faint, red, faint, faint], [faint, faint, void, void]]).tolist()


def test_panels_take_void_and_wrong_from_the_palette():
    *_, truth, _, errors = pictures(draw_panels([example()], Palette(CLASSES, void=(7, 8, 9), wrong=(1, 2, 3))))
    assert truth[1, 2:].tolist() == errors[1, 2:].tolist() == [[7, 8, 9]] * 2
    assert errors[0, 1].tolist() == [1, 2, 3]


def test_panels_head_each_row_with_its_scene_and_its_share_of_errors():
    figure = draw_panels([example("drive/7"), example("drive/8", void=True)], Palette(CLASSES))
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.images]
    assert titles[:4] == ["drive/7", "annotation", "prediction", "errors: 16.7 % of pixels"]
    assert titles[4:] == ["drive/8", "annotation", "prediction", "errors: all void"]


def test_legend_keeps_each_class_whatever_it_is_called():
    renamed = zip(CLASSES, ("_", "void", "$x$"), strict=True)
    named = tuple(each.model_copy(update={"name": name}) for each, name in renamed)
    figure = draw_panels([example()], Palette(named))
    figure.canvas.draw()
    (legend,) = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    assert [text.get_text() for text in legend.get_texts()] == ["_", "void", "$x$", "void", "wrong"]


def test_of_many_classes_and_tall_scenes_the_picture_is_of_a_size_that_opens():
    classes = tuple(SegmentationClass(name=f"class {index}", colour=(index, 0, 0)) for index in range(255))
    truth, prediction = np.full((20, 2), 200, np.uint8), np.full((20, 2), 199, np.uint8)
    figure = draw_panels([Example("tall", np.zeros((20, 2, 3), np.uint8), truth, prediction)] * 9, Palette(classes))
    assert max(figure.get_size_inches()) * 120 < 3900
    (legend,) = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    names = [text.get_text() for text in legend.get_texts()]
    assert len(names) == 60
    assert {"class 199", "class 200", "and 198 more classes"} <= set(names)


def test_panels_share_one_legend_of_classes_void_and_wrong():
    figure = draw_panels([example(), example("drive/8")], Palette(CLASSES))
    (legend,) = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    assert [text.get_text() for text in legend.get_texts()] == ["road", "car", "sky", "void", "wrong"]
    shown = np.round(255 * np.array([patch.get_facecolor()[:3] for patch in legend.get_patches()])).astype(int)
    assert shown.tolist() == [list(each.colour) for each in CLASSES] + [[0, 0, 0], [213, 0, 0]]
