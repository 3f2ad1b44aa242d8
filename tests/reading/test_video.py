import logging
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from pydantic import ValidationError

from reading.videos import FRAMES, KINDS, RATE, SIZE, cut, film, patch, put_index_first, shade, slow_down
from roadseg.reading import video
from roadseg.reading.video import Video, VideoOptions
from roadseg.scenes.faults import Fault, FaultKind, UnusableSceneError

ALL = {"every": 1, "start": 0, "end": None}


def read(path, *, all_frames=True, **options):
    return list(Video("a", path).read_frames(VideoOptions(**ALL | options), all_frames=all_frames))


def read_until_fault(path, **options):
    """Returns the numbers of the frames that are chosen, and the fault that ends them."""
    frames, fault = read_all_until_fault(path, **options)
    return [frame.number for frame in frames if frame.is_chosen], fault


def read_all_until_fault(path, **options):
    frames = []
    with pytest.raises(UnusableSceneError) as error:
        frames.extend(Video("a", path).read_frames(VideoOptions(**ALL | options)))
    return frames, error.value.fault


def numbers(frames):
    return [frame.number for frame in frames]


@pytest.mark.parametrize("suffix", KINDS)
def test_all_frames_are_read_in_order_with_their_times(tmp_path, suffix):
    path = film(tmp_path / f"a.{suffix}").rename(tmp_path / f"Straße é 10:30 %d.{suffix.upper()}")
    header = Video("a", path).read_header()
    assert (header.size, header.frame_rate) == (SIZE, RATE)
    frames = read(path)
    assert numbers(frames) == list(range(FRAMES))
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(FRAMES) / RATE, atol=1e-3)
    for frame in frames:
        assert (frame.image.shape, frame.image.dtype, frame.is_chosen) == ((*SIZE, 3), np.uint8, True)
        assert abs(frame.image[32:, :, 1].mean() - shade(frame.number)) < 3  # the codec of mp4 spares other colours
        red, green, blue = frame.image[:8].mean((0, 1))
        assert red > 200
        assert max(green, blue) < 50


@pytest.mark.parametrize(
    ("options", "there", "chosen"),
    [
        ({"every": 7}, range(40), range(0, 40, 7)),
        ({"start": 3.0}, range(30, 40), range(30, 40)),
        ({"start": 2.95, "every": 4}, range(30, 40), (30, 34, 38)),
        ({"end": 0.3}, range(3), range(3)),
        ({"start": 1, "end": 1.35, "every": 2}, range(10, 14), (10, 12)),
        ({"every": 1000}, range(40), (0,)),
    ],
)
def test_options_choose_frames(tmp_path, options, there, chosen):
    path = film(tmp_path / "a.mkv")
    frames = read(path, **options)
    assert numbers(frames) == list(there)
    assert numbers(frame for frame in frames if frame.is_chosen) == list(chosen)
    only = read(path, all_frames=False, **options)
    assert numbers(only) == list(chosen)
    assert all(frame.is_chosen and np.abs(frame.image[32:] - float(shade(frame.number))).max() < 3 for frame in only)


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"every": 0}, "every"),
        ({"start": -1}, "start"),
        ({"end": 0}, "end"),
        ({"start": 2.5, "end": 2.5}, "start must be less than end"),
    ],
)
def test_options_that_choose_nothing_are_refused(options, wrong):
    with pytest.raises(ValidationError, match=wrong):
        VideoOptions(**ALL | options)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"start": 4.0}, "start (4 s) is too late for 'a.avi': its last frame is at 3.9 s"),
        ({"start": 9.5, "end": 10.0}, "start (9.5 s) is too late for 'a.avi': its last frame is at 3.9 s"),
        ({"start": 1.02, "end": 1.08}, "'a.avi' has no frame from start (1.02 s) to end (1.08 s)"),
    ],
)
def test_a_video_without_a_frame_between_start_and_end_is_a_fault(tmp_path, options, why):
    assert read_until_fault(film(tmp_path / "a.avi"), **options) == ([], Fault(FaultKind.NO_FRAMES, why))


def test_a_video_of_frames_that_are_too_large_is_a_fault(tmp_path, monkeypatch):
    monkeypatch.setattr(video, "LARGEST_PICTURE", 48 * 64 - 1)
    fault = read_until_fault(film(tmp_path / "a.avi"))[1]
    assert (fault.kind, fault.detail) == (
        FaultKind.TOO_LARGE,
        "'a.avi' has 48 x 64 pixels; at most 3071 pixels and sides of 65500 can be read",
    )


@pytest.mark.parametrize(("degrees", "turns"), [(90, 3), (180, 2), (270, 1)])
def test_a_video_is_turned_as_its_file_says(tmp_path, degrees, turns):
    path = film(tmp_path / "a.mp4")
    upright = read(path, end=0.1)[0].image
    sine, cosine = {90: (1, 0), 180: (0, -1), 270: (-1, 0)}[degrees]
    place = path.read_bytes().index(b"tkhd") + 44  # the matrix of ISO/IEC 14496-12, 8.3.2, in 16.16
    patch(path, ">5i", (place, cosine << 16, sine << 16, 0, -sine << 16, cosine << 16))
    (turned,) = read(path, end=0.1)
    np.testing.assert_array_equal(turned.image, np.rot90(upright, turns))
    assert Video("a", path).read_header().size == turned.image.shape[:2]


@pytest.mark.parametrize(
    ("suffix", "codec"), [("avi", "MJPG"), ("avi", "FFV1"), ("mkv", "MJPG"), ("webm", "VP80"), ("mp4", "mp4v")]
)
@pytest.mark.parametrize("share", [0.4, 0.7])
def test_of_a_video_that_is_cut_off_the_frames_before_the_cut_are_read(tmp_path, suffix, codec, share):
    path = film(tmp_path / f"a.{suffix}", codec=codec)
    if suffix == "mp4":
        put_index_first(path)
    whole = read(path)
    assert len(whole) == FRAMES
    size = path.stat().st_size
    there, fault = read_until_fault(cut(path, share))
    assert there == list(range(len(there)))
    assert FRAMES * (share - 0.2) < len(there) < FRAMES * (share + 0.1)
    lost = size - path.stat().st_size
    assert fault.kind is FaultKind.VIDEO_BROKEN
    assert fault.detail.startswith(f"'a.{suffix}' is cut off after {len(there)} of 40 frames: ")
    assert int(fault.detail.split()[-4]) == pytest.approx(lost, abs=8)  # AVI does not count its own padding


def test_a_video_that_is_cut_off_may_not_tell_its_number_of_frames(tmp_path):
    path = film(tmp_path / "a.avi")
    content = path.read_bytes()
    patch(path, "<I", *((place, 0) for place in (content.index(b"avih") + 24, content.index(b"strh") + 40)))
    there, fault = read_until_fault(cut(path, 0.5))
    assert fault.detail.startswith(f"'a.avi' is cut off after {len(there)} frames: ")


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_a_video_whose_index_is_cut_off_is_not_decoded(tmp_path, suffix):
    path = cut(film(tmp_path / f"a.{suffix}"), 0.5)
    there, fault = read_until_fault(path)
    assert (there, fault.kind) == ([], FaultKind.VIDEO_BROKEN)
    assert fault.detail.startswith(f"'a.{suffix}' can't be decoded ({path.stat().st_size} bytes): cut off, ")


@pytest.mark.parametrize("content", [b"", b"no video", b"\0" * 5000, b"RIFF\xff\xff\xff\xffAVI LIST"])
def test_what_is_no_video_is_a_fault(tmp_path, content):
    (tmp_path / "a.avi").write_bytes(content)
    for read_it in (read_until_fault, lambda path: ([], refuse_header(path))):
        there, fault = read_it(tmp_path / "a.avi")
        assert (there, fault.kind) == ([], FaultKind.VIDEO_BROKEN)
        assert fault.detail.startswith(f"'a.avi' can't be decoded ({len(content)} bytes): ")


def refuse_header(path):
    with pytest.raises(UnusableSceneError) as error:
        Video("a", path).read_header()
    return error.value.fault


def test_frames_that_cannot_be_decoded_are_counted_and_the_others_read(tmp_path):
    path = film(tmp_path / "a.mp4", frames=100)
    size = path.stat().st_size
    patch(path, f"{size // 50}x", (size * 2 // 5,))
    there, fault = read_until_fault(path)
    lost = sorted(set(range(100)) - set(there))
    assert lost
    assert there[-1] == 99
    assert fault == Fault(FaultKind.VIDEO_BROKEN, f"{len(lost)} of 100 frames of 'a.mp4' can't be decoded")
    frames = read_all_until_fault(path)[0]
    assert numbers(frames) == list(range(100))
    for number in lost:
        assert frames[number].image is frames[number - 1].image


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        *(("avi", "MJPG"), ("avi", "FFV1"), ("avi", "XVID"), ("mkv", "MJPG"), ("mkv", "FFV1"), ("webm", "VP80")),
        *(("mp4", "mp4v"), ("mov", "mp4v"), ("mov", "MJPG")),
    ],
)
@pytest.mark.parametrize("with_what", [bytes(3000), b"e" * 3000, np.random.default_rng(3).bytes(3000)])
def test_of_a_video_that_is_damaged_the_fault_counts_the_frames(tmp_path, suffix, codec, with_what):
    path = film(tmp_path / f"a.{suffix}", codec=codec)
    assert len(read(path)) == FRAMES
    patch(path, "3000s", (path.stat().st_size // 2, with_what))
    there, fault = read_until_fault(path)
    lost = FRAMES - len(there)
    assert 0 < lost < FRAMES
    found = f"'a.{suffix}' is damaged: {len(there)} of 40 frames can be read"
    broken = f"{lost} of 40 frames of 'a.{suffix}' can't be decoded"
    assert fault == Fault(FaultKind.VIDEO_BROKEN, broken if suffix in {"mp4", "mov"} else found)
    assert len(read(path, end=0.5)) == 5


def test_times_are_those_in_the_file_where_frames_last_longer_and_shorter(tmp_path):
    frames = read(slow_down(film(tmp_path / "a.mp4"), 20))
    times = [*np.arange(20) / RATE, *(2 + 3 * np.arange(20) / RATE)]
    np.testing.assert_allclose([frame.time for frame in frames], times, atol=1e-3)
    assert numbers(read(tmp_path / "a.mp4", start=2.9, end=4)) == [23, 24, 25, 26]


@pytest.mark.parametrize("count", [0, 5, 9999])
def test_a_wrong_number_of_frames_changes_nothing(tmp_path, count):
    path = film(tmp_path / "a.avi")
    content = path.read_bytes()
    places = (content.index(b"avih") + 24, content.index(b"strh") + 40)
    assert numbers(read(patch(path, "<I", *((place, count) for place in places)))) == list(range(FRAMES))


def test_a_duration_that_is_too_long_changes_nothing(tmp_path):
    path = film(tmp_path / "a.mkv")
    patch(path, ">d", (path.read_bytes().index(b"\x44\x89\x88") + 3, 60_000.0))  # ms, by which 600 are expected
    assert numbers(read(path)) == list(range(FRAMES))


@pytest.mark.parametrize(("scale", "rate"), [(1, 1_000_000), (10_000, 1)])
def test_a_frame_rate_that_cannot_be_is_not_believed(tmp_path, caplog, scale, rate):
    path = film(tmp_path / "a.avi")
    patch(path, "<II", (path.read_bytes().index(b"strh") + 28, scale, rate))
    with caplog.at_level(logging.WARNING):
        assert Video("a", path).read_header().frame_rate == 25
    assert caplog.messages == [f"'a.avi' says it has {rate / scale:g} frames per second: 25 are taken"]
    np.testing.assert_allclose([frame.time for frame in read(path)], np.arange(FRAMES) / 25)
    assert numbers(read(path, start=0.2, end=0.3)) == [5, 6, 7]


def test_a_frame_rate_that_is_missing_is_that_of_ffmpeg(tmp_path):
    path = film(tmp_path / "a.avi")
    content = path.read_bytes()
    patch(
        path,
        "<I",
        *((place, 0) for place in (content.index(b"avih") + 8, *(content.index(b"strh") + at for at in (28, 32)))),
    )
    assert Video("a", path).read_header().frame_rate == 25
    assert len(read(path)) == FRAMES


@pytest.mark.parametrize(
    ("target", "kind", "detail"),
    [
        ("nowhere", FaultKind.IMAGE_MISSING, "'a.mp4' can't be read: No such file or directory"),
        ("/dev/null", FaultKind.VIDEO_BROKEN, "'a.mp4' is no file, and leads to none"),
    ],
)
def test_a_link_that_leads_to_no_file_is_a_fault(tmp_path, target, kind, detail):
    (tmp_path / "a.mp4").symlink_to(target)
    assert read_until_fault(tmp_path / "a.mp4") == ([], Fault(kind, detail))


def test_a_video_that_may_not_be_read_is_a_fault(tmp_path, as_ordinary_user):
    film(tmp_path / "a.avi").chmod(0)
    with as_ordinary_user(tmp_path):
        _, fault = read_until_fault(Path("a.avi"))
    assert fault == Fault(FaultKind.VIDEO_BROKEN, "'a.avi' can't be read: Permission denied")


@pytest.mark.parametrize("name", [b"caf\xe9.avi", b"caf\xe9/a.avi"])
def test_a_name_that_is_not_in_utf_8_is_a_fault(tmp_path, name):
    path = tmp_path / os.fsdecode(name)
    path.parent.mkdir(exist_ok=True)
    film(tmp_path / "a.avi").rename(path)
    detail = "'a' has a name or a folder whose name is not in UTF-8: rename it"
    assert read_until_fault(path) == ([], Fault(FaultKind.VIDEO_BROKEN, detail))


def test_a_name_with_a_colon_is_no_address(tmp_path, monkeypatch):
    film(tmp_path / "file.avi").rename(tmp_path / "drive:1.avi")
    monkeypatch.chdir(tmp_path)
    assert len(read(Path("drive:1.avi"))) == FRAMES


def test_nothing_but_the_fault_is_said(tmp_path):
    cut(film(tmp_path / "a.mp4"), 0.5)
    cut(film(tmp_path / "b.avi"), 0.5)
    program = f"""
        import pathlib
        from roadseg.reading.video import Video, VideoOptions
        from roadseg.scenes.faults import UnusableSceneError
        for name in ("a.mp4", "b.avi"):
            try:
                for frame in Video("a", pathlib.Path({str(tmp_path)!r}) / name).read_frames(VideoOptions(**{ALL})):
                    pass
            except UnusableSceneError as fault:
                print(fault.fault.kind)
    """
    done = subprocess.run([sys.executable, "-c", dedent(program)], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("video broken\nvideo broken\n", "")
