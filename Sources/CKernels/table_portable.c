/* The tables of loops compiled for the baseline of the processor. */

#include "loops.h"
#define REGISTER_BYTES 16

#define EACH_FLOOR EACH_CALL
#define REAL float
#define WHOLE int32_t
#define NAME(x) x##_float32
#define TABLE apus_portable_float32
#include "transcendental_float32.inc"
#include "table.inc"

#define EACH_FLOOR EACH_CALL
#define REAL double
#define WHOLE int64_t
#define NAME(x) x##_float64
#define TABLE apus_portable_float64
#include "transcendental_float64.inc"
#include "table.inc"

