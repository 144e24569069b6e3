/* SPDX-License-Identifier: Apache-2.0 */
/* Texts in one row of offsets: reading them, finding their lines, and saying why one cannot be
 * read. */
#include "config.h"

#include "grammar/source.h"
#include "t/lib/tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static char folder[] = "/tmp/source_t.XXXXXX";

static struct arena *arena;
static struct source_set *set;

static void start(void)
{
    arena = arena_open();
    set = source_set_open(arena);
}

static void stop(void)
{
    source_set_close(set);
    arena_close(arena);
}

static const char *path_of(const char *name)
{
    return arena_printf(arena, "%s/%s", folder, name);
}

static const char *write_file(const char *name, const char *bytes, size_t size)
{
    const char *path = path_of(name);
    FILE *file = fopen(path, "wb");

    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
        tap_note("a file of this test could not be written");
    return path;
}

static const char *why_not(const char *path)
{
    const char *reason = "(it was read)";

    source_open(set, path, &reason);
    return reason;
}

static void places_are_lines_and_columns(void)
{
    const struct source *a, *b;
    struct source_place place;

    start();
    a = source_add(set, "a", SLICE("one\ntwo \xC3\xA4\xE2\x82\xAC x\r\n\nlast"));
    b = source_add(set, "b", SLICE("\n"));
    is_number(a->at, 1, "the row starts at 1, so that 0 is no place");
    is_number(a->line_count, 4, "lines are counted");
    is_number(b->at, a->at + a->text.size + 1, "the end of a text has a place of its own");
    is_number(b->first_line, 4, "lines go on over the texts");

    place = source_locate(set, a->at);
    ok(place.source == a && place.line == 1 && place.column == 1, "the first byte");
    place = source_locate(set, a->at + 14);
    is_number(place.line, 2, "a line after others");
    is_number(place.column, 8, "columns are characters, not bytes");
    is_slice(place.line_text, "two \xC3\xA4\xE2\x82\xAC x", "the line without CRLF");
    place = source_locate(set, a->at + 17);
    is_slice(place.line_text, "", "an empty line");
    place = source_locate(set, a->at + (uint32_t)a->text.size);
    ok(place.source == a && place.line == 4 && place.column == 5, "the end of a text without a last line end");
    place = source_locate(set, b->at);
    ok(place.source == b && place.line == 1, "the next text");
    ok(source_locate(set, 0).source == NULL, "0 is in no text");
    ok(source_locate(set, b->at + 2).source == NULL, "behind the last text is nothing");
    ok(source_count(set) == 2 && source_at(set, 1) == b && source_at(set, 2) == NULL, "texts in order of opening");
    stop();
}

/* Longer than the pages in which lines are kept, so that their borders are met. */
static void lines_of_a_long_text_are_found(void)
{
    enum { LINES = 50000, LINE_SIZE = 8 };
    char *text = malloc(LINES * LINE_SIZE);
    const struct source *source, *next;
    bool is_right = true, in_all_is_right = true;

    start();
    source_add(set, "before", SLICE("x\ny\n"));
    for (int i = 0; i < LINES; i++)
        memcpy(text + i * LINE_SIZE, "line...\n", LINE_SIZE);
    source = source_add(set, "long", slice_of(text, LINES * LINE_SIZE));
    next = source_add(set, "next", SLICE("z"));
    for (uint32_t i = 0; i < LINES; i++) {
        uint32_t at = source->at + i * LINE_SIZE + i % LINE_SIZE;

        is_right &= source_locate(set, at).line == i + 1 && source_locate(set, at).column == i % LINE_SIZE + 1;
        in_all_is_right &= source_line_in_all(set, at) == 3 + i + 1;
    }
    ok(is_right, "every line of a long text");
    ok(in_all_is_right, "lines over all texts, asked in rising order");
    is_number(source_line_in_all(set, source->at), 4, "and asked backwards");
    is_number(source_line_in_all(set, next->at), 3 + LINES + 1 + 1, "and in another text");
    is_number(source_line_in_all(set, next->at + 100), 0, "and nowhere");
    free(text);
    stop();
}

static void files_are_read_whole(void)
{
    const struct source *source;
    const char *reason = "";
    char *buffer;

    start();
    source = source_open(set, write_file("bom.redir", "\xEF\xBB\xBF/a -> /b\n", 12), &reason);
    ok(source != NULL, "a file is read");
    is_slice(source->text, "/a -> /b\n", "a byte order mark is skipped");
    buffer = source_buffer(set, source);
    ok(buffer == source->text.data && buffer[9] == '\0' && buffer[10] == '\0', "the scanner's buffer is the text");
    source = source_open(set, write_file("empty.redir", "", 0), &reason);
    ok(source != NULL && source->text.size == 0 && source->line_count == 1, "an empty file is a text");
    stop();
}

static void packed_files_are_unpacked(void)
{
    const struct source *source;
    const char *reason = "", *path;
    gzFile packed;
    static char bytes[300000];
    uint32_t random = 1;

    start();
    path = path_of("list.csv.gz");
    packed = gzopen(path, "wb");
    for (size_t i = 0; i < sizeof(bytes); i++) {
        random = random * 1664525 + 1013904223;
        bytes[i] = (char)('a' + (random >> 24) % 26);
    }
    gzwrite(packed, bytes, sizeof(bytes));
    gzclose(packed);
    source = source_open(set, path, &reason);
    ok(source != NULL && source->text.size == sizeof(bytes)
       && memcmp(source->text.data, bytes, sizeof(bytes)) == 0, "a .gz is read unpacked");
    ok(truncate(path, 2000) == 0, "a .gz is cut short");
    is_string(why_not(path), "it is damaged or not in gzip format", "and refused");
    is_string(why_not(write_file("plain.csv.gz", "from,to\n", 8)), "it is damaged or not in gzip format",
              "a .gz that is none is refused");
    stop();
}

static void what_is_no_file_is_refused(void)
{
    const char *path;

    start();
    is_string(why_not(path_of("missing")), "No such file or directory", "a missing file");
    is_string(why_not(folder), "it is a directory", "a directory");
    path = path_of("fifo");
    ok(mkfifo(path, 0600) == 0, "a FIFO is made");
    is_string(why_not(path), "it is a FIFO, not a file; \"-\" reads standard input", "a FIFO does not block");
    is_string(why_not("/dev/null"), "it is a device or a socket, not a file", "a device");
    path = write_file("secret", "x", 1);
    if (geteuid() != 0) {
        chmod(path, 0);
        is_string(why_not(path), "Permission denied", "a file that may not be read");
    }
    stop();
}

static void standard_input_is_a_file_too(void)
{
    const struct source *source;
    const char *reason = "", *path;
    int kept = dup(STDIN_FILENO), file;

    start();
    path = write_file("input", "/a gone\n", 8);
    file = open(path, O_RDONLY);
    dup2(file, STDIN_FILENO);
    source = source_open(set, "-", &reason);
    ok(source != NULL, "- is read");
    is_slice(source->text, "/a gone\n", "and holds what came");
    is_string(source->path, "-", "and is called -");
    dup2(kept, STDIN_FILENO);
    close(file);
    close(kept);
    stop();
}

static void remove_files(void)
{
    static const char *const names[] = { "bom.redir", "empty.redir", "list.csv.gz", "plain.csv.gz", "fifo", "secret",
                                         "input" };

    start();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(path_of(names[i]));
    rmdir(folder);
    stop();
}

int main(void)
{
    if (mkdtemp(folder) == NULL)
        return 1;
    places_are_lines_and_columns();
    lines_of_a_long_text_are_found();
    files_are_read_whole();
    packed_files_are_unpacked();
    what_is_no_file_is_refused();
    standard_input_is_a_file_too();
    remove_files();
    return tap_done();
}
