"""Commands that the project adds to `kedro`."""

from typing import Any

import click
from kedro.framework.cli.utils import env_option
from kedro.framework.session import KedroSession
from kedro.framework.startup import ProjectMetadata

from roadseg.command_line import conf_source_option, run  # `python -m roadseg` runs what it finds here
from roadseg.runs.commands import runs
from roadseg.sentences import told_in_a_sentence
from roadseg.utf8 import use_utf8

use_utf8()


@click.group(name="roadseg")
def cli() -> None:
    """Commands of RoadSeg."""


cli.add_command(run)
cli.add_command(runs)


@cli.command()
@click.option("--keep", type=click.IntRange(min=1), required=True, help="Number of newest versions to keep.")
@env_option
@conf_source_option
@click.pass_obj
def prune(metadata: ProjectMetadata, /, keep: int, env: str | None, conf_source: str | None) -> None:
    """Remove old versions of all data sets, and prepared scenes that no version uses any more.

    Versions that a kept version was made from are kept too. Do not use this during a run: it may use an old version.
    """
    from roadseg.runs.pruning import prune_versions  # OpenCV and others, for which no other command needs to wait

    with told_in_a_sentence():
        session: Any = KedroSession.create(metadata.project_path, env=env, conf_source=conf_source)
        prune_versions(session.load_context().catalog, keep)
