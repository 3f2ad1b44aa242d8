from pathlib import Path

import pytest

from roadseg.errors import FileError
from roadseg.reading.colour_list import find_colours, list_colours, read_colours

ROAD, SKY = (128, 64, 128), (70, 130, 180)
BOTH = {ROAD: "road", SKY: "sky"}


@pytest.mark.parametrize(
    "given",
    [
        {"road": [128, 64, 128], "sky": [70, 130, 180]},
        [{"name": "road", "colour": [128, 64, 128]}, {"name": "sky", "colour": [70, 130, 180]}],
        [{"color": [128, 64, 128], "name": "road"}, ["sky", 70, 130, 180]],
    ],
)
def test_list_in_yaml_is_a_mapping_or_entries(given):
    assert list_colours(given) == BOTH


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "raw_colours lists no colours"),
        ([], "raw_colours lists no colours"),
        ({"road": [128, 64]}, r"'road' a colour like \[128, 64, 128\], three .*, received \[128, 64\]$"),
        ({"road": [128, 64, 256]}, r"'road' a colour .*, received \[128, 64, 256\]$"),
        ({"road": [128, 64, -1]}, r"'road' a colour .*, received \[128, 64, -1\]$"),
        ({"road": [128, 64, 1.5]}, r"'road' a colour .*, received \[128, 64, 1.5\]$"),
        ({"sky": [1, 2, 3], "road": "#804080"}, "'road' a colour .*, received '#804080'$"),
        ([["road", "#804080"]], r"^each entry of raw_colours must be like \{name: .*, received \['road', '#804080'\]$"),
        ([["road", 1, 2, "x"]], r"'road' a colour .*, received \[1, 2, 'x'\]$"),
        ([{"name": "road"}], r"^each entry .*, received \{'name': 'road'\}$"),
        ([{"name": "road", "color": [1, 2, 3], "colour": [1, 2, 3]}], "^each entry "),
        (["road"], "^each entry .*, received 'road'$"),
        ({True: [1, 2, 3]}, "names in raw_colours must be text, received True: put it in quotes"),
        (7, r"^raw_colours must be like \{road: .*, received 7$"),
        ({"": [1, 2, 3]}, "names in raw_colours must be text, received ''"),
        ({"road": [1, 2, 3], "lane": [1, 2, 3]}, r"'road' and 'lane' have the same colour, \(1, 2, 3\)"),
    ],
)
def test_list_in_yaml_that_is_not_valid_is_named(given, words):
    with pytest.raises(ValueError, match=words) as error:
        list_colours(given)
    assert "\n" not in str(error.value)


def write(folder, text, name="class_dict.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    "text",
    [
        "name,r,g,b\nroad,128,64,128\nsky,70,130,180\n",
        "name,r,g,b\r\nroad,128,64,128\r\nsky,70,130,180",
        "name,r,g,b\nroad,128.0,64.0,128.0\nsky,70.,130.00,180\n",
        "\ufeffname,r,g,b\nroad,128,64,128\nsky,70,130,180\n",
        "name, r, g, b\nroad, 128, 64,128\nsky,70 ,130, 180\n",
        "Name,R,G,B\nroad,128,64,128\nsky,70,130,180\n",
        "class,r,g,b\nroad,128,64,128\nsky,70,130,180\n",
        "class_name,red,green,blue\nroad,128,64,128\nsky,70,130,180\n",
        "Label Name,Red,Green,Blue\nroad,128,64,128\nsky,70,130,180\n",
        "name,r,g,b,class_11\nroad,128,64,128,3\nsky,70,130,180,0\n",
        "id,r,g,b,name\n0,128,64,128,road\n1,70,130,180,sky\n",
        "name;r;g;b\nroad;128;64;128\nsky;70;130;180\n",
        "name\tr\tg\tb\nroad\t128\t64\t128\nsky\t70\t130\t180\n",
        '"name","r","g","b"\n"road","128","64","128"\n"sky","70","130","180"\n',
        'name, "r", "g", "b"\n"road", "128", "64", "128"\n"sky", "70", "130", "180"\n',
        "\nname,r,g,b\n\nroad,128,64,128\n,,,\nsky,70,130,180\n\n",
        "name,r,g,b\nroad,128,64,128\nsky,70,130,180\nroad,128,64,128\n",
    ],
)
def test_csv_files_as_people_have_them(tmp_path, text):
    assert read_colours(write(tmp_path, text)) == BOTH


def test_names_keep_their_letters_commas_and_inner_spaces(tmp_path):
    path = write(tmp_path, 'name,r,g,b\n Column_Pole ,1,2,3\n"curb, low",4,5,6\nStraße,7,8,9\n')
    assert read_colours(path) == {(1, 2, 3): "Column_Pole", (4, 5, 6): "curb, low", (7, 8, 9): "Straße"}


@pytest.mark.parametrize(
    "text",
    [
        "128 64 128\troad\n70 130 180\t\tsky\n",
        "128 64 128 road\n70  130  180   sky\n\n",
        "# label:color_rgb:parts:actions\nroad:128,64,128::\nsky:70,130,180::\n",
        "road:128,64,128\r\nsky: 70, 130, 180\r\n",
    ],
)
def test_text_files_as_camvid_and_cvat_have_them(tmp_path, text):
    assert read_colours(write(tmp_path, text, "label_colors.txt")) == BOTH


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it lists no colours"),
        ("name,r,g,b\n", "it lists no colours"),
        ("road,128,64,128\n", "expected the columns name, r, g and b, received road, 128, 64, 128"),
        ("name,r,g\nroad,128,64\n", "expected the columns name, r, g and b, received name, r, g"),
        ("name,r,g,b\nroad,128,64,128\nsky,70,130\n", "line 3 has 3 cells, expected 4"),
        ("name,r,g,b\nroad,128,64,256\n", r"line 2 must give a name and whole numbers in 0..255, received 'road' "),
        ("name,r,g,b\nroad,128,64,-1\n", "line 2 must give"),
        ("name,r,g,b\nroad,128,64,1.5\n", "line 2 must give"),
        ("name,r,g,b\nroad,128,64,\n", "line 2 must give"),
        ("name,r,g,b\n,128,64,128\n", "line 2 must give a name"),
        ("name,r,g,b\nroad,1,2,3\nlane,1,2,3\n", r"'road' and 'lane' have the same colour, \(1, 2, 3\)"),
    ],
)
def test_csv_file_that_is_not_valid_is_named(tmp_path, text, words):
    path = write(tmp_path, text)
    with pytest.raises(FileError, match=rf"^list of colours '{path}' is not valid: {words}"):
        read_colours(path)


@pytest.mark.parametrize("line", ["road 128 64 128", "128 64 128", "128,64,128 road", "road"])
def test_line_that_is_no_colour_is_named(tmp_path, line):
    path = write(tmp_path, f"1 2 3 sky\n{line}\n", "label_colors.txt")
    with pytest.raises(FileError, match=rf"'{path}' is not valid: line 2 must be like '64 128 64 Animal'"):
        read_colours(path)


def test_file_in_another_encoding_is_named(tmp_path):
    path = write(tmp_path, "name,r,g,b\nStraße,1,2,3\n", encoding="latin-1")
    with pytest.raises(FileError, match=rf"'{path}' is not valid: no text in UTF-8: byte 0xdf at place 15"):
        read_colours(path)


def test_file_lies_in_the_folder_of_the_data_set_or_where_its_name_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw").mkdir()
    with pytest.raises(FileError, match=r"no list of colours 'a\.csv', neither in 'raw' nor in the project"):
        find_colours("a.csv", Path("raw"))
    write(tmp_path, "", "a.csv")
    assert find_colours("a.csv", tmp_path / "raw").samefile(tmp_path / "a.csv")
    inner = write(tmp_path / "raw", "", "a.csv")
    assert find_colours("a.csv", tmp_path / "raw") == inner
    assert find_colours(str(inner), tmp_path / "raw") == inner
