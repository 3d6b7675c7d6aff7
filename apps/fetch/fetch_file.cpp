#include "apps/fetch/fetch_file.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include <sluice/stages/errors.hpp>
#include "apps/fetch/part_file.hpp"

namespace sluice::apps {
namespace {

using End = Answer::End;

constexpr int most_rounds = 5;  // over all mirrors, each of which has to bring something

struct Mirror {
  std::string url, shown;
  bool out = false, wrong_data = false;
  std::string why{};
};

class Fetching {
 public:
  Fetching(Transfers& transfers, const WantedFile& wanted, const FetchObserver& observer)
      : transfers_(transfers), wanted_(wanted), observer_(observer), part_(wanted.path) {}

  // Nothing: no mirror had it.
  std::optional<Fetched> from(std::vector<Mirror>& mirrors) {
    if (wanted_.bytes > 0 && part_.size() > wanted_.bytes) part_.empty();
    if (wanted_.bytes > 0 && part_.size() == wanted_.bytes) {
      if (verified()) return done("");
      part_.empty();
    }
    // Where its size is not known, only its digest tells that it is whole.
    if (wanted_.bytes == 0 && part_.size() > 0 && verified()) return done("");
    bool more = true;
    for (int round = 0; round < most_rounds && more; ++round) {
      more = false;
      for (Mirror& mirror : mirrors) {
        if (mirror.out) continue;
        if (!trouble_.empty()) observer_.tries_again(fmt::format("{}: trying {}", trouble_, mirror.shown));
        const std::uint64_t before = part_.size();
        if (ask(mirror)) return done(mirror.shown);
        more = more || part_.size() > before;
        trouble_ = mirror.shown + ": " + mirror.why;
      }
    }
    return std::nullopt;
  }

  std::string left() const {
    return part_.size() == 0 ? ""
                             : fmt::format("; {} bytes are in {}, and the same command goes on from there",
                                           part_.size(), part_.name());
  }

 private:
  bool verified() { return (digest_ = part_.sha256()) == wanted_.sha256; }

  Fetched done(const std::string& url) {
    const std::uint64_t bytes = part_.size();
    part_.commit();
    return {.bytes = bytes, .resumed_at = url.empty() ? bytes : resumed_at_, .url = url};
  }

  // True: the file is whole, and the one. A second time only to begin anew.
  bool ask(Mirror& mirror) {
    for (;;) {
      const std::uint64_t from = resumed_at_ = part_.size();
      Answer answer = transfers_.get({.url = mirror.url, .bytes = wanted_.bytes, .most = wanted_.most}, part_,
                                     observer_.wake, [&] { observer_.progress(part_.size()); });
      if (answer.end == End::interrupted) throw FetchInterrupted{part_.name(), part_.size()};
      // Where no length was said, only the digest tells whether a connection ended too early.
      const bool said = answer.end == End::whole;
      const bool may_be =
          said || (answer.end == End::cut && (wanted_.bytes > 0 ? part_.size() == wanted_.bytes : part_.size() > 0));
      if (may_be && verified()) return true;
      if (said || (may_be && wanted_.bytes > 0)) {
        part_.empty();
        answer.why =
            fmt::format("SHA-256 is {}, expected {} (as stated by {})", digest_, wanted_.sha256, wanted_.stated_by);
        answer.end = from > 0 ? End::begin_anew : End::refused;
        answer.wrong_data = true;
      }
      if (answer.end == End::begin_anew && from > 0) {
        part_.empty();
        observer_.tries_again(
            fmt::format("{}: {}: going on from byte {} is no use: from the beginning", mirror.shown, answer.why, from));
        continue;
      }
      mirror.why = answer.why;
      mirror.out = answer.end != End::cut;
      mirror.wrong_data = answer.wrong_data;
      return false;
    }
  }

  Transfers& transfers_;
  const WantedFile& wanted_;
  const FetchObserver& observer_;
  PartFile part_;
  std::uint64_t resumed_at_ = 0;
  std::string digest_, trouble_;
};

}  // namespace

Fetched fetch_file(Transfers& transfers, const WantedFile& wanted, const std::vector<std::string>& urls,
                   const FetchObserver& observer) {
  const auto begin = std::chrono::steady_clock::now();
  std::vector<Mirror> mirrors;
  for (const std::string& url : urls) {
    const std::string whole = transfers.url_of(url, wanted.name);
    mirrors.push_back({.url = whole, .shown = transfers.shown(whole)});
  }
  Fetching fetching(transfers, wanted, observer);
  if (std::optional<Fetched> fetched = fetching.from(mirrors)) {
    fetched->seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return *fetched;
  }
  std::string reasons;
  for (const Mirror& mirror : mirrors)
    reasons += fmt::format("{}{}: {}", reasons.empty() ? "" : "; ", mirror.shown, mirror.why);
  const std::string text = fmt::format("{}: could not be fetched: {}{}", wanted.path, reasons, fetching.left());
  if (std::all_of(mirrors.begin(), mirrors.end(), [](const Mirror& mirror) { return mirror.wrong_data; }))
    throw stages::DataError(text);
  throw FetchError(text);
}

}  // namespace sluice::apps
