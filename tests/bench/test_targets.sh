# targets.awk on made-up rows: met, missed, below, the best of several, not measured and why, parts that did not run.
set -eu
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/rows" <<'END'
{"part": "a", "name": "x fp32, 1", "median": 5, "unit": "u", "ratio": 0.86, "of": "peak", "runs": 3}
{"part": "a", "name": "y fp32", "median": 5e-3, "unit": "u", "runs": 3}
{"part": "a", "name": "* bf16*", "skipped": "no such CPU"}
{"part": "b", "name": "s one, batch 1", "median": 1, "unit": "u", "ratio": 2, "of": "peak", "runs": 3}
{"part": "b", "name": "s two, batch 1", "median": 1, "unit": "u", "ratio": 10, "of": "peak", "runs": 3}
END
cat >"$work/targets" <<'END'
# a comment
X      | a | x fp32, 1    | ratio  | >= 0.85
X high | a | x fp32, 1    | ratio  | >= 0.9
Y      | a | y fp32       | median | < 0.006
Y low  | a | y fp32       | median | < 0.005
Y none | a | y fp32       | ratio  | >= 1
Z      | a | x bf16, 1    | ratio  | >= 1
S      | b | s *, batch 1 | ratio  | >= 4
C      | c | anything     | ratio  | >= 1
END
cat >"$work/expected" <<'END'
target X: 0.86 (at least 0.85): met
target X high: 0.86 (at least 0.9): missed
target Y: 0.005 (below 0.006): met
target Y low: 0.005 (below 0.005): missed
target Y none: not measured here, no such figure came out
target Z: not measured here, no such CPU
target S: 10 (at least 4): met
END
awk -f "$here/targets.awk" "$work/rows" "$work/targets" >"$work/printed"
diff "$work/expected" "$work/printed"
