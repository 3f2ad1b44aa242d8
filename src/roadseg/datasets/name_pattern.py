"""Where the files of a data set lie: patterns of paths, with the fields that tell split, drive and frame."""

import glob
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

FIELDS = ("split", "drive", "frame")

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")

TOKEN = re.compile(r"\{(\w*)\}|(\.\*$)|(\*)")


class NamePattern:
    """A pattern of paths below a folder, such as `{split}/{drive}/{frame}_image.*`.

    `{split}`, `{drive}` and `{frame}` stand for text without a slash, as short as it can be; the split is one of those
    given. `*` is any text without a slash, `.*` at the end the ending of an image: png, jpg, jpeg in small or capital
    letters.
    """

    def __init__(self, pattern: str, splits: Iterable[str]) -> None:
        """Takes the pattern, and the names that splits have in it.

        Raises:
            ValueError: If the pattern holds another field, or no frame.
        """
        tokens = TOKEN.split(pattern)
        fields = tokens[1::4]
        unknown = sorted({field for field in fields if field is not None} - set(FIELDS))
        if unknown or "frame" not in fields:
            raise ValueError(f"pattern '{pattern}' must hold {{frame}}, and no fields but {', '.join(FIELDS)}")
        self.text = pattern
        self.fields = tuple(field for field in FIELDS if field in fields)
        self._glob = re.sub(r"\*+", "*", "*".join(map(glob.escape, tokens[::4])))
        self._regex = re.compile(_translate(tokens, splits))

    def find(self, folder: Path) -> Iterator[tuple[Path, Mapping[str, str]]]:
        """Yields the files that match, sorted by path, each with the text of its fields."""
        for path in sorted(folder.glob(self._glob)):
            match = self._regex.fullmatch(path.relative_to(folder).as_posix())
            if match and not path.is_dir():
                yield path, match.groupdict()


def _translate(tokens: list[str], splits: Iterable[str]) -> str:
    """Returns the regular expression of a pattern: literal text stands between its tokens."""
    parts = [re.escape(tokens[0])]
    seen = set()
    for field, ending, star, literal in zip(*(tokens[start::4] for start in range(1, 5)), strict=True):
        if field and field in seen:
            parts.append(f"(?P={field})")
        elif field == "split":
            parts.append(f"(?P<split>{'|'.join(map(re.escape, splits))})")
        elif field:
            parts.append(f"(?P<{field}>[^/]+?)")
        elif ending:
            parts.append(rf"\.(?i:{'|'.join(suffix[1:] for suffix in IMAGE_SUFFIXES)})")
        elif star:
            parts.append("[^/]*")
        seen.add(field)
        parts.append(re.escape(literal))
    return "".join(parts)
