// One file by https, from where a part of it ends, by libcurl.
//
// URL, part -> the part with what came behind it, and how it ended. https alone, redirects too, and at most five of
// them; no more bytes than were promised; what an error or a page of HTML sends is never written. Proxies and
// certificates are those that the tool curl takes: https_proxy, ALL_PROXY and NO_PROXY; CURL_CA_BUNDLE, SSL_CERT_DIR
// and SSL_CERT_FILE. libcurl is loaded with the first object, so that no other command waits for it and its thirty
// libraries. Order and thread-safety: one thread. Errors: UsageError where there is no libcurl, or a URL is none;
// stages::WriteError of the part. All else is an Answer.
//
//   Transfers transfers(std::chrono::seconds(30));
//   const Answer answer = transfers.get({.url = url, .bytes = 4542, .most = 4542}, part, interrupt.wake(), progress);
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "apps/fetch/part_file.hpp"

namespace sluice::apps {

// The version of libcurl that this program was built for; empty: it was built without.
std::string libcurl_version();

struct Answer {
  enum class End {
    whole,        // the server has sent all that it has
    cut,          // it has not, but may the next time
    refused,      // nothing that could be used: an error, a page, a file of another size
    begin_anew,   // what is there of the file does not belong to the server's
    interrupted,  // by `wake`
  };
  End end = End::whole;
  std::string why = "";     // in words; without user, password and query of any URL
  bool wrong_data = false;  // of refused: there is a file, and it is not the one
};

struct Request {
  std::string url;
  std::uint64_t bytes = 0;  // of the whole file; 0: not known
  std::uint64_t most = 0;   // of the whole file
};

class Transfers {
 public:
  explicit Transfers(std::chrono::seconds timeout);  // without a connection, or with less than 1 KiB/s
  ~Transfers();
  Transfers(const Transfers&) = delete;
  Transfers& operator=(const Transfers&) = delete;

  // wake: a descriptor that becomes readable when this is to end. progress: called again and again meanwhile.
  Answer get(const Request& request, PartFile& part, int wake, const std::function<void()>& progress);

  std::string url_of(const std::string& mirror, const std::string& file) const;  // what follows a ? stays behind it
  std::string shown(const std::string& url) const;                               // without user, password, query

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice::apps
