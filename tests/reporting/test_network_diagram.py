from matplotlib.patches import FancyArrowPatch, Rectangle
from matplotlib.text import Text

from roadseg.reporting.network_diagram import Block, draw_network, list_blocks
from roadseg.segnet.network import NetworkOptions, build_network


def network(architecture, width, size=(36, 47)):
    options = NetworkOptions(
        architecture=architecture, start="random", width=width, dropout=0.0, batch_norm_momentum=0.9
    )
    return build_network(size, 7, options)


def test_blocks_are_those_of_the_paper_from_the_image_to_the_logits():
    assert list_blocks(network("segnet", 0.5)) == [
        Block("encoder1", (36, 47), (32, 32), (3, 3)),
        Block("encoder2", (18, 24), (64, 64), (3, 3)),
        Block("encoder3", (9, 12), (128, 128, 128), (3, 3)),
        Block("encoder4", (5, 6), (256, 256, 256), (3, 3)),
        Block("encoder5", (3, 3), (256, 256, 256), (3, 3)),
        Block("decoder5", (3, 3), (256, 256, 256), (3, 3)),
        Block("decoder4", (5, 6), (256, 256, 128), (3, 3)),
        Block("decoder3", (9, 12), (128, 128, 64), (3, 3)),
        Block("decoder2", (18, 24), (64, 32), (3, 3)),
        Block("decoder1", (36, 47), (32,), (3, 3)),
        Block("classifier", (36, 47), (7,), (3, 3)),
    ]


def test_every_convolution_is_a_bar_and_every_pooling_an_arc():
    figure = draw_network(network("segnet_basic", 0.25, (16, 16)), caption="of a run")
    (axes,) = figure.axes
    assert sum(isinstance(each, Rectangle) for each in axes.patches) == 9
    assert sum(isinstance(each, FancyArrowPatch) for each in axes.patches) == 4
    texts = [each.get_text() for each in figure.findobj(Text)]
    assert "encoder2\n8 x 8\n7 x 7\n16" in texts
    assert "of a run" in texts
