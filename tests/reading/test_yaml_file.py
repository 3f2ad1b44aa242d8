"""Broken YAML as editors, copies and other systems leave it: name, line, one sentence."""

import pytest

from roadseg.reading.yaml_file import list_keys, read_mapping


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a:\n  b: 1\n c: 2\n", "line 3: expected <block end>, .* that begins in line 1"),
        (b"a:\n\tb: 1\n", r"line 2: found character '\\t' that cannot start any token"),
        (b"a: 'x\nb: 1\nc: 2\n", "line 4: found unexpected end of stream, .* quoted scalar that begins in line 1"),
        (b"a: [1, 2\nb: 3\n", "line 2: expected ',' or ']', but got ':', .* that begins in line 1"),
        (b"a: b: c\n", "line 1: mapping values are not allowed here"),
        (b"a: *x\n", "line 1: found undefined alias 'x'"),
        (b"a: !own 3\n", "line 1: could not determine a constructor for the tag '!own'"),
        (b"a: 1\nb: !!python/name:os.name\n", "line 2: could not determine a constructor for the tag '.*os.name'"),
        (b"a: !!int x\n", ".*'x'"),
        (b"a: 1\n---\nb: 2\n", "line 2: but found another document"),
        (b"a: 1\nb: \x00\n", r"line 2: the character '\\x00' is not allowed in YAML"),
        ("a: 1\nb: Straße\n".encode("latin-1"), "line 2: the byte 0xdf is not UTF-8 text; save the file as UTF-8"),
        ("a: 1\n".encode("utf-16"), "line 1: the byte 0xff is not UTF-8 text"),
        (b"# mine\n- a\n- b\n", "line 2: expected keys with values, such as 'seed: 1', found a list"),
        (b"a\n", "line 1: expected keys with values, such as 'seed: 1', found 'a'"),
        (b"a: 1\nb: 2\na: 3\n", "line 3: the key 'a' occurs twice"),
        (b"names:\n  0: road\n  1: sky\n  0: car\n", "line 4: the key '0' occurs twice"),
        (b"all:\n- {a: 1,\n   a: 2}\n", "line 3: the key 'a' occurs twice"),
        (b"a: 1\nno: 2\n", "line 2: expected a key that is text, found no; put it in quotes"),
    ],
)
def test_broken_file_is_told_with_its_line(content: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=rf"^'f\.yml'[,:] {sentence}[^\n]*$"):
        read_mapping(content, "'f.yml'")


@pytest.mark.parametrize(
    ("content", "mapping"),
    [
        (b"", {}),
        (b"# nothing yet\n", {}),
        ("\ufeffname: Straße\n".encode(), {"name": "Straße"}),  # as Windows' editor saves it
        (b'{"a": 1,\n "b": [2]}', {"a": 1, "b": [2]}),
        (
            b"x: &x {a: 1}\ny: {<<: *x, b: 2}\nz: {<<: *x, <<: *x}\n",
            {"x": {"a": 1}, "y": {"a": 1, "b": 2}, "z": {"a": 1}},
        ),
        (b"raw_names: {0: road, '0': sky}\n", {"raw_names": {0: "road", "0": "sky"}}),
    ],
)
def test_what_is_yaml_is_read(content: bytes, mapping: dict[str, object]) -> None:
    assert read_mapping(content, "'f.yml'") == mapping


def test_keys_are_those_at_the_top() -> None:
    assert list_keys(b"&x a: {b: 1}\nc: [{d: 2}]\n", "'f.yml'") == ["a", "c"]


def test_alias_that_leads_back_is_no_endless_way() -> None:
    assert list_keys(b"a: &a {b: *a}\n", "'f.yml'") == ["a"]
