# Sound through seqprep and seqpredict: WAV files in class folders and in a table, the rate of the data set, short files, options
# where they have no effect, and a prediction from a raw file by the features that the data set recorded.
source "$SUPPORT/common.sh"

# wav FILE RATE SAMPLES PERIOD: a square wave of 16 bits, mono; the period in samples.
wav() {
  awk -v rate="$2" -v count="$3" -v period="$4" '
    function number(value, bytes) {for (; bytes--; value = int(value / 256)) printf "\\x%02x", value % 256}
    BEGIN {
      printf "RIFF"; number(36 + 2 * count, 4); printf "WAVEfmt "; number(16, 4); number(1, 2); number(1, 2)
      number(rate, 4); number(2 * rate, 4); number(2, 2); number(16, 2); printf "data"; number(2 * count, 4)
      for (i = 0; i < count; i++) number((i % period < period / 2 ? 3000 : 62536) + i % 7, 2)
    }' | { read -r bytes; printf '%b' "$bytes"; } >"$1"
}

mkdir -p top/low top/high
for i in 1 2 3 4 5 6; do
  wav top/low/$i.wav 8000 $((600 + 20 * i)) $((40 + i))
  wav top/high/$i.wav 8000 $((600 + 20 * i)) $((8 + i))
done

# Without KISS FFT there are no features, but samples.
"$SEQPREP" --task classify --reader sound -o data top >.out 2>&1 || {
  grep -q "built without KISS FFT: install the package libkissfft-dev" .out || bad "$(cat .out)"
  expect 0 "width 1" "$SEQPREP" --task classify --reader sound --features none -o data top
  [ "$failures" -eq 0 ] && echo "skipped: this build has no KISS FFT" >&2 && exit 77
  exit 1
}
grep -q "frames: values a row of frames, width 23" .out || bad "$(cat .out)"
grep -q '"rate": "8000"' data/dataset.json || bad "the rate is not recorded"
grep -q '"reader": "sound"' data/dataset.json || bad "the reader is not recorded"

# A table of the same files gives the same shards.
(cd top && printf '%s\n' */*.wav) | sed 's|\(\(.*\)/.*\)|top/\1,\2|' >table.csv
expect 0 "12 items" "$SEQPREP" --task classify --columns path=1,label=2 -o table table.csv
same data/train-0000.h5 table/train-0000.h5

# Rates, channels, short files.
wav top/low/x.wav 16000 1200 80
expect 3 "top/low/x.wav: 16000 Hz, and the data set's sound has 8000 Hz; seqprep --resample 8000" \
  "$SEQPREP" --task classify --reader sound -o no top
echo top/low/x.wav,low >>table.csv
expect 3 "table.csv line 13: top/low/x.wav: sound of 16000 Hz, and that of the items before has 8000 Hz; --resample 8000" \
  "$SEQPREP" --task classify --columns path=1,label=2 -o no table.csv
expect 0 "13 items" "$SEQPREP" --task classify --reader sound --resample 8000 --features mfcc --deltas 1 -o resampled top
expect 2 "channel 2: top/high/1.wav has 1 channel" "$SEQPREP" --task classify --reader sound --channel 2 -o no top
wav top/low/x.wav 8000 100 40
expect 0 "1 sounds are shorter than a frame and were filled up with zeros" "$SEQPREP" --task classify --reader sound -o short top
head -c 500 top/low/1.wav >top/low/x.wav
expect 3 "top/low/x.wav, byte offset 36: the chunk 'data' has 1240 bytes .* 456 more: it is cut off" \
  "$SEQPREP" --task classify --reader sound -o no top
rm top/low/x.wav
expect 2 "mel-bins 500: bin 1, from .* Hz, is empty: at 8000 Hz" "$SEQPREP" --task classify --reader sound --mel-bins 500 -o no top
expect 2 "deltas: without effect with --task lm" "$SEQPREP" --deltas 1 -o no table.csv
expect 2 "deltas: without effect with --reader lines" "$SEQPREP" --task classify --reader lines --deltas 1 -o no table.csv
absent no

# A raw file is predicted as its copy in the data set; another rate is refused, and resampled where the data set was.
expect 0 "step" "$SEQTRAIN" --data data --run run --layers 1 --hidden 8 --batch 4 --steps 40 --lr 0.02
expect 0 "step" "$SEQTRAIN" --data resampled --run run.resampled --layers 1 --hidden 8 --batch 4 --steps 2
wav new.wav 8000 700 45
expect 0 "low" "$SEQPREDICT" run new.wav
wav new.wav 8000 700 12
expect 0 "high" "$SEQPREDICT" run new.wav
wav new.wav 16000 1400 24
expect 3 "new.wav: 16000 Hz, and the data set's sound has 8000 Hz" "$SEQPREDICT" run new.wav
expect 0 "low|high" "$SEQPREDICT" run.resampled new.wav
finish
