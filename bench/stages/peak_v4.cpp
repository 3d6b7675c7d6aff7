#define SLUICE_PEAK_BYTES 64
#define SLUICE_PEAK_NAME peak_run_v4
#include "bench/stages/peak_loop.inl"
