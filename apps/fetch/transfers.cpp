#include "apps/fetch/transfers.hpp"

#include "apps/job/usage_error.hpp"

#ifdef SLUICE_CURL

#include <curl/curl.h>
#include <dlfcn.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <exception>
#include <new>
#include <optional>
#include <string_view>
#include <system_error>

namespace sluice::apps {
namespace {

using End = Answer::End;

// What is used of libcurl.
struct Library {
  decltype(&::curl_global_init) global_init;
  decltype(&::curl_free) free;
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_setopt) easy_setopt;
  decltype(&::curl_easy_getinfo) easy_getinfo;
  decltype(&::curl_easy_header) easy_header;
  decltype(&::curl_easy_strerror) easy_strerror;
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_multi_init) multi_init;
  decltype(&::curl_multi_add_handle) multi_add_handle;
  decltype(&::curl_multi_remove_handle) multi_remove_handle;
  decltype(&::curl_multi_perform) multi_perform;
  decltype(&::curl_multi_poll) multi_poll;
  decltype(&::curl_multi_info_read) multi_info_read;
  decltype(&::curl_multi_strerror) multi_strerror;
  decltype(&::curl_multi_cleanup) multi_cleanup;
  decltype(&::curl_url) url;
  decltype(&::curl_url_set) url_set;
  decltype(&::curl_url_get) url_get;
  decltype(&::curl_url_cleanup) url_cleanup;
};

template <class Function>
void look_up(void* library, Function& function, const char* name) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  if (!function) throw UsageError(fmt::format("sluice fetch: this libcurl is too old: it has no {}", name));
}

// Both of Debian's have one interface: with OpenSSL, and with GnuTLS.
Library load() {
  void* library = nullptr;
  for (const char* name : {"libcurl.so.4", "libcurl-gnutls.so.4"})
    if (!library) library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    throw UsageError("sluice fetch needs libcurl, which is not installed (on Debian: apt-get install libcurl4)");
  Library all{};
  look_up(library, all.global_init, "curl_global_init");
  look_up(library, all.free, "curl_free");
  look_up(library, all.easy_init, "curl_easy_init");
  look_up(library, all.easy_setopt, "curl_easy_setopt");
  look_up(library, all.easy_getinfo, "curl_easy_getinfo");
  look_up(library, all.easy_header, "curl_easy_header");
  look_up(library, all.easy_strerror, "curl_easy_strerror");
  look_up(library, all.easy_cleanup, "curl_easy_cleanup");
  look_up(library, all.multi_init, "curl_multi_init");
  look_up(library, all.multi_add_handle, "curl_multi_add_handle");
  look_up(library, all.multi_remove_handle, "curl_multi_remove_handle");
  look_up(library, all.multi_perform, "curl_multi_perform");
  look_up(library, all.multi_poll, "curl_multi_poll");
  look_up(library, all.multi_info_read, "curl_multi_info_read");
  look_up(library, all.multi_strerror, "curl_multi_strerror");
  look_up(library, all.multi_cleanup, "curl_multi_cleanup");
  look_up(library, all.url, "curl_url");
  look_up(library, all.url_set, "curl_url_set");
  look_up(library, all.url_get, "curl_url_get");
  look_up(library, all.url_cleanup, "curl_url_cleanup");
  if (all.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw UsageError("sluice fetch: libcurl cannot be started");
  return all;
}

const Library& curl() {
  static const Library library = load();
  return library;
}

class Url {
 public:
  explicit Url(const std::string& text) : url_(curl().url(), curl().url_cleanup) {
    if (!url_) throw std::bad_alloc();
    if (curl().url_set(url_.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK)
      throw UsageError("--mirror: is no URL, expected https://HOST/FOLDER/");
  }
  std::string get(CURLUPart part) const {
    char* text = nullptr;
    if (curl().url_get(url_.get(), part, &text, CURLU_NO_DEFAULT_PORT) != CURLUE_OK || !text) return "";
    const std::string copy = text;
    curl().free(text);
    return copy;
  }
  void set(CURLUPart part, const char* text) {
    if (curl().url_set(url_.get(), part, text, 0) != CURLUE_OK) throw std::bad_alloc();
  }

 private:
  std::unique_ptr<CURLU, decltype(&::curl_url_cleanup)> url_;
};

const char* variable(const char* name) {
  const char* const value = std::getenv(name);
  return value && *value ? value : nullptr;
}

struct Handle {
  std::unique_ptr<CURL, decltype(&::curl_easy_cleanup)> easy{curl().easy_init(), curl().easy_cleanup};

  template <class Value>
  void set(CURLoption option, Value value) {
    const CURLcode code = curl().easy_setopt(easy.get(), option, value);
    if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
    // An older one, say, that cannot be held to https.
    if (code != CURLE_OK)
      throw UsageError(fmt::format("sluice fetch: libcurl refuses its option {}: {}", static_cast<int>(option),
                                   curl().easy_strerror(code)));
  }
  curl_off_t number(CURLINFO info) const {
    curl_off_t value = 0;
    curl().easy_getinfo(easy.get(), info, &value);
    return value;
  }
  long status() const {
    long value = 0;
    curl().easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &value);
    return value;
  }
  std::string text(CURLINFO info) const {
    const char* value = nullptr;
    curl().easy_getinfo(easy.get(), info, &value);
    return value ? value : "";
  }
  std::string header(const char* name) const {
    curl_header* found = nullptr;
    return curl().easy_header(easy.get(), name, 0, CURLH_HEADER, -1, &found) == CURLHE_OK ? found->value : "";
  }
};

struct ContentRange {
  std::uint64_t first = 0;
  std::optional<std::uint64_t> bytes{};  // of the whole file
};

// "bytes 100-199/200", or with a star for the last. RFC 9110, 14.4.
std::optional<ContentRange> content_range(std::string_view text) {
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  ContentRange range;
  const char* const end = text.data() + text.size();
  if (std::from_chars(text.data(), end, range.first).ec != std::errc()) return std::nullopt;
  const std::size_t slash = text.find('/');
  std::uint64_t bytes = 0;
  if (slash != text.npos && std::from_chars(text.data() + slash + 1, end, bytes).ec == std::errc()) range.bytes = bytes;
  return range;
}

// What comes, on its way into the part.
class Arrival {
 public:
  Arrival(const Handle& handle, const Request& request, PartFile& part)
      : handle_(handle), request_(request), part_(part), from_(part.size()) {}

  // Once, by the answer's headers; false: what follows is not wanted.
  bool begin() {
    if (begun_) return !answer_;
    begun_ = true;
    const long status = handle_.status();
    if (status == 416 && from_ > 0) return anew("has not so many bytes as have come already");
    if (status != 200 && status != 206) return refuse(fmt::format("answers {}", status), false);
    std::string type = handle_.text(CURLINFO_CONTENT_TYPE);
    for (char& c : type) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (type.starts_with("text/html")) return refuse("sends a page (text/html), expected the file", true);
    const curl_off_t length = handle_.number(CURLINFO_CONTENT_LENGTH_DOWNLOAD_T);  // -1: not said
    std::optional<std::uint64_t> bytes;
    if (length >= 0) bytes = static_cast<std::uint64_t>(length);
    if (status == 206) {
      const auto range = content_range(handle_.header("Content-Range"));
      if (!range || range->first != from_) return anew("sends another part than the one that was asked for");
      bytes = range->bytes;
    } else {
      passed_over_ = from_;  // a server that knows no ranges: the beginning once more
    }
    if (bytes && request_.bytes > 0 && *bytes != request_.bytes)
      return refuse(fmt::format("has {} bytes, expected {}", *bytes, request_.bytes), true);
    if (bytes && *bytes > request_.most)
      return refuse(fmt::format("has {} bytes, expected at most {}", *bytes, request_.most), true);
    return true;
  }

  bool take(const char* data, std::size_t size) {
    if (!begin()) return false;
    const auto known = static_cast<std::size_t>(std::min<std::uint64_t>(passed_over_, size));
    passed_over_ -= known, data += known, size -= known;
    if (part_.size() + size > request_.most) {
      part_.empty();
      const std::string why = fmt::format("sends more than the {} bytes that were expected", request_.most);
      return from_ > 0 ? anew(why) : refuse(why, true);
    }
    part_.append(data, size);
    return true;
  }

  static std::size_t write(char* data, std::size_t one, std::size_t size, void* self) {
    auto& arrival = *static_cast<Arrival*>(self);
    try {
      return arrival.take(data, one * size) ? one * size : CURL_WRITEFUNC_ERROR;
    } catch (...) {
      arrival.error_ = std::current_exception();
      return CURL_WRITEFUNC_ERROR;
    }
  }

  const std::optional<Answer>& answer() const { return answer_; }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  bool refuse(const std::string& why, bool wrong_data) {
    answer_ = Answer{.end = End::refused, .why = why, .wrong_data = wrong_data};
    return false;
  }
  bool anew(const std::string& why) {
    answer_ = Answer{.end = End::begin_anew, .why = why};
    return false;
  }

  const Handle& handle_;
  const Request& request_;
  PartFile& part_;
  const std::uint64_t from_;
  std::uint64_t passed_over_ = 0;  // bytes that are still to come and are there
  bool begun_ = false;
  std::optional<Answer> answer_;
  std::exception_ptr error_;
};

bool is_certificate(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_ISSUER_ERROR ||
         code == CURLE_SSL_CRL_BADFILE;
}

// What libcurl says of a proxy that it cannot use has all of its address, with user and password.
bool may_be_secret(CURLcode code, const std::string& said) {
  return code == CURLE_COULDNT_RESOLVE_PROXY || said.find("://") != said.npos || said.find('@') != said.npos;
}

Answer failed(CURLcode code, const std::string& said) {
  const std::string why = said.empty() || may_be_secret(code, said) ? curl().easy_strerror(code) : said;
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {.end = End::refused, .why = "leads to an address that is not https"};
    case CURLE_TOO_MANY_REDIRECTS:
      return {.end = End::refused, .why = "is redirected more than 5 times"};
    default:
      break;
  }
  if (is_certificate(code))
    return {.end = End::refused,
            .why = why + " (certificates: the package ca-certificates, or a file of them in SSL_CERT_FILE)"};
  return {.end = End::cut, .why = why};
}

}  // namespace

std::string libcurl_version() {
  return LIBCURL_VERSION;
}

struct Transfers::State {
  std::chrono::seconds timeout;
  std::unique_ptr<CURLM, decltype(&::curl_multi_cleanup)> multi{curl().multi_init(), curl().multi_cleanup};
};

Transfers::Transfers(std::chrono::seconds timeout) : state_(new State{.timeout = timeout}) {
  if (!state_->multi) throw std::bad_alloc();
}

Transfers::~Transfers() = default;

std::string Transfers::url_of(const std::string& mirror, const std::string& file) const {
  Url url(mirror);
  std::string path = url.get(CURLUPART_PATH);
  if (!path.ends_with('/')) path += '/';
  url.set(CURLUPART_PATH, (path + file).c_str());
  return url.get(CURLUPART_URL);
}

std::string Transfers::shown(const std::string& text) const {
  Url url(text);
  for (const CURLUPart part :
       {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS, CURLUPART_QUERY, CURLUPART_FRAGMENT})
    url.set(part, nullptr);
  return url.get(CURLUPART_URL);
}

Answer Transfers::get(const Request& request, PartFile& part, int wake, const std::function<void()>& progress) {
  Handle handle;
  if (!handle.easy) throw std::bad_alloc();
  std::array<char, CURL_ERROR_SIZE> said{};
  Arrival arrival(handle, request, part);
  const std::uint64_t from = part.size();
  const auto seconds = static_cast<long>(state_->timeout.count());
  handle.set(CURLOPT_ERRORBUFFER, said.data());
  handle.set(CURLOPT_URL, request.url.c_str());
  handle.set(CURLOPT_PROTOCOLS_STR, "https");
  handle.set(CURLOPT_REDIR_PROTOCOLS_STR, "https");
  handle.set(CURLOPT_FOLLOWLOCATION, 1L);
  handle.set(CURLOPT_MAXREDIRS, 5L);
  handle.set(CURLOPT_USERAGENT, "sluice/" SLUICE_VERSION);
  handle.set(CURLOPT_CONNECTTIMEOUT, seconds);
  handle.set(CURLOPT_LOW_SPEED_LIMIT, 1024L);
  handle.set(CURLOPT_LOW_SPEED_TIME, seconds);
  handle.set(CURLOPT_NOSIGNAL, 1L);
  handle.set(CURLOPT_QUICK_EXIT, 1L);  // not to wait for a name that nobody finds
  handle.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  handle.set(CURLOPT_WRITEFUNCTION, &Arrival::write);
  handle.set(CURLOPT_WRITEDATA, &arrival);
  // Not resume_from, with which libcurl gives up where a server knows no ranges.
  const std::string range = std::to_string(from) + "-";
  if (from > 0) handle.set(CURLOPT_RANGE, range.c_str());
  // As the tool curl has them: the library itself looks for none.
  if (const char* const bundle = variable("CURL_CA_BUNDLE")) {
    handle.set(CURLOPT_CAINFO, bundle);
  } else {
    if (const char* const folder = variable("SSL_CERT_DIR")) handle.set(CURLOPT_CAPATH, folder);
    if (const char* const file = variable("SSL_CERT_FILE")) handle.set(CURLOPT_CAINFO, file);
  }

  CURLM* const multi = state_->multi.get();
  const auto check = [](CURLMcode code) {
    if (code != CURLM_OK) throw std::runtime_error(fmt::format("libcurl: {}", curl().multi_strerror(code)));
  };
  check(curl().multi_add_handle(multi, handle.easy.get()));
  // Out again before the handle goes.
  struct Out {
    CURLM* multi;
    CURL* easy;
    ~Out() { curl().multi_remove_handle(multi, easy); }
  } const out{multi, handle.easy.get()};
  const auto end_of_body = static_cast<curl_off_t>(request.most + (std::uint64_t{1} << 20));
  for (int running = 1;;) {
    check(curl().multi_perform(multi, &running));
    if (running == 0) break;
    curl_waitfd woken{wake, CURL_WAIT_POLLIN, 0};
    check(curl().multi_poll(multi, &woken, wake >= 0 ? 1 : 0, 100, nullptr));
    if (wake >= 0 && woken.revents != 0) return {.end = End::interrupted};
    // What a redirect sends is not handed on, but would have to be waited for.
    if (handle.number(CURLINFO_SIZE_DOWNLOAD_T) > end_of_body)
      return {.end = End::refused, .why = "sends without end", .wrong_data = true};
    progress();
  }
  CURLcode code = CURLE_FAILED_INIT;
  int left = 0;
  while (const CURLMsg* const message = curl().multi_info_read(multi, &left))
    if (message->msg == CURLMSG_DONE && message->easy_handle == handle.easy.get()) code = message->data.result;

  arrival.rethrow();
  if (code == CURLE_OK) arrival.begin();  // an answer without a body
  if (arrival.answer()) return *arrival.answer();
  if (code != CURLE_OK) return failed(code, said.data());
  if (request.bytes > 0 && part.size() < request.bytes)
    return {.end = End::cut, .why = fmt::format("ended after {} of {} bytes", part.size(), request.bytes)};
  if (part.size() == 0) return {.end = End::refused, .why = "has 0 bytes", .wrong_data = true};
  return {};
}

}  // namespace sluice::apps

#else

namespace sluice::apps {

std::string libcurl_version() {
  return "";
}

struct Transfers::State {};

Transfers::Transfers(std::chrono::seconds) {
  throw UsageError("sluice fetch: this program was built without libcurl");
}
Transfers::~Transfers() = default;

Answer Transfers::get(const Request&, PartFile&, int, const std::function<void()>&) {
  return {};
}

std::string Transfers::url_of(const std::string&, const std::string&) const {
  return "";
}

std::string Transfers::shown(const std::string&) const {
  return "";
}

}  // namespace sluice::apps

#endif
