"""What an object store, or the way to it, refuses: in one sentence, without importing the packages that raise it."""

import re
import sys
from collections.abc import Mapping
from typing import Any

from roadseg.errors import RoadSegError

FAULTS = (
    ("botocore.exceptions", "BotoCoreError"),
    ("aiohttp", "ClientError"),
    ("gcsfs.retry", "HttpError"),
    ("google.auth.exceptions", "GoogleAuthError"),
    ("azure.core.exceptions", "AzureError"),
)
"""Module and name of what file systems raise that is no `OSError`."""

PACKAGE = re.compile(r"install (\w+) to access", re.IGNORECASE)
"""What fsspec says if the package is missing that reads a protocol."""

EXTRAS: Mapping[str, str] = {"s3fs": "-e '.[s3]'"}
"""Package -> how it is installed, if this project has an extra for it."""

ENTRY = "credentials.yml, see docs/scale.md"

REFUSED = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "401")
FORBIDDEN = ("AccessDenied", "403")
"""Codes in the answers of S3."""


def list_store_faults() -> tuple[type[Exception], ...]:
    """Returns the errors of object stores that are no `OSError`, of the packages that are loaded."""
    return tuple(getattr(sys.modules[module], name) for module, name in FAULTS if module in sys.modules)


def describe_store_fault(fault: BaseException) -> str | None:
    """Returns what an object store refused, or why it can't be reached; None for any other fault.

    Args:
        fault: As it was raised. S3's answers become an `OSError`, which does not name the bucket; they are its cause.
    """
    if isinstance(fault, ImportError):
        package = PACKAGE.search(str(fault))
        return _name_package(package[1]) if package else None
    if isinstance(fault, list_store_faults()):
        return _describe_way(fault)
    if isinstance(fault, OSError) and not isinstance(fault, RoadSegError):
        answer: Any = fault.__cause__ or fault.__context__
        if "ClientError" in _list_kinds(answer) and hasattr(answer, "response"):
            return _describe_answer(answer.response.get("Error", {}), answer.operation_name)
    return None


def _name_package(package: str) -> str:
    how = EXTRAS.get(package, package)
    return f"the package {package} is missing, which reads and writes this object store: pip install {how}"


def _describe_way(fault: BaseException) -> str:
    """Returns what is wrong before a store has answered."""
    kinds = _list_kinds(fault)
    if kinds & {"NoCredentialsError", "PartialCredentialsError", "DefaultCredentialsError"}:
        return f"there are no credentials for the object store ({fault}): set its variables, or write {ENTRY}"
    if kinds & {"HTTPClientError", "ConnectionError", "ClientConnectionError", "ServiceRequestError"}:
        return (
            f"the object store can't be reached, after several tries: {fault}; make sure that it runs and that this "
            f"machine reaches it, then run again"
        )
    return f"the object store can't be used: {fault}"


def _describe_answer(error: Mapping[str, str], operation: str) -> str | None:
    """Returns what S3 answered; None if nothing but a file is missing."""
    code, message = error.get("Code", ""), error.get("Message", "")
    if code == "NoSuchBucket":
        name = f" '{error['BucketName']}'" if "BucketName" in error else ""
        return f"there is no bucket{name} in the object store: make it, or correct the path in globals.yml or catalog"
    if code in REFUSED:
        return f"the object store does not accept the credentials ({code}: {message}): correct {ENTRY}"
    if code in FORBIDDEN:
        return f"the object store refuses {operation} ({code}: {message}): it needs other rights, or correct {ENTRY}"
    return None if code in ("NoSuchKey", "404") else f"the object store answers {operation} with {code}: {message}"


def _list_kinds(fault: BaseException | None) -> set[str]:
    return {kind.__name__ for kind in type(fault).__mro__}
