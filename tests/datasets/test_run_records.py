import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem
from kedro.io import DatasetError

from roadseg.datasets.run_records import RunRecordsDataset

OLD, NEW = "2026-01-31T10.20.30.000Z", "2026-02-01T08.00.00.000Z"


class Killed(LocalFileSystem):
    """A disk on which a process is killed before it can rename a file."""

    protocol = "killedrecords"

    def mv(self, path1, path2, **kwargs):
        raise KeyboardInterrupt

    def rm(self, path, recursive=False, maxdepth=None):
        raise KeyboardInterrupt


fsspec.register_implementation("killedrecords", Killed, clobber=True)


def dataset(folder, protocol=""):
    return RunRecordsDataset(filepath=f"{protocol}{folder}/runs")


def test_records_come_back_newest_first(tmp_path, run_record):
    scores = {"test": {"mean_iou": 0.5, "classes": {"car": {"iou": None}}}}
    saved = [run_record(OLD), run_record(NEW, scores=scores, saved={"scores": NEW}, fault="äöü")]
    for record in saved:
        dataset(tmp_path).save(record)
    assert dataset(tmp_path).list_runs() == [NEW, OLD]
    assert dataset(tmp_path).load() == saved[::-1]
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [f"{OLD}.json", f"{NEW}.json"]


def test_a_folder_that_is_not_there_holds_no_runs(tmp_path):
    assert dataset(tmp_path).list_runs() == dataset(tmp_path).load() == []


def test_saving_again_replaces_the_record(tmp_path, run_record):
    dataset(tmp_path).save(run_record(OLD, state="running"))
    dataset(tmp_path).save(run_record(OLD, state="done"))
    assert [each.state for each in dataset(tmp_path).load()] == ["done"]


def test_a_kill_while_the_record_is_written_leaves_the_one_before(tmp_path, run_record):
    before = run_record(OLD, state="running")
    dataset(tmp_path).save(before)
    with pytest.raises(KeyboardInterrupt):
        dataset(tmp_path, "killedrecords://").save(run_record(OLD, state="done"))
    assert len(list((tmp_path / "runs").iterdir())) == 2  # the record, and what was being written
    assert dataset(tmp_path).load() == [before]
    dataset(tmp_path).save(run_record(OLD, state="done"))
    assert [each.state for each in dataset(tmp_path).load()] == ["done"]


@pytest.mark.parametrize("content", [b"", b'{"run": "2026', b"[]", b'{"run": "1"}', b"\xff\xfe"])
def test_a_damaged_record_is_named_and_the_others_can_be_read(tmp_path, run_record, content):
    dataset(tmp_path).save(run_record(NEW))
    (tmp_path / "runs" / f"{OLD}.json").write_bytes(content)
    with pytest.raises(DatasetError, match=rf"'{tmp_path}/runs/{OLD}.json' is not a run record .*; remove it"):
        dataset(tmp_path).read(OLD)
    assert dataset(tmp_path).read(NEW).run == NEW


def test_what_was_saved_counts_before_what_was_loaded(run_record):
    record = run_record(NEW, loaded={"split_table": OLD, "segnet_model": OLD}, saved={"segnet_model": NEW})
    assert record.versions == {"split_table": OLD, "segnet_model": NEW}


def test_other_file_systems_work(run_record):
    dataset("/recorded", "memory://").save(run_record(OLD))
    assert dataset("/recorded", "memory://").list_runs() == [OLD]
    assert dataset("/recorded", "memory://").load() == [run_record(OLD)]
