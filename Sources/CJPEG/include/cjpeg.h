#pragma once
#include <stddef.h>
#include <stdint.h>

// JPEG in and out of memory through libjpeg-turbo. Every function returns 0 on success; on failure it returns 1 and leaves the
// library's message, terminated by a zero, in `message`. Nothing is allocated for the caller and nothing survives a call.
// Damage that the library would paper over with a warning (missing or corrupt data) is a failure here.

// Encoders write about ten scans; a file with more than this is refused while it is decoded.
enum { CJPEG_MOST_SCANS = 100 };

typedef struct {
  uint32_t width, height;
  uint32_t channels;  // 1 grey, 3 RGB
} cjpeg_header;

// Receives the next `count` bytes of a file being written.
typedef void (*cjpeg_sink)(void *context, const uint8_t *bytes, size_t count);

// The version of libjpeg-turbo that this was built for, or of another libjpeg.
const char *cjpeg_version(void);

int cjpeg_read_header(const uint8_t *bytes, size_t count, cjpeg_header *header, char *message, size_t capacity);

// Decodes into `samples`, row-major and interleaved: `size` = height * width * channels bytes.
int cjpeg_read(const uint8_t *bytes, size_t count, uint8_t *samples, size_t size, char *message, size_t capacity);

// Encodes height * width * channels samples, channels 1 or 3, with full-resolution chroma; quality 1...100.
int cjpeg_write(const uint8_t *samples, uint32_t height, uint32_t width, uint32_t channels, int quality, cjpeg_sink sink,
                void *context, char *message, size_t capacity);
