"""Recipes: what they say, what replaces it, and what is refused."""

from __future__ import annotations

from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import pytest

from model_training.errors import ConfigError
from model_training.recipes.recipe import load_recipe, read_words, recipe_names
from model_training.recipes.settings import ClassifierSettings
from tests.small_recipes import CHAIN, LANGUAGE_MODELS, write_recipe


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_that_ships_can_be_loaded_and_ends_with_its_model(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.stages[-1].name == recipe.name == name


def test_a_student_learns_from_the_teacher_that_it_goes_on_from() -> None:
    stages = {stage.name: stage.settings for stage in load_recipe("modern").stages}
    line = ["language-models", "teacher-1", "student-1", "teacher-2", "teacher-3"]
    narrow = ["narrow", "narrow-2", "narrow-3", "narrow-4", "modern"]
    assert list(stages) == [*line, "transformer", *narrow]
    assert stages["teacher-1"].inputs == ("language-models",)
    for start, student in pairwise(narrow):
        assert stages[student].inputs == (start, "teacher-3", "transformer")
    pairs = (("student-1", "teacher-1"), ("teacher-3", "teacher-2"), ("narrow", "teacher-3"))
    for student, teacher in pairs:
        settings = stages[student]
        assert isinstance(settings, ClassifierSettings)
        assert (settings.start, settings.teacher) == (teacher, teacher)


def test_a_stage_has_the_defaults_that_it_knows_and_what_it_says_itself() -> None:
    recipe = load_recipe("modern")
    first, second = recipe.stage("teacher-1").settings, recipe.stage("teacher-2").settings
    assert isinstance(first, ClassifierSettings) and isinstance(second, ClassifierSettings)
    assert (first.hidden_size, second.hidden_size) == (512, 512)
    assert (first.adversarial, second.adversarial) == (3.0, 4.0)
    assert (first.learning_rate, second.learning_rate) == (2e-3, 1e-3)


def test_classic_is_the_published_recipe() -> None:
    [stage] = load_recipe("classic").stages
    settings = stage.settings
    assert isinstance(settings, ClassifierSettings)
    assert (settings.embedding_size, settings.hidden_size, settings.epochs) == (32, 200, 10)
    assert (settings.directions, settings.pooling) == (("forward",), "last")
    assert settings.inputs == ()


def test_a_command_line_replaces_settings_of_all_stages_or_of_one() -> None:
    name, overrides = read_words(["modern", "--seed", "7", "--teacher-1.learning-rate=1e-4"])
    recipe = load_recipe(str(name), overrides)
    assert {stage.settings.seed for stage in recipe.stages} == {7}
    rates = [getattr(stage.settings, "learning_rate") for stage in recipe.stages]  # noqa: B009
    assert rates == [2e-3, 1e-4, 1e-3, 1e-3, 1e-3, 4e-5, 1e-3, 7e-4, 1e-3, 8e-4, 8e-4]


def test_a_stage_says_how_it_differs_from_one_that_it_is_like() -> None:
    recipe = load_recipe("modern")
    first, second = (asdict(recipe.stage(name).settings) for name in ("narrow", "modern"))
    differing = {name for name in first if first[name] != second[name]}
    assert differing == {"start", "epochs", "learning_rate", "keep_start"}


def test_a_teacher_can_be_left_out() -> None:
    stage = load_recipe("modern", {"modern.transformer": "none"}).stages[-1]
    assert stage.settings.inputs == ("narrow-4", "teacher-3")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"epochs": -1}, "stage classic: epochs = -1; use 0 to 1000"),
        ({"epochs": "3.5"}, "epochs = '3.5'; use a whole number"),
        ({"epochs": True}, "epochs = True; use a whole number"),
        ({"dropout": "much"}, "dropout = 'much'; use a number"),
        ({"dropout": 1.0}, "dropout = 1.0; use 0 to 0.95"),
        ({"short_texts": "yes"}, "short_texts = 'yes'; use a switch: true or false"),
        ({"pooling": "mean"}, r"pooling = 'mean'; use one of \('last', 'max\+mean'\)"),
        ({"directions": "forward,up"}, "directions = 'up'; use one of"),
        ({"directions": ""}, "directions = ''; use one of"),
        ({"directions": "forward,forward"}, "directions = 'forward,forward'; use a list"),
        ({"teacher": "x"}, "it needs 'x'; the stages before it are"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value(
    overrides: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load_recipe("classic", overrides)


@pytest.mark.parametrize("name", ["epocs", "negatives", "teacher-1.epochs", "epochs.classic"])
def test_an_override_without_effect_is_refused_with_those_that_have_one(name: str) -> None:
    with pytest.raises(ConfigError, match=f"no stage of classic has the setting '{name}'") as error:
        load_recipe("classic", {name: 1})
    assert "batch_windows" in str(error.value) and "for one of classic" in str(error.value)


@pytest.mark.parametrize(
    ("overrides", "until", "unreached"),
    [
        ({"narrow.epochs": 1}, "teacher-1", "narrow.epochs"),
        ({"adversarial": 1}, "language-models", "adversarial"),
        ({"seed": 1, "language-models.epochs": 1}, "transformer", "language-models.epochs"),
        ({"transformer": "none", "transformer.edits": 1}, None, "transformer.edits"),
    ],
)
def test_an_override_of_a_stage_that_is_not_trained_is_refused(
    overrides: dict[str, object], until: str | None, unreached: str
) -> None:
    with pytest.raises(ConfigError, match=f"no stage of modern has the setting '{unreached}'"):
        load_recipe("modern", overrides, until)
    stages = load_recipe("modern", {"seed": 2}, until).stages
    assert stages[-1].name == (until or "modern")


def test_an_override_that_others_leave_no_stage_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'dropout' has no effect: .* are told classic\.dropout"):
        load_recipe("classic", {"dropout": 0.1, "classic.dropout": 0.2})


@pytest.mark.parametrize("words", [["--epochs"], ["-e", "3"], ["classic", "more"]])
def test_words_that_replace_nothing_are_refused(words: list[str]) -> None:
    with pytest.raises(ConfigError, match="settings are replaced by --SETTING VALUE"):
        read_words(words)


def test_an_unknown_recipe_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="no recipe 'modren'; there are classic, modern"):
        load_recipe("modren")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("stages = ", r"small\.toml"),
        ("speed = 1", r"unknown \['speed'\]"),
        ('bundle_weights = "int8"', "a recipe has defaults and stages"),
        (
            'bundle_weights = "int8"\n[verdict]\nsure = 0.6\n[[stages]]\nname = "a"',
            "verdict: a verdict's rule has",
        ),
        ('bundle_weights = "int4"\n[[stages]]\nname = "a"', "bundle_weights = 'int4'"),
        ('bundle_weights = "int8"\n[[stages]]\nname = "a"', "stage a: it needs a name, and a kind"),
        (
            'bundle_weights = "int8"\n[defaults]\nspeed = 1\n' + LANGUAGE_MODELS,
            "stage language-models: missing",
        ),
    ],
)
def test_a_broken_recipe_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "small.toml"
    path.write_text(content.format(epochs=1))
    with pytest.raises(ConfigError, match=message):
        load_recipe(str(path))


@pytest.mark.parametrize(
    ("was", "now", "message"),
    [
        ("seed = 1", "seed = 1\nspeed = 1", "no stage has the default 'speed'"),
        ('start = "teacher"', 'start = "student"', "it needs 'student'; the stages before it are"),
        ('name = "student"', 'name = "teacher"', "there is one of that name already"),
        ('start = "teacher"', 'like = "tutor"', "like = 'tutor'; no stage before it"),
        ("warm_up", "hidden_size = 9\nwarm_up", "hidden_size = 8, but language-models has 9"),
        (
            'start = "teacher"',
            'start = "teacher"\nhidden_size = 9',
            "hidden_size = 9, but teacher has 8",
        ),
        ("warm_up", 'directions = ["backward"]\nwarm_up', "has no direction forward"),
    ],
)
def test_stages_that_do_not_fit_together_are_refused(
    tmp_path: Path, was: str, now: str, message: str
) -> None:
    path = write_recipe(tmp_path / "small.toml", LANGUAGE_MODELS.format(epochs=1) + CHAIN)
    path.write_text(path.read_text().replace(was, now, 1))
    with pytest.raises(ConfigError, match=message):
        load_recipe(str(path))
