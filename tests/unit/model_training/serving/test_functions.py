"""The container's four functions, and what a word does to the logit; bundles are small."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model_training.corpus.reviews import Encoded
from model_training.errors import BundleError
from model_training.export import bundles
from model_training.export.bundles import write_manifest
from model_training.export.graph import build_graph
from model_training.export.packing import check_bundle, collect_files, pack_bundle
from model_training.networks.review_lstm import ReviewLSTM
from model_training.recipes.recipe import load_recipe
from model_training.serving.bundle import FILES
from model_training.serving.functions import Refusal, input_fn, model_fn, output_fn, predict_fn
from model_training.serving.scorer import Model, load_model
from model_training.training.runs import Trained
from review_text import Vocabulary, build_vocabulary, load_vocabulary
from review_text.predict import MAX_REVIEWS
from tests.small_recipes import settings_of

WORDS = ["a wonderful film, great fun and not bad at all", "a dreadful film; dull, ugly and bad"]


def encode(texts: list[str], vocabulary: Vocabulary) -> Encoded:
    ids = [vocabulary.encode_ids(text) for text in texts]
    offsets = np.cumsum([0, *map(len, ids)])
    labels = np.array([1 - row % 2 for row in range(len(ids))], np.int8)
    return Encoded(np.concatenate(ids).astype(np.uint16), offsets, labels)


def make_bundle(folder: Path, name: str) -> Path:
    """An untrained model with few units, exported as a trained one would be."""
    config = replace(settings_of(name), embedding_size=8, hidden_size=6)
    vocabulary = build_vocabulary(WORDS, config.text_settings)
    torch.manual_seed(0)
    model = ReviewLSTM(config, len(vocabulary)).eval()
    folder.mkdir(parents=True, exist_ok=True)
    graph = build_graph(model, load_recipe(name).bundle_weights)
    (folder / "model.onnx").write_bytes(graph.SerializeToString())
    vocabulary.save(folder / "vocabulary.json")
    (folder / "metrics.json").write_text("{}")
    bias = float(model.output.bias.detach())
    about = {"name": name, "architecture": "small", "temperature": 1.5, "bias": bias}
    write_manifest(folder, about)
    return folder


@pytest.fixture(scope="module", params=["modern", "classic"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    return model_fn(str(make_bundle(tmp_path_factory.mktemp("bundle"), request.param)))


def test_no_memory_is_kept_for_each_size_of_batch(model: Model) -> None:
    assert model.session.get_session_options().enable_mem_pattern is False


def ask(model: Model, content: Any, content_type: str = "application/json") -> Any:
    """The answer's JSON, or the refusal."""
    body = content if isinstance(content, str | bytes) else json.dumps(content)
    answer = output_fn(predict_fn(input_fn(body, content_type), model), "*/*")
    if isinstance(answer, Refusal):
        return answer
    text, media_type = answer
    if media_type == "application/jsonlines":
        return [json.loads(line) for line in text.splitlines()]
    return json.loads(text)


def request_for(model: Model, reviews: Any, **more: Any) -> dict[str, Any]:
    return model.vocabulary.make_request(reviews) | more


def test_an_answer_has_logit_probability_and_contributions_that_add_up(model: Model) -> None:
    ids = [[2, 3, 4, 5] * 30, [6]]
    answer = ask(model, request_for(model, ids, contributions=True))
    assert (answer["model"], answer["vocabulary"]) == (model.version, model.vocabulary.fingerprint)
    for review, result in zip(ids, answer["results"], strict=True):
        assert len(result["contributions"]) == len(review)
        assert sum(result["contributions"]) + answer["bias"] == pytest.approx(
            result["logit"], abs=1e-4
        )
        expected = 1 / (1 + np.exp(-result["logit"] / 1.5))
        assert result["probability"] == pytest.approx(expected, abs=1e-5)


def test_contributions_come_only_when_asked_for(model: Model) -> None:
    assert set(ask(model, request_for(model, [[2]]))["results"][0]) == {"logit", "probability"}


def test_no_reviews_are_a_question_after_the_model(model: Model) -> None:
    answer = ask(model, request_for(model, []))
    assert (answer["model"], answer["results"]) == (model.version, [])


@settings(max_examples=30, deadline=None)
@given(lengths=st.lists(st.integers(1, 500), min_size=1, max_size=12), seed=st.integers(0, 9))
def test_a_review_has_the_same_answer_alone_and_among_others(
    model: Model, lengths: list[int], seed: int
) -> None:
    random = np.random.default_rng(seed)
    reviews = [random.integers(1, len(model.vocabulary), length).tolist() for length in lengths]
    together = [result.logit for result in model.score(reviews)]
    alone = [model.score([review])[0].logit for review in reviews]
    assert together == alone  # to the last bit


def test_a_repeated_text_shares_the_credit_for_its_maxima(tmp_path: Path) -> None:
    model = load_model(make_bundle(tmp_path, "modern"))
    result = model.score([[2, 3, 4, 5] * (model.vocabulary.settings.window // 2)])[0]
    halves = np.split(result.contributions, 2)
    assert halves[0] == pytest.approx(halves[1], abs=1e-6)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"vocabulary": "0" * 64}, 409, "vocabulary_mismatch"),
        ({"vocabulary": None}, 400, "invalid_request"),
        ({"windows": None}, 400, "invalid_request"),
        ({"windows": [1]}, 400, "invalid_request"),
        ({"windows": []}, 400, "invalid_request"),
        ({"windows": [[]]}, 400, "invalid_request"),
        ({"windows": [[2]]}, 400, "invalid_request"),
        ({"lengths": None}, 400, "invalid_request"),
        ({"lengths": []}, 400, "invalid_request"),
        ({"lengths": [0]}, 400, "invalid_request"),
        ({"lengths": [-1]}, 400, "invalid_request"),
        ({"lengths": [True]}, 400, "invalid_request"),
        ({"lengths": [1.0]}, 400, "invalid_request"),
        ({"lengths": [2]}, 400, "invalid_request"),
        ({"lengths": [513]}, 400, "invalid_request"),
        ({"lengths": [10**30]}, 400, "invalid_request"),
        ({"lengths": [1, 1]}, 400, "invalid_request"),
        ({"contributions": "yes"}, 400, "invalid_request"),
        ({"surprise": 1}, 400, "invalid_request"),
        ({"lengths": [1] * (MAX_REVIEWS + 1)}, 413, "too_large"),
    ],
)
def test_what_cannot_be_scored_is_refused_with_a_reason(
    model: Model, change: dict[str, Any], status: int, code: str
) -> None:
    refusal = ask(model, request_for(model, [[2]]) | change)
    assert (refusal.status, json.loads(refusal.body)["error"]) == (status, code)


@pytest.mark.parametrize("number", [-1, 0, 10**30, 1.5, True, "2", None, [2]])
@pytest.mark.parametrize("place", [0, 5, 120])
def test_ids_that_are_none_are_refused(model: Model, number: Any, place: int) -> None:
    ids = [2] * 130
    ids[place] = number
    refusal = ask(model, request_for(model, [[2], ids]))
    last = len(model.vocabulary) - 1
    assert json.loads(refusal.body)["message"] == (
        f"review 1 has an id that is not an integer from 1 to {last}"
    )


def test_ids_behind_a_reviews_end_are_refused(model: Model) -> None:
    request = request_for(model, [[2, 3]])
    request["windows"][0][-1] = 2
    refusal = ask(model, request)
    assert json.loads(refusal.body)["message"] == "review 0 has ids behind its 2; pad with 0"


@pytest.mark.parametrize("body", ["", "{", "[]", "3", "NaN", '{"a": ' * 100_000, b"\xff"])
def test_what_is_not_a_json_object_is_refused(model: Model, body: str | bytes) -> None:
    assert ask(model, body).status == 400


@pytest.mark.parametrize("content_type", ["", "text/csv", "text/html; charset=utf-8"])
def test_other_content_types_are_refused(model: Model, content_type: str) -> None:
    assert ask(model, "{}", content_type).status == 415


def test_a_refusal_is_a_wsgi_answer(model: Model) -> None:
    heard: list[Any] = []
    refusal = ask(model, "{}", "text/csv")
    body = b"".join(refusal({}, lambda status, headers: heard.append((status, dict(headers)))))
    assert heard == [
        (
            "415 Unsupported Media Type",
            {"Content-Type": "application/json", "Content-Length": str(len(body))},
        )
    ]


def test_json_lines_answer_each_line_in_its_place(model: Model) -> None:
    lines = [
        '{"id": 7, "review": "A wonderful film"}',
        "{",
        '{"review": "dreadful"}',
        '{"id": "x", "review": 3}',
        '{"id": 8, "review": "!!!"}',
        json.dumps({"id": 9, "review": "good " * 4_001}),
        '{"id": NaN, "review": "good"}',
        '{"id": 10, "review": "<b>dull</b> \\ud800 \\u0000 👍"}',
        '{"id": ' + "[" * 400 + "]" * 400 + ', "review": "good"}',
        '{"id": {}, "review": "good"}',
    ]
    answers = ask(model, "\n".join(lines).encode(), "application/jsonlines")
    assert [answer.get("id") for answer in answers] == [
        *(7, None, None, "x", 8, 9, None, 10, None, None)
    ]
    assert ["error" in answer for answer in answers] == [
        *(False, True, False, True, True, True, True, False, True, True)
    ]
    assert set(answers[0]) == {"id", "truncated", "sentiment", "verdict", "logit", "probability"}


@pytest.mark.parametrize("name", ["1e999", "-1e999", "[1]", '{"a": 1}', "[" * 900 + "]" * 900])
def test_an_id_that_cannot_be_repeated_is_an_error_and_no_broken_line(
    model: Model, name: str
) -> None:
    body = f'{{"id": {name}, "review": "good"}}\n{{"id": 2, "review": "good"}}'
    first, second = ask(model, body, "application/jsonlines")
    assert first == {"error": '"id" is not a string, a number, true, false or null'}
    assert second["id"] == 2


def test_only_what_json_takes_for_blank_is_a_blank_line(model: Model) -> None:
    answers = ask(model, "\n \t\r\n\u2003\n\x0b\n", "application/jsonlines")
    assert ["error" in answer for answer in answers] == [True, True]


def test_json_lines_give_what_encoding_first_gives(model: Model) -> None:
    line = json.dumps({"review": WORDS[0]})
    [answer] = ask(model, line.encode(), "application/jsonlines")
    ids = model.vocabulary.encode(WORDS[0]).ids
    assert answer["logit"] == ask(model, request_for(model, [ids]))["results"][0]["logit"]


def test_a_bundle_without_a_part_says_which(tmp_path: Path) -> None:
    for name in FILES:
        folder = make_bundle(tmp_path / name, "modern")
        (folder / name).unlink()
        with pytest.raises(BundleError, match=name):
            check_bundle(folder)
    with pytest.raises(BundleError, match=r"complete bundle: model\.onnx is no file there"):
        load_model(tmp_path / "model.onnx")


def test_a_vocabulary_of_another_model_is_refused_when_loading_and_packing(tmp_path: Path) -> None:
    folder = make_bundle(tmp_path / "a", "modern")
    other = build_vocabulary(["other words"], load_vocabulary(folder / "vocabulary.json").settings)
    other.save(folder / "vocabulary.json")
    with pytest.raises(BundleError, match="wants vocabulary"):
        load_model(folder)
    with pytest.raises(BundleError, match="wants vocabulary"):
        pack_bundle(folder, tmp_path)


def test_equal_bundles_have_equal_archives_and_changed_ones_another_name(tmp_path: Path) -> None:
    folder = make_bundle(tmp_path / "bundle", "modern")
    first = pack_bundle(folder, tmp_path / "1")
    again = pack_bundle(folder, tmp_path / "2")
    assert (first.name, first.read_bytes()) == (again.name, again.read_bytes())
    (folder / "metrics.json").write_text('{"accuracy": 1}')
    assert pack_bundle(folder, tmp_path / "3").name != first.name


def test_the_archive_has_no_pickle_and_only_the_classic_one_carries_the_stemmer(
    tmp_path: Path,
) -> None:
    for name, stemmer in (("modern", False), ("classic", True)):
        files = collect_files(make_bundle(tmp_path / name, name))
        kinds = {Path(file).suffix for file in files if not file.endswith("/METADATA")}
        assert kinds <= {".json", ".onnx", ".py", ".txt"}
        assert ("code/nltk/stem/porter.py" in files) is stemmer
        assert all(file.is_file() for file in files.values())


def test_a_link_is_never_packed(tmp_path: Path) -> None:
    folder = make_bundle(tmp_path / "bundle", "modern")
    (tmp_path / "secret").write_text("of this machine")
    runtime = tmp_path / "runtime"
    (runtime / "onnxruntime").mkdir(parents=True)
    (runtime / "onnxruntime" / "x.so").symlink_to(tmp_path / "secret")
    with pytest.raises(BundleError, match=r"code/lib/onnxruntime/x\.so: no ordinary file"):
        collect_files(folder, runtime)
    (folder / "metrics.json").unlink()
    (folder / "metrics.json").symlink_to(tmp_path / "secret")
    with pytest.raises(BundleError, match=r"metrics\.json: no ordinary file"):
        pack_bundle(folder, tmp_path / "packed")


def test_the_version_names_graph_vocabulary_and_temperature(tmp_path: Path) -> None:
    folder = make_bundle(tmp_path, "modern")
    manifest = json.loads((folder / "manifest.json").read_text())
    about = {key: manifest[key] for key in ("name", "architecture", "temperature", "bias")}
    assert write_manifest(folder, about)["version"] == manifest["version"]
    assert write_manifest(folder, about | {"temperature": 2.0})["version"] != manifest["version"]


def test_an_export_that_differs_from_pytorch_is_refused(tmp_path: Path) -> None:
    config = replace(settings_of("modern"), embedding_size=8, hidden_size=6)
    bundle = load_model(make_bundle(tmp_path, "modern"))
    torch.manual_seed(1)  # not the seed of the bundle
    other = ReviewLSTM(config, len(bundle.vocabulary)).eval()
    trained = Trained("modern", other, None, tmp_path)
    with pytest.raises(BundleError, match="differ from PyTorch"):
        bundles.prove_equal(bundle, trained, _no_reviews())


def _no_reviews() -> Encoded:
    nothing = np.zeros(0, np.uint16)
    return Encoded(nothing, np.zeros(1, np.int64), np.zeros(0, np.int8))


def test_a_logit_is_the_same_with_and_without_contributions(model: Model) -> None:
    reviews = [[2, 3, 4], [5] * 70, [6]]
    with_them, without = model.score(reviews), model.score(reviews, contributions=False)
    assert [result.logit for result in with_them] == [result.logit for result in without]
    assert [len(result.contributions) for result in with_them] == [3, 70, 1]
    assert not any(len(result.contributions) for result in without)


def delete_each(model: Model, ids: list[int], places: list[int]) -> list[float]:
    """The effects at ``places``, by scoring the review without each of them."""
    [whole] = model.score([ids])
    rest = model.score([ids[:place] + ids[place + 1 :] for place in places])
    return [whole.logit - result.logit for result in rest]


def random_ids(model: Model, length: int, seed: int = 0) -> list[int]:
    random = np.random.default_rng(seed)
    ids: list[int] = random.integers(1, len(model.vocabulary), length).tolist()
    return ids


@pytest.mark.parametrize("length", [2, 3, 95, 96, 97, 98, 191, 192, 193, 194, 300, 500])
def test_an_effect_is_the_logit_less_the_logit_without_the_word(model: Model, length: int) -> None:
    """At both ends of windows above all."""
    ids = random_ids(model, length)
    places = [0, 1, 2, 94, 95, 96, 97, length // 2, length - 2, length - 1]
    places = sorted({place for place in places if 0 <= place < length})
    effects = model.find_effects(ids)
    assert len(effects) == length
    found = [effects[place] for place in places]
    assert found == pytest.approx(delete_each(model, ids, places), abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(ids=st.lists(st.integers(1, 5), min_size=2, max_size=14))
def test_so_it_is_where_words_and_phrases_come_again(model: Model, ids: list[int]) -> None:
    """What a phrase says counts once, so it may be lost only with its last place."""
    expected = delete_each(model, ids, list(range(len(ids))))
    assert model.find_effects(ids) == pytest.approx(expected, abs=1e-5)


def test_the_effect_of_a_single_word_is_all_that_it_says(model: Model) -> None:
    [effect] = model.find_effects([3])
    [whole] = model.score([[3]])
    assert effect + model.bias == pytest.approx(whole.logit)


def test_windows_are_read_as_often_as_there_are_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for each word, and twice for each window: not once for each word and window."""
    model = load_model(make_bundle(tmp_path, "modern"))
    ids = random_ids(model, 400)
    rows = []
    effects = model._effects
    assert effects is not None
    run = effects._run

    def count(names: list[str], windows: Any) -> list[Any]:
        rows.append(len(windows) if "maxima" in names else 0)
        return run(names, windows)

    monkeypatch.setattr(effects, "_run", count)
    effects.find(ids)
    assert sum(rows) == 400 + 5 + 5
    assert max(rows) <= 64


def test_effects_come_only_when_asked_for(model: Model) -> None:
    [result] = ask(model, request_for(model, [[2, 3]], effects=True))["results"]
    assert set(result) == {"logit", "probability", "effects"}
    assert result["effects"] == pytest.approx(model.find_effects([2, 3]), abs=1e-6)
    [result] = ask(model, request_for(model, [[2, 3]], effects=False))["results"]
    assert "effects" not in result


@pytest.mark.parametrize("reviews", [[], [[2], [3]]])
def test_effects_are_those_of_one_review(model: Model, reviews: list[list[int]]) -> None:
    assert json.loads(ask(model, request_for(model, reviews, effects=True)).body) == {
        "error": "invalid_request",
        "message": f'"effects" are those of one review a request, not of {len(reviews)}',
    }


def test_effects_are_asked_for_by_true(model: Model) -> None:
    assert "invalid_request" in ask(model, request_for(model, [[2]], effects=1)).body
