"""Writes tests/fixtures/jinja.json: what Python's jinja2, as transformers sets it up, makes of small templates, or that it raises.

    python tests/interop/jinja_values.py tests/fixtures/jinja.json

Needs jinja2. tests/unit/pythonJinja.test.ts holds ours to it: the same text, or an error, never another text.
"""

import json
import sys

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


ENVIRONMENT = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols])
ENVIRONMENT.filters["tojson"] = tojson
VARIABLES = {
    "a": [1, 2, 3], "s": "Hello wörld 😀x", "d": {"b": 1, "a": [1.5, None, True], "é": "x"}, "n": None, "t": True, "f": False, "i": 7, "e": [], "es": "",
    "ms": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": None}, {"role": "tool", "x": 1}], "dd": {"k": {"z": 1}}, "big": 1e20,
    "small": 1e-7, "words": "  a b\tc  ", "up": "ABC def", "q": "it's \"q\"", "html": "<a&b>", "nl": "a\nb\n\nc", "ls": ["b", "A", "c"],
}
TEMPLATES = r'''
{{ n }}
{{ t }} {{ f }}
{{ a }}
{{ d }}
{{ big }} {{ small }}
{{ i / 2 }} {{ 6 / 2 }} {{ i // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 2 ** 3 }} {{ i * 1.0 }}
{{ 1.0 + 1 }}
{{ s | length }}
{{ s[12:] }} {{ s[-1] }} {{ s[::-1] }} {{ s[12] }}
{{ "a" ~ 1 ~ none ~ true ~ 1.0 ~ [1] }}
{{ "x" * 3 }} {{ [1] * 2 }} {{ [1] + [2] }}
{{ d | tojson }}
{{ d | tojson(indent=2) }}
{{ html | tojson }} {{ q | tojson }}
{{ undefined_thing }}
{{ undefined_thing is defined }} {{ n is none }} {{ n is defined }}
{{ undefined_thing | default("x") }} {{ es | default("x") }} {{ es | default("x", true) }} {{ n | default("x") }}
{{ e | default("x", true) }}
{% if e %}y{% else %}n{% endif %}{% if d %}y{% endif %}{% if "" %}y{% else %}n{% endif %}{% if 0 %}y{% else %}n{% endif %}{% if 0.0 %}y{% else %}n{% endif %}{% if n %}y{% else %}n{% endif %}
{{ e or "x" }} {{ 1 and 2 }} {{ n and 1 }} {{ "a" or "b" }} {{ not e }} {{ not n }}
{{ e == [] }} {{ 1 == 1.0 }} {{ true == 1 }} {{ "1" == 1 }} {{ n == none }} {{ n == false }}
{{ "a" in d }} {{ "b" in "abc" }} {{ 2 in a }} {{ "z" not in d }} {{ none in [none] }}
{{ words.strip() }}|{{ words.split() }}|{{ words.split(" ") }}|{{ "a,b,c".split(",", 1) }}|{{ "a,b,c".rsplit(",", 1) }}
{{ up.lower() }} {{ up.title() }} {{ up.capitalize() }} {{ up.swapcase() }}
{{ up | title }} {{ up | capitalize }} {{ up | lower }} {{ "it's o'neil" | title }}
{{ "straße" | upper }} {{ "ﬁ".upper() }}
{{ "abc".startswith("a") }} {{ "abc".startswith(("x","a")) }} {{ "abc".endswith("c") }}
{{ "abc".find("c") }} {{ "abcabc".count("b") }} {{ "abc".replace("b","x") }} {{ "aaa".replace("a","b",2) }}
{{ "a-b".join(["x","y"]) }} {{ ["x","y"] | join("-") }} {{ [1,2] | join }} {{ ms | map(attribute="role") | join(",") }}
{{ ls | sort }} {{ ls | sort(case_sensitive=true) }} {{ ls | sort(reverse=true) }} {{ a | reverse | list }}
{{ a | first }} {{ a | last }} {{ a | sum }} {{ a | max }} {{ a | min }} {{ a | length }} {{ a | count }}
{{ ls | unique | list }} {{ a | batch(2) | list }} 
{{ 2.5 | round }} {{ 3.14159 | round(2) }} {{ 3.7 | int }} {{ "3" | int }} {{ "x" | int }} {{ "2.5" | float }} {{ 3 | float }}
{{ 7 | string }} {{ true | string }} {{ 2.0 | string }} {{ none | string }} {{ [1,"a"] | string }}
{{ d.get("b") }} {{ d.get("zz") }} {{ d.get("zz", 5) }} {{ d["zz"] }} {{ d.zz }}
{% for k, v in dd.items() %}{{ k }}={{ v }}{% endfor %}
{% for k in d %}{{ k }},{% endfor %}
{% for x in a %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.previtem }}{{ loop.nextitem }} {% endfor %}
{% for x in a if x > 1 %}{{ loop.index }}:{{ x }} {% else %}none{% endfor %}
{% for x in e %}a{% else %}empty{% endfor %}
{% for x in a %}{% if x == 2 %}{% continue %}{% endif %}{{ x }}{% endfor %}{% for x in a %}{% if x == 2 %}{% break %}{% endif %}{{ x }}{% endfor %}
{% for x in a %}{{ loop.cycle("o","e") }}{% endfor %}
{% set ns = namespace(x=1) %}{% for y in a %}{% set ns.x = ns.x + y %}{% endfor %}{{ ns.x }}
{% set v = 1 %}{% for y in a %}{% set v = 5 %}{% endfor %}{{ v }}{% if true %}{% set v = 9 %}{% endif %}{{ v }}
{% macro m(x, y=2) %}[{{ x }}{{ y }}]{% endmacro %}{{ m(1) }}{{ m(1, y=3) }}
{% set cap %}x{{ i }}{% endset %}{{ cap }}
{{ "yes" if t else "no" }} {{ "yes" if f }}|
{{ a[1:] }} {{ a[:-1] }} {{ a[::2] }} {{ a[::-1] }} {{ a[-1] }}
{{ (1,2) }} {{ (1,) }} {{ [] }} {{ {} }} {{ {"a": 1} }}
{{ "a" < "b" }} {{ 1 < 2 <= 2 }} {{ [1,2] < [1,3] }}
{{ i is odd }} {{ i is even }} {{ i is number }} {{ i is integer }} {{ fl is float }} {{ t is boolean }} {{ s is string }} {{ a is iterable }} {{ s is iterable }} {{ d is mapping }} {{ a is sequence }} {{ d is sequence }} {{ s is sequence }} {{ t is true }} {{ f is false }} {{ i is divisibleby 7 }} {{ t is integer }}
{{ "a" is in ["a"] }} {{ i is eq 7 }} {{ i is equalto 7 }} {{ i is gt 3 }} {{ i is lt 3 }} {{ "ab" is lower }} {{ "AB" is upper }}
{{ ms | selectattr("role","equalto","user") | list }} {{ ms | selectattr("role","in",["user","tool"]) | map(attribute="role") | list }} {{ ms | rejectattr("role","equalto","user") | list | length }} {{ ms | selectattr("x") | list }} {{ ms | selectattr("x","defined") | list | length }}
{{ ms[1].content }} {{ ms[1].content is none }} {{ ms[2].content }} {{ ms[2].content is defined }}
{{ nl | indent }} {{ nl | indent(2, true) }} {{ nl | indent(2, blank=true) }}
{{ "%s-%d" | format("a", 3) }} {{ "%s-%d" % ("a", 3) }} {{ "%.2f" | format(3.14159) }}
{{ "{}-{}".format("a", 1) }}
{{ html | e }} {{ html | escape }} {{ html | safe }} {{ html }}
{{ words | trim }}|{{ "xxaxx" | trim("x") }}|{{ "\ufeffa" | trim }}|
{{ "a b c" | wordcount }} {{ "abcdefghij" | truncate(5) }} {{ "ab" | center(6) }}
{{ a | map("string") | join }} {{ ls | map("upper") | list }} {{ [1,none,2] | select | list }} {{ [0,1,2] | select("odd") | list }} {{ [0,1] | reject("odd") | list }}
{{ "a\\nb" }} {{ "tab\tx" }} {{ 'it''s' }}
{{ "abc" | list }} {{ d | list }} {{ "abc" | reverse }} {{ "abc" | first }} {{ "abc" | last }}
{{ d | length }} {{ d.a[0] }} {{ d["a"][2] }} {{ d.é }}
{{ -i }} {{ +i }} {{ - 3 | abs }} {{ (-3) | abs }} {{ 5 % 2 }} {{ 5.5 % 2 }}
{{ 1 if undefined_thing else 2 }} {{ undefined_thing == none }} {{ undefined_thing ~ "x" }}
{{ ["a", "b"] | tojson }} {{ "é\u2028</script>" | tojson }} {{ 1.0 | tojson }} {{ 1e16 | tojson }} {{ 0.1 | tojson }} {{ 1e-7 | tojson }} {{ 123456789012345680000 | tojson }}
{{ dd | tojson(separators=(',',':')) }} {{ dd | tojson(sort_keys=true) }} {{ "é" | tojson(ensure_ascii=true) }}
{{ a | tojson(indent=4) }} {{ [] | tojson(indent=2) }} {{ {} | tojson(indent=2) }}
{{ "abc"[1] }} {{ "abc"[5] }} {{ a[7] }}
{{ "a" "b" }}
{{ {"a": 1, "b": 2}.items() | map("first") | list }} {{ dict(a=1) }}
{{ ms | map(attribute="content", default="dflt") | list }} {{ ms | groupby("role") | list | length }}
{% filter upper %}abc{% endfilter %} {% raw %}{{ x }}{% endraw %} {# c #}x
{% with z = 3 %}{{ z }}{% endwith %}
{% call(x) m2() %}{% endcall %}
{{ "abc".isalpha() }} {{ "12".isdigit() }} {{ "ab".islower() }} {{ "a".isspace() }} {{ "x".zfill(3) }} {{ "a".ljust(3) }}| {{ "a\nb".splitlines() }} {{ "abc".index("c") }} {{ "a=b".partition("=") }} {{ "prefixa".removeprefix("prefix") }} {{ "a".encode() }}
{{ "Straße".casefold() }} {{ "ŉ" | title }} {{ "ΑΣ".lower() }}
{{ a.index(2) }} {{ a.count(1) }} {{ [3,1] | sort | first }} {{ a | random is defined }}
{% set x, y = 1, 2 %}{{ x }}{{ y }}
{% for x, y in [[1,2],[3,4]] %}{{ x }}{{ y }} {% endfor %}
{% for x in a recursive %}{{ x }}{% endfor %}
{% for i in s[:3] %}{{ i }}.{% endfor %}
{{ s | upper }} {{ s[0] | lower }} {{ "%c" }}
{{ t + 1 }} {{ t and 5 }} {{ 3 > t }} {{ "a" + "b" }} {{ 10 | string + "x" }}
{{ none | tojson }} {{ undefined_thing | tojson }}
{{ "a" ~ undefined_thing }} {{ undefined_thing | length }} {{ undefined_thing | upper }}
{{ undefined_thing.x }}
{{ "a" + 1 }}
{{ 1 + none }}
{{ n.x }}
{{ n | length }}
{{ 1 | length }}
{{ "x" - 1 }}
{{ none | trim }} {{ none | upper }} {{ 5 | trim }} {{ 5 | upper }} {{ true | lower }} {{ none | lower }}
{{ [1, 2] | upper }}
{{ none | default("a") ~ "b" }} {{ none ~ "b" }}
{{ a | join(", ", attribute="x") }}
{{ "x" | replace("x", 5) }} {{ 5 | replace("5","6") }} {{ none | replace("None", "y") }}
{{ ["a"] in [["a"]] }} {{ {"a":1} == {"a":1} }} {{ (1,2) == [1,2] }} {{ 1 in "123" }}
{{ 5 is string }} {{ "abc" is mapping }} {{ undefined_thing is string }} {{ undefined_thing is none }} {{ n is string }} {{ n is iterable }} {{ i is iterable }}
{{ 1.5 // 1 }} {{ 7.0 // 2 }} {{ 2 ** -1 }} {{ 1e3 }} {{ 100000000000000000000 }} {{ 0.1 + 0.2 }} {{ 1/3 }}
{{ ms | last }} {{ ms[-1]["role"] }} {{ ms[0:1] }}
{{ "\n".join(nl.split("\n")[1:]) }} {{ nl.split("\n")[-1] }} {{ nl | replace("\n", "\\n") }}
{{ "a" if "x" is defined and s is string and not n else "b" }}
{{ [1,2,3] | select("gt", 1) | list }} {{ [1,2,3] | select(">", 1) | list }} {{ ls | select("in", "Abc") | list }}
{{ ms | map(attribute="role") | unique | list }} {{ [[1,2],[3]] | sum(start=[]) }} {{ [{"x":1},{"x":2}] | sum(attribute="x") }}
{{ "a%20b" | urlencode }} {{ "<b>x</b>" | striptags }} {{ 1000000 | filesizeformat }} {{ "word " * 3 | wordwrap(5) }}
{{ ['a','b'] | map('tojson') | join(', ') }} {{ ms | map('tojson') | first }}
{{ "a,b" | split(",") }}
{{ "x".__class__ }}
{{ d._x }} {{ "{0.__class__}".format(1) }}
{{ d | pprint }} {{ d | xmlattr }}
{{ range(3) | list }} {{ range(1,4) | list }} {{ big | tojson }}
'''.strip().split("\n")


def rendered(template):
    try:
        return ENVIRONMENT.from_string(template).render(**VARIABLES)
    except Exception:
        return None


def main(path):
    cases = []
    for line in TEMPLATES:
        parts = [line] if "{%" in line else [part + "}}" for part in line.split("}}") if "{{" in part]
        cases += [[part, rendered(part)] for part in parts]
    with open(path, "w") as file:
        json.dump({"variables": VARIABLES, "cases": cases}, file, separators=(",", ":"), ensure_ascii=False)
        file.write("\n")


main(*sys.argv[1:])
