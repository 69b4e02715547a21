"""Writes bleu.txt: what sacreBLEU says of random segments. tests/unit/task/test_bleu.c reads it.

    python3 tests/golden/generate_bleu.py > tests/golden/bleu.txt      (sacrebleu 2.6.0)

A corpus: "corpus SEGMENTS REFERENCES", then for each segment a line "o" with the output and lines
"r" with its references, then "bleu TOKENS CASE SMOOTHING VALUE EFFECTIVE ORDER" and "chrf CASE WORDS"
with the score of the corpus, behind it those of its first segments.
"""
import random

import sacrebleu
from sacrebleu.metrics import BLEU, CHRF

random.seed(7)
WORDS = ["the", "cat", "The", "sat", "on", "a", "mat", "dog", "runs", "I", "it's", "don't", "U.S.",
         "3.14", "1,000", "1,000.5", "2-3", "10-", "-5", "e.g.", "end.", "50%", "$3", "a/b", "x-y",
         "<skipped>", "&quot;hi&quot;", "&amp;", "&amp;lt;", "&lt;b&gt;", "...", "?!", "(yes)", "[1]",
         "Straße", "ΣΟΦΟΣ", "Σ", "ΑΣ.", "İstanbul", "ÉCOLE", "naïve", "über", "Привет,", "мир!",
         "«да»", "—", "“quoted”", "„so“", "‚x‘", "…", "€5", "5€", "£", "±2", "½", "²", "Ⅷ", "①",
         "日本語", "你好,世界。", "你好", "世界", "!", "、", "한국어", "हिन्दी", "العربية،", "שלום",
         "🙂", "👍🏽", "a\u0301", "ﬁne", "ｆｕｌｌ", "٣٫٥", "१२,३", "~", "`", "^", "_", "a_b", "#tag",
         "@user", "{x}", "|", "\\", "=", "+1", "¿qué?", "·", "™", "©", "x=3.", "9.", ",9", ".", ","]
BLANKS = [" "] * 30 + ["  ", "\u00a0", "\u3000", "\t", "\u2009"]


def text(length):
    out = "".join(random.choice(WORDS) + random.choice(BLANKS) for _ in range(length))
    return out if random.random() < 0.2 else out.rstrip()


def change(line):
    words = line.split(" ")
    for _ in range(random.randrange(4)):
        at = random.randrange(len(words))
        how = random.randrange(4)
        if how == 0:
            words[at] = random.choice(WORDS)
        elif how == 1:
            words.insert(at, random.choice(WORDS))
        elif how == 2 and len(words) > 1:
            del words[at]
        else:
            words[at] = words[at].swapcase()
    return " ".join(words)


def corpus(outputs, references):
    print("corpus", len(outputs), len(references))
    for i, output in enumerate(outputs):
        print("o" + output)
        for reference in references:
            print("r" + reference[i])
    some = min(2, len(outputs))

    def report(name, metric):
        scores = [metric.corpus_score(outputs, references).score]
        scores += [metric.sentence_score(outputs[i], [r[i] for r in references]).score
                   for i in range(some)]
        print(name, *("%.17g" % score for score in scores))

    for tokens in ("13a", "none", "intl", "char"):
        for lower in (False, True):
            for smoothing, value in (("exp", None), ("floor", None), ("floor", 0.5),
                                     ("add-k", None), ("add-k", 2), ("none", None)):
                for effective in (False, True):
                    if (lower or tokens == "char") and smoothing not in ("exp", "none"):
                        continue
                    report("bleu %s %s %s %g %s" % (tokens, "lc" if lower else "mixed", smoothing,
                                                    -1 if value is None else value,
                                                    "yes" if effective else "no"),
                           BLEU(tokenize=tokens, lowercase=lower, smooth_method=smoothing,
                                smooth_value=value, effective_order=effective))
    for lower in (False, True):
        for words in (0, 2):
            report("chrf %s %d" % ("lc" if lower else "mixed", words),
                   CHRF(lowercase=lower, word_order=words))


for segments, references, longest in ((30, 1, 20), (20, 3, 25), (3, 1, 4), (2, 2, 2), (40, 1, 3)):
    first = [text(random.randrange(longest)) for _ in range(segments)]
    outputs = [change(line) if random.random() < 0.9 else "" for line in first]
    others = [[change(line) for line in first] for _ in range(references - 1)]
    corpus(outputs, [first] + others)
corpus(["", "abc def"], [["", "xyz"]])
corpus([""], [["a b"]])
corpus(["okay thanks"], [["this is a cat"]])
