// The consumer's own, of the same name as one of sluice.
#pragma once

namespace consumer::pipeline {

enum class Error { none, wrong_result };
inline int exit_code(Error error) {
  return error == Error::none ? 0 : 1;
}

}  // namespace consumer::pipeline
