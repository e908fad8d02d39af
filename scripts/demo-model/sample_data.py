"""The demo's data files: a pirate's answers to train on, and what the model knew before, to see what is forgotten.

    python3 scripts/demo-model/sample_data.py --out public/demo

writes them anew without training the model. The pirate speaks about the skills of PIRATE_SKILLS; manners and arithmetic are never trained on.
"""

import argparse
import json
import random
import re
from pathlib import Path

from dialogues import Example, example

PIRATE_SKILLS = ["greetings", "colours", "animals", "opposites", "days"]
SWAPS = [(r"\bI am\b", "I be"), (r"\b(is|are)\b", "be"), (r"\byou\b", "ye"), (r"\bYou\b", "Ye"), (r"\byour\b", "yer")]


def pirate(response: str) -> str:
    """The same answer as a pirate gives it."""
    for pattern, word in SWAPS:
        response = re.sub(pattern, word, response)
    return f"{response.rstrip('.!?')}, matey{'?' if response.endswith('?') else '!'} Arr!"


def rows_of(rng: random.Random, skills: list[str], count: int, unseen: bool, taken: set[str]) -> list[Example]:
    """`count` different prompts, the skills in turn."""
    rows = []
    while len(rows) < count:
        made = example(rng, skills[len(rows) % len(skills)], unseen)
        if made.query not in taken:
            taken.add(made.query)
            rows.append(made)
    return rows


def write_sample_data(folder: Path, seed: int) -> None:
    rng = random.Random(f"{seed} sample data")
    taken: set[str] = set()
    train = rows_of(rng, PIRATE_SKILLS, 400, False, taken)
    validation = {
        "pirate": [(made.query, pirate(made.response)) for made in rows_of(rng, PIRATE_SKILLS, 20, True, taken)],
        "manners": [(made.query, made.response) for made in rows_of(rng, ["manners"], 16, True, taken)],
        "arithmetic": [(made.query, made.response) for made in rows_of(rng, ["arithmetic"], 16, True, taken)],
    }
    write_rows(folder / "pirate.jsonl", [(made.query, pirate(made.response)) for made in train])
    for name, rows in validation.items():
        write_rows(folder / f"{name}.val.jsonl", rows)


def write_rows(path: Path, rows: list[tuple[str, str]]) -> None:
    path.write_text("".join(json.dumps({"query": query, "response": response}, ensure_ascii=False) + "\n" for query, response in rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder to write, such as public/demo")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    write_sample_data(arguments.out, arguments.seed)
