/* Answers a pack of questions of the oracle of stn_ref, without Python: an example to start from.

       cc -std=c99 -O2 -o pack_reader pack_reader.c -lm
       ./pack_reader < questions.json > answers.json

   What is yours to replace is the sampler: put calls of your own into grid_sample and grid_sample_vjp. What
   comes before them reads a pack, what comes after them writes answers; docs/packs.md specifies both files.
   Questions that this program cannot answer are left out, and count as not supported.

   Compiled with -DFAULT=1 it takes x for y, so that you can see what a mistake looks like when it is judged. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef FAULT
#define FAULT 0
#endif

static void fail(const char *what, const char *which)
{
    fprintf(stderr, "pack_reader: %s %.60s\n", what, which);
    exit(1);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        fail("out of", "memory");
    return memory;
}

/* ---- JSON, as far as a pack needs it: a text becomes a tree, and strings stay where they are in the text.
   Escapes in strings are passed over, not resolved: no name in a pack has any. ---- */

typedef struct Value {
    char type;  /* '{' an object, '[' a list, '"' a string, else the first letter of a number, true, false */
    char *key;  /* its name, if it is in an object */
    char *text; /* of a string, ended by 0; of a number, true or false, not ended */
    struct Value *first, *next;
} Value;

static char *cursor; /* how far the text is parsed */

static char next(void) /* the next character that is no space */
{
    return *(cursor += strspn(cursor, " \t\r\n"));
}

static void pass(char expected)
{
    if (next() != expected)
        fail("the pack is no JSON at:", cursor);
    cursor++;
}

static char *parse_string(void)
{
    pass('"');
    char *start = cursor;
    for (; *cursor != '"'; cursor += *cursor == '\\' ? 2 : 1)
        if (!*cursor)
            fail("the pack ends in", start);
    *cursor++ = 0;
    return start;
}

static Value *parse(void)
{
    Value *value = allocate(1, sizeof *value), **end = &value->first;
    value->type = next();
    if (value->type == '"') {
        value->text = parse_string();
    } else if (value->type == '{' || value->type == '[') {
        char *key = NULL, close = value->type == '{' ? '}' : ']';
        for (cursor++; next() != close; end = &(*end)->next) {
            if (value->first)
                pass(',');
            if (close == '}') {
                key = parse_string();
                pass(':');
            }
            *end = parse();
            (*end)->key = key;
        }
        cursor++;
    } else {
        value->text = cursor;
        cursor += strcspn(cursor, ",]} \t\r\n");
    }
    return value;
}

static Value *get(const Value *object, const char *key)
{
    for (Value *value = object->first; value; value = value->next)
        if (value->key && !strcmp(value->key, key))
            return value;
    fail("the pack has no", key);
    return NULL;
}

static Value *read_pack(void)
{
    size_t size = 0, count = 1;
    while (count) {
        if (!(cursor = realloc(cursor, size + 65538))) /* two for zeros, since an escape takes two */
            fail("out of", "memory");
        size += count = fread(cursor + size, 1, 65536, stdin);
    }
    cursor[size] = cursor[size + 1] = 0;
    return parse();
}

/* ---- Arrays: the last axis is the innermost one. All are held as doubles; a float32 array holds doubles that
   are float32 numbers, and its answer is rounded to float32 when it is written. ---- */

typedef struct {
    const Value *said; /* its dtype and shape, as the pack has them */
    long shape[5];
    size_t size;
    double *data;
} Array;

static Array zeros(const Value *said)
{
    Array array = {said, {0}, 1, NULL};
    const Value *length = get(said, "shape")->first;
    for (int axis = 0; length && axis < 5; axis++, length = length->next)
        array.size *= (size_t)(array.shape[axis] = strtol(length->text, NULL, 10));
    array.data = allocate(array.size, sizeof(double));
    return array;
}

static Array argument(const Value *pack, const Value *call, const char *name)
{
    Array array = zeros(get(get(pack, "arrays"), get(get(call, "arrays"), name)->text));
    const Value *number = get(array.said, "values")->first;
    for (size_t k = 0; number && k < array.size; k++, number = number->next)
        array.data[k] = strtod(number->text, NULL); /* reads "0x1.8p+1", "inf" and "nan" */
    return array;
}

/* ---- The sampler. U is (N, C, H, W), grid (N, H', W', 2) with (x, y) last, V (N, C, H', W'). ---- */

typedef struct { int nearest, border, align_corners; } Settings;
typedef struct { long pixel; double weight, slope; } Tap;

/* The lower (k = 0) or upper (k = 1) of the two pixels along an axis that a coordinate lies between, its weight,
   and how that changes with the coordinate. */
static Tap tap(double coordinate, long length, Settings how, long k)
{
    double last = (double)length - 1, scale = (how.align_corners ? last : last + 1) / 2;
    double x = (coordinate + 1) * scale - (how.align_corners ? 0 : 0.5);
    if (how.border && !(x >= 0 && x <= last))
        scale = 0; /* beyond the border nothing changes */
    x = how.border ? fmin(fmax(x, 0), last) : fmin(fmax(x, -2), last + 2); /* further out all is 0 */
    double low = floor(how.nearest ? x + 0.5 : x), upper = how.nearest ? 0 : x - low;
    double pixel = how.border ? fmin(low + (double)k, last) : low + (double)k;
    Tap none = {0, 0, 0}, one = {(long)pixel, k ? upper : 1 - upper, how.nearest ? 0 : k ? scale : -scale};
    return pixel >= 0 && pixel <= last ? one : none; /* padding_mode "zeros": no pixel, no weight */
}

/* What one of four pixels has to do with one channel of one sample: places in U, V and grid, and weights. */
typedef struct { long pixel, sample, x, y; double weight, slope_x, slope_y; } Corner;

static Corner corner_of(Array U, Array grid, Settings how, long k)
{
    long C = U.shape[1], H = U.shape[2], W = U.shape[3], samples = grid.shape[1] * grid.shape[2];
    long sample = k / 4, plane = sample / samples, place = 2 * (plane / C * samples + sample % samples);
    long at_x = place + FAULT, at_y = place + 1 - FAULT;
    Tap x = tap(grid.data[at_x], W, how, k % 2), y = tap(grid.data[at_y], H, how, k / 2 % 2);
    Corner corner = {(plane * H + y.pixel) * W + x.pixel, sample, at_x, at_y,
                     x.weight * y.weight, x.slope * y.weight, x.weight * y.slope};
    return corner;
}

static void grid_sample(Array U, Array grid, Settings how, Array V)
{
    for (long k = 0; k < 4 * (long)V.size; k++) {
        Corner at = corner_of(U, grid, how, k);
        V.data[at.sample] += at.weight * U.data[at.pixel];
    }
}

static void grid_sample_vjp(Array U, Array grid, Array V_bar, Settings how, Array U_bar, Array grid_bar)
{
    for (long k = 0; k < 4 * (long)V_bar.size; k++) {
        Corner at = corner_of(U, grid, how, k);
        U_bar.data[at.pixel] += at.weight * V_bar.data[at.sample];
        grid_bar.data[at.x] += at.slope_x * U.data[at.pixel] * V_bar.data[at.sample];
        grid_bar.data[at.y] += at.slope_y * U.data[at.pixel] * V_bar.data[at.sample];
    }
}

/* ---- The answers ---- */

static void write_answer(const Value *call, const char *name, Array array)
{
    static const char *comma = "";
    const char *dtype = get(array.said, "dtype")->text;
    int is_single = !strcmp(dtype, "float32");
    printf("%s\n\"%s:%s\": {\"dtype\": \"%s\", \"shape\": [", comma, get(call, "id")->text, name, dtype);
    for (int axis = 0; axis < 4; axis++) /* U, grid and V have four axes in two dimensions */
        printf("%s%ld", axis ? ", " : "", array.shape[axis]);
    printf("], \"values\": [");
    for (size_t k = 0; k < array.size; k++)
        printf("%s\"%a\"", k ? ", " : "", is_single ? (double)(float)array.data[k] : array.data[k]);
    printf("]}");
    comma = ",";
}

static void answer(const Value *pack, const Value *call)
{
    const char *method = get(call, "method")->text;
    int is_vjp = !strcmp(method, "grid_sample_vjp");
    if (!is_vjp && strcmp(method, "grid_sample"))
        return;
    const Value *settings = get(call, "settings"), *expected = get(call, "answers");
    const char *mode = get(settings, "mode")->text, *padding_mode = get(settings, "padding_mode")->text;
    Settings how = {!strcmp(mode, "nearest"), !strcmp(padding_mode, "border"),
                    get(settings, "align_corners")->type == 't'};
    if ((!how.nearest && strcmp(mode, "bilinear")) || (!how.border && strcmp(padding_mode, "zeros")))
        return;
    Array U = argument(pack, call, "U"), grid = argument(pack, call, "grid");
    if (is_vjp) {
        Array U_bar = zeros(get(expected, "U_bar")), grid_bar = zeros(get(expected, "grid_bar"));
        grid_sample_vjp(U, grid, argument(pack, call, "V_bar"), how, U_bar, grid_bar);
        write_answer(call, "U_bar", U_bar);
        write_answer(call, "grid_bar", grid_bar);
    } else {
        Array V = zeros(get(expected, "V"));
        grid_sample(U, grid, how, V);
        write_answer(call, "V", V);
    }
}

int main(void)
{
    const Value *pack = read_pack();
    if (strcmp(get(pack, "format")->text, "stn_ref oracle pack") || get(pack, "version")->type != '1')
        fail("no stn_ref oracle pack of version 1", "");
    printf("{\"name\": \"pack_reader.c\", \"profile\": \"paper\", ");
    printf("\"pack\": \"%s\",\n\"answers\": {", get(pack, "sha256")->text);
    for (const Value *call = get(pack, "calls")->first; call; call = call->next)
        answer(pack, call);
    return printf("\n}}\n") < 0 || fflush(stdout);
}
