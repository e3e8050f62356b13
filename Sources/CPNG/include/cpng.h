#pragma once
#include <stddef.h>
#include <stdint.h>

// PNG in and out of memory through libpng. Every function returns 0 on success; on failure it returns 1 and leaves libpng's
// message, terminated by a zero, in `message`. Nothing is allocated for the caller and nothing survives a call.

typedef struct {
  uint32_t width, height;
  uint32_t channels;     // after expansion of palettes, small depths and transparency: 1 grey, 3 RGB, 4 RGBA
  uint32_t bits;         // bits per sample in the file: 1, 2, 4, 8 or 16
  uint32_t single;       // 1: a pixel of the file is one number, grey or a palette's index; 0: it has several samples
  uint64_t packed_size;  // bytes of the pixel rows as the file holds them, before compression
} cpng_header;

// Receives the next `count` bytes of a file being written.
typedef void (*cpng_sink)(void *context, const uint8_t *bytes, size_t count);

// The versions of libpng and zlib that were loaded.
const char *cpng_version(void);
const char *cpng_zlib_version(void);

int cpng_read_header(const uint8_t *bytes, size_t count, cpng_header *header, char *message, size_t capacity);

// Decodes into `samples`, row-major and interleaved: `size` = height * width * channels * depth / 8 bytes. `depth` is 8 (deeper
// files are scaled down) or 16 (host byte order; the file must hold 16 bits).
int cpng_read(const uint8_t *bytes, size_t count, int depth, void *samples, size_t size, char *message, size_t capacity);

// Encodes height * width * channels samples of `depth` bits (8, or 16 in host byte order); channels 1, 3 or 4.
int cpng_write(const void *samples, uint32_t height, uint32_t width, uint32_t channels, int depth, cpng_sink sink,
               void *context, char *message, size_t capacity);

// Reads the numbers of a file whose pixels are single: palette indices and grey levels as they stand in the file, neither looked up nor
// scaled, into `samples`, row-major: `size` = height * width * depth / 8 bytes. `depth` is 16 (host byte order) for files of 16 bits, else 8.
int cpng_read_numbers(const uint8_t *bytes, size_t count, int depth, void *samples, size_t size, char *message, size_t capacity);

// Encodes height * width indices into a palette of `colors` (1 to 256) entries: red, green, blue each.
int cpng_write_indices(const uint8_t *indices, uint32_t height, uint32_t width, const uint8_t *palette, uint32_t colors, cpng_sink sink,
                       void *context, char *message, size_t capacity);

// Expands a zlib stream into at most `capacity` bytes. Returns how many; 0 if it is broken or longer.
size_t cpng_inflate(const uint8_t *bytes, size_t count, uint8_t *out, size_t capacity);
