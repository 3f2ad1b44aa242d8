"""Pages that need no other file: one base, one stylesheet, one way to write a number; and cards in Markdown."""

import base64
import re
from datetime import timedelta
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from roadseg.reporting.numbers import abbreviate_count, write_percent, write_score


def render_page(template: str, **content: Any) -> str:
    """Returns a page as HTML, whose texts are escaped, or as Markdown, whose template escapes them by `plain`.

    Args:
        template: Name of a file of this package that extends `page.html.jinja`, or ends in `.md.jinja`.
        content: What it names.
    """
    environment = Environment(
        loader=PackageLoader(__package__, ""),
        autoescape=select_autoescape(disabled_extensions=["md.jinja"], default=True),
        undefined=StrictUndefined,
        keep_trailing_newline=template.endswith(".md.jinja"),
    )
    environment.filters |= {
        "plain": escape_markdown,
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


def escape_markdown(text: object) -> str:
    """Returns a text in one line of Markdown in which each character stands for itself, also within a table."""
    return re.sub(r"([\\`*_\[\]<>|~&$#])", r"\\\1", " ".join(str(text).split()))
