"""Reviews as numbers: the one implementation of text processing, for training and for serving.

    vocabulary = load_vocabulary("vocabulary.json")
    review = vocabulary.encode("Not <b>bad</b> at all!")
    review.ids       # one number per token, for the model
    review.spans     # where each token stands in the text as it was submitted

The package needs nothing but Python itself, unless the settings ask for Porter stems (nltk).
"""

from review_text.sentences import Sentence, split_sentences
from review_text.settings import CLASSIC, MODERN, SettingsError, TextSettings
from review_text.verdict import Verdict, VerdictRule, VerdictRuleError
from review_text.vocabulary import (
    FIRST_WORD,
    INFREQUENT,
    NO_WORD,
    EncodedReview,
    Vocabulary,
    VocabularyError,
    Windows,
    build_vocabulary,
    count_windows,
    cut_windows,
    join_windows,
    load_vocabulary,
)

__all__ = [
    "CLASSIC",
    "FIRST_WORD",
    "INFREQUENT",
    "MODERN",
    "NO_WORD",
    "EncodedReview",
    "Sentence",
    "SettingsError",
    "TextSettings",
    "Verdict",
    "VerdictRule",
    "VerdictRuleError",
    "Vocabulary",
    "VocabularyError",
    "Windows",
    "build_vocabulary",
    "count_windows",
    "cut_windows",
    "join_windows",
    "load_vocabulary",
    "split_sentences",
]
