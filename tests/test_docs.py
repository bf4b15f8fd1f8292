"""What the README says is what the program does."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import pipeline
from cli import main

README = (Path(__file__).parents[1] / "README.md").read_text()


def table() -> str:
    """The README's table of commands, as the commands' own help gives it."""
    rows = [f"| `{name}` | {command.help} |" for name, command in main.commands.items()]
    return "\n".join(["| command | does |", "| --- | --- |", *rows])


def test_the_table_of_commands_is_the_commands_own_help():
    found = re.search(r"<!-- commands -->\n(.*)\n<!-- /commands -->", README, re.S)
    assert found and found[1] == table()


@pytest.mark.parametrize("name", main.commands)
def test_every_command_and_option_has_help(name):
    command = main.commands[name]
    assert command.help
    assert all(option.help for option in command.params if option.param_type_name == "option")
    assert CliRunner().invoke(main, [name, "--help"]).exit_code == 0


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_file_the_readme_points_at_exists(path):
    assert (Path(__file__).parents[1] / path).exists()


def test_every_command_the_readme_shows_exists():
    shown = set(re.findall(r"causerie (\w[\w-]*)", README))
    assert shown <= set(main.commands)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:pipeline|docs|tests|tools|benchmarks)/[\w./-]*)`", README))))
def test_every_path_the_readme_names_exists(path):
    assert (Path(__file__).parents[1] / path).exists()


def test_the_latest_dated_heading_of_the_changelog_is_this_version():
    changelog = (Path(__file__).parents[1] / "CHANGELOG.md").read_text()
    dated = re.findall(r"^## (\d+\.\d+\.\d+), \d{4}-\d\d-\d\d$", changelog, re.M)
    assert dated[0] == pipeline.__version__
