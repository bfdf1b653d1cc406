"""A model's recipe: its stages in order, each with all of its settings."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from model_training.errors import ConfigError
from model_training.recipes.settings import (
    KINDS,
    BundleWeights,
    LanguageModelSettings,
    StageSettings,
    TransformerSettings,
)
from review_text import VerdictRule, VerdictRuleError

RECIPES = Path(__file__).parent

_SHARED = ("text", "dev_reviews")
"""What a stage and those before it must have in common, as far as both have it."""
_SHRINKING = ("embedding_size", "hidden_size")
"""What may be smaller than in the stage that one starts from."""


@dataclass(frozen=True)
class Stage:
    """One step of a training, which leaves something that others can begin with."""

    name: str
    kind: str
    settings: StageSettings


@dataclass(frozen=True)
class Recipe:
    """What a model is made by."""

    name: str
    bundle_weights: BundleWeights
    """Precision of the LSTM's weights as it ships."""
    verdict: VerdictRule | None
    """When the model calls a text unclear or mixed; never, where there is none."""
    stages: tuple[Stage, ...]
    """The last one is the model; before it stand those that it needs, each before its users."""

    def stage(self, name: str) -> Stage:
        """Give the stage called ``name``.

        Raises:
            ConfigError: there is none.
        """
        return self.stages[_find(self.name, self.stages, name)]

    def type_of(self, setting: str) -> Any:
        """Give the type of what an override is called: SETTING, or STAGE.SETTING.

        Raises:
            ConfigError: no stage has it.
        """
        for stage in self.stages:
            if name := _own_name(stage.name, stage.kind, setting):
                return KINDS[stage.kind].types()[name]
        raise ConfigError(_no_effect(self.name, setting, self.stages))


def load_recipe(
    name: str, overrides: Mapping[str, Any] | None = None, until: str | None = None
) -> Recipe:
    """Load the recipe ``<name>.toml`` of this folder, or the file ``name``; no further than the
    stage ``until``.

    ``overrides`` replace settings: ``{"seed": 2}`` of all stages that have it, ``{"teacher-1.seed":
    2}`` of one. Values may be text, as a command line has them.

    Raises:
        ConfigError: no such file, not TOML, a setting is missing, unknown or out of range, a stage
            needs one that does not come before it, or an override has no effect.
    """
    path = Path(name) if name.endswith(".toml") else RECIPES / f"{name}.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        known = ", ".join(recipe_names())
        raise ConfigError(f"no recipe {name!r}; there are {known}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error
    return _make(path, content, dict(overrides or {}), until)


def recipe_names() -> list[str]:
    """Give the recipes that are there."""
    return sorted(path.stem for path in RECIPES.glob("*.toml"))


def read_words(words: Sequence[str]) -> tuple[str | None, dict[str, str]]:
    """Read what a command line says besides a program's own options: a recipe's name, if any, and
    what replaces its settings: ``modern --epochs 3 --teacher-1.seed=2``.

    Raises:
        ConfigError: not of that form.
    """
    rest = list(words)
    recipe = rest.pop(0) if rest and not rest[0].startswith("-") else None
    overrides: dict[str, str] = {}
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if not name.startswith("--") or not (equals or rest):
            raise ConfigError(f"{name!r}: settings are replaced by --SETTING VALUE")
        stage, dot, setting = name.removeprefix("--").rpartition(".")
        overrides[f"{stage}{dot}{setting.replace('-', '_')}"] = value if equals else rest.pop(0)
    return recipe, overrides


def _make(
    path: Path, content: dict[str, Any], overrides: dict[str, Any], until: str | None
) -> Recipe:
    unknown = sorted(content.keys() - {"bundle_weights", "verdict", "defaults", "stages"})
    if unknown or not content.get("stages"):
        raise ConfigError(f"{path}: unknown {unknown}; a recipe has defaults and stages")
    weights: Any = content.get("bundle_weights")
    if weights not in get_args(BundleWeights):
        raise ConfigError(
            f"{path}: bundle_weights = {weights!r}; use one of {get_args(BundleWeights)}"
        )
    try:
        verdict = VerdictRule.from_manifest(content)
    except VerdictRuleError as error:
        raise ConfigError(f"{path}: verdict: {error}") from error
    defaults = content.get("defaults", {})
    stages: list[Stage] = []
    for number, values in enumerate(_follow_likes(path, content["stages"]), 1):
        origin = f"{path}, stage {values.get('name', number)}"
        stages.append(_make_stage(origin, values, defaults, overrides))
        _check_inputs(origin, stages)
    for name in defaults:
        if not any(name in KINDS[stage.kind].types() for stage in stages):
            raise ConfigError(f"{path}: no stage has the default {name!r}")
    needed = _needed(stages[: _find(path.stem, stages, until) + 1] if until else stages)
    _check_overrides(path.stem, needed, overrides)
    return Recipe(path.stem, weights, verdict, needed)


def _find(recipe: str, stages: Sequence[Stage], name: str) -> int:
    names = [stage.name for stage in stages]
    if name not in names:
        raise ConfigError(f"{recipe} has no stage {name!r}; its stages are {', '.join(names)}")
    return names.index(name)


def _needed(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """The last of ``stages``, and what it is made of."""
    names = {stages[-1].name}
    for stage in reversed(stages):
        if stage.name in names:
            names.update(stage.settings.inputs)
    return tuple(stage for stage in stages if stage.name in names)


def _check_overrides(recipe: str, stages: Sequence[Stage], overrides: Mapping[str, Any]) -> None:
    """See that each of ``overrides`` counts in one of ``stages``."""
    for name in overrides:
        having = [s.name for s in stages if _own_name(s.name, s.kind, name)]
        if not having:
            raise ConfigError(_no_effect(recipe, name, stages))
        if all(f"{stage}.{name}" in overrides for stage in having):
            own = ", ".join(f"{stage}.{name}" for stage in having)
            raise ConfigError(f"{name!r} has no effect: all stages that have it are told {own}")


def _follow_likes(path: Path, stages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What each stage says, and what the earlier one says that it is ``like``."""
    whole: list[dict[str, Any]] = []
    for stage in stages:
        said = dict(stage)
        if (like := said.pop("like", None)) is not None:
            other = next((each for each in whole if each.get("name") == like), None)
            if other is None:
                raise ConfigError(f"{path}: like = {like!r}; no stage before it has that name")
            said = other | said
        whole.append(said)
    return whole


def _make_stage(
    origin: str, values: dict[str, Any], defaults: dict[str, Any], overrides: dict[str, Any]
) -> Stage:
    own = dict(values)
    name, kind = own.pop("name", None), own.pop("kind", None)
    if not isinstance(name, str) or kind not in KINDS:
        raise ConfigError(f"{origin}: it needs a name, and a kind of {', '.join(KINDS)}")
    has = KINDS[kind].types()
    merged = {key: value for key, value in defaults.items() if key in has} | own
    # What names one stage counts more than what names all.
    for override, value in sorted(overrides.items(), key=lambda item: "." in item[0]):
        if setting := _own_name(name, kind, override):
            merged[setting] = value
    return Stage(name, kind, KINDS[kind].read(merged, origin))


def _own_name(stage: str, kind: str, override: str) -> str | None:
    """The setting of a stage that ``override`` replaces; None where it replaces none."""
    of_stage, dot, setting = override.rpartition(".")
    fits = (not dot or of_stage == stage) and setting in KINDS[kind].types()
    return setting if fits else None


def _check_inputs(origin: str, stages: Sequence[Stage]) -> None:
    """See that the last of ``stages`` can begin with what comes before it."""
    *before, stage = stages
    earlier = {other.name: other.settings for other in before}
    if stage.name in earlier:
        raise ConfigError(f"{origin}: there is one of that name already")
    for name in stage.settings.inputs:
        if name not in earlier:
            raise ConfigError(
                f"{origin}: it needs {name!r}; the stages before it are {', '.join(earlier)}"
            )
        for shared in _SHARED:
            own, other = (getattr(s, shared, None) for s in (stage.settings, earlier[name]))
            if None not in (own, other) and own != other:
                raise ConfigError(f"{origin}: {shared} = {own!r}, but {name} has {other!r}")
        if name == getattr(stage.settings, "start", None):
            _check_start(origin, stage.settings, name, earlier[name])
        missing = set(getattr(stage.settings, "directions", ()))
        missing -= set(getattr(earlier[name], "directions", missing))
        if missing:
            raise ConfigError(f"{origin}: {name} has no direction {', '.join(sorted(missing))}")


def _check_start(origin: str, settings: StageSettings, name: str, start: StageSettings) -> None:
    """A classifier can start from a larger one, and from a language model of its own size."""
    if isinstance(start, TransformerSettings):
        raise ConfigError(f"{origin}: an LSTM can't start from {name}, which is a transformer")
    for size in _SHRINKING:
        own, other = getattr(settings, size), getattr(start, size)
        fits = own == other if isinstance(start, LanguageModelSettings) else own <= other
        if not fits:
            raise ConfigError(f"{origin}: {size} = {own!r}, but {name} has {other!r}")


def _no_effect(recipe: str, override: str, stages: Sequence[Stage]) -> str:
    known = sorted({name for stage in stages for name in KINDS[stage.kind].types()})
    names = ", ".join(stage.name for stage in stages)
    return (
        f"no stage of {recipe} has the setting {override!r}; there are {', '.join(known)}, each of "
        f"them for all stages or, as STAGE.SETTING, for one of {names}"
    )
