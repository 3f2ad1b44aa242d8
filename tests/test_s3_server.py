"""The S3 server that tests use: what it counts, and how it fails."""

import time

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.scale


def test_each_request_is_counted_by_kind_and_key(s3):
    bucket = s3.make_bucket()
    s3.recover()
    fs = s3.fs
    fs.pipe_file(f"{bucket}/folder/a.txt", b"one")
    assert fs.cat_file(f"{bucket}/folder/a.txt") == b"one"
    fs.pipe_file(f"{bucket}/folder/b.txt", b"two")
    assert fs.find(bucket) == [f"{bucket[5:]}/folder/{name}.txt" for name in "ab"]
    requests = s3.take_requests()
    assert [each.kind for each in requests if each.kind != "LIST"] == ["PUT", "HEAD", "GET", "PUT"]
    assert {each.key for each in requests if each.kind == "GET"} == {f"{bucket[5:]}/folder/a.txt"}
    assert s3.take_requests() == []


def test_answers_come_late_when_told(s3):
    bucket = s3.make_bucket()
    s3.answer_late(0.2)
    start = time.perf_counter()
    s3.fs.pipe_file(f"{bucket}/a.txt", b"one")
    assert time.perf_counter() - start > 0.2


@pytest.mark.parametrize("status", [503, 0])
def test_one_failed_request_is_tried_again(s3, status):
    path = f"{s3.make_bucket()}/a.txt"
    s3.fs.pipe_file(path, b"one")
    s3.recover()
    s3.fail(1, status, ["HEAD"])
    assert s3.fs.cat_file(path) == b"one"
    assert s3.count_requests("a.txt") == {"HEAD": 2, "GET": 1}


def test_refused_requests_of_one_kind_leave_the_others(s3):
    path = f"{s3.make_bucket()}/a.txt"
    s3.fs.pipe_file(path, b"one")
    s3.fail(status=403, kinds=["PUT"])
    with pytest.raises((PermissionError, ClientError)):
        s3.fs.pipe_file(path, b"two")
    assert s3.fs.cat_file(path) == b"one"
