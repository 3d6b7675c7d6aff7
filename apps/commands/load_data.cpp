#include "apps/commands/load_data.hpp"

#include <fmt/core.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include <sluice/pipeline/errors.hpp>
#include <sluice/stages/errors.hpp>

namespace sluice::apps {

const JobData* load_data(DataPreparation& preparation, const DecodedCount& decoded, Interrupt& interrupt,
                         const LogStyle& style, Clock::time_point begin) {
  const bool drawn = style.form == LogStyle::Form::line;
  // Whoever notes a signal may do so when this is over.
  const auto interrupted = std::make_shared<std::atomic<bool>>(false);
  if (drawn) {
    say("loading ...");
    preparation.graph().on_progress(std::chrono::milliseconds(250), [&](const GraphStats&) {
      const double seconds = seconds_since(begin), bytes = static_cast<double>(decoded->all);
      if (seconds < 1 || *interrupted) return;
      std::string text = fmt::format("\r\x1b[Kloading, for {:.0f} s", seconds);
      if (bytes > 0) text += fmt::format(": {:.0f} MB decompressed, {:.0f} MB/s", bytes / 1e6, bytes / 1e6 / seconds);
      say(text);
    });
  }
  interrupt.when_asked([style, begin, drawn] {
    if (drawn) say("\r\x1b[K");
    say_message(style, fmt::format("loading the data, for {:.1f} s so far", seconds_since(begin)));
  });
  interrupt.then([&preparation, &style, drawn, interrupted] {
    *interrupted = true;
    if (drawn) say("\n");
    say_message(style, "interrupted: waiting for what is being decompressed; once more to quit now");
    preparation.graph().cancel();
  });
  const JobData* data = nullptr;
  try {
    data = &preparation.run();
  } catch (const Cancelled&) {
  } catch (const StageError& error) {
    // A pipe that was waited for; or one that ended because the signal ended its writer, too.
    if (!interrupt.signal() || !error.cause_as<stages::DataError>()) throw;
  }
  if (drawn) say("\r\x1b[K");
  interrupt.then({});
  preparation.graph().on_progress({}, {});
  return data;
}

}  // namespace sluice::apps
