import pytest

from roadseg.errors import FileError
from roadseg.segnet import layers
from roadseg.training import checkpoint


def test_what_another_process_is_at_is_not_removed(tmp_path, holder):
    (tmp_path / "state.npz").touch()
    checkpoint.remove_checkpoint(tmp_path)
    assert (tmp_path / "state.npz").exists()
    holder.kill()
    holder.wait()
    checkpoint.remove_checkpoint(tmp_path)
    assert not list(tmp_path.parent.glob(f"{tmp_path.name}*"))


def test_digest_of_the_code_changes_with_any_of_its_files(tmp_path, monkeypatch):
    for room, module in (("training", checkpoint), ("segnet", layers)):
        (tmp_path / room).mkdir()
        monkeypatch.setattr(module, "__file__", str(tmp_path / room / "module.py"))
    digests = set()
    files = ("training/checkpoint.py", "a = 1"), ("segnet/layers.py", "b = 1"), ("segnet/layers.py", "b = 2")
    for name, code in (*files, ("training/notes.txt", "c")):
        (tmp_path / name).write_text(code)
        digests.add(checkpoint.digest_code())
    assert len(digests) == 3  # notes are no code


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x05\x06" + bytes(18)])
def test_a_damaged_state_is_named_and_the_training_begins_anew_without_it(tmp_path, content):
    path = tmp_path / checkpoint.FILE
    path.write_bytes(content)
    kept = checkpoint.Checkpoint(tmp_path, "val_mean_iou", [])
    with pytest.raises(FileError, match=rf"^'{path}' is damaged \(.*\): remove it, and the training begins anew$"):
        kept.restore(None)
    path.unlink()
    assert kept.restore(None) == 0
