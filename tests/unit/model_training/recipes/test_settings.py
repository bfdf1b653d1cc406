"""Training settings."""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from model_training.errors import ConfigError
from model_training.recipes.settings import (
    RECIPES,
    add_config_options,
    load_config,
    load_pretraining_config,
    make_config,
    overrides_of,
)


@pytest.mark.parametrize("name", sorted(path.stem for path in RECIPES.glob("*.toml")))
def test_every_configuration_that_ships_can_be_loaded(name: str) -> None:
    load = load_pretraining_config if name == "language-models" else load_config
    assert load(name).text_settings.vocabulary_size > 0


@pytest.mark.parametrize("name", ["forward-teacher-1", "backward-teacher-1"])
def test_a_classifier_reads_what_its_language_models_wrote(name: str) -> None:
    before, after = load_pretraining_config("language-models"), load_config(name)
    assert after.start_from == "language-models"
    for shared in ("text", "embedding_size", "hidden_size", "dev_reviews"):
        assert getattr(before, shared) == getattr(after, shared)


@pytest.mark.parametrize("kind", ["", "-teacher-1", "-student-1", "-teacher-2"])
def test_the_two_directions_differ_in_their_direction_only(kind: str) -> None:
    forward, backward = load_config(f"forward{kind}"), load_config(f"backward{kind}")
    own = replace(forward, backward=True, start_from=backward.start_from)
    assert own == backward != forward
    assert backward.start_from == forward.start_from.replace("forward", "backward")


@pytest.mark.parametrize(
    ("name", "kind"), [("teacher-1", "-teacher-1"), ("teacher-2", "-teacher-2"), ("modern", "")]
)
def test_a_joined_model_is_that_of_its_two_directions(name: str, kind: str) -> None:
    joined, forward = load_config(name), load_config(f"forward{kind}")
    assert joined.start_from == f"forward{kind}+backward{kind}"
    for shared in ("text", "embedding_size", "hidden_size", "pooling", "dev_reviews"):
        assert getattr(joined, shared) == getattr(forward, shared)


def test_a_student_learns_from_the_teacher_that_it_goes_on_from() -> None:
    for student, teacher in (("forward-student-1", "teacher-1"), ("forward", "teacher-2")):
        half = load_config(student)
        assert (half.start_from, half.teacher) == (f"forward-{teacher}", teacher)
        assert half.dev_reviews == load_config(teacher).dev_reviews
    assert load_config("modern").teacher == load_config("forward").teacher


def test_classic_is_the_published_recipe() -> None:
    config = load_config("classic")
    assert (config.embedding_size, config.hidden_size, config.epochs) == (32, 200, 10)
    assert (config.bidirectional, config.pooling, config.start_from) == (False, "last", "random")


def test_the_command_line_replaces_settings() -> None:
    parser = argparse.ArgumentParser()
    add_config_options(parser)
    options = parser.parse_args(["--epochs", "2", "--hidden_size", "8", "--bidirectional", "false"])
    assert overrides_of(options) == {"epochs": 2, "hidden_size": 8, "bidirectional": False}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": -1}, "epochs = -1; use 0 to 1000"),
        ({"pooling": "mean"}, "pooling = 'mean'; use one of"),
        ({"epochs": "3"}, "epochs = '3'; use a int"),
        ({"epocs": 3}, "unknown \\['epocs'\\]"),
        ({"dropout": 1.0}, "dropout = 1.0"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value(change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_config(asdict(load_config("modern")) | change, "test")


def test_an_unknown_configuration_lists_the_known_ones() -> None:
    with pytest.raises(
        ConfigError, match="no configuration 'modren'; there are backward, backward-s"
    ):
        load_config("modren")


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("epochs = ")
    with pytest.raises(ConfigError, match=r"x\.toml"):
        load_config(str(path))


def test_a_switch_is_true_or_false(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_config_options(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--bidirectional", "yes"])
    assert "'yes'; use true or false" in capsys.readouterr().err
