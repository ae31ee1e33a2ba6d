/* Names of glibc that Debian's libstdc++ and libgcc_s use and musl lacks, so that a program for musl can start with
 * these libraries. For tests on Debian alone: Alpine has libraries of its own. */
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <time.h>

char __libc_single_threaded = 0;

unsigned arc4random(void) {
  unsigned number = 0;
  if (getrandom(&number, sizeof number, 0) != sizeof number) __builtin_trap();
  return number;
}

/* libgcc of arm64 asks for features of the processor. */
unsigned long __getauxval(unsigned long type) { return getauxval(type); }

size_t __strftime_l(char* out, size_t size, const char* format, const struct tm* time, locale_t locale) {
  return strftime_l(out, size, format, time, locale);
}

/* Destructors of variables of a thread do not run: the program ends soon. */
int __cxa_thread_atexit_impl(void (*destroy)(void*), void* object, void* library) {
  (void)destroy;
  (void)object;
  (void)library;
  return 0;
}

/* libgcc_s has both under a version that musl does not look at. Nothing here reads them. */
struct {
  unsigned vendor, type, subtype, features;
} __cpu_model;
int __cpu_indicator_init(void) { return 0; }
