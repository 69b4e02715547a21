// Each reader of the table: right answers, refusals with their place, and
// hostile inputs. Every input is read one byte at a time, three at a time and
// whole: the answers are the same. A row of the table without an answer here
// fails the test.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <byte_memory.h>
#include <seqtrain/prep/reader.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void show(FILE *out, const seq_item *item) {
    for (int i = 0; i < item->field_count; i++) {
        const seq_item_field *field = &item->fields[i];
        fprintf(out, "%s%s%s", i ? " " : "", field->name, field->list ? "=" : ":");
        for (size_t k = 0; k < field->count; k++) {
            const seq_value *value = &field->values[k];
            assert_int_equal(value->bytes[value->size], 0);
            fprintf(out, "%s", k ? "|" : "");
            for (size_t b = 0; b < value->size; b++)
                if (value->bytes[b] == '\n')
                    fputs("\\n", out);
                else
                    putc(value->bytes[b], out);
        }
    }
    for (size_t i = 0; item->frames && i < item->frames->rows * (size_t)item->frames->width; i++)
        fprintf(out, "%s%g", i % (size_t)item->frames->width ? "," : ";",
                (double)item->frames->values[i]);
    putc('\n', out);
}

// What a reader says of an input: the items, then the counts that are not 0, or the error.
static char *read_all(const seq_reader_settings *settings, const char *name, const char *bytes,
                      size_t size, size_t piece) {
    char *text = NULL;
    size_t text_size;
    byte_memory memory = {bytes, size, 0, piece};
    seq_byte_stream stream = {byte_memory_read, &memory};
    seq_reader *reader = NULL;
    seq_error error = {0};
    seq_item item;
    bool more = true;
    FILE *out = open_memstream(&text, &text_size);
    seq_status status = seq_reader_open(settings, &stream, name, &reader, &error);
    while (!status && more) {
        status = seq_reader_next(reader, &item, &more, &error);
        if (!status && more) show(out, &item);
    }
    for (int i = 0; !status && i < SEQ_SKIPS; i++)
        if (seq_reader_skipped(reader)[i])
            fprintf(out, "%d %s\n", (int)seq_reader_skipped(reader)[i], seq_skip_names[i]);
    if (status) fprintf(out, "%s%s\n", status == SEQ_BAD_USAGE ? "usage: " : "", error.text);
    assert_true(status == SEQ_OK || status == SEQ_BAD_INPUT || status == SEQ_BAD_USAGE);
    seq_reader_close(reader);
    fclose(out);
    return text;
}

typedef struct answer {
    seq_reader_settings settings;
    const char *input, *expected; // the whole, or the beginning of the last line when it ends in *
} answer;

static bool fits(const char *text, const char *expected) {
    size_t size = strlen(expected);
    if (!size || expected[size - 1] != '*') return strcmp(text, expected) == 0;
    return strncmp(text, expected, size - 1) == 0;
}

static void check(const answer *answer, size_t piece) {
    const char *name = answer->settings.root ? "top/pos/1.txt" : "file";
    char *text = read_all(&answer->settings, name, answer->input, strlen(answer->input), piece);
    if (!fits(text, answer->expected))
        fail_msg("%s, pieces of %zu, input:\n%s\nexpected:\n%s\nfound:\n%s",
                 answer->settings.reader, piece, answer->input, answer->expected, text);
    free(text);
}

static const char weka[] =
    "% a comment\r\n@RELATION x\n@attribute 'na me' {A-1, \"B,2\"}\n"
    "@attribute one {a,c}\n@attribute two { a, c }\n@attribute Class {EI,N}\n"
    "\n@data\n";

static const char universal[] = "# newdoc id = d1\n# sent_id = s1\n# text = vamonos al mar\n"
                                "1-2\tvamonos\t_\t_\t_\t_\t_\t_\t_\t_\n"
                                "1\tvamos\tir\tVERB\t_\t_\t0\troot\t_\t_\n"
                                "2\tnos\tnosotros\tPRON\t_\t_\t1\tobj\t_\t_\n"
                                "2.1\tal\t_\t_\t_\t_\t_\t_\t_\t_\n"
                                "\n# sent_id = s2\n1\tmar\tmar\tNOUN\t_\t_\t0\troot\t_\t_\n";

static const answer answers[] = {
    // lines
    {{.reader = "lines"}, "1 a good film\n0 bad\n", "label:1 text:a good film\nlabel:0 text:bad\n"},
    {{.reader = "lines"},
     "\xEF\xBB\xBFx\ta b\r\ny y\t\r\n\r\n",
     "label:x text:a b\nlabel:y y text:\n1 blank lines\n"},
    {{.reader = "lines"}, "1 a\r2 b", "label:1 text:a\nlabel:2 text:b\n"},
    {{.reader = "lines"},
     "1 a\n\xEF\xBB\xBF"
     "b c\n",
     "label:1 text:a\nlabel:\xEF\xBB\xBF"
     "b text:c\n"},
    {{.reader = "lines"}, "2", "label:2 text:\n"},
    {{.reader = "lines"},
     "x\ta\nno tab here\n",
     "label:x text:a\nfile line 2, column 12: expected label<TAB>text*"},
    {{.reader = "lines", .separator = SEQ_SEPARATOR_BLANK},
     "x\ta\nno tab\n",
     "label:x text:a\nlabel:no text:tab\n"},
    {{.reader = "lines"}, " a\n", "file line 1, column 1: the line begins with no label\n"},
    {{.reader = "lines"},
     "1 a\n2 \xff\n",
     "label:1 text:a\nfile line 2, column 3: byte 0xff is not UTF-8\n"},
    {{.reader = "lines", .any_bytes = true}, "1 \xff\n", "label:1 text:\xff\n"},
    {{.reader = "lines", .unlabelled = true, .blank_items = true},
     "a b\n\nc",
     "text:a b\ntext:\ntext:c\n"},
    {{.reader = "lines", .group = "speaker"},
     "1 a\n",
     "file line 1: --group: the item has no field 'speaker'\n"},
    {{.reader = "lines", .group = "file"}, "1 a\n", "label:1 text:a file:file\n"},
    {{.reader = "lines", .columns = "label=1"},
     "1 a\n",
     "usage: --columns: without effect with --reader lines\n"},
    {{.reader = "lines", .label_table = "x"},
     "",
     "usage: --label-table: without effect with --reader lines\n"},
    {{.reader = "lines"}, "", ""},
    // folder
    {{.reader = "folder", .root = "top"}, "a\r\nb\n", "label:pos text:a\\nb\n"},
    {{.reader = "folder", .root = "top/"}, "", "label:pos text:\n"},
    {{.reader = "folder", .root = "top/pos"},
     "a",
     "top/pos/1.txt: the file lies in no class folder: expected INPUT/CLASS/FILE\n"},
    {{.reader = "folder", .root = "to"}, "a", "top/pos/1.txt: the file lies in no class folder*"},
    // csv, tsv
    {{.reader = "csv"},
     "text,label\nhello,pos\n\"a, \"\"b\"\"\nc\",neg\n",
     "label:pos text:hello\nlabel:neg text:a, \"b\"\\nc\n"},
    {{.reader = "csv", .columns = "label=1,text=2-3"},
     "3,title,body\r\n\r\n1,\"t\",\n",
     "label:3 text:title body\nlabel:1 text:t \n1 blank lines\n"},
    {{.reader = "csv", .columns = "label=stars", .ignore = "id", .group = "user"},
     "id,stars,user,x,y\n7,5,u1,good,film\n",
     "label:5 user:u1 text:good film\n"},
    {{.reader = "csv", .columns = "label=1", .header = SEQ_HEADER_YES},
     "a,b\n1,2\n",
     "label:1 text:2\n"},
    {{.reader = "csv", .columns = "label=1,text=2", .delimiter = ";"},
     "1;a,b\n",
     "label:1 text:a,b\n"},
    {{.reader = "csv", .columns = "label=1,text=2", .delimiter = ";;"},
     "",
     "usage: --delimiter ';;': expected one character*"},
    {{.reader = "csv"}, "a,b\n1,2\n", "usage: file: no column is named label*"},
    {{.reader = "csv", .columns = "label=l"},
     "a,b\n1,2\n",
     "file line 1: --columns: there is no column 'l' among these: a, b\n"},
    {{.reader = "csv", .columns = "label=l", .header = SEQ_HEADER_NO},
     "a,b\n1,2\n",
     "usage: --columns: column 'l' is given by name, and file has no header\n"},
    {{.reader = "csv", .columns = "label=3,text=1"},
     "a,b\n",
     "file: --columns: there is no column 3, there are 2\n"},
    {{.reader = "csv", .columns = "label=1,text=2"},
     "a,b\nc\n",
     "label:a text:b\nfile line 2: the record has 1 columns, the first one has 2\n"},
    {{.reader = "csv", .columns = "label=1,text=2"},
     "a,b\nc,\"d\n\n",
     "label:a text:b\nfile line 2, column 3: the quote that opens here is never closed*"},
    {{.reader = "csv", .columns = "label=1,text=2"},
     "a,\"b\" c\n",
     "file line 1, column 6: a delimiter must follow the closing quote*"},
    {{.reader = "csv", .columns = "label=1,text=2", .raw_quotes = true},
     "a,\"b\" c\n",
     "label:a text:\"b\" c\n"},
    {{.reader = "csv", .columns = "label=0"},
     "",
     "usage: --columns: column 0: columns count from 1, and ranges rise\n"},
    {{.reader = "csv", .columns = "label=3-2"}, "", "usage: --columns: column 3-2*"},
    {{.reader = "csv", .columns = "label"}, "", "usage: --columns: 'label': expected FIELD=NAME*"},
    {{.reader = "csv", .columns = "label=1,label=2"},
     "",
     "usage: --columns: field 'label' is given twice\n"},
    {{.reader = "csv", .columns = "text=1", .header = SEQ_HEADER_NO, .unlabelled = true},
     "a,b\n",
     "text:a\n"},
    {{.reader = "csv", .columns = "text=t,label=l", .unlabelled = true}, "t,u\na,b\n", "text:a\n"},
    {{.reader = "csv", .columns = "label=1", .group = "2"}, "a,b,c\n", "label:a 2:b text:c\n"},
    {{.reader = "csv", .columns = "label=1", .ignore = "2"},
     "a,b\n",
     "file: no column is left for the text*"},
    {{.reader = "csv", .columns = "label=999999999999"},
     "a,b\n",
     "file: --columns: there is no column 2147483647, there are 2\n"},
    {{.reader = "tsv"}, "label\ttext\n1\t\"a\tb\"\n", "label:1 text:a\tb\n"},
    {{.reader = "tsv"}, "label\ttext\n", ""},
    // jsonl
    {{.reader = "jsonl"},
     "{\"text\": \"a\\u00e9\", \"label\": 3}\n\n{\"label\": 4.5, \"text\": \"\"}\n",
     "label:3 text:a\xC3\xA9\nlabel:4.5 text:\n1 blank lines\n"},
    {{.reader = "jsonl", .columns = "text=review,label=stars", .group = "user"},
     "{\"stars\":true,\"review\":\"x\",\"user\":\"u\"}",
     "text:x label:true user:u\n"},
    {{.reader = "jsonl", .columns = "token=words,tag=tags"},
     "{\"words\":[\"a\",\"b\"],\"tags\":[\"O\",\"B-x\"]}",
     "token=a|b tag=O|B-x\n"},
    {{.reader = "jsonl", .columns = "token=words,tag=tags", .unlabelled = true},
     "{\"words\":[]}",
     "token=\n"},
    {{.reader = "jsonl"},
     "{\"text\":\"a\"}",
     "file line 1: the object has no key 'label' (--columns label=KEY names another)\n"},
    {{.reader = "jsonl"},
     "{\"text\":\"a\",\"label\":null}",
     "file line 1: key 'label': expected a string*"},
    {{.reader = "jsonl"},
     "{\"text\":\"a\",\"label\":{}}",
     "file line 1: key 'label': expected a string*"},
    {{.reader = "jsonl", .unlabelled = true}, "{\"text\":\"a\"}", "text:a\n"},
    {{.reader = "jsonl"}, "[1]", "file line 1, column 1: expected a JSON object*"},
    {{.reader = "jsonl"}, "{\"text\":\"a\",\"text\":\"b\",\"label\":1}", "file line 1, column *"},
    {{.reader = "jsonl"}, "{\"text\": \n", "file line 1, column *"},
    {{.reader = "jsonl"}, "{\"text\":\"\\u0000\",\"label\":1}", "file line 1, column *"},
    {{.reader = "jsonl", .columns = "text=1"},
     "",
     "usage: --columns text=1: JSON lines have keys*"},
    // conll
    {{.reader = "conll"}, "a\tO\nb\tB-x\n\t\nc\tO\n\n", "token=a|b tag=O|B-x\ntoken=c tag=O\n"},
    {{.reader = "conll"},
     "-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\r\n\r\n\r\nx  Y Z\tO\n",
     "token=EU tag=B-ORG\ntoken=x tag=O\n1 blank lines\n1 document marks\n"},
    {{.reader = "conll", .columns = "token=1,tag=2,pos=3"}, "a O N\n", "token=a tag=O pos=N\n"},
    {{.reader = "conll", .comment = "#"}, "# hello\na O\n# b O\n", "token=a tag=O\n2 comments\n"},
    {{.reader = "conll", .comment = ""}, "", "usage: --comment: the prefix is empty\n"},
    {{.reader = "conll"}, "#\tO\n#tag\tO\n", "token=#|#tag tag=O|O\n"},
    {{.reader = "conll", .blank_items = true},
     "\na O\n\n\n\nb O\n",
     "token= tag=\ntoken=a tag=O\ntoken= tag=\ntoken= tag=\ntoken=b tag=O\n"},
    {{.reader = "conll", .group = "document"},
     "-DOCSTART- O\na O\n\nb O\n\n-DOCSTART- O\n\nc O\n",
     "token=a tag=O document:1\ntoken=b tag=O document:1\ntoken=c tag=O document:2\n2 document "
     "marks\n"},
    {{.reader = "conll"},
     "a\tO\nb\n",
     "file line 2, column 2: the line has 1 columns, and those before it have another number\n"},
    {{.reader = "conll"},
     "a\n",
     "file line 1, column 2: expected at least 2 columns split by blanks, found 1\n"},
    {{.reader = "conll", .columns = "tag=4"},
     "a b c\n",
     "file line 1, column 6: expected at least 4 columns*"},
    {{.reader = "conll"}, "a\t\n", "file line 1, column 3: the column is empty\n"},
    {{.reader = "conll", .unlabelled = true}, "a\nb\n\nc\n", "token=a|b\ntoken=c\n"},
    {{.reader = "conll", .unlabelled = true, .columns = "token=1,tag=4"}, "a\nb\n", "token=a|b\n"},
    {{.reader = "conll", .columns = "tag=name"},
     "",
     "usage: --columns tag=name: expected the number of a column, from 1\n"},
    {{.reader = "conll"}, "", ""},
    // conllu
    {{.reader = "conllu"},
     universal,
     "token=vamos|nos tag=VERB|PRON\ntoken=mar tag=NOUN\n4 comments\n1 ranges of tokens\n1 empty "
     "nodes\n"},
    {{.reader = "conllu", .columns = "token=lemma,tag=8", .group = "document"},
     universal,
     "token=ir|nosotros tag=root|obj document:d1\ntoken=mar tag=root document:d1\n4 comments\n1 "
     "ranges*"},
    {{.reader = "conllu", .group = "sent_id"},
     universal,
     "token=vamos|nos tag=VERB|PRON sent_id:s1\ntoken=mar tag=NOUN sent_id:s2\n*"},
    {{.reader = "conllu"},
     "2\ta\ta\tX\t_\t_\t0\t_\t_\t_\n",
     "file line 1, column 1: expected word 1 of the sentence*"},
    {{.reader = "conllu"},
     "1\ta\tX\n",
     "file line 1, column 6: the line has 3 columns, and CoNLL-U has 10\n"},
    {{.reader = "conllu"}, "1-\ta\n", "file line 1, column 1: expected word 1*"},
    {{.reader = "conllu"}, "a b\n", "file line 1, column 1: expected word 1*"},
    {{.reader = "conllu", .columns = "tag=11"},
     "",
     "usage: --columns tag=...: expected the number of a column from 1 to 10*"},
    // fasta
    {{.reader = "fasta", .label_pattern = "class=([a-z]+)"},
     ";old\n>s1 class=ei x\nacGT\nN n\n\n>s2 class=ie\n>s3 class=n\nMKV*\n",
     "id:s1 label:ei text:ACGTNN\nid:s2 label:ie text:\nid:s3 label:n text:MKV*\n1 blank lines\n1 "
     "comments\n"},
    {{.reader = "fasta", .label_pattern = "class=([a-z]+)"},
     ">s1\nA\n",
     "file line 1, column 1: --label-pattern 'class=([a-z]+)' does not match the header\n"},
    {{.reader = "fasta", .label_pattern = "class="},
     "",
     "usage: --label-pattern 'class=': expected a group*"},
    {{.reader = "fasta", .label_pattern = "("}, "", "usage: --label-pattern '(': *"},
    {{.reader = "fasta"}, "", "usage: FASTA: where is the label?*"},
    {{.reader = "fasta", .unlabelled = true}, ">s1\nA\n", "id:s1 text:A\n"},
    {{.reader = "fasta", .unlabelled = true},
     "ACGT\n",
     "file line 1, column 1: expected a header, >ID; is this FASTA?\n"},
    {{.reader = "fasta", .unlabelled = true},
     ">a\nAC\nA1\n",
     "file line 3, column 2: byte 0x31 is no letter of a sequence\n"},
    {{.reader = "fasta", .unlabelled = true}, "> a\n", "file line 1, column 2: expected an id*"},
    {{.reader = "fasta", .unlabelled = true}, "", ""},
    {{.reader = "fasta", .label_table = "/nowhere/labels"},
     "",
     "opening /nowhere/labels: No such file*"},
    // arff
    {{.reader = "arff", .ignore = "na me"},
     NULL,
     "label:EI text:ac\nlabel:N text:ca\n1 blank lines\n2 comments\n"},
    {{.reader = "arff"},
     NULL,
     "usage: file: attribute 'na me' is no single letter as 2 others are*"},
    {{.reader = "arff", .columns = "text=one", .group = "na me"},
     NULL,
     "text:a label:EI na me:A-1\ntext:c label:N na me:B,2\n*"},
    {{.reader = "arff"},
     "@relation r\n@attribute t string\n@attribute class {x}\n@data\n'it\\'s',x\n?,y\n",
     "label:x text:it's\nfile line 6, column 3: 'y' is none of the values that attribute 'class' "
     "declares\n"},
    {{.reader = "arff"},
     "@attribute t string\n@attribute c {x}\n@data\na\n",
     "file line 4: the record has 1 values, and there are 2 attributes\n"},
    {{.reader = "arff"},
     "@attribute t string\n@attribute c {x}\n@data\n'a\n",
     "file line 4, column 1: the quote that opens here is never closed\n"},
    {{.reader = "arff"},
     "@attribute t string\n@attribute c {x}\n@data\n{0 a}\n",
     "file line 4, column 1: sparse records are not read\n"},
    {{.reader = "arff"}, "@attribute c {x\n@data\n", "file line 1, column 16: expected , or }\n"},
    {{.reader = "arff"}, "@attribute\n", "file line 1, column 11: expected the attribute's name\n"},
    {{.reader = "arff"},
     "@data\n",
     "file line 1, column 1: @data, and there is no @attribute before it\n"},
    {{.reader = "arff"},
     "hello\n",
     "file line 1, column 1: expected @relation, @attribute or @data\n"},
    {{.reader = "arff"}, "", "file line 1: the file ends before @data; is this ARFF?\n"},
    // promoters
    {{.reader = "promoters"},
     "+,S10,\t\ttact\n\n-, 14 ,acN\n",
     "label:+ id:S10 text:TACT\nlabel:- id:14 text:ACN\n1 blank lines\n"},
    {{.reader = "promoters"}, "+,a\n", "file line 1, column 4: expected CLASS,NAME,SEQUENCE\n"},
    {{.reader = "promoters"},
     "+,a,AC-1\n",
     "file line 1, column 8: byte 0x31 is no letter of a sequence\n"},
    // Frames: more in test_frame_readers.c and test_reader_hdf5.c
    {{.reader = "csv-frames", .root = "top"}, "x,y\n1,2.5\n-3,4e2\n", "label:pos;1,2.5;-3,400\n"},
    {{.reader = "npy"}, "1 2\n", "file: it is no NumPy array (.npy)\n"},
    {{.reader = "sound"}, "RIFF1 2\n", "file: it is no sound file; expected WAV or FLAC\n"},
    {{.reader = "hdf5"}, "x", "file: it is no HDF5 file (or one with a user block, which*"},
    {{.reader = "ts"}, "@data\n1,2:3,4:walk\n", "label:walk;1,3;2,4\n"},
    {{.reader = "skeleton"},
     "7 1 2 1 2 3\n1 2 3\n4 5 6\n",
     "label:7 subject:1 instance:2;1,2,3;4,5,6\n"},
    {{.reader = "kaldi"},
     "u1 sox a.wav - |\n",
     "file line 1, column 1: a command in place of a path: seqtrain runs none\n"},
    {{.reader = "kaldi"},
     "\nu1\n",
     "file line 2, column 1: expected ID PATH, and there is no path\n"},
    {{.reader = "kaldi"},
     "u1 a.odd\n",
     "file line 1, column 4: a.odd: the end of its name tells no reader of frames\n"},
    // abc
    {{.reader = "abc"},
     "X: 7\nT:The Hare\nT:other\n% by hand\nR:reel\nM:C\nL:1/8 % eighths\nK:A minor\nM:6/8\nP:A\n"
     "A2 B|\\\r\nS:x\n% more\nK:D\n d|]\n\n\nX:8\nK:none\nz4|\nX:9\nK:G",
     "text:M:C\\nL:1/8 % eighths\\nK:A minor\\nM:6/8\\nP:A\\nA2 B|\\\\nK:D\\n d|] "
     "head:M:C\\nL:1/8 % eighths\\nK:A minor\\nM:6/8\\nP:A\\n type:file key:Am metre:6/8 "
     "length:1/8 rhythm:reel number:7 title:The Hare\n"
     "text:K:none\\nz4| head:K:none\\n type:file key:none metre:none length:none rhythm:none "
     "number:8 title:\n2 comments\n1 tunes without notes\n"},
    {{.reader = "abc"},
     "one\n\ntwo\nX:1\ne:|d\n",
     "text:e:|d head: type:file key:none metre:none length:none rhythm:none number:1 title:\n"
     "2 lines outside of tunes\n"},
    {{.reader = "abc"}, "", ""},
    {{.reader = "abc"}, "X:1\nK:C\nC\xff\n", "file line 3, column 2: byte 0xff is not UTF-8\n"},
    {{.reader = "abc"}, "A B c\n", "1 lines outside of tunes\n"},
    {{.reader = "abc"},
     "X: 1\nT: a\nM: 3/4\nL: 1/8\nK: D\n|: A2 B\nW: no\nK: G\nc :|\n\nX:2\nK:Am\nz\n",
     "text:M: 3/4\\nL: 1/8\\nK: D\\n|: A2 B\\nK: G\\nc :| head:M: 3/4\\nL: 1/8\\nK: D\\n type:file "
     "key:D metre:3/4 length:1/8 rhythm:none number:1 title:a\n"
     "text:K:Am\\nz head:K:Am\\n type:file key:Am metre:none length:none rhythm:none number:2 "
     "title:\n"},
    {{.reader = "none"}, "", "usage: --reader none: there is no such reader\n"},
};
enum { ANSWERS = sizeof answers / sizeof *answers };

static void answers_are_right(void **state) {
    static char records[1000];
    (void)state;
    snprintf(records, sizeof records, "%s%s", weka, "A-1,a,c,EI\n%x\n\"B,2\" , c , 'a', N\n");
    for (size_t i = 0; i < ANSWERS; i++) {
        answer answer = answers[i];
        if (!answer.input) answer.input = records;
        check(&answer, 1);
        check(&answer, 3);
        check(&answer, 1 << 20);
    }
    for (const char *const *name = seq_reader_names(); *name; name++) {
        size_t found = 0;
        for (size_t i = 0; i < ANSWERS; i++)
            found += strcmp(answers[i].settings.reader, *name) == 0;
        if (!found) fail_msg("reader %s has no answer here", *name);
        assert_true(strlen(seq_reader_summary(*name)) > 0);
    }
}

static void values_know_their_place(void **state) {
    const char *input = "a,b\n\"x\ny\",zz,\n";
    byte_memory memory = {input, strlen(input), 0, 2};
    seq_byte_stream stream = {byte_memory_read, &memory};
    const seq_reader_settings settings = {.reader = "csv", .columns = "label=2,text=1"};
    seq_reader *reader = NULL;
    seq_error error = {0};
    seq_item item;
    bool more;
    (void)state;
    assert_int_equal(seq_reader_open(&settings, &stream, "f", &reader, &error), SEQ_OK);
    assert_int_equal(seq_reader_next(reader, &item, &more, &error), SEQ_OK);
    assert_int_equal(seq_item_find(&item, "label")->values->column, 3);
    assert_null(seq_item_find(&item, "group"));
    assert_int_equal(seq_reader_next(reader, &item, &more, &error), SEQ_BAD_INPUT);
    assert_string_equal(error.text, "f line 2: the record has 3 columns, the first one has 2");
    seq_reader_close(reader);
}

static void labels_come_from_a_table(void **state) {
    char path[64] = "/tmp/seq-labels-XXXXXX";
    int descriptor = mkstemp(path);
    const seq_reader_settings settings = {.reader = "fasta", .label_table = path};
    (void)state;
    const struct {
        const char *table, *expected;
    } cases[] = {
        {"b\ty\r\na\tx x\r\n", "id:a label:x x text:AC\nid:b label:y text:\n"},
        {"a\tx\n", "id:a label:x text:AC\n"},
        {"a\tx\nb\ty\na\tz\n", ""},
        {"a x\n", ""},
        {"a\t\n", ""},
        {"\xff\tx\n", ""},
    };
    assert_true(descriptor >= 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(ftruncate(descriptor, 0), 0);
        assert_int_equal(pwrite(descriptor, cases[i].table, strlen(cases[i].table), 0),
                         strlen(cases[i].table));
        char *text = read_all(&settings, "f", ">a\nac\n>b\n", 9, 4);
        if (i == 1) {
            assert_non_null(
                strstr(text, "' has no entry") ? text : strstr(text, "has no entry for id 'b'"));
        } else if (*cases[i].expected) {
            assert_string_equal(text, cases[i].expected);
        } else {
            assert_non_null(strstr(text, path));
        }
        free(text);
    }
    close(descriptor);
    unlink(path);
}

// Lines of CoNLL files come back with other tags; whatever was passed over stays.
static void check_print(const seq_reader_settings *settings, const char *input,
                        const char *expected) {
    const char *const tags[] = {"T0", "T1", "T2"};
    byte_memory memory = {input, strlen(input), 0, 5};
    seq_byte_stream stream = {byte_memory_read, &memory};
    seq_reader *reader = NULL;
    seq_error error = {0};
    seq_item item;
    bool more = true;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(seq_reader_open(settings, &stream, "f", &reader, &error), SEQ_OK);
    while (more) {
        assert_int_equal(seq_reader_next(reader, &item, &more, &error), SEQ_OK);
        seq_conll_print(out, seq_conll_layout_of(reader), item.lines, item.line_count, tags);
    }
    seq_reader_close(reader);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
}

static void lines_are_handed_back(void **state) {
    const seq_reader_settings conll = {
        .reader = "conll", .unlabelled = true, .blank_items = true, .keep_lines = true};
    const seq_reader_settings second = {.reader = "conll", .columns = "tag=2", .keep_lines = true};
    const seq_reader_settings conllu = {.reader = "conllu", .keep_lines = true};
    (void)state;
    check_print(&conll, "-DOCSTART- O\n\na x  O\nb y O\n\n\nc z O\n",
                "-DOCSTART- O\n\na x  T0\nb y T1\n\n\nc z T0\n");
    check_print(&conll, "a\nb\n\nc\n\n\n", "a T0\nb T1\n\nc T0\n\n\n");
    check_print(&second, "a\tx\tO\n\n-DOCSTART-\n", "a\tT0\tO\n\n-DOCSTART-\n");
    check_print(&conllu, universal,
                "# newdoc id = d1\n# sent_id = s1\n# text = vamonos al mar\n"
                "1-2\tvamonos\t_\t_\t_\t_\t_\t_\t_\t_\n"
                "1\tvamos\tir\tT0\t_\t_\t0\troot\t_\t_\n"
                "2\tnos\tnosotros\tT1\t_\t_\t1\tobj\t_\t_\n"
                "2.1\tal\t_\t_\t_\t_\t_\t_\t_\t_\n"
                "\n# sent_id = s2\n1\tmar\tmar\tT0\t_\t_\t0\troot\t_\t_\n");
}

static void settings_are_recorded(void **state) {
    seq_record record = {0};
    seq_error error = {0};
    seq_reader_settings read;
    const seq_reader_settings settings = {.reader = "csv",
                                          .columns = "label=1,text=2",
                                          .ignore = "3",
                                          .header = SEQ_HEADER_YES,
                                          .delimiter = ";",
                                          .raw_quotes = true};
    (void)state;
    assert_int_equal(seq_reader_settings_write(&settings, &record, &error), SEQ_OK);
    assert_int_equal(seq_reader_settings_read(&read, &record, &error), SEQ_OK);
    assert_string_equal(read.columns, "label=1,text=2");
    assert_string_equal(read.delimiter, ";");
    assert_int_equal(read.header, SEQ_HEADER_YES);
    assert_true(read.raw_quotes && !read.comment && !read.separator);
    assert_int_equal(seq_record_set_integer(&record, "header", 3, &error), SEQ_OK);
    assert_int_not_equal(seq_reader_settings_read(&read, &record, &error), SEQ_OK);
    error = (seq_error){0};
    assert_int_equal(seq_record_set_text(&record, "reader", "magic", &error), SEQ_OK);
    assert_int_equal(seq_reader_settings_read(&read, &record, &error), SEQ_BAD_INPUT);
    seq_record_clear(&record);
}

// Every reader meets bytes that are none of its form; read_all checks the status.
static void hostile_bytes_are_survived(void **state) {
    static const char *const pieces[] = {"\0",
                                         "\xff",
                                         "\"",
                                         "'",
                                         "{",
                                         "}",
                                         "[",
                                         ",",
                                         "\t",
                                         "\n",
                                         "\r",
                                         ">",
                                         ";",
                                         "@data\n",
                                         "@attribute ",
                                         "1-2\t",
                                         "#",
                                         "%",
                                         "\\",
                                         "-DOCSTART- ",
                                         "=",
                                         "1\t",
                                         "\xC3",
                                         "\xE2\x80\xA8",
                                         "\xEF\xBB\xBF",
                                         "1 1 1 1 2 2\n",
                                         "?",
                                         ":",
                                         "1,2:",
                                         "a",
                                         " "};
    char bytes[64];
    uint32_t draw = 12345;
    (void)state;
    for (const char *const *name = seq_reader_names(); *name; name++)
        for (int round = 0; round < 3000; round++) {
            size_t size = 0;
            for (int i = 0; i < 20 && size < 40; i++) {
                draw = draw * 1664525 + 1013904223;
                const char *piece = pieces[(draw >> 16) % (sizeof pieces / sizeof *pieces)];
                size_t length = *piece ? strlen(piece) : 1;
                memcpy(bytes + size, piece, length);
                size += length;
            }
            seq_reader_settings settings = {.reader = *name,
                                            .root = "",
                                            .blank_items = round % 2,
                                            .keep_lines = round % 3 == 0,
                                            .unlabelled =
                                                round % 5 == 0 || strcmp(*name, "fasta") == 0};
            char *text = read_all(&settings, "dir/file", bytes, size, (size_t)(round % 7 + 1));
            free(text);
        }
}

static void names_tell_the_reader(void **state) {
    (void)state;
    assert_string_equal(seq_reader_of_file("a/b.csv"), "csv");
    assert_string_equal(seq_reader_of_file("b.FA.gz"), "fasta");
    assert_string_equal(seq_reader_of_file("emerging.dev.conll"), "conll");
    assert_string_equal(seq_reader_of_file("x.conllu.zst"), "conllu");
    assert_null(seq_reader_of_file("csv"));
    assert_null(seq_reader_of_file("a.txt"));
    assert_null(seq_reader_of_file(".gz"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_right),        cmocka_unit_test(values_know_their_place),
        cmocka_unit_test(labels_come_from_a_table), cmocka_unit_test(lines_are_handed_back),
        cmocka_unit_test(settings_are_recorded),    cmocka_unit_test(hostile_bytes_are_survived),
        cmocka_unit_test(names_tell_the_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
