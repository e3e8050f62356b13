#include "cpng.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

const char *cpng_version(void) { return png_get_libpng_ver(NULL); }
const char *cpng_zlib_version(void) { return zlibVersion(); }

// One call's state: where errors land and where bytes come from or go to.
typedef struct {
  jmp_buf landing;
  char *message;
  size_t capacity;
  const uint8_t *bytes;
  size_t count, position;
  cpng_sink sink;
  void *context;
} session;

static void fail(png_structp png, png_const_charp text) {
  session *s = png_get_error_ptr(png);
  snprintf(s->message, s->capacity, "%s", text);
  longjmp(s->landing, 1);
}

static void ignore(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static void take(png_structp png, png_bytep target, size_t count) {
  session *s = png_get_io_ptr(png);
  if (count > s->count - s->position) png_error(png, "the file ends too early");
  memcpy(target, s->bytes + s->position, count);
  s->position += count;
}

static void put(png_structp png, png_bytep source, size_t count) {
  session *s = png_get_io_ptr(png);
  s->sink(s->context, source, count);
}

static void flush(png_structp png) { (void)png; }

static int host_is_little_endian(void) {
  const uint16_t one = 1;
  return *(const uint8_t *)&one == 1;
}

// Expands palettes, depths below 8 and transparency; grey with alpha becomes RGBA. Gamma and colour profiles are left alone.
static void expand(png_structp png, png_infop info) {
  const int type = png_get_color_type(png, info);
  const int transparent = png_get_valid(png, info, PNG_INFO_tRNS) != 0;
  if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
  if (type == PNG_COLOR_TYPE_GRAY && png_get_bit_depth(png, info) < 8) png_set_expand_gray_1_2_4_to_8(png);
  if (transparent) png_set_tRNS_to_alpha(png);
  if (type == PNG_COLOR_TYPE_GRAY_ALPHA || (type == PNG_COLOR_TYPE_GRAY && transparent)) png_set_gray_to_rgb(png);
}

static int no_memory(char *message, size_t capacity) {
  snprintf(message, capacity, "out of memory");
  return 1;
}

typedef void step(png_structp png, png_infop info, void *into);

// Reads the header, then what `rest` reads. Every error lands here.
static int reading(const uint8_t *bytes, size_t count, char *message, size_t capacity, step *rest, void *into) {
  session s = {.message = message, .capacity = capacity, .bytes = bytes, .count = count};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &s, fail, ignore);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    png_destroy_read_struct(&png, NULL, NULL);
    return no_memory(message, capacity);
  }
  if (setjmp(s.landing)) {
    png_destroy_read_struct(&png, &info, NULL);
    return 1;
  }
  png_set_read_fn(png, &s, take);
  // Texts and colour profiles are not used: what claims to unfold to more than this is skipped.
  png_set_chunk_malloc_max(png, 1 << 20);
  png_read_info(png, info);
  rest(png, info, into);
  png_destroy_read_struct(&png, &info, NULL);
  return 0;
}

static void describe(png_structp png, png_infop info, void *into) {
  cpng_header *header = into;
  header->width = png_get_image_width(png, info);
  header->height = png_get_image_height(png, info);
  header->bits = png_get_bit_depth(png, info);
  header->packed_size = (uint64_t)png_get_rowbytes(png, info) * header->height;
  const int type = png_get_color_type(png, info);
  header->single = type == PNG_COLOR_TYPE_PALETTE || type == PNG_COLOR_TYPE_GRAY;
  expand(png, info);
  png_read_update_info(png, info);
  header->channels = png_get_channels(png, info);
}

// Where pixels go.
typedef struct {
  int depth;
  void *samples;
  size_t size;
} target;

static void read_rows(png_structp png, png_infop info, const target *to) {
  const int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  const size_t row_size = png_get_rowbytes(png, info);
  const png_uint_32 height = png_get_image_height(png, info);
  if (row_size * height != to->size) png_error(png, "the buffer does not have the size of the picture");
  for (int pass = 0; pass < passes; pass++)
    for (png_uint_32 y = 0; y < height; y++) png_read_row(png, (png_bytep)to->samples + row_size * y, NULL);
  png_read_end(png, NULL);
}

static void decode(png_structp png, png_infop info, void *into) {
  const target *to = into;
  const int bits = png_get_bit_depth(png, info);
  if (to->depth == 16 && bits != 16) png_error(png, "the samples do not have 16 bits");
  expand(png, info);
  if (to->depth == 8 && bits == 16) png_set_scale_16(png);
  if (to->depth == 16 && host_is_little_endian()) png_set_swap(png);
  read_rows(png, info, to);
}

// Palette indices and grey levels as they are; those of less than 8 bits one a byte.
static void decode_numbers(png_structp png, png_infop info, void *into) {
  const target *to = into;
  const int type = png_get_color_type(png, info);
  const int bits = png_get_bit_depth(png, info);
  if (type != PNG_COLOR_TYPE_PALETTE && type != PNG_COLOR_TYPE_GRAY) png_error(png, "the pixels are not single numbers");
  if ((to->depth == 16) != (bits == 16)) png_error(png, "the samples do not have the depth of the buffer");
  png_set_packing(png);
  if (to->depth == 16 && host_is_little_endian()) png_set_swap(png);
  read_rows(png, info, to);
}

int cpng_read_header(const uint8_t *bytes, size_t count, cpng_header *header, char *message, size_t capacity) {
  return reading(bytes, count, message, capacity, describe, header);
}

int cpng_read(const uint8_t *bytes, size_t count, int depth, void *samples, size_t size, char *message, size_t capacity) {
  target to = {.depth = depth, .samples = samples, .size = size};
  return reading(bytes, count, message, capacity, decode, &to);
}

int cpng_read_numbers(const uint8_t *bytes, size_t count, int depth, void *samples, size_t size, char *message, size_t capacity) {
  target to = {.depth = depth, .samples = samples, .size = size};
  return reading(bytes, count, message, capacity, decode_numbers, &to);
}

// What is written: rows of `row_size` bytes of a colour type of PNG; with a palette of `colors` entries if there are any.
typedef struct {
  const void *samples;
  size_t row_size;
  uint32_t height, width;
  int depth, type;
  const png_color *palette;
  uint32_t colors;
} picture;

// Writes the header, then the rows of `samples`. Every error lands here.
static int writing(const picture *p, cpng_sink sink, void *context, char *message, size_t capacity) {
  session s = {.message = message, .capacity = capacity, .sink = sink, .context = context};
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &s, fail, ignore);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    png_destroy_write_struct(&png, NULL);
    return no_memory(message, capacity);
  }
  if (setjmp(s.landing)) {
    png_destroy_write_struct(&png, &info);
    return 1;
  }
  png_set_write_fn(png, &s, put, flush);
  png_set_IHDR(png, info, p->width, p->height, p->depth, p->type, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  if (p->colors > 0) png_set_PLTE(png, info, p->palette, (int)p->colors);
  png_write_info(png, info);
  if (p->depth == 16 && host_is_little_endian()) png_set_swap(png);
  for (uint32_t y = 0; y < p->height; y++) png_write_row(png, (png_const_bytep)p->samples + p->row_size * y);
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return 0;
}

static int refuse(char *message, size_t capacity, const char *text) {
  snprintf(message, capacity, "%s", text);
  return 1;
}

int cpng_write_indices(const uint8_t *indices, uint32_t height, uint32_t width, const uint8_t *palette, uint32_t colors, cpng_sink sink,
                       void *context, char *message, size_t capacity) {
  if (colors < 1 || colors > 256) return refuse(message, capacity, "a palette has 1 to 256 colours");
  png_color entries[256];
  for (uint32_t i = 0; i < colors; i++) entries[i] = (png_color){palette[3 * i], palette[3 * i + 1], palette[3 * i + 2]};
  const picture p = {.samples = indices, .row_size = width, .height = height, .width = width, .depth = 8,
                     .type = PNG_COLOR_TYPE_PALETTE, .palette = entries, .colors = colors};
  return writing(&p, sink, context, message, capacity);
}

int cpng_write(const void *samples, uint32_t height, uint32_t width, uint32_t channels, int depth, cpng_sink sink,
               void *context, char *message, size_t capacity) {
  if (channels != 1 && channels != 3 && channels != 4) return refuse(message, capacity, "a PNG has 1, 3 or 4 channels");
  const int type = channels == 1 ? PNG_COLOR_TYPE_GRAY : channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_RGB_ALPHA;
  const picture p = {.samples = samples, .row_size = (size_t)width * channels * (size_t)(depth / 8), .height = height, .width = width,
                     .depth = depth, .type = type};
  return writing(&p, sink, context, message, capacity);
}

size_t cpng_inflate(const uint8_t *bytes, size_t count, uint8_t *out, size_t capacity) {
  uLongf size = (uLongf)capacity;
  return uncompress(out, &size, bytes, (uLong)count) == Z_OK ? (size_t)size : 0;
}
