import io
import json
import os
import time
import zipfile

import fsspec
import pytest
from click.testing import CliRunner
from fsspec.implementations.local import LocalFileSystem
from kedro.io import DataCatalog, DatasetError

from model_records import model_record
from roadseg.cli import cli
from roadseg.reading.facts_index import FactsIndex
from roadseg.reading.whole_file import WholeFiles
from roadseg.runs.pruning import prune_versions
from roadseg.segnet.model_record import write_record

DAY = 24 * 3600
OLD, YOUNG = DAY + 60, DAY - 60
DATASETS = {
    "prepared_scenes": ("roadseg.datasets.prepared_scenes.PreparedScenesDataset", "prepared_scenes/manifest.json"),
    "split_table": ("pandas.CSVDataset", "split_table.csv"),
    "segnet_model": ("roadseg.datasets.trained_segnet.TrainedSegNetDataset", "segnet.keras"),
    "scores": ("json.JSONDataset", "scores.json"),
}
SUFFIXES = ("image.png", "labels.png", "json")


class KilledFileSystem(LocalFileSystem):
    """A disk that a process can remove so many things from before it is killed."""

    protocol = "killed"
    removals = 0

    def rm(self, path, recursive=False, maxdepth=None):
        self.count()
        super().rm(path, recursive, maxdepth)

    def rm_file(self, path):
        self.count()
        super().rm_file(path)

    def count(self):
        if type(self).removals == 0:
            raise KeyboardInterrupt
        type(self).removals -= 1


fsspec.register_implementation("killed", KilledFileSystem, clobber=True)


def catalog(folder, protocol="", **entries):
    filepaths = {name: f"{protocol}{folder}/{path}" for name, (_, path) in DATASETS.items()}
    config = {name: {"type": DATASETS[name][0], "filepath": filepaths[name], "versioned": True} for name in DATASETS}
    return DataCatalog.from_config(config | entries)


def write(folder, name, version, content=b""):
    path = folder / DATASETS[name][1]
    (path / version).mkdir(parents=True)
    (path / version / path.name).write_bytes(content)
    return path / version / path.name


def write_table(folder, version):
    return write(folder, "split_table", version)


def write_model(folder, version, **learnt_from):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        named = {name: {"version": each, "digest": "0"} for name, each in learnt_from.items()}
        write_record(model_record(learnt_from=named), archive)
    return write(folder, "segnet_model", version, content.getvalue())


def write_scores(folder, version, **versions):
    return write(
        folder, "scores", version, json.dumps({"run": version, "versions": versions, "parameters": {}}).encode()
    )


def write_manifest(folder, version, *names, unusable=()):
    rows = [
        {"facts": f"{name}.json", "image": f"{name}.image.png", "label_map": f"{name}.labels.png"} for name in names
    ]
    rows += [{"facts": f"{name}.json", "image": None, "label_map": None} for name in unusable]
    return write(folder, "prepared_scenes", version, write_json(rows))


def write_json(rows):
    scenes = [{"scene": row["facts"], "usable": True, **row} for row in rows]
    return json.dumps({"classes": [], "image_size": [2, 4], "scenes": scenes}).encode()


def store(folder, *names, age=OLD, suffixes=SUFFIXES):
    for name in names:
        for suffix in suffixes:
            path = folder / "prepared_scenes" / "store" / f"{name}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"1234")
            os.utime(path, (time.time() - age,) * 2)


def stored(folder):
    """Returns what is in the store, folders too."""
    root = folder / "prepared_scenes" / "store"
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def whole(*names):
    return {f"{name}.{suffix}" for name in names for suffix in SUFFIXES}


def versions(folder, name):
    path = folder / DATASETS[name][1]
    return sorted(each.parent.name for each in path.glob(f"*/{path.name}"))


def everything(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def lines(caplog):
    """Returns what the last pruning said of each data set."""

    def read():
        said = dict(
            record.getMessage().split(": ", 1) for record in caplog.records if record.name == "roadseg.runs.pruning"
        )
        caplog.clear()
        return said

    caplog.set_level("INFO", "roadseg")
    return read


def test_the_newest_versions_stay(tmp_path, lines):
    for version in ("2025-12-31", "2026-01-01", "2026-01-02", "2026-01-10"):
        write_table(tmp_path, version)
    write_scores(tmp_path, "2025-12-31")
    prune_versions(catalog(tmp_path), keep=3)
    assert versions(tmp_path, "split_table") == ["2026-01-01", "2026-01-02", "2026-01-10"]
    assert not (tmp_path / "split_table.csv" / "2025-12-31").exists()
    assert versions(tmp_path, "scores") == ["2025-12-31"]
    said = dict.fromkeys(DATASETS, "nothing to remove")
    assert lines() == said | {"split_table": "1 of 4 versions removed"}


@pytest.mark.parametrize("keep", [3, 4, 1000])
def test_no_more_versions_than_are_to_stay_lose_nothing(tmp_path, lines, keep):
    for version in ("v1", "v2", "v3"):
        write_table(tmp_path, version)
        write_model(tmp_path, version)
        write_manifest(tmp_path, version, "a-1")
    store(tmp_path, "a-1")
    before = everything(tmp_path)
    prune_versions(catalog(tmp_path), keep)
    assert everything(tmp_path) == before
    assert lines() == dict.fromkeys(DATASETS, "nothing to remove")


def test_what_a_version_that_stays_was_made_from_stays_through_all_stages(tmp_path):
    for version in ("v1", "v2", "v3", "v4", "v5"):
        write_table(tmp_path, version)
        write_manifest(tmp_path, version, f"a-{version}")
        store(tmp_path, f"a-{version}")
    write_model(tmp_path, "v2", prepared_scenes="v1", split_table="v2")
    write_model(tmp_path, "v3", prepared_scenes="v3", split_table="v3")
    write_model(tmp_path, "v5", prepared_scenes="v4", split_table="v5")
    write_scores(tmp_path, "v5", segnet_model="v3")
    write_scores(tmp_path, "v6", segnet_model="v2")
    prune_versions(catalog(tmp_path), keep=1)
    assert versions(tmp_path, "scores") == ["v6"]
    assert versions(tmp_path, "segnet_model") == ["v2", "v5"]
    assert versions(tmp_path, "split_table") == ["v2", "v5"]
    assert versions(tmp_path, "prepared_scenes") == ["v1", "v4", "v5"]
    assert stored(tmp_path) == whole("a-v1", "a-v4", "a-v5")


def test_scores_name_more_than_their_model(tmp_path):
    for version in ("v1", "v2"):
        write_table(tmp_path, version)
    write_scores(tmp_path, "v3", split_table="v1")
    prune_versions(catalog(tmp_path), keep=1)
    assert versions(tmp_path, "split_table") == ["v1", "v2"]


def test_a_named_version_that_is_gone_already_is_no_obstacle(tmp_path):
    for version in ("v1", "v2"):
        write_table(tmp_path, version)
    write_model(tmp_path, "v2", split_table="v0", prepared_scenes="v0")
    write_scores(tmp_path, "v2", segnet_model="v0", lost_table="v0")
    prune_versions(catalog(tmp_path), keep=1)
    assert versions(tmp_path, "split_table") == ["v2"]


def test_files_that_no_manifest_names_go_when_they_are_a_day_old(tmp_path, lines):
    write_manifest(tmp_path, "v1", "a-1", "b-1")
    write_manifest(tmp_path, "v2", "b-1", "drive/c-2", unusable=["e-2"])
    store(tmp_path, "a-1", "b-1", "drive/c-2", "drive/d-1", "gone/deep/d-1")
    store(tmp_path, "e-2", suffixes=["json"])
    store(tmp_path, "f-3", "new/f-3", age=YOUNG)
    prune_versions(catalog(tmp_path), keep=1)
    assert stored(tmp_path) == whole("b-1", "drive/c-2", "f-3", "new/f-3") | {"drive", "new", "e-2.json"}
    assert lines()["prepared_scenes"] == "1 of 2 versions removed, 9 files of the store removed, 0.0 MB"


def test_the_size_of_what_went_is_said(tmp_path, lines):
    store(tmp_path, "a-1", suffixes=["image.png"])
    path = tmp_path / "prepared_scenes/store/a-1.image.png"
    path.write_bytes(bytes(2_340_000))
    os.utime(path, (time.time() - OLD,) * 2)
    prune_versions(catalog(tmp_path), keep=1)
    assert lines()["prepared_scenes"] == "1 files of the store removed, 2.3 MB"


def test_what_killed_runs_left_goes_when_it_is_a_day_old(tmp_path):
    write_manifest(tmp_path, "v1", "a-1")
    store(tmp_path, "a-1")
    store(tmp_path, "a-1.image.png", suffixes=["0123abcd.part"])
    store(tmp_path, "b-1.json", suffixes=["4567abcd.part"], age=YOUNG)
    prune_versions(catalog(tmp_path), keep=1)
    assert stored(tmp_path) == whole("a-1") | {"b-1.json.4567abcd.part"}


def test_the_files_of_a_scene_go_together(tmp_path):
    store(tmp_path, "a-1", suffixes=["image.png", "labels.png"])
    store(tmp_path, "a-1", suffixes=["json"], age=YOUNG)
    prune_versions(catalog(tmp_path), keep=1)
    assert stored(tmp_path) == whole("a-1")


def test_a_scene_whose_name_ends_like_a_file_is_told_apart(tmp_path):
    write_manifest(tmp_path, "v1", "a.json-1", "a")
    store(tmp_path, "a.json-1", "a", "a.json", "a.image.png")
    prune_versions(catalog(tmp_path), keep=1)
    assert stored(tmp_path) == whole("a.json-1", "a")


def test_a_version_without_its_file_is_no_version(tmp_path):
    for version in ("v1", "v2"):
        write_table(tmp_path, version)
        write_manifest(tmp_path, version)
    (tmp_path / "split_table.csv" / "v3").mkdir()
    (tmp_path / "prepared_scenes" / "manifest.json" / "v3").mkdir()
    (tmp_path / "prepared_scenes" / "manifest.json" / "v3" / "manifest.json.0123.part").write_text("{")
    prune_versions(catalog(tmp_path), keep=1)
    assert versions(tmp_path, "split_table") == versions(tmp_path, "prepared_scenes") == ["v2"]


def test_a_project_in_which_nothing_was_saved_has_nothing_to_remove(tmp_path, lines):
    prune_versions(catalog(tmp_path), keep=1)
    assert lines() == dict.fromkeys(DATASETS, "nothing to remove")
    assert list(tmp_path.iterdir()) == []


def test_what_has_no_versions_is_left_alone(tmp_path, lines):
    (tmp_path / "index.csv").write_text("a")
    (tmp_path / "state").mkdir()
    entries = {
        "index": {"type": "pandas.CSVDataset", "filepath": str(tmp_path / "index.csv")},
        "state": {"type": "roadseg.datasets.folder.FolderDataset", "filepath": str(tmp_path / "state")},
        "kept_in_memory": {"type": "MemoryDataset"},
    }
    prune_versions(catalog(tmp_path, **entries), keep=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.csv", "state"]
    assert set(lines()) == set(DATASETS)


def test_records_of_runs_stay_and_keep_no_version(tmp_path, run_record):
    for version in ("v1", "v2"):
        write_table(tmp_path, version)
    records = {"type": "roadseg.datasets.run_records.RunRecordsDataset", "filepath": str(tmp_path / "runs")}
    pruned = catalog(tmp_path, run_records=records)
    record = run_record("v1", saved={"split_table": "v1"})
    pruned["run_records"].save(record)
    prune_versions(pruned, keep=1)
    assert pruned["run_records"].load() == [record]
    assert versions(tmp_path, "split_table") == ["v2"]


def test_two_data_sets_with_one_store_keep_what_either_names(tmp_path):
    write_manifest(tmp_path, "v1", "a-1")
    (tmp_path / "prepared_scenes/other.json/v1").mkdir(parents=True)
    (tmp_path / "prepared_scenes/other.json/v1/other.json").write_bytes(write_json([{"facts": "b-1.json"}]))
    store(tmp_path, "a-1", "b-1", "c-1")
    kind, _ = DATASETS["prepared_scenes"]
    other = {"type": kind, "filepath": str(tmp_path / "prepared_scenes/other.json"), "versioned": True}
    prune_versions(catalog(tmp_path, other_scenes=other), keep=1)
    assert stored(tmp_path) == whole("a-1", "b-1")


def test_the_data_sets_of_another_catalog_stay(tmp_path):
    for folder in (tmp_path / "drawn", tmp_path / "camvid"):
        for version in ("v1", "v2"):
            write_table(folder, version)
            write_manifest(folder, version, f"a-{version}")
            store(folder, f"a-{version}")
    other = everything(tmp_path / "drawn")
    prune_versions(catalog(tmp_path / "camvid"), keep=1)
    assert everything(tmp_path / "drawn") == other
    assert versions(tmp_path / "camvid", "split_table") == ["v2"]
    assert stored(tmp_path / "camvid") == whole("a-v2")


def cut_off(path):
    path.write_bytes(path.read_bytes()[:20])


def empty(path):
    path.write_bytes(b"")


def drop_record(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")


def name_nothing(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("record.json", "{}")


@pytest.mark.parametrize(
    ("name", "harm", "message"),
    [
        ("segnet_model", cut_off, "is not a zip archive"),
        ("segnet_model", empty, "is not a zip archive"),
        ("segnet_model", drop_record, "contains no record.json"),
        ("segnet_model", name_nothing, "is damaged"),
        ("scores", cut_off, "does not name the versions it was made from"),
        ("scores", lambda path: path.write_text("{}"), "does not name the versions it was made from"),
        ("prepared_scenes", cut_off, "is broken"),
        ("prepared_scenes", lambda path: path.write_text("{}"), "is broken"),
    ],
)
@pytest.mark.parametrize("version", ["v1", "v3"])
def test_a_broken_version_stops_everything_where_it_is_to_stay(tmp_path, name, harm, message, version):
    paths = {}
    for each in ("v1", "v2", "v3"):
        write_table(tmp_path, each)
        paths["prepared_scenes", each] = write_manifest(tmp_path, each, f"a-{each}", f"b-{each}")
        paths["segnet_model", each] = write_model(tmp_path, each, prepared_scenes=each, split_table=each)
        paths["scores", each] = write_scores(tmp_path, each, segnet_model=each)
    store(tmp_path, "a-v1", "a-v2", "a-v3", "c-0")
    broken = paths[name, version]
    harm(broken)
    before = everything(tmp_path)
    if version == "v1":
        prune_versions(catalog(tmp_path), keep=1)
        assert not broken.exists()
    else:
        with pytest.raises((ValueError, DatasetError), match=rf"'{broken}' .*{message}"):
            prune_versions(catalog(tmp_path), keep=1)
        assert everything(tmp_path) == before


def assert_nothing_names_what_is_missing(folder):
    for name, names in (("scores", read_scores), ("segnet_model", read_model)):
        for version in versions(folder, name):
            for other, named in names(folder / DATASETS[name][1] / version / DATASETS[name][1]).items():
                assert named in versions(folder, other)
    for version in versions(folder, "prepared_scenes"):
        manifest = json.loads((folder / "prepared_scenes/manifest.json" / version / "manifest.json").read_text())
        for row in manifest["scenes"]:
            assert {row["facts"], row["image"], row["label_map"]} <= stored(folder)
    for facts in (name for name in stored(folder) if name.endswith(".json")):
        assert {facts.replace("json", "image.png"), facts.replace("json", "labels.png")} <= stored(folder)


def read_scores(path):
    return json.loads(path.read_text())["versions"]


def read_model(path):
    with zipfile.ZipFile(path) as archive:
        learnt_from = json.loads(archive.read("record.json"))["learnt_from"]
    return {name: each["version"] for name, each in learnt_from.items()}


@pytest.mark.parametrize("removals", range(14))
def test_a_kill_leaves_nothing_that_names_what_is_missing_and_the_next_pruning_goes_on(tmp_path, monkeypatch, removals):
    for version in ("v1", "v2", "v3"):
        write_table(tmp_path, version)
        write_manifest(tmp_path, version, f"a-{version}")
        store(tmp_path, f"a-{version}")
        write_model(tmp_path, version, prepared_scenes=version, split_table=version)
        write_scores(tmp_path, version, segnet_model=version, prepared_scenes=version)
    monkeypatch.setattr(KilledFileSystem, "removals", removals)
    with pytest.raises(KeyboardInterrupt):  # 2 versions of 4 data sets and 6 files are 14 removals
        prune_versions(catalog(tmp_path, "killed://"), keep=1)
    assert_nothing_names_what_is_missing(tmp_path)
    prune_versions(catalog(tmp_path), keep=1)
    assert {name: versions(tmp_path, name) for name in DATASETS} == {name: ["v3"] for name in DATASETS}
    assert stored(tmp_path) == whole("a-v3")


def test_pruned_scenes_leave_the_index_of_facts_too(tmp_path):
    write_manifest(tmp_path, "v1", "a-1")
    store(tmp_path, "a-1", "b-1")
    index = FactsIndex(WholeFiles.reached_by("file"), str(tmp_path / "prepared_scenes" / "store" / "facts.index"))
    for name in ("a-1", "b-1"):
        index.add(name, {"usable": True, "pixels": [1]})
    index.save()
    os.utime(index._path, (time.time() - OLD,) * 2)
    prune_versions(catalog(tmp_path), keep=1)
    assert stored(tmp_path) == {*whole("a-1"), "facts.index"}
    found = FactsIndex.load(index._fs, index._path)
    assert ("a-1" in found, "b-1" in found) == (True, False)


def test_other_file_systems_work(lines):
    disk = fsspec.filesystem("memory")
    for version in ("v1", "v2"):
        row = {"facts": f"drive {version}/a.json"}
        disk.pipe(f"/pruned/prepared_scenes/manifest.json/{version}/manifest.json", write_json([row]))
        for suffix in SUFFIXES:
            disk.pipe(f"/pruned/prepared_scenes/store/drive {version}/a.{suffix}", b"1234")
        for path in disk.find("/pruned"):
            disk.store[path].modified = disk.modified(path).replace(year=2000)
    disk.pipe("/pruned/prepared_scenes/store/drive v1/b.json", b"young")
    prune_versions(catalog("/pruned", "memory://"), keep=1)
    left = [path.removeprefix("/pruned/prepared_scenes/store/") for path in disk.find("/pruned/prepared_scenes/store")]
    assert left == ["drive v1/b.json", "drive v2/a.image.png", "drive v2/a.json", "drive v2/a.labels.png"]
    assert lines()["prepared_scenes"] == "1 of 2 versions removed, 3 files of the store removed, 0.0 MB"


@pytest.mark.parametrize("keep", ["0", "-1", "two", "1.5", ""])
def test_at_least_one_version_stays(keep):
    done = CliRunner().invoke(cli, ["prune", "--keep", keep])
    assert done.exit_code == 2
    assert "Invalid value for '--keep'" in done.output


def test_the_number_must_be_given():
    done = CliRunner().invoke(cli, ["prune"])
    assert done.exit_code == 2
    assert "Missing option '--keep'" in done.output


def test_half_written_files_of_killed_runs_go_after_a_day(tmp_path):
    whole = write_scores(tmp_path, "v1")
    for version, age in (("v2", OLD), ("v3", YOUNG)):
        part = write(tmp_path, "split_table", version).with_suffix(".csv.0a.part")
        (part.parent / "split_table.csv").rename(part)
        os.utime(part, (time.time() - age,) * 2)
    prune_versions(catalog(tmp_path), keep=1)
    assert whole.exists()
    assert [path.name for path in (tmp_path / "split_table.csv").iterdir()] == ["v3"]
