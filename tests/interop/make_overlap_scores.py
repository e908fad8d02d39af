"""Writes tests/fixtures/overlapScores.json: BLEU and chrF by sacrebleu, ROUGE-Lsum by rouge_score.

pip install sacrebleu==2.6.0 rouge_score==0.1.2; python tests/interop/make_overlap_scores.py
"""
import json
import pathlib

import sacrebleu
from rouge_score import rouge_scorer

SETS = [
    [["The cat sat on the mat.", "The cat sat on the mat."]],
    [["The cat sat on a mat.", "The cat sat on the mat."], ["He pays $1,234.50 for it - really!", "He paid $1,234.50 for it, really."]],
    [["3 + 4 is 7.", "3 + 4 is 7."], ["12 - 5 is 8.", "12 - 5 is 7."], ["", "nothing"]],
    [["Grüße aus Köln & Umgebung", "Grüße aus Köln und Umgebung"], ["&quot;quoted&quot; <b>", "\"quoted\" (b)"]],
    [["ни слова вместе", "другое дело"]],
    [["one two", "one two three four five six seven"], ["well-known facts, e.g. 3-4 of them.", "well known facts, e.g. 3 - 4 of them."]],
    [["One line.\nAnother line of words.\nA third.", "Another line of words.\nOne line more.\nThe third."]],
    [["a b c d e\nc d x", "c d e\na b"], ["the dogs ran. they barked", "the dog runs\nit barks and barks"]],
]
scorer = rouge_scorer.RougeScorer(["rougeLsum"], use_stemmer=True)
rows = []
for pairs in SETS:
    answers = [answer for answer, _ in pairs]
    references = [[reference for _, reference in pairs]]
    rows.append(
        {
            "pairs": pairs,
            "bleu": sacrebleu.corpus_bleu(answers, references).score,
            "chrf": sacrebleu.corpus_chrf(answers, references).score,
            # rouge_score takes lines for sentences: texts with a sentence's end within a line are left out.
            "rougeLsum": [
                scorer.score(reference, answer)["rougeLsum"].fmeasure
                if not any(mark in text[:-1] for text in [answer.replace(".\n", "\n"), reference.replace(".\n", "\n")] for mark in [". ", "! ", "? "])
                else None
                for answer, reference in pairs
            ],
        }
    )
out = pathlib.Path(__file__).parents[1] / "fixtures" / "overlapScores.json"
out.write_text(json.dumps({"sacrebleu": sacrebleu.__version__, "sets": rows}, ensure_ascii=False, indent=1) + "\n")
