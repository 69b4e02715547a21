#!/usr/bin/env python3
"""Writes subword/: a corpus of made-up words, the merges of byte-pair learning (version 0.2: the
greatest of equal pairs goes first), and the corpus cut by them, whole and with a threshold. Plain
and slow on purpose: each merge counts all pairs anew."""
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent / 'subword'
MERGES, THRESHOLD = 150, 12


def make_corpus():
    state = 7
    parts = ['an', 'ba', 'aaa', 'lo', 'wer', 'er', 'st', 'ü', 'ße', 'x', '日本', 'ing', 'i', '\\', '(']
    lines = []
    for _ in range(120):
        line = []
        for _ in range(8):
            word = ''
            state = (state * 1103515245 + 12345) % 2**31
            length = 1 + (state >> 16) % 4
            for _ in range(length):
                state = (state * 1103515245 + 12345) % 2**31
                place = (state >> 16) % len(parts)
                state = (state * 1103515245 + 12345) % 2**31
                word += parts[min(place, (state >> 16) % len(parts))]
            line.append(word)
        lines.append(line)
    return lines


def symbols_of(word):
    return list(word[:-1]) + [word[-1] + '</w>']


def join_all(symbols, pair):
    out, at = [], 0
    while at < len(symbols):
        if tuple(symbols[at:at + 2]) == pair:
            out.append(symbols[at] + symbols[at + 1])
            at += 2
        else:
            out.append(symbols[at])
            at += 1
    return out


def learn(words):
    cut = {word: symbols_of(word) for word in words}
    merges = []
    for _ in range(MERGES):
        pairs = Counter()
        for word, symbols in cut.items():
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += words[word]
        best = max(pairs, key=lambda pair: (pairs[pair], pair), default=None)
        if best is None or pairs[best] < 2:
            break
        merges.append(best)
        cut = {word: join_all(symbols, best) for word, symbols in cut.items()}
    return merges


def apply(word, merges):
    symbols = symbols_of(word)
    for pair in merges:
        symbols = join_all(symbols, pair)
    return symbols


def marked(symbols):
    return [s + '@@' for s in symbols[:-1]] + [symbols[-1][:-4]]


def split(symbol, last, kept, made):
    unit = symbol[:-4] if last else symbol + '@@'
    if unit in kept or symbol not in made:
        return [symbol]
    left, right = made[symbol]
    return split(left, False, kept, made) + split(right, last, kept, made)


def main():
    lines = make_corpus()
    words = Counter(word for line in lines for word in line)
    merges = learn(words)
    whole = {word: marked(apply(word, merges)) for word in words}
    counts = Counter()
    for word, units in whole.items():
        for unit in units:
            counts[unit] += words[word]
    kept = {unit for unit, count in counts.items() if count >= THRESHOLD}
    made = {}
    for left, right in merges:
        made.setdefault(left + right, (left, right))
    again = {}
    for word in words:
        symbols = apply(word, merges)
        parts = [p for i, s in enumerate(symbols)
                 for p in split(s, i + 1 == len(symbols), kept, made)]
        again[word] = marked(parts)
    HERE.mkdir(exist_ok=True)
    (HERE / 'corpus.txt').write_text(''.join(' '.join(line) + '\n' for line in lines))
    (HERE / 'merges.txt').write_text('#version: 0.2\n' + ''.join(f'{a} {b}\n' for a, b in merges))
    for name, table in ('whole.txt', whole), ('threshold.txt', again):
        (HERE / name).write_text(
            ''.join(' '.join(u for word in line for u in table[word]) + '\n' for line in lines))
    print(len(words), len(merges), sum(whole[w] != again[w] for w in words))


main()
