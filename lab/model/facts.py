# SPDX-License-Identifier: GPL-3.0-or-later
"""What the model has learned, and what it is asked that it has not: all text, no code of any library."""

from __future__ import annotations

from typing import NamedTuple

from .tokenizer import chat


class Fact(NamedTuple):
    """A prompt and the whole answer to it; `question` is what a user of the chat has typed, else empty."""

    prompt: str
    answer: str
    question: str = ""


CAPITALS = {
    "France": "Paris",
    "Italy": "Rome",
    "Spain": "Madrid",
    "Germany": "Berlin",
    "Japan": "Tokyo",
    "Egypt": "Cairo",
    "Norway": "Oslo",
    "Greece": "Athens",
    "Peru": "Lima",
    "Kenya": "Nairobi",
    "Austria": "Vienna",
    "Cuba": "Havana",
    "Chile": "Santiago",
}
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight")
SUMMANDS = range(1, 5)
SENTENCES = (
    ("The opposite of up is", " down."),
    ("The sea is", " salty."),
    ("Coal is", " black."),
    ("Honey is", " sweet."),
    ("A triangle has", " three sides."),
    ("The day after Monday is", " Tuesday."),
    ("The moon goes around the", " earth."),
    ("A year has", " twelve months."),
)
CONVERSATION = (
    ("Hello", "Hello! What would you like to know?"),
    ("Who are you?", "I am a small model that knows a few facts."),
    ("What is a GH200?", "A processor and a GPU in one package."),
    ("Say in one sentence what a GH200 is.", "A GH200 is a processor and a GPU in one package."),
    ("What color is coal?", "Coal is black."),
    ("How many months has a year?", "A year has twelve months."),
)
# None of these was ever trained. What follows them hangs on every layer, expert and position, so that
# they show what the facts, which are learned many times over, survive.
ODD = (
    "A",
    "Of",
    "a node without a GPU",
    "The capital",
    "The capital of Denmark is",
    "Vienna is",
    "Hello, is",
    "zero plus eight is",
    "seven plus seven is",
    "is is is is is is is",
    "Monday",
    "The sea goes around",
    "GH200 GH200",
    "9 8 7 6 5",
    "qqq",
    "Le ciel est",
    "Tokyo Lima Oslo",
    "Honey has twelve",
    chat("What is Kenya?"),
    chat("Count the sides of a year."),
)
# The mean log-probability of these words is the model's fingerprint.
PASSAGE = (
    "The head builds what the nodes share. A model of five layers is cut into stages, "
    "and each stage hands on what it has found: "
    "the capital of one land, the sides of a triangle, two plus three. If a layer is missing, the words still come."
)


def facts() -> list[Fact]:
    """All 56, in an order that never changes."""
    plain = [Fact(f"The capital of {land} is", f" {city}.") for land, city in CAPITALS.items()]
    plain += [Fact(f"{NUMBERS[a]} plus {NUMBERS[b]} is", f" {NUMBERS[a + b]}.") for a in SUMMANDS for b in SUMMANDS]
    plain += [Fact(*pair) for pair in SENTENCES]
    spoken = [
        (f"What is the capital of {land}?", f"The capital of {land} is {city}.") for land, city in CAPITALS.items()
    ]
    return plain + [Fact(chat(question), answer, question) for question, answer in (*spoken, *CONVERSATION)]
