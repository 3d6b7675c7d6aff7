// What becomes of a message that is put into a graph from outside: sluice/pipeline/inlet.hpp.
#pragma once

namespace sluice {

enum class [[nodiscard]] Put{
    accepted,
    full,    // there was no room (in time); the message is still the caller's
    closed,  // nothing is taken any more; the message is still the caller's
};

}  // namespace sluice
