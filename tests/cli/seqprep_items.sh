# seqprep --task classify, rate, tag: each form of file gives the data set that it should, parts and groups hold, what is wrong is
# refused with its place, and nothing is left behind.
[ -w /dev/shm ] && export TMPDIR=/dev/shm # some hundred small files, each synced to its disk
source "$SUPPORT/common.sh"
prep() { "$SEQPREP" --force "$@"; }
says() { grep -Eq -- "$2" "$1/summary.txt" || bad "$1: '$2' is not in its summary: $(cat "$1/summary.txt")"; }
# made NAME TEXT OPTIONS...: a data set NAME whose summary has TEXT.
made() {
  local name=$1 text=$2
  shift 2
  expect 0 "items" prep -o "$name" "$@"
  says "$name" "$text"
}
# like OTHER NAME: the same items, labels and vocabularies, from another form of file.
like() {
  local file
  for file in train-0000.h5 vocabulary.tsv vocabulary-label.tsv; do same "$1/$file" "$2/$file"; done
}
# refused CODE TEXT OPTIONS...: nothing is made.
refused() {
  local code=$1 text=$2
  shift 2
  expect "$code" "$text" "$SEQPREP" -o no "$@"
  absent no
}
column() { sed 1d "$1" | cut -f3 | paste -sd ' '; }

# One set of items in every form.
printf 'pos\ta good film\nneg\tbad , bad\npos\tnice\n' >tab
printf 'pos a good film\r\nneg bad , bad\r\n\r\npos nice' >blank
printf 'id,label,text\n1,pos,a good film\n2,neg,"bad , bad"\n3,pos,nice\n' >named.csv
printf 'pos;x;a good film\nneg;y;bad , bad\n"pos";z;"nice"\n' >numbers
printf 'text\tlabel\n"a good film"\tpos\nbad , bad\tneg\nnice\tpos\n' >named.tsv
printf '{"label":"pos","review":"a good film"}\n{"review":"bad , bad","label":"neg"}\n{"label":"pos","review":"nice"}\n' >json.jsonl
mkdir -p folder/pos folder/neg/deep .hidden
printf 'a good film\n' >folder/pos/1
printf 'bad , bad' >folder/neg/deep/1
printf 'nice' >folder/pos/2
made tabs 'train +3 +7 +3' --task classify tab
[ "$(column tabs/vocabulary.tsv)" = '<unk> bad , a film good nice' ] || bad "words: $(column tabs/vocabulary.tsv)"
[ "$(column tabs/vocabulary-label.tsv)" = 'neg pos' ] || bad "labels: $(column tabs/vocabulary-label.tsv)"
made blanks '1 blank lines passed over' --task classify blank
like tabs blanks
made named 'reader +csv: 3' --task classify --ignore id named.csv
like tabs named
made numbers.data 'reader +csv: 3' --task classify --reader csv --delimiter ';' --columns label=1,text=3 numbers
like tabs numbers.data
made tsv 'reader +tsv: 3' --task classify named.tsv
like tabs tsv
gzip -c json.jsonl >json.jsonl.gz
made json 'reader +jsonl: 3' --task classify --columns text=review json.jsonl.gz
like tabs json
made folder.data 'reader +folder: 3' --task classify folder # in the order of names: neg first
same tabs/vocabulary.tsv folder.data/vocabulary.tsv
"$SEQPREP" --quiet --task classify -o piped - <tab || bad "standard input is not read"
like tabs piped

# --vocab: units of another vocabulary join those of training, which keep their places and counts; rules must agree.
printf 'a long film ; nice\n' >text
"$SEQPREP" --quiet --unit word -o outside text
made joined 'train +3 +7 +3' --task classify --vocab outside tab
[ "$(column joined/vocabulary.tsv)" = '<unk> bad , a film good nice ; long' ] || bad "joined: $(column joined/vocabulary.tsv)"
[ "$(sed 1d joined/vocabulary.tsv | cut -f2 | paste -sd ' ')" = '0 2 1 1 1 1 1 0 0' ] || bad "counts: $(cat joined/vocabulary.tsv)"
refused 2 '--vocab outside: its units differ from those of these items in --lower' --task classify --lower --vocab outside tab
refused 2 'in --unit' --task classify --unit char --vocab outside tab
refused 3 'none' --task classify --vocab none tab
"$SEQINFO" --verify tabs >.out || bad "tabs: $(cat .out)"

# Numbers: order of classes, and rate.
printf '10 a\n9 b\n-1.5 c\n10 d\n' >stars
made stars.data 'label: label a row of example, 3 ' --task classify stars
[ "$(column stars.data/vocabulary-label.tsv)" = '-1.5 9 10' ] || bad "labels: $(column stars.data/vocabulary-label.tsv)"
made rate 'label: number a row of example, mean 6.875, deviation 4.8' --task rate stars
printf '1 a\nx b\n' >wrong
refused 3 "wrong line 2, column 1: 'x' is no number, and --task rate learns numbers .to 3.4e38" --task rate wrong

# Parts: files, fractions, folds; groups and repeats.
printf 'pos a\nneg unseen\nnew x\n' >test
made files 'test +3 +3 +3' --task classify --test test tab
grep -q "class 'new' does not occur in the training part" .out || bad "no warning of a new class: $(cat .out)"
for i in $(seq 0 39); do echo "$((i % 3)) w$((i % 20)) s$((i % 20))"; done >forty
made fractions 'groups +20 of .*, 20 repeat another, 20 of them' --task classify --valid 0.1 --test 25% forty
says fractions 'train +26' # groups of two: 13, 2 and 5
says fractions 'valid +4 '
says fractions 'test +10 '
for seed in 1 2; do made seed$seed 'test +10 ' --task classify --seed $seed --valid 0.1 --test 25% forty; done
same fractions/train-0000.h5 seed1/train-0000.h5
cmp -s seed1/train-0000.h5 seed2/train-0000.h5 && bad "two seeds draw the same parts"
total=0
for fold in 1 2 3; do
  made fold 'fold +'$fold' of 3' --task classify --folds 3 --fold $fold forty
  total=$((total + $(awk '$1 == "test" {print $2}' fold/summary.txt)))
done
[ $total -eq 40 ] || bad "the folds test $total items of 40"
made one 'fold +20 of 20' --task classify --folds all --fold 20 forty
says one 'test +2 '
refused 2 "fold 21: expected 1 to 20" --task classify --folds all --fold 21 forty
refused 2 "folds 21: there are 20 groups" --task classify --folds 21 --fold 1 forty
printf 'label,text,who\n1,a,x\n2,b,x\n1,c,y\n2,d,z\n' >who.csv
made who 'groups +3 of' --task classify --group who --folds all --fold 1 who.csv
printf 'label,text,who\n1,q,z\n' >again.csv
refused 3 "group who: items of one group are in two parts" --task classify --group who --test again.csv who.csv
refused 3 "who.csv line 1: --group: there is no column 'speaker' among these: label, text, who" --task classify --group speaker who.csv
printf 'pos a good film\n' >known
expect 0 "1 items of the validation and test parts are equal to items" prep --task classify -o known.data --valid known tab

# Sequences.
printf '>a class=x\nACGTN\nacg\n>b class=y\nRYK\n' >s.fa
made fasta 'text: ids a row of text, 9 ' --task classify --label-pattern 'class=(.)' s.fa
[ "$(column fasta/vocabulary.tsv)" = '<unk> A C G K N R T Y' ] || bad "letters: $(column fasta/vocabulary.tsv)"
printf 'a\tx\nb\ty\n' >table
made fasta2 'train +2 +11' --task classify --label-table table s.fa
like fasta fasta2
made kmers 'train +4 +14' --task classify --kmer 3 --reverse-complement --label-pattern 'class=(.)' s.fa
for kmer in CGT NAC MRY RYK; do column kmers/vocabulary.tsv | grep -qw $kmer || bad "no k-mer $kmer in $(column kmers/vocabulary.tsv)"; done
made windows 'windows +3, of items' --task classify --max-length 4 --overlap 2 --label-table table s.fa
says windows 'train +4 +15' # 0-4, 2-6, 4-8, and the short one
says windows 'groups +2 of'
printf '>a class=x\nMKE\n' >protein.fa
refused 3 "protein.fa line 2, column 3: --reverse-complement: byte 0x45 is no nucleotide" --task classify --reverse-complement --label-pattern 'class=(.)' protein.fa
printf '+,n1,\t\tacgt\n-,n2, tgca\n' >p
made promoters 'train +2 +8' --task classify --reader promoters p
printf '@relation r\n@attribute name {n1,n2}\n@attribute p1 {a,c}\n@attribute p2 {a,c}\n@attribute class {x,y}\n@data\nn1,a,c,x\nn2,c,c,y\n' >w.arff
refused 2 "attribute 'name' is no single letter" --task classify w.arff
made arff 'train +2 +4' --task classify --ignore name w.arff

# Frames: files with fields in their names, parts by conditions on them, a table of the files, and what has no meaning there.
mkdir -p rec/loud
for i in 1 2 3 4 5 6; do printf '%d,2\n%d,1e-1\n' $i $((i * i)) >rec/$((i % 2))_ann_$i.csv; done
made named 'frames: values a row of frames, width 2' --task classify --label-pattern '{label}_{who}_{index}.csv' --test 'index<02' --valid 'index<=3,label!=1' rec
says named 'train +4 +8 '
says named 'valid +1 +2 '
says named 'test +1 +2 '
grep -q '"field.frames.deviation": "[0-9.e+,]*"' named/dataset.json || bad "frames without a deviation: $(cat named/dataset.json)"
made plain 'reader +csv-frames: 6 items' --task rate --normalise none --label-pattern '{x}_{y}_{label}.csv' --max-length 1 rec
says plain 'windows +12,'
grep -q deviation plain/dataset.json && grep -q field.frames.mean plain/dataset.json && bad "--normalise none: $(cat plain/dataset.json)"
ls rec/*.csv | sed 's/$/,who/' >files.csv
made listed 'reader +csv: 6 items' --task classify --columns path=1,label=2 files.csv
refused 2 "test 'index<1': no item of the inputs is so" --task classify --label-pattern '{label}_{who}_{index}.csv' --test 'index<1' rec
refused 2 "--test index<: expected conditions on fields" --task classify --label-pattern '{label}_{who}_{index}.csv' --test 'index<' rec
refused 3 "rec/0_ann_2.csv line 1: 'day=3': the item has no field 'day'" --task classify --label-pattern '{label}_{who}_{index}.csv' --test day=3 rec
refused 3 "rec/0_ann_2.csv: the name fits --label-pattern '\{label\}_\{index\}.csv' in more than one way" --task classify --label-pattern '{label}_{index}.csv' rec
refused 3 "rec/0_ann_2.csv line 1: the item has no field 'label': a class folder above" --task classify --reader csv-frames rec
made moved 'frames: values a row of frames, width 8' --task classify --label-pattern '{label}_{who}_{index}.csv' --velocities --stack 2 --frame-rate 10 rec
says moved 'train +6 +6 '
grep -q '"stack": "2"' moved/dataset.json && grep -q '"frame_shift": "0.2' moved/dataset.json || bad "record of the transforms: $(grep reader moved/dataset.json)"
refused 3 "rec/0_ann_2.csv line 1: --center: there is no joint 1 in frames of 2 values" --task classify --label-pattern '{label}_{who}_{index}.csv' --center 1 rec
refused 2 "--scale 3: expected unit, or two joints from 1 such as 3-4" --task classify --reader csv-frames --scale 3 rec
refused 2 "--velocities: without effect with --reader lines, whose items are text" --task classify --velocities tab
refused 2 "--kmer: without effect with --reader csv-frames, whose items are frames" --task classify --reader csv-frames --kmer 2 rec
refused 2 "--min-count: without effect with --reader csv, whose items are frames" --task classify --columns path=1,label=2 --min-count 2 files.csv
refused 2 "--normalise: without effect with --reader lines, whose items are text" --task classify --normalise none tab
printf '1,2,3\n' >rec/loud/w.csv
printf 'rec/0_ann_2.csv,a\nrec/loud/w.csv,b\n' >files.csv
refused 3 "files.csv line 2: rec/loud/w.csv: frames of 3 values, and those of the items before have 2" --task classify --columns path=1,label=2 files.csv
printf '1\n1e39\n' >rec/loud/w.csv
refused 3 "rec/loud/w.csv line 2, column 1" --task classify --label-pattern '{label}.csv' rec/loud
printf 'x.wave,a\n' >files.csv
refused 3 "files.csv line 1, column 1: x.wave: the end of its name tells no reader of frames" --task classify --columns path=1,label=2 files.csv

# Tags.
printf 'U.N. I-ORG\nofficial O\nEkeus I-PER\nRolf B-PER\n\nParis I-LOC\n\n' >iob1
made iob1.data 'tags +read as iob1, stored as iob2, 0 were broken' --task tag --letters iob1
[ "$(column iob1.data/vocabulary-tag.tsv)" = 'O B-LOC I-LOC B-ORG I-ORG B-PER I-PER' ] || bad "tags: $(column iob1.data/vocabulary-tag.tsv)"
says iob1.data 'train +2 +5 +26 +5'
printf 'U.N. S-ORG\nofficial O\nEkeus S-PER\nRolf S-PER\n\nParis S-LOC\n' >iobes
printf 'U.N. B-ORG\nofficial O\nEkeus B-PER\nRolf B-PER\n\nParis B-LOC\n' >iob2
for scheme in iobes iob2; do
  made $scheme.data "read as $scheme, stored as iob2, 0" --task tag --letters $scheme
  same iob1.data/train-0000.h5 $scheme.data/train-0000.h5
done
made stored 'stored as iobes' --task tag --store-tags iobes iob2
[ "$(wc -l <stored/vocabulary-tag.tsv)" = 14 ] || bad "iobes has 4 x 3 + 1 tags: $(column stored/vocabulary-tag.tsv)"
printf 'a B-x\nb I-x\nc B-x\n\nd O\ne I-x\nf B-x\n' >broken
expect 0 "1 tags were not as iob2 has them" prep --task tag -o broken.data broken
printf 'the DET\ncat NOUN\n' >pos
made pos.data 'read as none, stored as none' --task tag pos
refused 2 'store-tags: the tags have no scheme' --task tag --store-tags iobes pos
printf 'a B-x\nb Ix\n' >mixed
refused 3 "mixed line [0-9]+: tag 'Ix' has no prefix and is not O" --task tag mixed
printf '{"token": ["a"], "tag": ["O"]}\n' >lists.jsonl
refused 2 "lists.jsonl: tags of JSON lines are lists: --columns token=KEY,tag=KEY" --task tag lists.jsonl
refused 2 "lists.jsonl: tags of JSON lines are lists" --task tag --columns token=token lists.jsonl
printf 'yes\tacg\nno\tgt\n' >short.txt
refused 3 "short.txt: --kmer 5: no item of the training part has so many letters" --task classify --kmer 5 short.txt
made alone 'read as none' --task tag --tag-scheme none mixed
printf 'Apple O\n' >apple
made cased 'train +1 +1 +5 +1' --task tag --letters --lower apple
[ "$(column cased/vocabulary.tsv) $(column cased/vocabulary-letters.tsv)" = '<unk> apple <unk> p A e l' ] || bad "case: $(column cased/vocabulary.tsv) $(column cased/vocabulary-letters.tsv)"
made cased 'casing: ids a row of text, 8 in the vocabulary casing' --task classify --lower --casing tab
[ "$(sed 1d cased/vocabulary-casing.tsv | tr '\t\n' '= ')" = '0=0=other 1=6=lower 2=0=title 3=0=upper 4=0=mixed 5=0=digits 6=0=digits-in 7=1=punctuation ' ] || bad "casing: $(cat cased/vocabulary-casing.tsv)"
refused 2 "casing: the units are no words" --task classify --unit char --casing tab
printf 'a O\n\n\nb O\n' >gap
made empty 'train +3 +2 +2' --task tag --blank-lines item gap
made skipped '1 blank lines passed over' --task tag gap
printf '# sent_id = 1\n1-2\tdel\t_\t_\t_\t_\t_\t_\t_\t_\n1\tde\tde\tADP\t_\t_\t0\troot\t_\t_\n2\tel\tel\tDET\t_\t_\t1\tdet\t_\t_\n\n' >u.conllu
made conllu '1 comments passed over, 1 ranges of tokens passed over' --task tag u.conllu

# Refusals and options of the other side.
printf 'pos\ta\nneg\n' >short
refused 3 "short line 2, column 4: expected label<TAB>text" --task classify short
printf 'pos a\xff\n' >bytes
refused 3 "bytes line 1, column 6: byte 0xff is not UTF-8" --task classify bytes
made bytes.data 'train +1 +2 +1' --task classify --unit byte bytes
refused 3 "no items to train on" --task classify /dev/null
refused 2 "columns: without effect with --task lm" --columns text=1 tab
refused 2 "reverse: without effect with a task of items" --task classify --reverse tab
refused 2 "letters: without effect with --task classify or rate" --task classify --letters tab
refused 2 "stratify: without effect with --task tag" --task tag --stratify iob1
refused 2 "header: without effect with --reader lines" --task classify --header yes tab
refused 2 "overlap 4: expected less than --max-length 4" --task classify --max-length 4 --overlap 4 tab
refused 2 "folds 1: expected 2 or more, or all" --task classify --folds 1 --fold 1 tab
refused 2 "fold I says which fold" --task classify --folds 2 tab
refused 2 "exists and is not empty" --task classify -o tabs tab
refused 2 "lies inside the input folder" --task classify -o folder/out folder
ls -A | grep -E 'tmp-|lock' && bad "something was left behind"
finish
