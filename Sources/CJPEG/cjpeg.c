#include "cjpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#define TEXT(x) #x
#define TEXT_OF(x) TEXT(x)

const char *cjpeg_version(void) {
#ifdef LIBJPEG_TURBO_VERSION
  return "turbo " TEXT_OF(LIBJPEG_TURBO_VERSION);
#else
  return TEXT_OF(JPEG_LIB_VERSION);
#endif
}

// The library's error handler comes first: it finds this record through a pointer to its first member.
typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf landing;
  char *message;
  size_t capacity;
} handler;

static void fail(j_common_ptr codec) {
  handler *h = (handler *)codec->err;
  char text[JMSG_LENGTH_MAX];
  codec->err->format_message(codec, text);
  snprintf(h->message, h->capacity, "%s", text);
  longjmp(h->landing, 1);
}

// Level -1 is a warning: only those that leave every pixel intact pass.
static void note(j_common_ptr codec, int level) {
  if (level >= 0) return;
  switch (codec->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_ADOBE_XFORM:
    case JWRN_JFIF_MAJOR:
      return;
    default:
      fail(codec);
  }
}

static struct jpeg_error_mgr *listen(handler *h, char *message, size_t capacity) {
  jpeg_std_error(&h->base);
  h->base.error_exit = fail;
  h->base.emit_message = note;
  h->message = message;
  h->capacity = capacity;
  return &h->base;
}

static int refuse(struct jpeg_decompress_struct *codec, const char *text) {
  handler *h = (handler *)codec->err;
  snprintf(h->message, h->capacity, "%s", text);
  return 1;
}

typedef int step(struct jpeg_decompress_struct *codec, void *into);

// Reads the header, chooses grey or RGB, then does the rest. Every error lands here.
static int reading(const uint8_t *bytes, size_t count, char *message, size_t capacity, step *rest, void *into) {
  handler h;
  struct jpeg_decompress_struct codec;
  memset(&codec, 0, sizeof codec);
  codec.err = listen(&h, message, capacity);
  if (setjmp(h.landing)) {
    jpeg_destroy_decompress(&codec);
    return 1;
  }
  jpeg_create_decompress(&codec);
  jpeg_mem_src(&codec, bytes, count);
  jpeg_read_header(&codec, TRUE);
  const int has_four = codec.jpeg_color_space == JCS_CMYK || codec.jpeg_color_space == JCS_YCCK;
  codec.out_color_space = codec.jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
  const int failed = has_four ? refuse(&codec, "CMYK colours are not supported") : rest(&codec, into);
  jpeg_destroy_decompress(&codec);
  return failed;
}

static int describe(struct jpeg_decompress_struct *codec, void *into) {
  cjpeg_header *header = into;
  header->width = codec->image_width;
  header->height = codec->image_height;
  header->channels = codec->out_color_space == JCS_GRAYSCALE ? 1 : 3;
  return 0;
}

// Where pixels go.
typedef struct {
  uint8_t *samples;
  size_t size;
} target;

// A progressive file of a megabyte can hold thousands of scans, each of which passes over the whole picture.
static void count_scans(j_common_ptr codec) {
  const struct jpeg_decompress_struct *decoder = (const struct jpeg_decompress_struct *)codec;
  if (decoder->input_scan_number <= CJPEG_MOST_SCANS) return;
  handler *h = (handler *)codec->err;
  snprintf(h->message, h->capacity, "it has more than %d scans, the most that are decoded", CJPEG_MOST_SCANS);
  longjmp(h->landing, 1);
}

static int decode(struct jpeg_decompress_struct *codec, void *into) {
  const target *to = into;
  struct jpeg_progress_mgr progress = {.progress_monitor = count_scans};
  codec->progress = &progress;
  jpeg_start_decompress(codec);
  const size_t row_size = (size_t)codec->output_width * (size_t)codec->output_components;
  if (row_size * codec->output_height != to->size) return refuse(codec, "the buffer does not have the size of the picture");
  while (codec->output_scanline < codec->output_height) {
    JSAMPROW row = to->samples + row_size * codec->output_scanline;
    jpeg_read_scanlines(codec, &row, 1);
  }
  jpeg_finish_decompress(codec);
  return 0;
}

int cjpeg_read_header(const uint8_t *bytes, size_t count, cjpeg_header *header, char *message, size_t capacity) {
  return reading(bytes, count, message, capacity, describe, header);
}

int cjpeg_read(const uint8_t *bytes, size_t count, uint8_t *samples, size_t size, char *message, size_t capacity) {
  target to = {.samples = samples, .size = size};
  return reading(bytes, count, message, capacity, decode, &to);
}

// A destination that hands its buffer on whenever it is full.
typedef struct {
  struct jpeg_destination_mgr base;
  cjpeg_sink sink;
  void *context;
  JOCTET buffer[1 << 14];
} outlet;

static void outlet_start(j_compress_ptr codec) {
  outlet *o = (outlet *)codec->dest;
  o->base.next_output_byte = o->buffer;
  o->base.free_in_buffer = sizeof o->buffer;
}

static boolean outlet_full(j_compress_ptr codec) {
  outlet *o = (outlet *)codec->dest;
  o->sink(o->context, o->buffer, sizeof o->buffer);
  outlet_start(codec);
  return TRUE;
}

static void outlet_end(j_compress_ptr codec) {
  outlet *o = (outlet *)codec->dest;
  o->sink(o->context, o->buffer, sizeof o->buffer - o->base.free_in_buffer);
}

int cjpeg_write(const uint8_t *samples, uint32_t height, uint32_t width, uint32_t channels, int quality, cjpeg_sink sink,
                void *context, char *message, size_t capacity) {
  handler h;
  outlet o = {.base = {.init_destination = outlet_start, .empty_output_buffer = outlet_full, .term_destination = outlet_end},
              .sink = sink, .context = context};
  struct jpeg_compress_struct codec;
  memset(&codec, 0, sizeof codec);
  codec.err = listen(&h, message, capacity);
  if (setjmp(h.landing)) {
    jpeg_destroy_compress(&codec);
    return 1;
  }
  jpeg_create_compress(&codec);
  codec.dest = &o.base;
  codec.image_width = width;
  codec.image_height = height;
  codec.input_components = (int)channels;
  codec.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&codec);
  jpeg_set_quality(&codec, quality, TRUE);
  codec.comp_info[0].h_samp_factor = 1;
  codec.comp_info[0].v_samp_factor = 1;
  jpeg_start_compress(&codec, TRUE);
  while (codec.next_scanline < codec.image_height) {
    JSAMPROW row = (JSAMPROW)(samples + (size_t)width * channels * codec.next_scanline);
    jpeg_write_scanlines(&codec, &row, 1);
  }
  jpeg_finish_compress(&codec);
  jpeg_destroy_compress(&codec);
  return 0;
}
