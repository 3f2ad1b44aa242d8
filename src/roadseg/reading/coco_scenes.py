"""Which image of a folder is which of those that files in COCO's form list."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import PurePath, PurePosixPath

from roadseg.reading.coco_file import Listed, list_images, plain_path
from roadseg.reading.layout import Layout, SceneFiles
from roadseg.reading.name_pattern import FIELDS
from roadseg.reading.stored_path import RawPath, name_below
from roadseg.scenes.faults import Fault, FaultKind


@dataclass(frozen=True)
class _Claim:
    """That a file lists the image of a scene.

    Attributes:
        path: Of the file.
        fields: Those of its name.
        part: What it says of the image; None if it has no annotations at all.
        times: How many images, and how many times over, the place in the list may mean.
    """

    path: RawPath
    fields: Mapping[str, str]
    part: bytes | None
    times: tuple[int, int]


def share_out(folder: RawPath, layout: Layout, scenes: Mapping[str, SceneFiles]) -> dict[str, SceneFiles]:
    """Returns the scenes with what JSON files say of each, and those that files list and that have no image.

    An image is found in a file by its name; where names repeat, by the folders at the ends of both paths, that of its
    drive among them. A file says nothing of images whose split or drive differs from its own; where an image has none,
    it has that of its file.

    Args:
        folder: That of the data set.
        layout: Its layout.
        scenes: Scene id -> its files; those that have an annotation already keep it.

    Raises:
        FileError: As `list_images` does.
    """
    images = {
        scene: plain_path(PurePath(os.path.relpath(str(files.image), str(folder))))
        for scene, files in scenes.items()
        if files.image
    }
    least = {scene: _count_telling(image, layout) for scene, image in images.items()}
    claims: dict[str, list[_Claim]] = {}
    silent: dict[str, list[str]] = {}
    without_image: dict[str, SceneFiles] = {}
    ignored = {path for pattern in layout.ignored for path, _ in pattern.find(folder)}
    found = {path: fields for pattern in layout.shared for path, fields in pattern.find(folder) if path not in ignored}
    for path, fields in found.items():
        members = {scene: image for scene, image in images.items() if _agree(scenes[scene].fields, fields)}
        listed = list_images(path)
        places = _find_places(members, [each for each, _ in listed], least)
        meant = Counter(number for numbers in places.values() for number in numbers)
        for scene, numbers in places.items():
            if numbers:
                claim = _Claim(path, fields, listed[numbers[0]][1], (meant[numbers[0]], len(numbers)))
                claims.setdefault(scene, []).append(claim)
            else:
                silent.setdefault(scene, []).append(f"'{name_below(path, folder)}'")
        without_image |= _list_lost(path, fields, [each for number, each in enumerate(listed) if not meant[number]])
    judged = {
        scene: _judge(folder, files, images[scene], claims.get(scene, []), silent.get(scene, []))
        for scene, files in scenes.items()
        if scene in images and not files.annotation
    }
    return {**without_image, **scenes, **judged}


def _list_lost(path: RawPath, fields: Mapping[str, str], listed: Sequence[Listed]) -> dict[str, SceneFiles]:
    """Returns a scene without an image for each annotated one of the images that a file lists and that are not there.

    Args:
        path: Of the file.
        fields: Those of its name.
        listed: These images, each with what the file says of it.
    """
    lost = {}
    for image, part in listed:
        if part:
            named = {**fields, "frame": image.with_suffix("").as_posix()}
            lost["/".join(named[name] for name in FIELDS if name in named)] = SceneFiles(named, None, path, part=part)
    return lost


def _judge(
    folder: RawPath, files: SceneFiles, image: PurePosixPath, claims: Sequence[_Claim], silent: Sequence[str]
) -> SceneFiles:
    """Returns the files of a scene that has no label map, with its part of the one file that lists it, or a fault."""
    named = " and ".join(f"'{name_below(claim.path, folder)}'" for claim in claims)
    if not claims:
        detail = f"'{image}' is not listed in {' and '.join(silent)}"
        return replace(files, faults=(Fault(FaultKind.NO_ANNOTATION, detail),)) if silent else files
    if len(claims) > 1:
        return replace(files, unusable=(FaultKind.AMBIGUOUS, f"{named} list '{image}'"))
    (claim,) = claims
    if claim.times != (1, 1):
        detail = (
            f"'{image}' may be one of {claim.times[1]} images in {named}, and {claim.times[0]} images may be that one"
        )
        return replace(files, unusable=(FaultKind.AMBIGUOUS, detail))
    annotation = claim.path if claim.part else None
    fields = {**claim.fields, **files.fields}
    return replace(files, fields=fields, annotation=annotation, faults=(), part=claim.part)


def _find_places(
    images: Mapping[str, PurePosixPath], listed: Sequence[PurePosixPath], least: Mapping[str, int]
) -> dict[str, list[int]]:
    """Returns for each scene which of the listed paths are that of its image, which have so many parts in common."""
    by_name: dict[str, list[int]] = {}
    for number, each in enumerate(listed):
        by_name.setdefault(each.name, []).append(number)
    scenes: dict[str, list[str]] = {}
    for scene, image in images.items():
        scenes.setdefault(image.name, []).append(scene)
    if len(scenes) == len(images) and len(by_name) == len(listed):
        return {scene: by_name.get(image.name, []) for scene, image in images.items()}
    places: dict[str, list[int]] = {}
    for name, alike in scenes.items():
        members = {scene: images[scene] for scene in alike}
        places |= _compare_tails(members, {number: listed[number] for number in by_name.get(name, ())}, least)
    return places


def _compare_tails(
    images: Mapping[str, PurePosixPath], listed: Mapping[int, PurePosixPath], least: Mapping[str, int]
) -> dict[str, list[int]]:
    """Returns for each scene the listed paths that are the tail of that of its image, or the other way round.

    Where there are none, the folders above are others: then those with the longest common tail, unless one of them has
    a longer one with another image.
    """
    tails = {
        scene: {number: _count_tail(image, path) for number, path in listed.items()} for scene, image in images.items()
    }
    longest = {number: max(counts[number] for counts in tails.values()) for number in listed}
    places: dict[str, list[int]] = {}
    for scene, counts in tails.items():
        depth = len(images[scene].parts)
        whole = [number for number, count in counts.items() if count == min(depth, len(listed[number].parts))]
        most = max(counts.values(), default=0)
        best = [number for number, count in counts.items() if count == most >= least[scene]]
        places[scene] = whole or (best if all(longest[number] == most for number in best) else [])
    return places


def _count_tail(one: PurePosixPath, other: PurePosixPath) -> int:
    """Returns how many parts two paths have in common, from their ends on."""
    pairs = zip(reversed(one.parts), reversed(other.parts), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _count_telling(image: PurePosixPath, layout: Layout) -> int:
    """Returns how many parts of the path of an image, from its end on, tell drive and frame, where that is known."""
    found = (pattern.find_fields(image.as_posix(), ("drive", "frame")) for pattern in layout.images)
    return max(next(filter(None, found), {0})) + 1


def _agree(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return all(one[name].casefold() == other[name].casefold() for name in one.keys() & other.keys())
