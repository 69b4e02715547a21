#!/bin/bash
# FSDD, spoken digits: one digit a recording, five speakers, 45 recordings of each digit and speaker; mono, 8 kHz.
# Source: the folder recordings (DIGIT_SPEAKER_INDEX.wav) of github.com/Jakobovski/free-spoken-digit-dataset.
# Two protocols: known speakers (indices 5 to 9 test, 10 to 14 development, the others training), and a speaker left out.
# Training recordings are also played faster and slower: copies whose header tells another sample rate, which --resample brings back to 8 kHz.
# Options were chosen on the development part, and on a second speaker taken out of the training folds (datasets/README.md).
#   datasets/fsdd.sh --from DIR [--out DIR] [--seeds N] [-- SEQTRAIN_OPTION...]
source "$(dirname "$0")/common.sh"
needs recordings
mapfile -t speakers < <(ls "$from/recordings" | sed -n 's/^[0-9]_\(.*\)_[0-9]*\.wav$/\1/p' | sort -u)
[ ${#speakers[@]} -gt 1 ] || fail "$from/recordings: no files DIGIT_SPEAKER_INDEX.wav of two speakers"
features=(--task classify --label-pattern '{label}_{speaker}_{index}.wav' --features mfcc --deltas 2 --subsample 2 --resample 8000 --quiet)
model=(--layers 1 --bidirectional --hidden 64 --pool attention --forget-bias 1 --input-noise 0.3 --time-masks 2 --time-mask-width 4
  --feature-masks 2 --feature-mask-width 6 --batch 32 --lr 0.004 --schedule cosine --threads 1)

mapfile -t learned < <(ls "$from/recordings"/*_*_*.wav | grep -E '_(1[5-9]|[2-9][0-9])\.wav$')
for factor in 0.92 1.09; do at_speed $factor "$out/speed-$factor" "${learned[@]}"; done
prepare "${features[@]}" --test 'index<10' --valid 'index<15' "$from/recordings" "$out"/speed-{0.92,1.09}
train_seeds "$out/data" "$out/run" "${model[@]}" --dropout 0.4 --epochs 8 --log-every 1M
for split in valid test; do tell_seeds "$out/run" $split accuracy; done
tell_seconds "$out/run"

# elsewhere FACTOR FOLDER WAV...: copies at another speed, as another microphone in another room might have them: a tilt of the spectrum,
# noise 25 to 55 dB below the peak, the peak lowered by up to 18 dB. Drawn by the names, so that copies are the same each time.
elsewhere() {
  [ ! -e "$2" ] || return 0
  mkdir -p "$2.new"
  perl -e '
    my ($factor, $to) = splice @ARGV, 0, 2;
    srand 1;
    my @hiss = map { sqrt(-2 * log(1 - rand)) * cos(6.283185307 * rand) } 1 .. 65536;
    for my $name (@ARGV) {
      open my $in, "<:raw", $name or die "$name: $!\n";
      local $/;
      my $wave = <$in>;
      my $data = index($wave, "data") + 8;
      my @samples = unpack "s<*", substr $wave, $data;
      $name =~ s{.*/}{};
      srand unpack "%32N*", "$factor $name    ";
      my ($tilt, $noise, $gain, $at) = (rand() - 0.5, 10 ** (-(25 + rand 30) / 20), 10 ** (-rand(18) / 20), int rand 65536);
      my ($before, $peak) = (0, 1);
      for (@samples) {
        my $now = $_;
        $_ -= $tilt * $before;
        $before = $now;
        $peak = abs if abs > $peak;
      }
      $gain *= 16000 / $peak;
      $noise *= $peak;
      substr($wave, $data) = pack "s<*", map { int($gain * ($_ + $noise * $hiss[$at++ & 65535])) } @samples;
      substr($wave, 24, 8) = pack "V2", map { int($_ * $factor + 0.5) } unpack "V2", substr $wave, 24, 8;
      open my $out, ">:raw", "$to/$name" or die "$to/$name: $!\n";
      print $out $wave or die "$to/$name: $!\n";
      close $out or die "$to/$name: $!\n";
    }' "$1" "$2.new" "${@:3}"
  mv "$2.new" "$2"
}

# A folder a speaker and speed, so that the one left out is heard as it is only.
speeds=(0.75 0.83 0.91 1 1.1 1.2 1.32)
for speaker in "${speakers[@]}"; do
  at_speed 1 "$out/speakers/as-is/$speaker" "$from"/recordings/*_"$speaker"_*.wav
  for factor in "${speeds[@]}"; do elsewhere "$factor" "$out/speakers/$factor/$speaker" "$from"/recordings/*_"$speaker"_*.wav; done
done
for speaker in "${speakers[@]}"; do
  others=()
  for other in "${speakers[@]}"; do [ "$other" = "$speaker" ] || others+=("$out/speakers"/*/"$other"); done
  [ -e "$out/speaker/$speaker/dataset.json" ] ||
    "$bin/seqprep" "${features[@]}" --test "$out/speakers/as-is/$speaker" --output "$out/speaker/$speaker" "${others[@]}"
done
fold_seeds speaker "${speakers[*]}" "${model[@]}" --hidden 128 --optimizer adamw --weight-decay 0.3 --label-smoothing 0.1 --dropout 0.5 \
  --epochs 3 --checkpoint-epochs 0
tell_folds speaker "${speakers[*]}"
