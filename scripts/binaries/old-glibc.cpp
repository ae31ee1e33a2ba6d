// Stands in for a variable of glibc 2.32 that libstdc++ reads, so that a binary starts with an older glibc.
// Zero means that the process may have threads, which is always right.
extern "C" __attribute__((visibility("hidden"))) char __libc_single_threaded;
char __libc_single_threaded = 0;
