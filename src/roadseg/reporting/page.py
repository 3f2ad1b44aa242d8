"""Pages that need no other file: one base, one stylesheet, one way to write a number."""

import base64
from datetime import timedelta
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from roadseg.reporting.numbers import abbreviate_count, write_percent, write_score


def render_page(template: str, **content: Any) -> str:
    """Returns a page as HTML; texts are escaped.

    Args:
        template: Name of a file of this package that extends `page.html.jinja`.
        content: What it names.
    """
    environment = Environment(loader=PackageLoader(__package__, ""), autoescape=True, undefined=StrictUndefined)
    environment.filters |= {
        "score": write_score,
        "percent": write_percent,
        "count": abbreviate_count,
        "duration": lambda seconds: timedelta(seconds=round(seconds)),
    }
    return environment.get_template(template).render(**content)


def embed_picture(content: bytes, kind: str) -> str:
    """Returns the address of a picture that lies within a page.

    Args:
        content: Of its file.
        kind: `png`, `jpeg` or `webp`.
    """
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
