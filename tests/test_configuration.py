"""Configurations in folders and archives, with what they ask for, and what a user reads of broken ones."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem
from fsspec.registry import _registry, register_implementation

from roadseg.configuration import ConfigurationLoader
from roadseg.reading.colour_list import find_colours, read_colours
from roadseg.settings import CONFIG_LOADER_ARGS

FILES = {
    "base/globals.yml": "data_set: drawn\n",
    "base/catalog.yml": "raw: {type: some.Dataset, seed: '${runtime_params:drawing_seed, 1}'}\n",
    "base/parameters.yml": "seed: 1\nprepare: {size: [2, 3], workers: null}\n",
    "mine/globals.yaml": "data_set: mine\n",
    "mine/catalog_mine.yaml": "raw: {filepath: conf/mine/classes.yml, name: '${globals:data_set}', "
    "more: {lists: [conf/mine/classes.yml]}, raw_colours: conf/mine/colours.csv}\n",
    "mine/parameters_mine.json": '{"_side": 4, "prepare": {"size": ["${_side}", "${runtime_params:width, 5}"]}}',
    "mine/classes.yml": "classes: []\n",
    "mine/colours.csv": "name,r,g,b\nroad,1,2,3\n",
}


def write(folder: Path, changes: Mapping[str, str | bytes] | None = None) -> Path:
    for name, content in {**FILES, **(changes or {})}.items():
        path = folder / "conf" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "conf/local").mkdir()
    return folder / "conf"


def load(source: Path | str, **given: Any) -> ConfigurationLoader:
    return ConfigurationLoader(str(source), env="mine", runtime_params=given, **CONFIG_LOADER_ARGS)


def archive(conf: Path, kind: str) -> str:
    return shutil.make_archive(str(conf.parent / "packaged"), kind, conf.parent, "conf")


class Bucket(DirFileSystem):
    """A cloud store: what lies in one folder."""

    protocol = "gs"
    folder = ""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(self.folder, LocalFileSystem(), skip_instance_cache=True)


@pytest.fixture(params=["folder", "gztar", "zip", "bucket"])
def source(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """One configuration in each place that Kedro's loader takes it from."""
    conf = write(tmp_path)
    if request.param == "folder":
        return str(conf.rename(tmp_path / "elsewhere"))
    if request.param == "bucket":
        Bucket.folder = str(tmp_path)
        monkeypatch.setitem(_registry, "gs", Bucket)
        return "gs://conf"
    path = archive(conf, request.param)
    shutil.rmtree(conf)
    return path


def test_configuration_is_read_wherever_it_lies(source: str) -> None:
    loader = load(source, width=6)
    assert loader["parameters"] == {
        "seed": 1,
        "prepare": {"size": [4, 6], "workers": None},
        "_side": 4,
        "width": 6,
    }
    entry = loader["catalog"]["raw"]
    assert entry["name"] == "mine"
    assert Path(entry["filepath"]).read_text() == "classes: []\n"
    assert Path(entry["more"]["lists"][0]).read_text() == "classes: []\n"
    assert read_colours(find_colours(entry["raw_colours"], Path("raw"))) == {(1, 2, 3): "road"}
    assert loader.taken == {"width", "drawing_seed"}
    assert {key for file in loader.files["parameters"].values() for key in file.keys} == {"seed", "prepare", "_side"}


def test_path_that_the_configuration_lacks_stays_the_projects(tmp_path: Path) -> None:
    changes = {"mine/catalog_mine.yaml": "a: {filepath: conf/mine/none.yml}\nb: {filepath: conference/x.yml}\nc: 3\n"}
    catalog = load(write(tmp_path, changes))["catalog"]
    assert catalog["a"]["filepath"] == "conf/mine/none.yml"
    assert catalog["b"]["filepath"] == "conference/x.yml"


@pytest.mark.parametrize("kind", ["parameters", "catalog", "globals", "credentials"])
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"seed: 1\n  sed: 2\n", "line 2: mapping values are not allowed here"),
        (b"- seed\n", "line 1: expected keys with values, such as 'seed: 1', found a list"),
        ("a: ä".encode("latin-1"), "line 1: the byte 0xe4 is not UTF-8 text"),
        (b"seed: 1\nseed: 2\n", "line 2: the key 'seed' occurs twice"),
        (b"a: 1\nb: !!python/object/apply:os.getcwd []\n", "line 2: could not determine a constructor for the tag '"),
        (b"a: {b: !!int x}\n", "invalid literal for int"),
        (b"a:\n  ? [b]\n  : c\n", "line 2: found unhashable key"),
    ],
)
def test_broken_file_of_any_kind_is_named(tmp_path: Path, kind: str, content: bytes, sentence: str) -> None:
    conf = write(tmp_path, {f"mine/{kind}_more.yml": content})
    with pytest.raises(ValueError, match=rf"^'{conf}/mine/{kind}_more\.yml'[,:] {sentence}"):
        load(conf)[kind]


def test_broken_file_in_an_archive_is_named_with_the_archive(tmp_path: Path) -> None:
    path = archive(write(tmp_path, {"mine/parameters.yml": "a: b: c\n"}), "gztar")
    with pytest.raises(ValueError, match=rf"^'conf/mine/parameters\.yml' in '{path}', line 1: mapping values are"):
        load(path)["parameters"]


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        (
            "parameters.yml",
            "train: {rate: '${runtime_params:rate}'}",
            r"train\.rate: Runtime parameter 'rate' not fou",
        ),
        ("parameters.yml", "train: {rate: '${globals:rate}'}", r"train\.rate: Globals key 'rate' not found"),
        ("parameters.yml", "train: {rate: '${prepare.none}'}", r"train\.rate: Interpolation key 'prepare\.none' not f"),
        ("parameters.yml", "train: {rate: '${rate'}", r"train\.rate: .*'\$\{rate'"),
        ("parameters.yml", "train: {rate: '${oc.env:HOME}'}", r"train\.rate: Unsupported interpolation type oc\.env"),
        ("catalog.yml", "labels: {name: '${globals:nothing}'}", r"labels\.name: Globals key 'nothing' not found"),
        ("globals.yml", "b: '${runtime_params:b}'", r"b: .*`runtime_params:` resolver is not supported for globals"),
    ],
)
def test_value_that_leads_nowhere_is_named_with_its_file(tmp_path: Path, name: str, text: str, sentence: str) -> None:
    conf = write(tmp_path, {f"mine/{name}": text})
    with pytest.raises(ValueError, match=rf"^'{conf}/mine/{name}', {sentence}[^\n]*$"):
        load(conf)[name.removesuffix(".yml")]


def test_list_given_by_its_items_is_told_how_to_give_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"give the whole list, such as --params 'prepare\.image_size=\[128,256\]'$"):
        load(write(tmp_path), prepare={"size": {0: 7}})["parameters"]


@pytest.mark.parametrize("kind", ["gztar", "zip"])
def test_damaged_archive_is_named(tmp_path: Path, kind: str) -> None:
    path = Path(archive(write(tmp_path), kind))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=rf"^'{path}' is not a readable archive: "):
        load(path)["parameters"]


def test_place_that_no_package_reads_is_named() -> None:
    register_implementation("oss", "not_installed.Oss", clobber=True, errtxt="Install ossfs")
    with pytest.raises(ValueError, match=r"^settings can't be read from 'oss://bucket/conf': Install ossfs$"):
        load("oss://bucket/conf")


def test_parameter_of_an_environment_that_base_lacks_is_found(tmp_path: Path) -> None:
    changes = {
        "mine/parameters.yml": "trian: {epochs: 3}\nwidth: 5\nhalf: 3\n_own: 2\n",
        "mine/parameters_x.yml": "seed: ${half}\nprepare: {size: ['${runtime_params:width, 5}', '${ half }']}\n",
    }
    conf = write(tmp_path, changes)
    (conf / "mine/parameters_mine.json").unlink()
    loader = load(conf)
    loader["parameters"]
    assert loader.list_unread() == {"trian": f"'{conf}/mine/parameters.yml'"}


def test_azure_is_named_as_kedro_keeps_its_container(tmp_path: Path) -> None:
    changes = {
        "mine/globals.yaml": "data_set: mine\ndata_folder: az://container/roadseg\n",
        "mine/catalog_mine.yaml": "a: {filepath: '${globals:data_folder}/a.csv', text: 'not az://x'}\n",
    }
    entry = load(write(tmp_path, changes))["catalog"]["a"]
    assert entry == {"filepath": "abfs://container/roadseg/a.csv", "text": "not az://x"}
