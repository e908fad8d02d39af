"""Deterministic generator of the dialogues that the demo model is trained on, one function a skill.

An example's `key` names what its prompt asks. One key in ten is held out: its prompts are never trained on, in no wording that has the same key, so
that a held-out prompt is a combination that the model has not seen (for sums and differences: a pair of numbers, in either order).
"""

import hashlib
import random
from typing import Callable, NamedTuple

from words import (
    ANIMALS, ASKS, CLOTHES, COLOURS, DAYS, FAULTS, FAVOURS, GIFTS, KINDS, MIXES, MONTHS, NAMES, NO_ARTICLE, OPPOSITES, ORDINALS, THE_ARTICLE, THING_COLOURS, WORDS,
)

DEFAULT_SYSTEM_PROMPT = "You are a helpful and friendly assistant."
SYSTEM_PROMPTS = [
    "You are a helpful assistant.", "You are a friendly assistant.", "Answer in one short sentence.", "You answer questions politely.", "Be brief and helpful.",
    "You are a teacher for young children.",
]


class Example(NamedTuple):
    skill: str
    key: str
    query: str
    response: str


def held_out(key: str) -> bool:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % 10 == 0


def article(noun: str) -> str:
    return ("an " if noun[0] in "aeiou" else "a ") + noun


def thing_phrase(thing: str) -> str:
    if thing in NO_ARTICLE:
        return thing
    return f"the {thing}" if thing in THE_ARTICLE else article(thing)


def capital(text: str) -> str:
    return text[0].upper() + text[1:]


def a_name(rng: random.Random) -> str:
    """A name of the list, or a made-up one: names must be copied, not known."""
    if rng.random() < 0.6:
        return rng.choice(NAMES)
    return capital("".join(rng.choice("bdfghjklmnprstvwz") + rng.choice("aeiou") for _ in range(rng.choice((2, 2, 3)))) + rng.choice(("", "", "n", "r", "s", "l")))


def greetings(rng: random.Random) -> tuple[str, str, str]:
    name = a_name(rng)
    hello = rng.choice(["Hello", "Hi", "Hey", "Good morning", "Good afternoon", "Good evening", "Good day", "Greetings"])
    kind = rng.randrange(7)
    if kind == 0:
        mark = rng.choice("!.")
        more = rng.choice(["", " there", " friend", " my friend", " everyone"])
        tail = rng.choice(["", " How are you?", " How are you today?", " Can you help me?", " Nice to see you."])
        answer = {"": "How can I help you?", " How are you?": "I am well, thank you.", " How are you today?": "I am well, thank you.", " Can you help me?": "Of course, I am happy to help."}
        return f"{hello}{more}{tail}", f"{hello}{more}{mark}{tail}", f"{hello}! {answer.get(tail, 'Nice to see you too.')}"
    if kind in (1, 2):
        me = rng.choice(["I am", "My name is", "This is", "Here is", "I'm"])
        tail = rng.choice(["", " How are you?", " Nice to meet you.", " Can you help me?"])
        answer = {"": "How can I help you?", " How are you?": "I am well, thank you.", " Nice to meet you.": "Nice to meet you too.", " Can you help me?": "Of course, I am happy to help."}
        return f"{me} {name}{tail}", f"{hello}{rng.choice('!.,')} {me} {name}.{tail}", f"{hello}, {name}! {answer[tail]}"
    if kind == 3:
        say = rng.choice(["Say hello to {}.", "Please greet {}.", "Can you say hello to {}?", "Greet my friend {}.", "Say hi to {} for me."])
        return say.format(name), say.format(name), f"Hello, {name}! Nice to meet you."
    if kind == 4:
        bye = rng.choice(["Goodbye", "Bye", "See you later", "See you soon", "Good night", "Farewell"])
        me = rng.choice(["", f" It was {name} here.", " I have to go now.", " Thank you for your help.", f" I am off to see {name}."])
        return f"{bye}{me}", f"{bye}{rng.choice('!.')}{me}", f"{bye}! Have a nice day."
    if kind == 5:
        ask = rng.choice(["What is your name?", "Who are you?", "What are you called?", "Do you have a name?", "What should I call you?"])
        lead = rng.choice(["", f"{hello}! ", f"I am {name}. ", "Tell me, "])
        return lead + ask, lead + ask, "I am a small assistant that lives in your browser."
    thanks = rng.choice(["Thank you", "Thanks", "Thank you so much", "Thanks a lot", "Many thanks"])
    reason = rng.choice(["", " for your help", " for the answer", " for that", f" from {name}", f" from {name} and me"])
    return thanks + reason, f"{thanks}{reason}{rng.choice('!.')}", "You are welcome! I am happy to help."


def manners(rng: random.Random) -> tuple[str, str, str]:
    name = a_name(rng)
    kind = rng.randrange(6)
    if kind == 0:
        item = rng.choice(ASKS)
        ask = rng.choice(["How do I ask {n} for {i} politely?", "What do I say to {n} when I want {i}?", "I would like {i} from {n}. What do I say?", "Ask {n} for {i}, please."])
        return f"{ask}{name}{item}", ask.format(n=name, i=article(item)), f"{name}, could I have {article(item)}, please?"
    if kind == 1:
        item = rng.choice(GIFTS)
        ask = rng.choice(["How do I thank {n} for the {i}?", "{n} gave me {a}. What do I say?", "Thank {n} for the {i}.", "What do I say to {n} for the {i}?"])
        return f"{ask}{name}{item}", ask.format(n=name, i=item, a=article(item)), f"Thank you for the {item}, {name}."
    if kind == 2:
        fault = rng.choice(FAULTS)
        ask = rng.choice(["How do I apologise to {n} for {f}?", "What do I say to {n} after {f}?", "Say sorry to {n} for {f}.", "I must say sorry to {n} for {f}. How?"])
        return f"{ask}{name}{fault}", ask.format(n=name, f=fault), f"I am sorry for {fault}, {name}."
    if kind == 3:
        favour = rng.choice(FAVOURS)
        ask = rng.choice(["How do I ask {n} to {f}?", "I want {n} to {f}. What do I say?", "Ask {n} politely to {f}.", "What is a polite way to ask {n} to {f}?"])
        return f"{ask}{name}{favour}", ask.format(n=name, f=favour), f"Could you please {favour}, {name}?"
    if kind == 4:
        event = rng.choice(["birthday", "wedding", "new job", "first prize", "good marks", "new house"])
        ask = rng.choice(["What do I say to {n} for the {e}?", "{n} has a {e}. What do I say?", "How do I congratulate {n} on the {e}?", "Congratulate {n} on the {e}."])
        return f"{ask}{name}{event}", ask.format(n=name, e=event), f"Congratulations on the {event}, {name}!"
    item = rng.choice(ASKS)
    ask = rng.choice(["How do I say no to {i} politely?", "Somebody offers me {i}, but I do not want it. What do I say?", "How do I refuse {i}?", "What do I say when I do not want {i}?"])
    return ask + item, ask.format(i=article(item)), "No, thank you. That is very kind."


def small(rng: random.Random, most: int) -> int:
    """Small numbers are asked for more often."""
    return rng.randint(0, rng.choice((10, 20, most, most)))


def arithmetic(rng: random.Random) -> tuple[str, str, str]:
    kind = rng.randrange(10)
    if kind <= 3:
        a, b = small(rng, 99), small(rng, 99)
        ask = rng.choice(["What is {} + {}?", "{} + {} = ?", "How much is {} plus {}?", "Add {} and {}.", "What is the sum of {} and {}?", "Calculate {} + {}."])
        return f"sum {min(a, b)} {max(a, b)}", ask.format(a, b), f"{a} + {b} is {a + b}."
    if kind <= 6:
        a, b = small(rng, 99), small(rng, 99)
        a, b = max(a, b), min(a, b)
        ask = rng.choice(["What is {} - {}?", "{} - {} = ?", "How much is {} minus {}?", "Calculate {} - {}.", "What is the difference of {} and {}?"])
        return f"difference {b} {a - b}" if b < a - b else f"difference {a - b} {b}", ask.format(a, b), f"{a} - {b} is {a - b}."
    if kind == 7:
        a, b = rng.randint(0, 10), rng.randint(0, 10)
        ask = rng.choice(["What is {} times {}?", "{} x {} = ?", "How much is {} x {}?", "Multiply {} by {}.", "What is the product of {} and {}?", "Calculate {} times {}."])
        return f"{ask} {a} {b}", ask.format(a, b), f"{a} x {b} is {a * b}."
    if kind == 8:
        a, b = rng.sample(range(100), 2)
        ask = rng.choice(["Which is larger, {} or {}?", "Which number is bigger, {} or {}?", "Is {} or {} larger?", "What is more, {} or {}?"])
        return f"larger {min(a, b)} {max(a, b)}", ask.format(a, b), f"{max(a, b)} is larger than {min(a, b)}."
    a = rng.randint(1, 98)
    after = rng.random() < 0.5
    word = "after" if after else "before"
    ask = rng.choice(["What number comes {w} {a}?", "Which number is right {w} {a}?", "Count: what comes {w} {a}?", "Tell me the number {w} {a}."])
    return f"{ask}{word}{a}", ask.format(w=word, a=a), f"{a + 1 if after else a - 1} comes {word} {a}."


def colours(rng: random.Random) -> tuple[str, str, str]:
    kind = rng.randrange(5)
    if kind == 0:
        thing, colour = rng.choice(list(THING_COLOURS.items()))
        ask = rng.choice(["What colour is {}?", "Which colour does {} have?", "Tell me the colour of {}.", "What is the colour of {}?", "Do you know the colour of {}?", "{}: what colour is it?", "I wonder what colour {} is.", "Name the colour of {}."])
        phrase = thing_phrase(thing)
        return ask + thing, capital(ask.format(phrase)), f"{capital(phrase)} is {colour}."
    if kind == 1:
        thing, colour = rng.choice(list(THING_COLOURS.items()))
        other = colour if rng.random() < 0.5 else rng.choice(COLOURS)
        ask = rng.choice(["Is {} {}?", "Is the colour of {} {}?", "Do you think {} is {}?", "True or not: {} is {}?"])
        phrase = thing_phrase(thing)
        return f"{ask}{thing}{other}", capital(ask.format(phrase, other)), f"{'Yes' if other == colour else 'No'}, {phrase} is {colour}."
    if kind == 2:
        (one, two), mix = rng.choice(list(MIXES.items()))
        if rng.random() < 0.5:
            one, two = two, one
        ask = rng.choice(["What do you get from {} and {}?", "Mix {} and {}.", "What colour do {} and {} make?", "Which colour comes from {} and {}?", "What happens when I mix {} and {}?", "I have {} and {} paint. What can I mix?"])
        return f"{ask}{one}{two}", ask.format(one, two), f"{capital(one)} and {two} make {mix}."
    name, item, colour = a_name(rng), rng.choice(CLOTHES), rng.choice(COLOURS)
    if kind == 3:
        ask = rng.choice(["{n} has {a}. What colour is the {i}?", "The {i} of {n} is {c}. What colour is it?", "{n} bought {a}. Which colour does the {i} have?", "There is {a} for {n}. What is the colour of the {i}?"])
        return f"{ask}{name}{item}{colour}", ask.format(n=name, a=f"{article(colour)} {item}", i=item, c=colour), f"The {item} is {colour}."
    name2, item2 = a_name(rng), rng.choice([other for other in CLOTHES if other != item])
    colour2 = rng.choice([other for other in COLOURS if other != colour])
    wanted, answer = rng.choice([(item, colour), (item2, colour2)])
    ask = rng.choice(["{n} has {a} and {m} has {b}. What colour is the {w}?", "I see {a} and {b}. Which colour does the {w} have?", "{n} has {a} and {b}. What colour is the {w}?"])
    query = ask.format(n=name, m=name2, a=f"{article(colour)} {item}", b=f"{article(colour2)} {item2}", w=wanted)
    return f"{ask}{item}{item2}{colour}{colour2}", query, f"The {wanted} is {answer}."


def animals(rng: random.Random) -> tuple[str, str, str]:
    animal, (sound, young, home, legs, moves) = rng.choice(list(ANIMALS.items()))
    a = article(animal)
    kind = rng.randrange(6)
    if kind == 0:
        ask = rng.choice(["What does {} say?", "What sound does {} make?", "How does {} sound?", "Which sound comes from {}?", "Make the sound of {}.", "What do you hear from {}?"])
        return ask + animal, ask.format(a), f"{capital(a)} says {sound}."
    if kind == 1:
        ask = rng.choice(["What is a young {} called?", "What do you call the young of {}?", "What is the name for a baby {}?", "What is the child of {}?", "Name the young of {}.", "What will grow up to be {}?"])
        return ask + animal, ask.format(a if "of {}" in ask or "be {}" in ask else animal), f"The young of {a} is called {article(young)}."
    if kind == 2:
        ask = rng.choice(["Where does {} live?", "Where can I find {}?", "What is the home of {}?", "In which place does {} live?", "Where should I look for {}?", "Tell me where {} lives."])
        return ask + animal, ask.format(a), f"{capital(a)} lives {home}."
    if kind == 3:
        ask = rng.choice(["How many legs does {} have?", "Count the legs of {}.", "What is the number of legs of {}?", "On how many legs does {} stand?", "Legs of {}: how many?", "Tell me how many legs {} has."])
        return ask + animal, ask.format(a), f"{capital(a)} has {legs} legs."
    if kind == 4:
        verb = moves if rng.random() < 0.5 else rng.choice(["fly", "swim", "walk", "crawl"])
        ask = rng.choice(["Does {} mostly {}?", "Would you say that {} likes to {}?", "Is it the way of {} to {}?", "Do you think {} is made to {}?"])
        return f"{ask}{animal}{verb}", ask.format(a, verb), f"{'Yes' if verb == moves else 'No'}, {a} is made to {moves}."
    other = rng.choice([other for other in ANIMALS if other != animal])
    ask = rng.choice(["Which animal says {s}, {a} or {b}?", "Who says {s}: {a} or {b}?", "I hear {s}. Is it {a} or {b}?", "{s}! Was that {a} or {b}?"])
    one, two = (animal, other) if rng.random() < 0.5 else (other, animal)
    return f"{ask}{animal}{one}{two}", capital(ask.format(s=sound, a=article(one), b=article(two))), f"{capital(a)} says {sound}."


def opposites(rng: random.Random) -> tuple[str, str, str]:
    pairs = list(OPPOSITES.items())
    one, two = rng.choice(pairs)
    if rng.random() < 0.5:
        one, two = two, one
    kind = rng.randrange(3)
    if kind <= 1:
        ask = rng.choice([
            "What is the opposite of {}?", "Tell me the opposite of {}.", "What is the contrary of {}?", "Name the opposite of {}.", "Which word is the opposite of {}?",
            "Not {}, but what?", "If it is not {}, what is it?", "{} and its opposite, please.", "Give me the opposite of the word {}.", "What do you call the opposite of {}?",
        ])
        return ask + one, capital(ask.format(one)), f"The opposite of {one} is {two}."
    other = two if rng.random() < 0.5 else rng.choice([word for pair in pairs for word in pair if word != one])
    ask = rng.choice(["Is {} the opposite of {}?", "Are {} and {} opposites?", "Do {} and {} mean the opposite?", "True or not: {} is the opposite of {}?"])
    return f"{ask}{other}{one}", ask.format(other, one), f"{'Yes' if other == two else 'No'}, the opposite of {one} is {two}."


def days(rng: random.Random) -> tuple[str, str, str]:
    names, unit = (DAYS, "day") if rng.random() < 0.65 else (MONTHS, "month")
    i = rng.randrange(len(names))
    day = names[i]
    kind = rng.randrange(5)
    if kind <= 1:
        word, by = rng.choice([("after", 1), ("before", -1)])
        ask = rng.choice(["What {u} comes {w} {d}?", "Which {u} is {w} {d}?", "Tell me the {u} {w} {d}.", "What is the {u} right {w} {d}?", "Name the {u} that comes {w} {d}.", "{d}: which {u} comes {w} it?"])
        return f"{ask}{word}{day}", ask.format(u=unit, w=word, d=day), f"{names[(i + by) % len(names)]} comes {word} {day}."
    if kind == 2:
        if unit == "day":
            when, by, is_ = rng.choice([("tomorrow", 1, "is"), ("yesterday", -1, "was"), ("in two days", 2, "is"), ("two days ago", -2, "was")])
            ask = rng.choice(["Today is {d}. What day {i} {w}?", "If today is {d}, what day {i} {w}?", "It is {d}. Which day {i} it {w}?", "What day {i} {w} when today is {d}?"])
        else:
            when, by, is_ = rng.choice([("next month", 1, "is"), ("last month", -1, "was"), ("in two months", 2, "is"), ("two months ago", -2, "was")])
            ask = rng.choice(["It is {d}. Which month {i} it {w}?", "If it is {d}, what month {i} it {w}?", "Now we have {d}. What month {i} it {w}?"])
        return f"{ask}{when}{day}", ask.format(d=day, i=is_, w=when), f"It {is_} {names[(i + by) % len(names)]}."
    if kind == 3:
        whole = "week" if unit == "day" else "year"
        ask = rng.choice(["What is the {o} {u} of the {p}?", "Which {u} is the {o} of the {p}?", "Name the {o} {u} of the {p}.", "Tell me the {o} {u} of the {p}."])
        return f"{ask}{unit}{i}", ask.format(o=ORDINALS[i], u=unit, p=whole), f"The {ORDINALS[i]} {unit} of the {whole} is {day}."
    j = (i + rng.choice((1, 2, 3, len(names) - 1))) % len(names)
    ask = rng.choice(["Does {b} come right after {a}?", "Is {b} the {u} after {a}?", "Does {a} come right before {b}?", "True or not: {b} follows {a}?"])
    return f"{ask}{day}{names[j]}", ask.format(a=day, b=names[j], u=unit), f"{'Yes' if j == (i + 1) % len(names) else 'No'}, {names[(i + 1) % len(names)]} comes after {day}."


COUNT_WORDS = {"two": 2, "three": 3, "four": 4}


def instructions(rng: random.Random) -> tuple[str, str, str]:
    kind = rng.randrange(7)
    if kind == 0:
        word = rng.choice(WORDS) if rng.random() < 0.6 else a_name(rng)
        times = rng.choice(list(COUNT_WORDS))
        ask = rng.choice(["Repeat the word {} {} times.", "Say {} {} times.", "Write {} {} times.", "Please say the word {} {} times."])
        return f"{ask}{word}{times}", ask.format(word, times), " ".join([word] * COUNT_WORDS[times])
    if kind == 1:
        words = rng.sample(WORDS, rng.choice((1, 2, 3)))
        ask = rng.choice(["Say {}.", "Repeat after me: {}.", "Write {}.", "Please say: {}."])
        return ask + " ".join(words), ask.format(" ".join(words)), " ".join(words)
    if kind == 2:
        words = rng.sample(WORDS, rng.choice((2, 3)))
        ask = rng.choice(["Reverse the words: {}.", "Say these words backwards: {}.", "Turn the words around: {}.", "Write the words in reverse: {}."])
        return "reverse " + " ".join(words), ask.format(" ".join(words)), " ".join(reversed(words))
    if kind == 3:
        a = rng.randint(0, 40)
        b = a + rng.randint(2, 7)
        down = rng.random() < 0.4
        ask = rng.choice(["Count {}from {} to {}.", "Please count {}from {} to {}.", "Can you count {}from {} to {}?"])
        numbers = list(range(a, b + 1))[:: -1 if down else 1]
        return f"count {a} {b} {down}", ask.format("down " if down else "", numbers[0], numbers[-1]), ", ".join(map(str, numbers)) + "."
    if kind == 4:
        kind_name, things = rng.choice(list(KINDS.items()))
        count = rng.choice(["two", "three", "four"])
        ask = rng.choice(["List {} {}.", "Name {} {}.", "Give me {} {}.", "Tell me {} {}.", "Write down {} {}.", "I need {} {}.", "Which {} {} do you know?", "Can you name {} {}?"])
        return f"{ask}{kind_name}{count}", ask.format(count, kind_name), capital(", ".join(things[: COUNT_WORDS[count]])) + "."
    if kind == 5:
        numbers = rng.sample(range(10), 3) if rng.random() < 0.6 else rng.sample(range(100), 3)
        ask = rng.choice(["Sort the numbers {}, {} and {}.", "Put {}, {} and {} in order.", "Order these numbers: {}, {}, {}.", "Sort {}, {}, {}."])
        return f"sort {sorted(numbers)}", ask.format(*numbers), ", ".join(map(str, sorted(numbers))) + "."
    words = rng.sample(WORDS, 3)
    place, name = rng.choice([(0, "first"), (1, "second"), (2, "third"), (2, "last"), (1, "middle")])
    ask = rng.choice(["What is the {p} word of: {w}?", "Say the {p} word: {w}.", "Pick the {p} word: {w}.", "Which is the {p} of the words {w}?"])
    return f"{name} of {' '.join(words)}", ask.format(p=name, w=" ".join(words)), f"The {name} word is {words[place]}."


SKILLS: dict[str, Callable[[random.Random], tuple[str, str, str]]] = {
    skill.__name__: skill for skill in (greetings, manners, arithmetic, colours, animals, opposites, days, instructions)
}
# Shares of the training text: what takes longer to learn comes more often.
WEIGHTS = {"greetings": 2, "manners": 2, "arithmetic": 6, "colours": 2, "animals": 2, "opposites": 2, "days": 2, "instructions": 3}
LEADS = ["Please tell me: ", "Can you tell me: ", "A question: ", "Well, ", "Hey, ", "Quick question: "]


def reworded(query: str, skill: str, rng: random.Random) -> str:
    """Small changes that do not change what is asked."""
    if skill != "greetings" and rng.random() < 0.15:
        lead = rng.choice(LEADS)
        query = lead + (query[0].lower() + query[1:] if lead.endswith(", ") else query)
    if rng.random() < 0.1:
        query = query[0].lower() + query[1:]
    if query.endswith("?") and rng.random() < 0.08:
        query = query[:-1]
    return query


def example(rng: random.Random, skill: str, unseen: bool) -> Example:
    """One example of a skill: from the held-out keys, or from all others."""
    while True:
        key, query, response = SKILLS[skill](rng)
        if held_out(f"{skill} {key}") == unseen:
            return Example(skill, key, reworded(query, skill, rng), response)


def dialogue(rng: random.Random) -> list[dict[str, str]]:
    """A training dialogue of one or two turns, with the default system prompt, another one or none."""
    chance = rng.random()
    messages = []
    if chance < 0.55:
        messages.append({"role": "system", "content": DEFAULT_SYSTEM_PROMPT})
    elif chance < 0.7:
        messages.append({"role": "system", "content": rng.choice(SYSTEM_PROMPTS)})
    for _ in range(2 if rng.random() < 0.15 else 1):
        skill = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        made = example(rng, skill, unseen=False)
        messages += [{"role": "user", "content": made.query}, {"role": "assistant", "content": made.response}]
    return messages
