// The consumer's own, of the same name as one of sluice. Without a guard: each program includes it once, and if a
// header of sluice takes it for its own, that is once too often.

namespace consumer::pipeline {

enum class Error { none, wrong_result };
inline int exit_code(Error error) {
  return error == Error::none ? 0 : 1;
}

}  // namespace consumer::pipeline
