"""What copying and old programs did to a text, undone: split contractions, odd apostrophes, quotes
that were decoded with the wrong alphabet. The way back to the text as it came stays known.

And the words that emoji and emoticons are read as. Film reviews of the years that there are labels
for have next to none, so a model learns nothing of them. The table is ours: for the commonest that
say an opinion, the word nearest to the Unicode name ("thumbs down sign") or to the usual meaning.
Others (a flag, a clapper board) stay what they are.
"""

from __future__ import annotations

import re

from review_text.markup import Piece, PlainText

_MEANINGS = {
    "loved": "❤ ♥ ♡ 💕 💖 💗 💓 💞 💘 💙 💚 💛 💜 🖤 🤍 🧡 😍 🥰 😘 😻 💝",
    "excellent": "👍 👌 🤩 💯 🏆 🥇 🔥 ✨ 💎 😎 🙌 👏 💪 🎉 🥳 🫶 🤌",
    "enjoyed": "😊 🙂 😀 😃 😄 😁 😋 ☺ 😌 🤗 😇 😺 ✅ ✔",
    "hilarious": "😂 🤣 😆 😹",
    "moving": "😭 🥹 🥲",
    "awful": "👎 💩 🤮 🤢 🗑 🚮 ❌ 🤡 ☠ 🙅",
    "hated": "😡 😠 🤬 👿 😤 🖕",
    "boring": "😴 🥱 💤 😪",
    "disappointing": "😞 😔 😟 🙁 ☹ 😢 😕 😣 😖 😫 😩 💔 😿 😥 🫤",
    "annoying": "🙄 😒 😑 😐 🤦 😬 🤨",
}
_EMOTICONS = {
    "loved": "<3 <33 <333",
    "enjoyed": ":) :-) =) :] :D :-D =D :') ;) ;-) ;D :P :-P =P",
    "disappointing": ":( :-( =( :[ :'( </3 :/ :-/ =/ :\\ :-\\ :| :-|",
}
_MODIFIERS = {
    ord(mark): None
    for mark in "\ufe0e\ufe0f\u200d\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
}

MODIFIERS = "".join(map(chr, _MODIFIERS))
"""What may follow an emoji as a part of it: its colour, its skin, what joins it to the next."""

_WITHOUT_MODIFIERS = str.maketrans("", "", MODIFIERS)
_WORDS = {
    sign: word
    for table in (_MEANINGS, _EMOTICONS)
    for word, signs in table.items()
    for sign in signs.split()
}


def word_of(sign: str) -> str | None:
    """Give the word that an emoji or emoticon is read as; None where it says no opinion."""
    return _WORDS.get(sign.translate(_WITHOUT_MODIFIERS))


_QUOTES = {"â€™": "'", "â€˜": "'", "â€œ": '"', "â€\x9d": '"', "\x91": "'", "\x92": "'"}
"""UTF-8 read as Windows-1252, and Windows-1252's own quotes read as Latin-1."""

_MARK = r"(?:['’´`′＇ʹ‘\x92]{1,2}|â€™)"
_MARKS = "'’´`′＇ʹ‘\x92â€™"
# To try a first letter in both cases and only then the rest in any takes a third of the time.
_VERB = (
    r"(?<!\w)(?:[aA](?i:i|re)|[cC](?i:a|ould)|[dD](?i:id|oes|o)|[hH](?i:ad|as|ave)|[iI](?i:s)"
    r"|[mM](?i:ust)|[nN](?i:eed)|[sS](?i:hould)|[wW](?i:as|ere|ould|o))"
)
_PRONOUN = (
    r"(?<!\w)(?:[iI][tT]?|[yY](?i:ou)|[hH](?i:e)|[sS](?i:he)"
    r"|[wW](?i:e|ho|hat)|[tT](?i:hey|hat|here))"
)
_DAMAGE = re.compile(
    rf"{_VERB}(?P<negation>\s?[nN]\s?(?:{_MARK}|\?)\s?[tT])\b"  # is n't, isn 't, isn?t
    rf"|{_PRONOUN}\s(?P<verb>{_MARK}(?i:m|re|ve|ll|d|s)\b)"  # it 's
    r"|(?=['´`′＇ʹ‘])(?<=[a-zA-Z])(?P<apostrophe>''|[´`′＇ʹ‘])(?=[a-zA-Z])"  # don´t
    rf"|(?=[â\x91\x92])(?P<quote>{'|'.join(_QUOTES)})"
)
_HINTS = (*"´`′＇ʹ‘\x91\x92", "â€", "''", "?t", "?T", " '", " ’", " n'", " n’", " N'", "n '", "n ’")
"""What a text with any of this damage has; most texts have none, and to look takes no time."""


def repair(text: str) -> PlainText | None:
    """Give ``text`` as it was meant, with the way back to it; None where nothing is wrong."""
    if not any(hint in text for hint in _HINTS):
        return None
    pieces: list[Piece] = []
    at = 0
    for match in _DAMAGE.finditer(text):
        kind = str(match.lastgroup)
        start, end = match.span(kind)
        meant = _mend(kind, match[kind])
        joined = start - 1 if kind == "verb" else start
        if meant != match[kind] or joined < start:
            if joined > at:
                pieces.append((text[at:joined], at, joined))
            pieces.append((meant, start, end))
            at = end
    if not at:
        return None
    if at < len(text):
        pieces.append((text[at:], at, len(text)))
    return PlainText(pieces)


def _mend(kind: str, damaged: str) -> str:
    if kind == "negation":
        return "n't"
    if kind == "verb":
        return "'" + damaged.lstrip(_MARKS)
    return "'" if kind == "apostrophe" else _QUOTES.get(damaged, damaged)
