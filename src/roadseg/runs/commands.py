"""`kedro runs`: list the runs of the project, and compare two of them or all folds of a k-fold."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
from kedro.framework.cli.utils import env_option
from kedro.framework.session import KedroSession
from kedro.framework.startup import ProjectMetadata
from kedro.io import DataCatalog

from roadseg.command_line import conf_source_option
from roadseg.errors import InputError
from roadseg.reading.folder import name_place
from roadseg.sentences import told_in_a_sentence

if TYPE_CHECKING:  # here and in the commands, so that no other command needs to wait for them
    from roadseg.datasets.run_records import RunRecord
    from roadseg.reporting.comparison_page import Section
    from roadseg.runs.comparing import Comparison


@click.group()
def runs() -> None:
    """List the runs of the project, compare two of them, or show all folds of a k-fold."""


@runs.command("list")
@click.option(
    "--sort",
    "order",
    type=click.Choice(["newest", "mean_iou", "validation_mean_iou", "time"]),
    default="newest",
    show_default=True,
    help="What to sort by; mean_iou is that of the test split.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Largest number of rows.")
@env_option
@conf_source_option
@click.pass_obj
def list_command(
    metadata: ProjectMetadata, /, order: str, limit: int | None, env: str | None, conf_source: str | None
) -> None:
    """List runs: what they ran, commit, model, parameters, scores, and how they ended."""
    with told_in_a_sentence():
        from roadseg.runs.listing import COLUMNS, list_rows, read_all, sort_records
        from roadseg.runs.printing import print_table

        context = _load_context(metadata, env, conf_source)
        readable, damaged = read_all(context.catalog["run_records"])
        ordered = readable if order == "newest" else sort_records(readable, order)
        print_table(tuple(COLUMNS), list_rows(ordered[:limit], context.config_loader["parameters"]))
        if damaged:
            raise InputError("; ".join(damaged))


@runs.command("compare")
@click.argument("run_a")
@click.argument("run_b")
@click.option("--split", default="test", show_default=True, help="Split whose scenes are compared.")
@click.option(
    "--scenes",
    "num_scenes",
    type=click.IntRange(min=0),
    default=6,
    show_default=True,
    help="Number of scenes that got better, and of scenes that got worse; 0 loads no model.",
)
@env_option
@conf_source_option
@click.pass_obj
def compare_command(
    metadata: ProjectMetadata,
    /,
    run_a: str,
    run_b: str,
    split: str,
    num_scenes: int,
    env: str | None,
    conf_source: str | None,
) -> None:
    """Compare two runs: settings, scores, and the scenes that changed most; write it all as an HTML page.

    Name a run by its id, the start of its id, `latest` (the newest run with scores) or `previous` (the one before).
    """
    with told_in_a_sentence():
        from roadseg.runs.comparing import compare_runs
        from roadseg.runs.listing import choose_run

        context = _load_context(metadata, env, conf_source)
        catalog = context.catalog
        records: Any = catalog["run_records"]
        first, second = choose_run(records, run_a), choose_run(records, run_b)
        comparison = compare_runs(catalog, first, second, split=split, num_scenes=num_scenes)
        _print_comparison(comparison)
        catalogs = [
            _load_context(metadata, env, conf_source, **_choose_model(each)).catalog for each in (first, second)
        ]
        options = context.config_loader["parameters"]["pictures"]
        catalog.save("run_comparison", _write_page(catalogs, first, second, comparison, options))
        dataset: Any = catalog["run_comparison"]
        click.echo(name_place(dataset._fs, str(dataset._get_load_path()), metadata.project_path))


@runs.command("folds")
@click.argument("run", default="latest")
@click.option("--split", default="test", show_default=True, help="Split whose scores are shown.")
@env_option
@conf_source_option
@click.pass_obj
def folds_command(metadata: ProjectMetadata, /, run: str, split: str, env: str | None, conf_source: str | None) -> None:
    """Show the scores of all folds of a k-fold, with their mean and standard deviation.

    RUN is one of its runs: its id, the start of its id, or `latest`, the newest run of a k-fold.
    """
    with told_in_a_sentence():
        from roadseg.runs.folds import choose_folds, compare_folds

        records: Any = _load_context(metadata, env, conf_source).catalog["run_records"]
        folds, damaged = choose_folds(records, run)
        _print_sections(compare_folds(folds, split))
        if damaged:
            raise InputError("; ".join(damaged))


def _load_context(
    metadata: ProjectMetadata, environment: str | None, conf_source: str | None, **parameters: str
) -> Any:
    session: Any = KedroSession.create(
        metadata.project_path, env=environment, runtime_params=parameters, conf_source=conf_source
    )
    context = session.load_context()
    # Kedro would import all pipelines to check parameters, and with them TensorFlow, which takes seconds.
    context._pipelines_to_validate = []
    return context


def _choose_model(record: "RunRecord") -> dict[str, str]:
    """Returns the parameter that a run was given to score the model of another data set, if it was."""
    return {name: value for name, value in record.given_parameters.items() if name == "model_of"}


def _print_comparison(comparison: "Comparison") -> None:
    from roadseg.runs.printing import print_text

    for note in comparison.notes:
        print_text(note)
    _print_sections(comparison.sections)


def _print_sections(sections: Sequence["Section"]) -> None:
    from roadseg.runs.printing import print_table, print_text

    for section in sections:
        print_text(f"\n{section.title}")
        print_table(section.columns, section.rows)
        if section.remark:
            print_text(section.remark)


def _write_page(
    catalogs: Sequence[DataCatalog],
    first: "RunRecord",
    second: "RunRecord",
    comparison: "Comparison",
    picture_options: Mapping[str, Any],
) -> str:
    from roadseg.reporting.comparison_page import write_page
    from roadseg.runs.picturing import draw_pictures
    from roadseg.scenes.palette import PictureOptions, make_palette

    pictures = draw_pictures(catalogs, first, second, comparison.changed)
    if pictures.missing:
        click.echo(pictures.missing)
    return write_page(
        first=first.run,
        second=second.run,
        notes=[*comparison.notes, *([pictures.missing] if pictures.missing else [])],
        sections=comparison.sections,
        pictures=pictures.scenes,
        palette=make_palette(pictures.classes, PictureOptions.model_validate(picture_options)),
    )
