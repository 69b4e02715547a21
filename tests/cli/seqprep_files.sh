# seqprep and files that are not what they seem: packed ones are read to their last frame, other forms are refused by their names,
# UTF-16 with the command that mends it; damage is told with its place. Nothing is left behind.
source "$SUPPORT/common.sh"

for i in 1 2 3; do echo 'one line of text'; done >text
"$SEQPREP" --unit char --quiet -o plain text || bad "the plain text is not read"
# reads NAME FILE...: the data set is that of the plain text.
reads() {
  local name=$1
  shift
  "$SEQPREP" --unit char --quiet --force -o packed "$@" >.out 2>&1 || bad "$name: $(cat .out)"
  cmp -s plain/train-0000.h5 packed/train-0000.h5 || bad "$name: another data set"
}
# refused TEXT UNIT FILE...
refused() {
  local text=$1 unit=$2
  shift 2
  expect 3 "$text" "$SEQPREP" --unit "$unit" -o no "$@"
  absent no
}

# Packed: gzip, zstd with a window of 2 GB, xz, bzip2.
gzip -c text >gz
base64 -d >zst <<<'KLUv/QSovQAAiG9uZSBsaW5lIG9mIHRleHQKAQDJmUs+pssz'
base64 -d >xz <<<'/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AAyABddADebiM52mp3yJec1cQPhpRY2WZGMAAAAAAAdWTXTCajDuQABMzMNsT1rH7bzfQEAAAAABFla'
base64 -d >bz2 <<<'QlpoOTFBWSZTWYlajXMAABTRgAAQQAADJYRAIAAxADAr/VTQPSRrDb2GkR5SKRalvi7kinChIRK1GuY='
reads gzip gz
reads "zstd --long=31" zst
for packed in xz bz2; do
  if "$SEQPREP" --quiet --force -o packed $packed 2>.out; then
    reads $packed $packed
    cat $packed $packed >twice
    expect 0 "train +102 " "$SEQPREP" --force -o packed twice
  else
    grep -Eq "built without.*(liblzma-dev|libbz2-dev)" .out || bad "$packed: $(cat .out)"
    echo "skipped: reading $packed, which this build has no library for; its refusal was tested" >&2
  fi
done
expect 3 "reading zst: .*takes 2149 MB of memory, and --max-memory allows 2000 MB" "$SEQPREP" --max-memory 2G -o no zst
cp gz padded
head -c 4096 /dev/zero >>padded
reads "gzip with zeros behind" padded
{ head -c 18 text | gzip -c && tail -c +19 text | gzip -c; } >members
reads "two members" members
{ printf 'P*M\030\003\0\0\0abc' && cat zst && printf '_*M\030\0\0\0\0'; } >skippable
reads "skippable frames of zstd" skippable
for packed in gz zst; do # the magic number arrives in two reads
  { head -c 1 $packed && sleep 0.1 && tail -c +2 $packed; } | "$SEQPREP" --unit char --force --quiet -o packed - ||
    bad "$packed in two reads is refused"
  cmp -s plain/train-0000.h5 packed/train-0000.h5 || bad "$packed in two reads: another data set"
done

# Damaged: the file and the place.
mkdir folder
cp text folder/a
mkfifo folder/pipe # nobody writes to it
expect 0 "warning: folder/pipe is a pipe, a socket or a device: it is left out" timeout 20 "$SEQPREP" --unit char -o without folder
rm folder/pipe
size=$(stat -c %s gz)
{ cat padded && echo garbage; } >folder/b
refused "folder/b: what follows the last gzip member, from byte offset $((size + 4096)) on" char folder
head -c $((size - 5)) gz >folder/b
refused "folder/b: damaged gzip data: the file ends too early, at byte offset $((size - 5))" word folder
head -c 30 zst >folder/b
refused "folder/b: damaged zstd data: the file ends too early, at byte offset 30" byte folder
{ head -c 25 gz && printf '\377\377\377' && tail -c +29 gz; } >folder/b
refused "folder/b: damaged gzip data at byte offset [0-9]+: " char folder
{ cat text && cat gz; } >folder/b # text before packed data
refused "folder/b line 4, byte offset 52: byte 0x8b is not UTF-8" char folder

# Other forms, by name.
while read -r bytes name; do
  printf "$bytes" >form
  refused "reading form: it is $name.*, not text" char form
done <<'END'
PK\003\004\024\0\0\0 a zip archive
7z\274\257\047\034\0\004 a 7z archive
Rar!\032\007\001\0 a rar archive
\004\042M\030dp\271 lz4 data
]\0\0\200\0\377\377\377\377\377\377\377\377\0\020 lzma data
LZIP\001\014 lzip data
\037\235\220oni compress data
%%PDF-1.4 a PDF document
\211PNG\015\012\032\012 a PNG image
\377\330\377\340\0\020JFIF a JPEG image
GIF89a\001\0\001\0 a GIF image
\177ELF\002\001\001\0 an ELF program
\211HDF\015\012\032\012 an HDF5 file
\223NUMPY\001\0 a NumPy array
SQLite\040format\0403\0 a SQLite database
PAR1\025\004\025 a Parquet file
x\0\0\0\0\0\0\0{"__metadata__" a safetensors model
\243\210\205\100\230\244\211\203\222\100\202\231\226\246\225\100\206\226\247\025 text in EBCDIC
END
printf '0707010000aB64%096d%s' 0 name >form
refused "reading form: it is a cpio archive, not text; unpack it" char form
printf '\033\017\0\370\215\224\156\306' | tee text.br >TEXT.BR
refused "reading text.br: it is brotli data, not text; unpack it with brotli -d" char text.br
refused "reading TEXT.BR: it is brotli data.*--as-is" byte TEXT.BR
printf 'un poem\n' >poem.br # text, whatever its name says
expect 0 "train +8 " "$SEQPREP" --unit char -o poem poem.br
gzip -c poem/vocabulary.tsv >vocabulary.tsv.gz
expect 3 "reading vocabulary.tsv.gz: it is gzip data, not text; unpack it first" "$SEQPREP" --vocab vocabulary.tsv.gz -o new text
iconv -f UTF-8 -t UTF-16 poem/vocabulary.tsv >wide.tsv
expect 3 "reading wide.tsv: it is text in UTF-16; convert it to UTF-8" "$SEQPREP" --vocab wide.tsv -o new text
tar cf archive.tar text
refused "it is a tar archive, not text; unpack it with tar xf" byte archive.tar
gzip -c archive.tar >archive.tar.gz
refused "its gzip data hold a tar archive" char archive.tar.gz
gzip -c gz >twice.gz
refused "its gzip data hold gzip data" word twice.gz
expect 0 "train +$(stat -c %s archive.tar) " "$SEQPREP" --unit byte --as-is -o raw archive.tar
expect 0 "train +$(stat -c %s gz) " "$SEQPREP" --unit byte --as-is -o raw-gz gz
expect 0 verified "$SEQINFO" --verify raw
expect 3 "archive.tar.*NUL" "$SEQPREP" --unit char --as-is -o no archive.tar

# UTF-16 and UTF-32: the command of the message mends them.
for encoding in UTF-16 UTF-16LE UTF-16BE UTF-32LE; do
  iconv -f UTF-8 -t $encoding text >wide
  refused "wide: it is text in $encoding; convert it to UTF-8: iconv -f $encoding -t UTF-8" char wide
  refused "text in $encoding" word --invalid replace wide
  iconv -f $encoding -t UTF-8 wide >mended
  reads $encoding mended
  expect 0 "warning: wide: it is text in $encoding, and --unit byte" "$SEQPREP" --unit byte --force -o wide.data wide
  expect 0 verified "$SEQINFO" --verify wide.data
done
[ -z "$(ls -d no.* 2>/dev/null)" ] || bad "left behind: $(ls -d no.*)"
finish
