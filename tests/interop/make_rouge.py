"""Writes tests/fixtures/rouge.json: 200 pairs of texts with rouge_score's F-measures, and the stems that it uses.

    python tests/interop/make_rouge.py tests/fixtures/rouge.json

Pairs: first those of rouge_score's own tests (rouge_scorer_test.py and its pyrouge data in short), then texts built at random from whole sentences,
inflected words and what is hard on tokenizers, half of them edits of the reference. Stems: nltk's PorterStemmer, as rouge_score uses it, for words
that meet every rule of it. Needs rouge_score 0.1.2.
"""

import json
import random
import sys
from pathlib import Path

from nltk.stem.porter import PorterStemmer
from rouge_score.rouge_scorer import RougeScorer

PAIRS = 200
TYPES = ["rouge1", "rouge2", "rougeL"]

OWN = [
    ("", ""),
    ("testing one two", ""),
    ("", "testing"),
    ("testing one two", "testing"),
    ("testing one two", "testing one two"),
    ("testing one two", "one two testing two one"),
    ("the the the the", "the cat"),
    ("the friend had a meeting", "the friends had meetings"),
    ("w1 w2 w3 w4 w5", "w1 w2 w6 w7 w8"),
    ("w1 w2 w3 w4 w5", "w1 w3 w8 w9 w5"),
    ("police killed the gunman", "police kill the gunman"),
    ("police killed the gunman", "the gunman kill police"),
    ("第一节 chapter one", "第二节 chapter two"),
    ("Ärger über Öl: 3.14 & e-mail!", "arger uber ol 3 14 e mail"),
    ("Don't STOP-believing\n\nin it", "do not stop believing in it"),
    ("\u00a0non breaking\u2003spaces\t", "non-breaking spaces"),
    ("İstanbul Kelvin \u212a K", "istanbul kelvin k k"),
    ("news inning outings cannings skies dying", "new innings outing canning sky die"),
]
SENTENCES = [
    "The relational database was conditionally rationalised by the hesitant operators.",
    "Dying skies were lying beyond the tying bonds; he died, she tried, they spied.",
    "Hopefulness and callousness are decisive qualities of sensible, formally trained athletes.",
    "Agreed: plastered walls fed the motoring crowd, who were singing, hopping, falling and hissing.",
    "She enjoyed the employment, the enjoyment of happy days, and flies flew by.",
    "Theology, geology and archaeology are analogous to philosophical logic.",
    "Triplicate electrical formalities were formalised hopefully in the goodness of time.",
    "An adjustable replacement of the dependent adoption, a homologous communism, activates angularity.",
    "Controlling rolls of probate, ceasing rates, and filing failures: proceed, exceed, succeed.",
    "In 2024 there were 1,234 cases (about 3.5 % more) of item X-27b; see http://example.org/a_b?c=d.",
    "Der schnelle braune Fuchs springt über den faulen Hund.",
    "Mr. O'Neil's co-worker re-entered the U.S.A. at 5pm.",
    "def f(x): return x ** 2 + 1  # squares",
    "ponies caress cats ties yyyyy syzygy toys spying trying buying news",
]
WORDS = """caresses ponies ties cats feed agreed plastered bled motoring sing conflated troubled sized hopping tanned falling hissing fizzed failing filing
happy sky relational conditional rational valenci hesitanci digitizer conformabli radically differently vilely analogously vietnamization predication
operator feudalism decisiveness hopefulness callousness formality sensitivity sensibility triplicate formative formalize electricity electrical hopeful
goodness revival allowance inference airliner gyroscopic adjustable defensible irritant replacement adjustment dependent adoption homologous communism
activate angularity effective bowdlerize probate rate cease controller roll dies died lies lied spied spies enjoy enjoyed enjoyment say says spy fly flies
tries dying lying tying news innings inning outings outing cannings canning howe proceed exceed succeed skies ies ied aed ing eed oed bbed uying geologist
geology theology logi analogy apology fully carefully beautifully actually totally generally really usually finally possibly probably terribly bly yearly
day days buy buyer buying buys key keys toy toying yyyyy ayyyy sses ss s xs as gas bus yes this thus is was has his us abc a1b2 2nd 3rd 1990s 42ing
running runner runs ran swimming beginning planned preferred referring traveled travelling cancelled modelling quizzes quizzed boxes boxed fixing taxes
agreeing seeing being freed breed need indeed exceeded succeeded proceeding knives wives halves leaves oxen children women geese mice data criteria
nationalization internationalism responsibilities characteristically unconstitutional misunderstanding oversimplification counterrevolutionary
aaaa eeee iou you eye aye oye ye my by try dry why type style cycle rhythm rhythms myth myths lynx onyx oed ated bled izing tion sion ional ence ance
able ible ment ness ful ism ist ity ive ize ous ion ation ational fulness iveness ousness aliti iviti biliti alli entli eli ousli ization ator alism""".split()


def texts(seed: int) -> tuple[str, str]:
    rng = random.Random(seed)
    reference = " ".join(rng.sample(SENTENCES, rng.randint(1, 3)) + rng.sample(WORDS, rng.randint(0, 6)))
    if rng.random() < 0.5:
        words = reference.split()
        for _ in range(rng.randint(1, max(1, len(words) // 2))):
            at = rng.randrange(len(words))
            kind = rng.randrange(4)
            if kind == 0 and len(words) > 1:
                del words[at]
            elif kind == 1:
                words.insert(at, rng.choice(WORDS))
            elif kind == 2:
                words[at] = rng.choice([words[at].upper(), words[at] + "s", words[at] + "ing", words[at] + "ly"])
            else:
                other = rng.randrange(len(words))
                words[at], words[other] = words[other], words[at]
        return reference, " ".join(words)
    return reference, " ".join(rng.sample(SENTENCES, rng.randint(1, 2)) + rng.choices(WORDS, k=rng.randint(0, 8)))


scorer = RougeScorer(TYPES, use_stemmer=True)
pairs = [*OWN, *(texts(seed) for seed in range(PAIRS - len(OWN)))]
stemmer = PorterStemmer()
rows = []
for reference, answer in pairs:
    scores = scorer.score(reference, answer)
    rows.append({"reference": reference, "answer": answer, **{name: scores[name].fmeasure for name in TYPES}})
stems = {word: stemmer.stem(word) for word in sorted({word for word in WORDS if len(word) > 0})}
Path(sys.argv[1]).write_text(json.dumps({"pairs": rows, "stems": stems}, ensure_ascii=False, indent=0) + "\n")
print(len(rows), "pairs,", len(stems), "stems")
