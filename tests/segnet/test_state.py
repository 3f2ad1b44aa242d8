from roadseg.segnet import state


def test_digest_of_the_code_changes_with_any_of_its_files(tmp_path, monkeypatch):
    monkeypatch.setattr(state, "__file__", str(tmp_path / "state.py"))
    digests = set()
    for name, code in (("state.py", "a = 1"), ("layers.py", "b = 1"), ("layers.py", "b = 2"), ("notes.txt", "c")):
        (tmp_path / name).write_text(code)
        digests.add(state.digest_code())
    assert len(digests) == 3  # notes are no code
