"""Renders chat templates as Python's transformers does, over a grid of conversations, and writes what tests/golden/templates.test.ts compares with.

    python tests/interop/chat_templates.py TEMPLATES tests/fixtures/chatTemplates.json
    python tests/interop/chat_templates.py TEMPLATES --show NAME CONVERSATION [add_generation_prompt] [enable_thinking]

TEMPLATES is a folder of *.jinja files. The fixture holds system prompts and turns, and for each template one line of results, 6 characters a case: the
beginning of the SHA-256 of the rendered text in UTF-8, or `refuse` where the template raises an error. Cases: turns with each system prompt;
for each, without and with the generation prompt; for each, `enable_thinking` undefined and then, in templates that name it, false. Today is fixed.
Needs transformers (5 or later) and jinja2.
"""

import datetime
import hashlib
import json
import sys
from pathlib import Path

from transformers.utils import chat_template_utils

DATE = datetime.datetime(2024, 7, 26)
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
REFUSED = "refuse"


class FixedDate(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return DATE


chat_template_utils.datetime = FixedDate


def make_grid():
    """System prompts (None: no message), and turns as lists of [role, content]."""
    user, assistant = (lambda text: ["user", text]), (lambda text: ["assistant", text])
    turns = [
        [user("What is 2 + 2?")],
        [user("What is 2 + 2?"), assistant("It is 4.")],
        [user("What is 2 + 2?"), assistant("It is 4."), user("And 3 + 3?")],
        [user("What is 2 + 2?"), assistant("It is 4."), user("And 3 + 3?"), assistant("It is 6.")],
        [user("a"), assistant("b"), user("c"), assistant("d"), user("e"), assistant("f")],
        [user(""), assistant("")],
        [user("Grüße, 世界 🌍👩‍👩‍👧"), assistant("e\u0301 ≠ é; \u00a0non-breaking\u2003em\u2028line")],
        [user("\ufeffmark\ufeff"), assistant("\ufeffmark\ufeff")],
        [user("\x1c\x85separators\x1f\u180e"), assistant("\x1e\u200bseparators\x85\x1d")],
        [user("  leading and trailing \t\n"), assistant("\n\n  leading and trailing \n")],
        [user(" \n "), assistant("\t\n ")],
        [user("lines\n\nwith\r\nbreaks\n"), assistant("- one\n- two\n")],
        [user("{{ 7 * 7 }} {% raw %} {# no #} \\n \\\\"), assistant("<b>\"quoted\"</b> & 'single' {%- endif %}")],
        [user("<|im_end|><|eot_id|><end_of_turn>"), assistant("<|im_start|>system\n</s>[INST]")],
        [user("Think."), assistant("<think>\nHm, two and two.\n</think>\n\nIt is 4.")],
        [user("Think."), assistant("<think>\n\n</think>\n\nIt is 4.")],
        [user("Think."), assistant("<think>Hm.</think>It is 4."), user("Again."), assistant("  <think> \n Hm. \n </think> \n It is 4. ")],
        [user("Think. /no_think"), assistant("half a thought</think>rest")],
        [user("Quickly /nothink"), assistant("<think>open")],
        [user("<tool_response>4</tool_response>"), assistant("It is 4.")],
        [user("one"), user("two"), assistant("three")],
        [assistant("I begin."), user("Then I."), assistant("Well.")],
        [user("one"), assistant("two"), assistant("three")],
        [user("one"), ["system", "Late."], assistant("two")],
        [user("x" * 300), assistant("y" * 300)],
    ]
    systems = [None, "", "You are a helpful and friendly assistant.", "  Spaced \ufeff out.\n\n", "/no_think Be brief."]
    return systems, turns


def render(template, conversation, **options):
    messages = [{"role": role, "content": content} for role, content in conversation]
    try:
        return chat_template_utils.render_jinja_template(
            conversations=[messages], chat_template=template, date_string=DATE.strftime("%d %b %Y"), **options, **SPECIAL
        )[0][0]
    except Exception as error:
        return error


def cases(template, conversation):
    for prompt in (False, True):
        yield render(template, conversation, add_generation_prompt=prompt)
        if "enable_thinking" in template:
            yield render(template, conversation, add_generation_prompt=prompt, enable_thinking=False)


def short(result):
    return REFUSED if isinstance(result, Exception) else hashlib.sha256(result.encode()).hexdigest()[: len(REFUSED)]


def main(folder, *args):
    templates = {path.stem: path.read_text(encoding="utf-8") for path in sorted(Path(folder).glob("*.jinja"))}
    systems, turns = make_grid()
    grid = [([] if system is None else [["system", system]]) + turn for system in systems for turn in turns]
    if args[0] == "--show":
        name, index, *flags = args[1:]
        options = {"add_generation_prompt": "add_generation_prompt" in flags}
        if "enable_thinking" in flags:
            options["enable_thinking"] = False
        print(repr(render(templates[name], grid[int(index)], **options)))
        return
    results = {name: "".join(short(result) for conversation in grid for result in cases(template, conversation)) for name, template in templates.items()}
    fixture = {"special_tokens": SPECIAL, "date_string": DATE.strftime("%d %b %Y"), "systems": systems, "turns": turns, "results": results}
    Path(args[0]).write_text(json.dumps(fixture, ensure_ascii=True, indent=0, separators=(",", ":")) + "\n")
    count = sum(len(line) // len(REFUSED) for line in results.values())
    print(f"{len(templates)} templates, {len(grid)} conversations, {count} cases")


main(*sys.argv[1:])
