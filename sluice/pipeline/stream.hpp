// The messages that a stage makes: a handle to be given to the stages that read them.
#pragma once

#include <sluice/pipeline/detail/bodies.hpp>
#include <sluice/pipeline/detail/stage.hpp>

namespace sluice {

template <class T>
class Stream {
 public:
  using value_type = T;

 protected:
  Stream(detail::Stage* stage, detail::Producer<T>* producer) : stage_(stage), producer_(producer) {}
  friend class Graph;
  template <class>
  friend class Feedback;
  detail::Stage* stage_;
  detail::Producer<T>* producer_;
};

}  // namespace sluice
