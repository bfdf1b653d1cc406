"""Words for emoji and emoticons. Film reviews of the years that there are labels for have next to
none, so a model learns nothing of them; a word that says about the same is what it reads instead.

The table is ours: for the commonest that say an opinion, the word nearest to the Unicode name
("thumbs down sign") or to the usual meaning. Others (a flag, a clapper board) stay what they are.
"""

from __future__ import annotations

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
