/* Which back ends of split products this build, processor and system have. */

#include "split.h"
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

size_t apus_split_panel_size(size_t taps, size_t depth, int parts) {
  return taps * blocks_of(depth, PANEL_DEPTH) * (size_t)parts * PART;
}

#if defined(__x86_64__)
static int has_avx512_bf16(void) { return apus_best_isa() == APUS_AVX512 && __builtin_cpu_supports("avx512bf16"); }
#endif

#if defined(__x86_64__) && defined(__linux__)
/* CPUID leaf 7: AMX-BF16 is bit 22 of EDX, AMX-TILE bit 24. Linux grants the tile state (component 18 of XSAVE) on request. */
static int ask_for_tiles(void) {
  enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };
  unsigned a, b, c, d;
  if (!has_avx512_bf16() || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
  if (!(d >> 22 & 1) || !(d >> 24 & 1)) return 0;
  return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}

int apus_tiles_permitted(void) {
  static _Atomic int answer = -1; /* two threads that ask at the same time get the same answer */
  if (answer < 0) answer = ask_for_tiles();
  return answer;
}
#else
int apus_tiles_permitted(void) { return 0; }
#endif

const apus_split_kernels *apus_split_kernels_of(apus_split_backend backend) {
  switch (backend) {
    case APUS_SPLIT_PORTABLE: return &apus_split_portable;
    case APUS_SPLIT_AMX_EMULATED: return &apus_split_emulated;
#if defined(__x86_64__)
    case APUS_SPLIT_AVX512_BF16: return has_avx512_bf16() ? &apus_split_avx512 : NULL;
    case APUS_SPLIT_AMX: return apus_tiles_permitted() ? &apus_split_amx : NULL;
#endif
    default: return NULL;
  }
}
