#define SLUICE_PEAK_BYTES 32
#define SLUICE_PEAK_NAME peak_run_v3
#include "bench/stages/peak_loop.inl"
