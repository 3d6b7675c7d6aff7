// Faults for a program that this is linked into, at the N-th system call or allocation, as its environment asks for.
//
//   SLUICE_FAULT=write:3:ENOSPC     the third write() fails so
//   SLUICE_FAULT=any:17:kill        before the 17th call of those below the program is killed
//   SLUICE_FAULT=any:17:SIGINT      before it the program gets this signal; or SIGTERM
//   SLUICE_FAULT=read:1:EIO+        the first read() and all behind it
//   SLUICE_FAULT=any:2:short        if it is a read() or a write(), it does one byte
//   SLUICE_FAULT=write:900:full     the disk is full behind 900 bytes
//   SLUICE_FAULT=new:40:bad_alloc   the 40th operator new behind the first call that counts; bad_alloc+: all behind it
//   SLUICE_FAULT=new:0:places       none: `new FIRST LAST` of every place that takes memory (a stack of callers)
//   SLUICE_FAULT_PATH=/tmp/x        only files whose paths begin so count
//   SLUICE_FAULT_LOG=FILE           a line of each call that counted, `write /tmp/x/file`; ` <- EIO` where a fault was
//                                   put; behind main() `left open FILE` of each that nobody closed
//   SLUICE_PEAK_LOG=FILE            behind main() a line: the most memory that the program has had, in KiB
//
// calls: open stat lstat fstat read (and pread) write fsync fchmod flock ftruncate rename unlink close, and any of
// them. A file that is opened by fopen() counts as opened, its close() as fclose(). Order and thread-safety: any number
// of threads; N counts them all.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

// Nothing here may take memory by operator new, nor call by its name what is defined here.
namespace {

constexpr int most_files = 1024;
constexpr std::size_t most_path = 512;

template <class F>
F* real(const char* name) {
  void* const found = ::dlsym(RTLD_NEXT, name);
  F* f = nullptr;
  std::memcpy(&f, &found, sizeof f);
  return f;
}
#define SLUICE_REAL(name, ...)                       \
  ([] {                                              \
    static auto* const f = real<__VA_ARGS__>(#name); \
    return f;                                        \
  }())

struct Action {
  enum Kind { none, error, part, signal, full, places } kind = none;
  int number = 0;
};

// What the environment asks for.
struct Plan {
  char call[16] = "", action[16] = "";
  std::uint64_t at = 0;
  bool and_all_behind = false;
  const char* path = "";
  int log = -1;
  Action what{};
};

int error_number(const char* name) {
  constexpr struct {
    const char* name;
    int number;
  } all[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EINTR", EINTR},   {"EMFILE", EMFILE}, {"EACCES", EACCES},
             {"ENOMEM", ENOMEM}, {"EROFS", EROFS},   {"ENOLCK", ENOLCK}, {"EDQUOT", EDQUOT}, {"EINVAL", EINVAL}};
  for (const auto& e : all)
    if (std::strcmp(e.name, name) == 0) return e.number;
  std::fprintf(stderr, "SLUICE_FAULT: no error %s\n", name);
  std::_Exit(99);
}

Plan read_plan() {
  Plan p;
  if (const char* path = std::getenv("SLUICE_FAULT_PATH")) p.path = path;
  if (const char* log = std::getenv("SLUICE_FAULT_LOG"))
    p.log = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  const char* text = std::getenv("SLUICE_FAULT");
  if (!text) return p;
  if (std::sscanf(text, "%15[a-z]:%lu:%15[a-zA-Z_+]", p.call, &p.at, p.action) != 3) {
    std::fprintf(stderr, "SLUICE_FAULT: %s: expected CALL:N:ACTION\n", text);
    std::_Exit(99);
  }
  if (char* const plus = std::strchr(p.action, '+')) p.and_all_behind = true, *plus = '\0';
  const auto is = [&](const char* name) { return std::strcmp(p.action, name) == 0; };
  p.what = is("short")       ? Action{Action::part}
           : is("kill")      ? Action{Action::signal, SIGKILL}
           : is("SIGINT")    ? Action{Action::signal, SIGINT}
           : is("SIGTERM")   ? Action{Action::signal, SIGTERM}
           : is("full")      ? Action{Action::full}
           : is("places")    ? Action{Action::places}
           : is("bad_alloc") ? Action{Action::error, ENOMEM}
                             : Action{Action::error, error_number(p.action)};
  return p;
}

const Plan& plan() {
  static const Plan p = read_plan();
  return p;
}

std::atomic<std::uint64_t> calls{0};
std::atomic<std::uint64_t> written{0};           // bytes
std::atomic<bool> in_main{false}, begun{false};  // begun: there was a call that counts

// The path that a descriptor was opened with, where it counts.
std::array<char[most_path], most_files> opened;

const char* path_of(int file) {
  return file >= 0 && file < most_files && opened[static_cast<std::size_t>(file)][0]
             ? opened[static_cast<std::size_t>(file)]
             : nullptr;
}
void set_path(int file, const char* path) {
  if (file < 0 || file >= most_files) return;
  auto& to = opened[static_cast<std::size_t>(file)];
  std::snprintf(to, sizeof to, "%s", path ? path : "");
}
bool counts(const char* path) {
  return in_main && path && *plan().path && std::strncmp(path, plan().path, std::strlen(plan().path)) == 0;
}

void log_line(const char* call, const char* path, const char* fault) {
  if (plan().log < 0) return;
  char line[2 * most_path];
  const int size = std::snprintf(line, sizeof line, "%s %s%s%s\n", call, path, fault ? " <- " : "", fault ? fault : "");
  ::syscall(SYS_write, plan().log, line, std::min(static_cast<std::size_t>(size), sizeof line - 1));
}

// What is to be done at this call.
Action next(const char* call, const char* path) {
  const Plan& p = plan();
  begun = true;
  Action a;
  if (p.what.kind != Action::full && (std::strcmp(p.call, "any") == 0 || std::strcmp(p.call, call) == 0)) {
    const std::uint64_t n = ++calls;
    if (n == p.at || (p.and_all_behind && n > p.at)) a = p.what;
  }
  if (p.what.kind == Action::full && std::strcmp(call, "write") == 0) a = p.what;
  log_line(call, path, a.kind == Action::none || a.kind == Action::full ? nullptr : p.action);
  if (a.kind == Action::signal) ::syscall(SYS_kill, ::getpid(), a.number);
  return a;
}

// A call that either is done or fails.
template <class Do>
auto whole(const char* call, const char* path, Do&& work) {
  if (counts(path)) {
    const Action a = next(call, path);
    if (a.kind == Action::error) {
      errno = a.number;
      return decltype(work()){-1};
    }
  }
  return work();
}
template <class Do>
auto whole(const char* call, int file, Do&& work) {
  return whole(call, path_of(file), work);
}

using Open = int(const char*, int, ...);

int open_as(const char* path, int flags, mode_t mode) {
  const int file = whole("open", path, [&] { return SLUICE_REAL(open, Open)(path, flags, mode); });
  set_path(file, file >= 0 && counts(path) ? path : "");
  return file;
}

std::FILE* fopen_as(const char* path, const char* mode) {
  if (counts(path)) {
    const Action a = next("open", path);
    if (a.kind == Action::error) {
      errno = a.number;
      return nullptr;
    }
  }
  std::FILE* const file = SLUICE_REAL(fopen, std::FILE * (const char*, const char*))(path, mode);
  if (file) set_path(::fileno(file), counts(path) ? path : "");
  return file;
}

// Of `size` bytes one, where it is to be a part.
template <class Do>
ssize_t reading(int file, std::size_t size, Do&& work) {
  const char* const path = path_of(file);
  const Action a = counts(path) ? next("read", path) : Action{};
  if (a.kind == Action::error) {
    errno = a.number;
    return -1;
  }
  return work(a.kind == Action::part ? std::min<std::size_t>(size, 1) : size);
}

// The descriptor is gone, whatever close() says.
template <class Do>
int closing(int file, Do&& work) {
  char path[most_path] = "";
  if (const char* p = path_of(file)) std::snprintf(path, sizeof path, "%s", p);
  set_path(file, "");  // before another thread is given the same number
  const Action a = counts(path) ? next("close", path) : Action{};
  const int result = work();
  if (a.kind != Action::error) return result;
  errno = a.number;
  return -1;
}

// ---- memory ----

// What the kernel counted for this process, and not for the one that started it, as getrusage() does.
void log_peak() {
  const char* const to = std::getenv("SLUICE_PEAK_LOG");
  std::FILE* const status =
      to ? SLUICE_REAL(fopen, std::FILE * (const char*, const char*))("/proc/self/status", "r") : nullptr;
  if (!status) return;
  char line[256];
  unsigned long peak = 0;
  while (std::fgets(line, sizeof line, status)) std::sscanf(line, "VmHWM: %lu", &peak);
  std::fclose(status);
  const auto log =
      static_cast<int>(::syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  const int size = std::snprintf(line, sizeof line, "%lu\n", peak);
  ::syscall(SYS_write, log, line, size);
}

std::atomic<std::uint64_t> allocations{0};

struct Place {
  std::uint64_t stack, first, last;
};
constexpr std::size_t most_places = 1 << 14;
std::array<Place, most_places> places;
std::atomic_flag places_busy = ATOMIC_FLAG_INIT;

// Callers that tell one place from another: more of them where nothing is inlined.
#ifdef __OPTIMIZE__
constexpr int frames = 5;
#else
constexpr int frames = 14;
#endif

struct Stack {
  std::uint64_t hash = 14695981039346656037u;
  int frames = 0;
};
_Unwind_Reason_Code add_frame(_Unwind_Context* context, void* to) {
  Stack& s = *static_cast<Stack*>(to);
  s.hash = (s.hash ^ _Unwind_GetIP(context)) * 1099511628211u;
  return ++s.frames < frames ? _URC_NO_REASON : _URC_END_OF_STACK;
}

void note_place(std::uint64_t n) {
  Stack s;
  _Unwind_Backtrace(add_frame, &s);
  while (places_busy.test_and_set(std::memory_order_acquire)) {
  }
  for (std::size_t i = s.hash % most_places, tried = 0; tried < most_places; ++tried, i = (i + 1) % most_places) {
    Place& p = places[i];
    if (p.first != 0 && p.stack != s.hash) continue;
    if (p.first == 0) p = {s.hash, n, n};
    p.first = std::min(p.first, n), p.last = std::max(p.last, n);
    break;
  }
  places_busy.clear(std::memory_order_release);
}

// Whether this allocation is to fail.
bool fails() {
  if (!in_main || !begun || std::strcmp(plan().call, "new") != 0) return false;
  const Plan& p = plan();
  const std::uint64_t n = ++allocations;
  if (p.what.kind == Action::places) note_place(n);
  if (p.what.kind != Action::error || (n != p.at && !(p.and_all_behind && n > p.at))) return false;
  if (n == p.at) log_line("new", "", p.action);
  return true;
}

void* take(std::size_t size, std::size_t alignment) noexcept {
  if (fails()) return nullptr;
  size = std::max<std::size_t>(size, 1);
  if (alignment <= alignof(std::max_align_t)) return std::malloc(size);
  void* memory = nullptr;
  return ::posix_memalign(&memory, alignment, size) == 0 ? memory : nullptr;
}
void* take_or_throw(std::size_t size, std::size_t alignment = 1) {
  if (void* const memory = take(size, alignment)) return memory;
  throw std::bad_alloc();
}

}  // namespace

extern "C" {

// Nothing counts that begins before main() or ends behind it. (Linked with --wrap=main.)
int __real_main(int argc, char** argv);
int __wrap_main(int argc, char** argv);
int __wrap_main(int argc, char** argv) {
  plan();
  in_main = true;
  const int code = __real_main(argc, argv);
  in_main = false;
  log_peak();
  for (int file = 0; file < most_files; ++file)
    if (const char* path = path_of(file)) log_line("left open", path, nullptr);
  for (const Place& p : places) {
    char numbers[64];
    std::snprintf(numbers, sizeof numbers, "%lu %lu", p.first, p.last);
    if (p.first) log_line("new", numbers, nullptr);
  }
  return code;
}

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? static_cast<mode_t>(va_arg(more, int)) : 0;
  va_end(more);
  return open_as(path, flags, mode);
}
int stat(const char* path, struct stat* status) {
  return whole("stat", path, [&] { return SLUICE_REAL(stat, int(const char*, struct stat*))(path, status); });
}
int lstat(const char* path, struct stat* status) {
  return whole("lstat", path, [&] { return SLUICE_REAL(lstat, int(const char*, struct stat*))(path, status); });
}
int fstat(int file, struct stat* status) {
  return whole("fstat", file, [&] { return SLUICE_REAL(fstat, int(int, struct stat*))(file, status); });
}
int fsync(int file) {
  return whole("fsync", file, [&] { return SLUICE_REAL(fsync, int(int))(file); });
}
int fchmod(int file, mode_t mode) {
  return whole("fchmod", file, [&] { return SLUICE_REAL(fchmod, int(int, mode_t))(file, mode); });
}
int flock(int file, int operation) {
  return whole("flock", file, [&] { return SLUICE_REAL(flock, int(int, int))(file, operation); });
}
int ftruncate(int file, off_t size) {
  return whole("ftruncate", file, [&] { return SLUICE_REAL(ftruncate, int(int, off_t))(file, size); });
}
int rename(const char* from, const char* to) {
  return whole("rename", from, [&] { return SLUICE_REAL(rename, int(const char*, const char*))(from, to); });
}
int unlink(const char* path) {
  return whole("unlink", path, [&] { return SLUICE_REAL(unlink, int(const char*))(path); });
}
int close(int file) {
  return closing(file, [&] { return SLUICE_REAL(close, int(int))(file); });
}
int fclose(std::FILE* file) {
  return closing(::fileno(file), [&] { return SLUICE_REAL(fclose, int(std::FILE*))(file); });
}
std::FILE* fopen(const char* path, const char* mode) {
  return fopen_as(path, mode);
}
std::FILE* fopen64(const char* path, const char* mode) {
  return fopen_as(path, mode);
}

ssize_t read(int file, void* to, std::size_t size) {
  return reading(file, size,
                 [&](std::size_t n) { return SLUICE_REAL(read, ssize_t(int, void*, std::size_t))(file, to, n); });
}
ssize_t pread(int file, void* to, std::size_t size, off_t offset) {
  return reading(file, size, [&](std::size_t n) {
    return SLUICE_REAL(pread, ssize_t(int, void*, std::size_t, off_t))(file, to, n, offset);
  });
}

ssize_t write(int file, const void* from, std::size_t size) {
  const char* const path = path_of(file);
  const Action a = counts(path) ? next("write", path) : Action{};
  if (a.kind == Action::part) size = std::min<std::size_t>(size, 1);
  if (a.kind == Action::full && size > 0) {
    const std::uint64_t so_far = written, room = plan().at;
    size = static_cast<std::size_t>(std::min<std::uint64_t>(size, room > so_far ? room - so_far : 0));
    if (size == 0) log_line("full", path, plan().action);
  }
  if (a.kind == Action::error || (a.kind == Action::full && size == 0)) {
    errno = a.kind == Action::full ? ENOSPC : a.number;
    return -1;
  }
  const ssize_t n = SLUICE_REAL(write, ssize_t(int, const void*, std::size_t))(file, from, size);
  if (path && n > 0) written += static_cast<std::uint64_t>(n);
  return n;
}

}  // extern "C"

void* operator new(std::size_t size) {
  return take_or_throw(size);
}
void* operator new[](std::size_t size) {
  return take_or_throw(size);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return take(size, 1);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return take(size, 1);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return take_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return take_or_throw(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
